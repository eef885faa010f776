package scaffold

import (
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

func goVersion(text string) string {
	version := find(text, `(?m)^toolchain\s+go(\d+\.\d+)`)
	if version == "" {
		version = release(find(text, `(?m)^go\s+(\d+\.\d+)`), `\d+\.\d+`, oldestGo, "")
	}
	return cmp.Or(version, defaultGo)
}

// packages reports whether a module has any: without, the commands of Go fail.
func (s *scan) packages(module string) bool {
	found := false
	err := fs.WalkDir(s.tree, module, func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir() && name != module && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor" || s.file(name, "go.mod")):
			return fs.SkipDir
		case strings.HasSuffix(base, ".go") && !strings.HasPrefix(base, ".") && !strings.HasPrefix(base, "_") && !d.IsDir():
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found && err == nil
}

func goProject(s *scan, folder string) *project {
	file, p := "go.mod", &project{folder: folder}
	text := s.read(folder, file)
	if work := s.read(folder, "go.work"); work != "" {
		return s.goWork(p, work)
	}
	if text == "" {
		return nil
	}
	if !s.packages(folder) {
		s.note("%s has no packages, so it is passed over", path.Join(folder, file))
		return nil
	}
	version := goVersion(text)
	image := "golang:" + version
	s.saw(path.Join(folder, file), "Go %s: vet and test", version)
	p.steps = []step{{name: "test", image: image, commands: []string{"go vet ./...", "go test ./..."}}}
	if config := s.has(folder, ".golangci.yml", ".golangci.yaml", ".golangci.toml"); config != "" {
		linter := "golangci/golangci-lint:v1.64"
		if regexp.MustCompile(`(?m)^version:?\s*=?\s*["']?2`).MatchString(s.read(folder, config)) {
			linter = "golangci/golangci-lint:v2.5"
		}
		s.saw(path.Join(folder, config), "golangci-lint")
		p.steps = append(p.steps, step{name: "lint", image: linter, commands: []string{"golangci-lint run"}})
	}
	return p
}

// goWork is a workspace: each module that it uses is tested on its own.
func (s *scan) goWork(p *project, work string) *project {
	version := goVersion(work)
	st := step{name: "test", image: "golang:" + version}
	used := regexp.MustCompile(`(?ms)^use\s*(?:\((.*?)\)|([^(\s].*?)$)`)
	for _, m := range used.FindAllStringSubmatch(work, -1) {
		for line := range strings.Lines(m[1] + m[2]) {
			line, _, _ = strings.Cut(line, "//")
			module := path.Clean(strings.Trim(strings.TrimSpace(line), "\"`"))
			if strings.TrimSpace(line) == "" || !fs.ValidPath(module) {
				continue // what is above the tree is not there in the container
			}
			p.members = append(p.members, module)
			if !s.packages(path.Join(p.folder, module)) {
				continue
			}
			where := " "
			if module != "." {
				where = " -C " + quoteWord(module) + " "
			}
			st.commands = append(st.commands, "go"+where+"vet ./...", "go"+where+"test ./...")
		}
	}
	if len(st.commands) == 0 {
		return nil
	}
	s.saw(path.Join(p.folder, "go.work"), "Go %s, a workspace of %s: vet and test", version, count(len(p.members), "module"))
	p.steps = []step{st}
	return p
}
