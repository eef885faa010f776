package scaffold

import (
	"cmp"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The versions that are written where a tree names none. They are those of
// images that are maintained for long; whoever has another one changes it.
const (
	defaultGo     = "1.26"
	defaultNode   = "24"
	defaultPython = "3.13"
	defaultRust   = "1"
	defaultJava   = "21"
	waitImage     = "busybox:1.37"
	pluginDocker  = "plugins/docker:20"
)

// find gives the first group of a pattern in a text, "" without a match.
func find(text, pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
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

func nodeProject(s *scan, folder string) *project {
	text := s.read(folder, "package.json")
	if text == "" {
		return nil
	}
	var pkg struct {
		Scripts         map[string]any
		Engines         map[string]any
		PackageManager  string
		Workspaces      any
		Dependencies    map[string]any
		DevDependencies map[string]any
	}
	if err := json.Unmarshal([]byte(text), &pkg); err != nil {
		s.note("%s is no JSON, so it is passed over", path.Join(folder, "package.json"))
		return nil
	}
	engine, _ := pkg.Engines["node"].(string)
	version := cmp.Or(find(s.read(folder, ".nvmrc"), `^v?(\d+)`), find(s.read(folder, ".node-version"), `^v?(\d+)`), find(engine, `(\d+)`), defaultNode)
	p := &project{folder: folder, workspace: pkg.Workspaces != nil || s.has(folder, "pnpm-workspace.yaml") != ""}
	image, tool, install := "node:"+version, "npm", []string{"npm install"}
	lock := s.has(folder, "pnpm-lock.yaml", "yarn.lock", "package-lock.json", "npm-shrinkwrap.json", "bun.lock", "bun.lockb")
	manager, _, _ := strings.Cut(pkg.PackageManager, "@")
	switch {
	case lock == "pnpm-lock.yaml" || lock == "" && manager == "pnpm":
		tool, install = "pnpm", []string{"corepack enable", "pnpm install --frozen-lockfile"}
	case lock == "yarn.lock" || lock == "" && manager == "yarn":
		tool, install = "yarn", []string{"yarn install --frozen-lockfile"}
		if s.has(folder, ".yarnrc.yml") != "" || regexp.MustCompile(`^yarn@[2-9]`).MatchString(pkg.PackageManager) {
			install = []string{"corepack enable", "yarn install --immutable"}
		}
	case strings.HasPrefix(lock, "bun."):
		image, tool, install = "oven/bun:1", "bun", []string{"bun install --frozen-lockfile"}
	case lock != "":
		install = []string{"npm ci"}
	}
	p.steps = []step{{name: "install", image: image, commands: install}}
	var ran []string
	for _, script := range []string{"lint", "typecheck", "type-check", "test", "build"} {
		body, _ := pkg.Scripts[script].(string)
		if body == "" || strings.Contains(body, "no test specified") {
			continue
		}
		ran = append(ran, script)
		commands := []string{tool + " run " + script}
		if install[0] == "corepack enable" { // each step is a container of its own
			commands = append([]string{"corepack enable"}, commands...)
		}
		p.steps = append(p.steps, step{name: script, image: image, commands: commands})
	}
	what := "nothing but the installation: it has no script lint, test or build"
	if len(ran) > 0 {
		what = "scripts " + strings.Join(ran, ", ")
	}
	s.saw(path.Join(folder, cmp.Or(lock, "package.json")), "Node.js %s with %s: %s", version, tool, what)
	return p
}

func pythonProject(s *scan, folder string) *project {
	marker := s.has(folder, "pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "tox.ini")
	if marker == "" {
		return nil
	}
	text := s.read(folder, "pyproject.toml")
	requirements := ""
	var files []string
	for _, name := range []string{"requirements.txt", "requirements-dev.txt", "requirements-test.txt", "requirements/dev.txt", "requirements/test.txt", "dev-requirements.txt", "test-requirements.txt"} {
		if t := s.read(folder, name); t != "" {
			requirements += t + "\n"
			files = append(files, name)
		}
	}
	if text != "" && len(files) == 0 && !regexp.MustCompile(`(?m)^\[(project|build-system|tool\.(poetry|pdm|uv|hatch))\b`).MatchString(text) {
		return nil // only settings of tools
	}
	version := cmp.Or(find(s.read(folder, ".python-version"), `^(\d+\.\d+)`),
		find(text, `(?m)^requires-python\s*=\s*["'](?:>=|==|~=|\^)?\s*(3\.\d+)`), find(text, `(?m)^python\s*=\s*["'](?:>=|==|~=|~|\^)?\s*(3\.\d+)`), defaultPython)
	all := text + requirements + s.read(folder, "setup.py") + s.read(folder, "setup.cfg") + s.read(folder, "Pipfile")
	uses := func(word string) bool { return regexp.MustCompile(`(?m)\b` + word + `\b`).MatchString(all) }
	st := step{name: "test", image: "python:" + version}
	run, tool := "", "pip"
	switch {
	case s.has(folder, "poetry.lock") != "" || strings.Contains(text, "[tool.poetry]"):
		tool, run, marker = "poetry", "poetry run ", cmp.Or(s.has(folder, "poetry.lock"), "pyproject.toml")
		st.commands = []string{"pip install poetry", "poetry install --no-interaction"}
	case s.has(folder, "uv.lock") != "":
		tool, run, marker = "uv", "uv run ", "uv.lock"
		// The workspace is yours: the environment is not to be left in it.
		st.commands, st.env = []string{"pip install uv", "uv sync --locked"}, []variable{{"UV_PROJECT_ENVIRONMENT", "/tmp/venv"}}
	case s.has(folder, "Pipfile") != "":
		tool, run, marker = "pipenv", "pipenv run ", "Pipfile"
		st.commands = []string{"pip install pipenv", "pipenv install --dev"}
	case len(files) > 0:
		marker = files[0]
		for _, name := range files {
			st.commands = append(st.commands, "pip install -r "+name)
		}
	default:
		install := "pip install ."
		if extra := find(text, `(?ms)^\[project\.optional-dependencies\].*?^(dev|test|tests|testing)\s*=`); extra != "" {
			install = "pip install '.[" + extra + "]'"
		}
		st.commands = []string{install}
	}
	ensure := func(name string) {
		if run == "" && !regexp.MustCompile(`(?m)\b`+name+`\b`).MatchString(requirements+text) {
			st.commands = append(st.commands, "pip install "+name)
		}
	}
	var ran []string
	if uses("ruff") || s.has(folder, "ruff.toml", ".ruff.toml") != "" {
		ensure("ruff")
		st.commands, ran = append(st.commands, run+"ruff check ."), append(ran, "ruff")
	} else if uses("flake8") || s.has(folder, ".flake8") != "" {
		ensure("flake8")
		st.commands, ran = append(st.commands, run+"flake8"), append(ran, "flake8")
	}
	switch {
	case s.has(folder, "manage.py") != "" && !uses("pytest"):
		st.commands, ran = append(st.commands, run+"python manage.py test"), append(ran, "the tests of Django")
	case uses("pytest") || s.has(folder, "pytest.ini", "conftest.py", "tests/conftest.py") != "":
		ensure("pytest")
		st.commands, ran = append(st.commands, run+"pytest"), append(ran, "pytest")
	case s.has(folder, "tox.ini") != "" && tool == "pip":
		st.commands, ran = []string{"pip install tox", "tox"}, []string{"tox"}
	default:
		st.commands, ran = append(st.commands, run+"python -m unittest discover"), append(ran, "unittest")
	}
	s.saw(path.Join(folder, marker), "Python %s with %s: %s", version, tool, strings.Join(ran, ", "))
	return &project{folder: folder, steps: []step{st}}
}

func rustProject(s *scan, folder string) *project {
	text := s.read(folder, "Cargo.toml")
	if text == "" {
		return nil
	}
	toolchain := s.read(folder, "rust-toolchain.toml") + s.read(folder, "rust-toolchain")
	version := cmp.Or(find(toolchain, `(?m)^(?:channel\s*=\s*")?(1\.\d+)`), find(text, `(?m)^rust-version\s*=\s*"(1\.\d+)`), defaultRust)
	image, locked := "rust:"+version, ""
	if s.has(folder, "Cargo.lock") != "" {
		locked = " --locked"
	}
	workspace := regexp.MustCompile(`(?m)^\[workspace\]`).MatchString(text)
	all := ""
	if workspace {
		all = " --workspace"
	}
	s.saw(path.Join(folder, "Cargo.toml"), "Rust %s: fmt, clippy and test", version)
	return &project{folder: folder, workspace: workspace, steps: []step{
		{name: "lint", image: image, commands: []string{"rustup component add rustfmt clippy", "cargo fmt --all --check", "cargo clippy" + all + locked + " -- -D warnings"}},
		{name: "test", image: image, commands: []string{"cargo test" + all + locked}},
	}}
}

func javaProject(s *scan, folder string) *project {
	maven := s.read(folder, "pom.xml")
	gradle := s.has(folder, "build.gradle", "build.gradle.kts")
	if maven == "" && gradle == "" {
		return nil
	}
	p := &project{folder: folder}
	if maven != "" {
		version := javaRelease(cmp.Or(find(maven, `<maven\.compiler\.release>\s*([\d.]+)`), find(maven, `<java\.version>\s*([\d.]+)`), find(maven, `<maven\.compiler\.target>\s*([\d.]+)`)))
		image, tool := "maven:3-eclipse-temurin-"+version, "mvn"
		if s.has(folder, "mvnw") != "" {
			image, tool = "eclipse-temurin:"+version, "./mvnw"
		}
		p.workspace = strings.Contains(maven, "<modules>")
		s.saw(path.Join(folder, "pom.xml"), "Java %s with Maven: verify", version)
		p.steps = []step{{name: "verify", image: image, commands: []string{tool + " --batch-mode verify"}}}
		return p
	}
	text := s.read(folder, gradle)
	version := javaRelease(cmp.Or(find(text, `JavaLanguageVersion\.of\((\d+)\)`), find(text, `JavaVersion\.VERSION_(\d[\d_]*)`), find(text, `jvmToolchain\((\d+)\)`), find(text, `sourceCompatibility\s*=\s*['"]?([\d.]+)`)))
	image, tool := "gradle:8-jdk"+version, "gradle"
	if s.has(folder, "gradlew") != "" {
		image, tool = "eclipse-temurin:"+version, "./gradlew"
	}
	p.workspace = s.has(folder, "settings.gradle", "settings.gradle.kts") != ""
	s.saw(path.Join(folder, gradle), "Java %s with Gradle: build", version)
	p.steps = []step{{name: "build", image: image, commands: []string{tool + " --no-daemon build"}}}
	return p
}

// javaRelease is a release for which there are images: the first of those that
// are maintained for long from the one that is asked for.
func javaRelease(asked string) string {
	asked = strings.TrimPrefix(strings.ReplaceAll(asked, "_", "."), "1.")
	n, err := strconv.Atoi(strings.Split(asked, ".")[0])
	if err != nil {
		return defaultJava
	}
	lasting := []int{8, 11, 17, 21, 25}
	if i := slices.IndexFunc(lasting, func(v int) bool { return v >= n }); i >= 0 {
		return strconv.Itoa(lasting[i])
	}
	return strconv.Itoa(n)
}
