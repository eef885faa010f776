package scaffold

import (
	"cmp"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
)

// nodePackage is what is read of a package.json.
type nodePackage struct {
	Scripts        map[string]any
	Engines        map[string]any
	PackageManager string
	Workspaces     any
}

func nodeProject(s *scan, folder string) *project {
	text := s.read(folder, "package.json")
	if text == "" {
		return nil
	}
	var pkg nodePackage
	if err := json.Unmarshal([]byte(text), &pkg); err != nil {
		s.note("%s is no JSON, so it is passed over", path.Join(folder, "package.json"))
		return nil
	}
	engine, _ := pkg.Engines["node"].(string)
	version := cmp.Or(find(s.read(folder, ".nvmrc"), `^v?(\d+)`), find(s.read(folder, ".node-version"), `^v?(\d+)`), find(engine, `(\d+)`), defaultNode)
	tool := s.nodeTool(folder, version, pkg.PackageManager)
	steps := []step{{name: "install", image: tool.image, commands: tool.commands(tool.install)}}
	var ran []string
	for _, script := range []string{"lint", "typecheck", "type-check", "test", "build"} {
		body, _ := pkg.Scripts[script].(string)
		if body == "" || strings.Contains(body, "no test specified") {
			continue
		}
		ran = append(ran, script)
		steps = append(steps, step{name: script, image: tool.image, commands: tool.commands(tool.name + " run " + script)})
	}
	what := "nothing but the installation: it has no script lint, test or build"
	if len(ran) > 0 {
		what = "scripts " + strings.Join(ran, ", ")
	}
	s.saw(path.Join(folder, cmp.Or(tool.lock, "package.json")), "Node.js %s with %s: %s", version, tool.name, what)
	return &project{folder: folder, steps: steps, workspace: pkg.Workspaces != nil || s.has(folder, "pnpm-workspace.yaml") != ""}
}

// nodeTool is what installs packages, and runs scripts.
type nodeTool struct {
	name, image string
	prepare     []string // commands that make it available
	install     string
	lock        string // its file, "" where there is none
}

// commands are those of a step, which is a container of its own, with the tool
// made available.
func (t nodeTool) commands(command string) []string {
	return append(slices.Clip(t.prepare), command)
}

// nodeTool tells by the lock file of a folder what is used there, or else by what
// its package.json says.
func (s *scan) nodeTool(folder, version, wanted string) nodeTool {
	corepack := []string{"corepack enable"}
	t := nodeTool{name: "npm", image: "node:" + version, install: "npm install"}
	t.lock = s.has(folder, "pnpm-lock.yaml", "yarn.lock", "package-lock.json", "npm-shrinkwrap.json", "bun.lock", "bun.lockb")
	manager, _, _ := strings.Cut(wanted, "@")
	switch {
	case t.lock == "pnpm-lock.yaml" || t.lock == "" && manager == "pnpm":
		t.name, t.prepare, t.install = "pnpm", corepack, "pnpm install --frozen-lockfile"
	case t.lock == "yarn.lock" || t.lock == "" && manager == "yarn":
		t.name, t.install = "yarn", "yarn install --frozen-lockfile"
		if s.has(folder, ".yarnrc.yml") != "" || regexp.MustCompile(`^yarn@[2-9]`).MatchString(wanted) {
			t.prepare, t.install = corepack, "yarn install --immutable"
		}
	case strings.HasPrefix(t.lock, "bun."):
		t.name, t.image, t.install = "bun", "oven/bun:1", "bun install --frozen-lockfile"
	case t.lock != "":
		t.install = "npm ci"
	}
	return t
}
