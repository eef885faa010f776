package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// The part of CycloneDX 1.5 that says what a program consists of. It has no
// serial number and no time, so that the same binary has the same document.
type (
	document struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Metadata   metadata    `json:"metadata"`
		Components []component `json:"components"`
	}
	metadata struct {
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl"`
		Licences   []licence  `json:"licenses,omitempty"`
		Properties []property `json:"properties,omitempty"`
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

func readBuild(binary string) (*debug.BuildInfo, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", binary, err)
	}
	return info, nil
}

// sbom is the document of a binary, whose own version it does not hold. The
// modules are those that the linker has recorded in it; known has their
// licences, and lacking one is an error.
func sbom(version string, info *debug.BuildInfo, known []module) ([]byte, error) {
	if _, err := check(known); err != nil {
		return nil, err
	}
	licences := map[string][]string{}
	for _, m := range known {
		licences[m.Path] = m.licences
	}
	ids := func(names ...string) []licence {
		list := make([]licence, len(names))
		for i, name := range names {
			list[i].License.ID = name
		}
		return list
	}
	main := component{Type: "application", Name: info.Main.Path, Version: version, PURL: "pkg:golang/" + info.Main.Path + "@" + version, Licences: ids("Apache-2.0")}
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-trimpath":
			main.Properties = append(main.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	goVersion, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	doc := document{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{main}, Components: []component{
		{Type: "library", Name: "std", Version: goVersion, PURL: "pkg:golang/std@" + goVersion, Licences: ids("BSD-3-Clause")},
	}}
	var wrong []error
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		if len(licences[dep.Path]) == 0 {
			wrong = append(wrong, fmt.Errorf("the binary contains %s, whose licence is not known", dep.Path))
		}
		c := component{Type: "library", Name: dep.Path, Version: dep.Version, Licences: ids(licences[dep.Path]...)}
		c.PURL = "pkg:golang/" + dep.Path + "@" + dep.Version
		if dep.Sum != "" {
			c.Properties = []property{{"go:sum", dep.Sum}}
		}
		doc.Components = append(doc.Components, c)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	return append(text, '\n'), err
}
