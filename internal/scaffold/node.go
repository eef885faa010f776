package scaffold

import (
	"cmp"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// nodePackage is what is read of a package.json.
type nodePackage struct {
	Scripts         map[string]any
	Engines         map[string]any
	PackageManager  string
	Workspaces      any
	Dependencies    map[string]any
	DevDependencies map[string]any
}

// script reports whether a package has one that does something.
func (p *nodePackage) script(name string) bool {
	body, _ := p.Scripts[name].(string)
	return body != "" && !strings.Contains(body, "no test specified")
}

// nodeScripts are those that are run, in this order.
var nodeScripts = []string{"lint", "typecheck", "type-check", "test", "build"}

// nodeReleases are the names of those that are maintained for long.
var nodeReleases = map[string]string{"hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}

func (s *scan) nodeVersion(folder string, pkg *nodePackage) string {
	for _, file := range []string{".nvmrc", ".node-version"} {
		text := strings.TrimSpace(s.read(folder, file))
		if named, ok := nodeReleases[strings.ToLower(strings.TrimPrefix(text, "lts/"))]; ok {
			return named
		}
		if version := find(text, `^v?(\d+)`); version != "" {
			return version
		}
	}
	engine, _ := pkg.Engines["node"].(string)
	return cmp.Or(release(engine, `\d+`, oldestNode, ">=", ">"), defaultNode)
}

// nodeMembers are the patterns of the folders of a workspace.
func (s *scan) nodeMembers(folder string, pkg *nodePackage) (patterns []string) {
	list := pkg.Workspaces
	if m, ok := list.(map[string]any); ok { // of yarn: {packages: […]}
		list = m["packages"]
	}
	all, _ := list.([]any)
	for _, e := range all {
		if text, ok := e.(string); ok {
			patterns = append(patterns, text)
		}
	}
	var file struct{ Packages []string }
	if text := s.read(folder, "pnpm-workspace.yaml"); text != "" && yaml.Unmarshal([]byte(text), &file) == nil {
		patterns = append(patterns, file.Packages...)
	}
	return patterns
}

// nodeTool is a package manager, and how it is used.
type nodeTool struct {
	name, image string
	before      []string // in each step, since each is a container of its own
	install     []string
	run, all    string // a script, and that of all packages of a workspace; "" where it cannot
}

func (s *scan) nodeTool(folder, version string, pkg *nodePackage) (tool nodeTool, lock string) {
	lock = s.has(folder, "pnpm-lock.yaml", "yarn.lock", "package-lock.json", "npm-shrinkwrap.json", "bun.lock", "bun.lockb")
	manager, _, _ := strings.Cut(pkg.PackageManager, "@")
	corepack := []string{"corepack enable"}
	if !older(version, "25") { // the first whose image is without it
		corepack = []string{"npm install --global corepack", "corepack enable"}
	}
	// Without a lock file none is left in the workspace, which is yours.
	install := func(locked, free string) []string {
		if lock == "" {
			return []string{free}
		}
		return []string{locked}
	}
	image := "node:" + version
	switch {
	case lock == "pnpm-lock.yaml" || lock == "" && manager == "pnpm":
		return nodeTool{"pnpm", image, corepack, install("pnpm install --frozen-lockfile", "pnpm install --no-lockfile"), "pnpm run ", "pnpm --recursive --if-present run "}, lock
	case (lock == "yarn.lock" || lock == "" && manager == "yarn") && (s.has(folder, ".yarnrc.yml") != "" || regexp.MustCompile(`^yarn@[2-9]`).MatchString(pkg.PackageManager)):
		return nodeTool{"yarn", image, corepack, install("yarn install --immutable", "yarn install --no-immutable"), "yarn run ", "yarn workspaces foreach --all run "}, lock
	case lock == "yarn.lock" || lock == "" && manager == "yarn":
		return nodeTool{"yarn", image, nil, install("yarn install --frozen-lockfile", "yarn install --no-lockfile"), "yarn run ", ""}, lock
	case strings.HasPrefix(lock, "bun.") || lock == "" && manager == "bun":
		return nodeTool{"bun", "oven/bun:1", nil, install("bun install --frozen-lockfile", "bun install --no-save"), "bun run ", "bun run --filter '*' "}, lock
	}
	return nodeTool{"npm", image, nil, install("npm ci", "npm install --no-package-lock"), "npm run ", "npm run --workspaces --if-present "}, lock
}

func (s *scan) nodePackage(folder string) *nodePackage {
	text := s.read(folder, "package.json")
	if text == "" {
		return nil
	}
	var pkg nodePackage
	if err := json.Unmarshal([]byte(text), &pkg); err != nil {
		s.note("%s is no JSON as npm reads it, so it is passed over", path.Join(folder, "package.json"))
		return nil
	}
	return &pkg
}

func nodeProject(s *scan, folder string) *project {
	pkg := s.nodePackage(folder)
	if pkg == nil {
		return nil
	}
	version := s.nodeVersion(folder, pkg)
	tool, lock := s.nodeTool(folder, version, pkg)
	p := &project{folder: folder, members: s.nodeMembers(folder, pkg)}
	var ran []string
	add := func(name string, commands ...string) {
		p.steps = append(p.steps, step{name: name, image: tool.image, commands: append(slices.Clone(tool.before), commands...)})
	}
	if lock != "" || len(pkg.Dependencies)+len(pkg.DevDependencies)+len(p.members) > 0 {
		add("install", tool.install...)
	}
	for _, script := range nodeScripts {
		switch {
		case pkg.script(script):
			ran = append(ran, script)
			add(script, tool.run+script)
		case tool.all != "" && s.member(p, func(m *nodePackage) bool { return m.script(script) }):
			ran = append(ran, script+" of the packages")
			add(script, tool.all+script)
		}
	}
	file := path.Join(folder, cmp.Or(lock, "package.json"))
	switch {
	case len(p.steps) == 0:
		s.note("%s has neither dependencies nor a script %s, so it is passed over", file, strings.Join(nodeScripts, ", "))
		return nil
	case len(ran) == 0:
		s.saw(file, "Node.js %s with %s: nothing but the installation: it has no script lint, test or build", version, tool.name)
	case tool.name == "bun":
		s.saw(file, "bun: scripts %s", strings.Join(ran, ", "))
	default:
		s.saw(file, "Node.js %s with %s: scripts %s", version, tool.name, strings.Join(ran, ", "))
	}
	return p
}

// member reports whether a package of a workspace is as asked.
func (s *scan) member(p *project, is func(*nodePackage) bool) bool {
	return slices.ContainsFunc(s.sources, func(folder string) bool {
		if !p.has(folder) {
			return false
		}
		pkg := s.nodePackage(folder)
		return pkg != nil && is(pkg)
	})
}
