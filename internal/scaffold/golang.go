package scaffold

import (
	"cmp"
	"path"
	"regexp"
	"strings"
)

func goProject(s *scan, folder string) *project {
	file, p := "go.mod", &project{folder: folder}
	text := s.read(folder, file)
	if work := s.read(folder, "go.work"); work != "" {
		return s.goWork(p, work)
	}
	if text == "" {
		return nil
	}
	version := cmp.Or(find(text, `(?m)^toolchain\s+go(\d+\.\d+)`), find(text, `(?m)^go\s+(\d+\.\d+)`), defaultGo)
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
	version := cmp.Or(find(work, `(?m)^go\s+(\d+\.\d+)`), defaultGo)
	var modules []string
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:use\s+)?(\.\S*)\s*$`).FindAllStringSubmatch(work, -1) {
		modules = append(modules, path.Clean(strings.Trim(m[1], `"`)))
	}
	if len(modules) == 0 {
		return nil
	}
	s.saw(path.Join(p.folder, "go.work"), "Go %s, a workspace of %d modules: vet and test", version, len(modules))
	p.workspace = true
	st := step{name: "test", image: "golang:" + version}
	for _, m := range modules {
		where := " "
		if m != "." {
			where = " -C " + quoteWord(m) + " "
		}
		st.commands = append(st.commands, "go"+where+"vet ./...", "go"+where+"test ./...")
	}
	p.steps = []step{st}
	return p
}
