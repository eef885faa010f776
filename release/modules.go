package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// program is what is released, systems what for: each links other modules.
const program = "github.com/drone-laptop/drone/cmd/drone"

var systems = []string{"linux", "darwin", "windows"}

// std is the standard library of Go, as a module.
const std = "std"

// module is one that is linked into the program.
type module struct {
	Path, Version, Dir string
	Main               bool

	files    []licenceFile
	licences []string
}

type licenceFile struct{ name, text string }

var licenceName = regexp.MustCompile(`(?i)^(licen[sc]e|copying|unlicense|notice|patents)([.-].*)?$`)

// linked lists the modules that the program links on any system, by path,
// without this one, and with the files about their licences. The standard
// library of Go is among them.
func linked() ([]module, error) {
	std, err := standardLibrary()
	if err != nil {
		return nil, err
	}
	all := []module{std}
	for _, system := range systems {
		modules, err := linkedOn(system)
		if err != nil {
			return nil, err
		}
		for _, m := range modules {
			if !m.Main && !slices.ContainsFunc(all, func(o module) bool { return o.Path == m.Path }) {
				all = append(all, m)
			}
		}
	}
	slices.SortFunc(all, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	for i := range all {
		var err error
		if all[i].files, err = licenceFiles(all[i].Dir); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// standardLibrary is what Go links into every program of its own. No list of
// modules has it, and its licence asks to come along all the same.
func standardLibrary() (module, error) {
	text, err := exec.Command("go", "env", "GOVERSION", "GOROOT").Output()
	if err != nil {
		return module{}, fmt.Errorf("go env: %w", err)
	}
	version, dir, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return module{Path: std, Version: versionOfGo(version), Dir: strings.TrimSpace(dir)}, nil
}

// versionOfGo is that of "go1.26.0 X:experiment", without what is not a number.
func versionOfGo(text string) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(text, "go"), " ")
	return version
}

func linkedOn(system string) ([]module, error) {
	list := exec.Command("go", "list", "-deps", "-json=Module", program)
	list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var errs bytes.Buffer
	list.Stderr = &errs
	text, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list for %s: %w: %s", system, err, strings.TrimSpace(errs.String()))
	}
	var modules []module
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var p struct{ Module *module }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return modules, nil
		} else if err != nil {
			return nil, err
		}
		if p.Module != nil {
			modules = append(modules, *p.Module)
		}
	}
}

func licenceFiles(dir string) ([]licenceFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []licenceFile
	for _, e := range entries {
		if e.IsDir() || !licenceName.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, licenceFile{e.Name(), string(text)})
	}
	return files, nil
}

// notices are the texts that have to come with the program.
func notices(modules []module) []byte {
	var out bytes.Buffer
	out.WriteString("drone contains the following modules. Each is followed by its licence.\n")
	for _, m := range modules {
		fmt.Fprintf(&out, "\n%s\n%s %s (%s)\n", strings.Repeat("=", 78), m.Path, m.Version, strings.Join(m.licences, ", "))
		if e, ok := exceptions[m.Path]; ok {
			fmt.Fprintf(&out, "\n%s\n", e.reason)
		}
		for _, file := range m.files {
			fmt.Fprintf(&out, "\n--- %s\n\n%s\n", file.name, strings.TrimSpace(file.text))
		}
	}
	return out.Bytes()
}
