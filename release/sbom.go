package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

// The part of CycloneDX 1.5 that says what a program consists of. It has no
// serial number, and its time is that of the commit, so that the same binary has
// the same document.
type (
	document struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Time      string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Licences   []licence  `json:"licenses,omitempty"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
	licence struct {
		License struct {
			ID string `json:"id"`
		} `json:"license"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// built is a binary: what it was built from, when, and which one it is.
type built struct {
	version, date string
	sum           string // SHA-256
	info          *debug.BuildInfo
}

func readBuilt(version, date, binary string) (built, error) {
	text, err := os.ReadFile(binary)
	if err != nil {
		return built{}, err
	}
	info, err := buildinfo.Read(bytes.NewReader(text))
	if err != nil {
		return built{}, fmt.Errorf("%s: %w", binary, err)
	}
	return built{version, date, fmt.Sprintf("%x", sha256.Sum256(text)), info}, nil
}

// sbom is the document of a binary. The modules are those that the linker has
// recorded in it; known has their licences, and lacking one is an error.
func sbom(b built, known []module) ([]byte, error) {
	if _, err := check(known); err != nil {
		return nil, err
	}
	if _, err := time.Parse(time.RFC3339, b.date); err != nil {
		return nil, fmt.Errorf("the date of the commit: %w", err)
	}
	licences := map[string][]string{}
	for _, m := range known {
		licences[m.Path] = m.licences
	}
	program := newComponent("application", b.info.Main.Path, b.version, []string{"Apache-2.0"})
	program.Hashes = []hash{{"SHA-256", b.sum}}
	for _, s := range b.info.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-trimpath":
			program.Properties = append(program.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	doc := document{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{b.date, program}}
	uses := dependency{Ref: program.Ref}
	var wrong []error
	for _, dep := range append([]*debug.Module{{Path: std, Version: versionOfGo(b.info.GoVersion)}}, b.info.Deps...) {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		if len(licences[dep.Path]) == 0 {
			wrong = append(wrong, fmt.Errorf("the binary contains %s, whose licence is not known", dep.Path))
		}
		c := newComponent("library", dep.Path, dep.Version, licences[dep.Path])
		if dep.Sum != "" {
			c.Properties = []property{{"go:sum", dep.Sum}}
		}
		doc.Components = append(doc.Components, c)
		uses.DependsOn = append(uses.DependsOn, c.Ref)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	doc.Dependencies = []dependency{uses}
	text, err := json.MarshalIndent(doc, "", "  ")
	return append(text, '\n'), err
}

func newComponent(kind, path, version string, licences []string) component {
	c := component{Type: kind, Name: path, Version: version, PURL: packageURL(path, version)}
	c.Ref = c.PURL
	for _, id := range licences {
		var l licence
		l.License.ID = id
		c.Licences = append(c.Licences, l)
	}
	return c
}

// packageURL names a module as its rules for Go say: in small letters, and with
// the plus of +incompatible escaped.
func packageURL(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + strings.ReplaceAll(version, "+", "%2B")
}
