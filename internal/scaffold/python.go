package scaffold

import (
	"cmp"
	"path"
	"regexp"
	"strings"
)

// python is a Python project while its files are read.
type python struct {
	*scan
	folder       string
	settings     string   // pyproject.toml
	files        []string // with requirements
	requirements string   // what is in them
	packages     string   // the text of all files that name packages

	tool   string // that installs packages
	run    string // what a command in its environment begins with
	marker string // the file that tells
	step   step
	ran    []string // what the step checks
}

// requirementsFiles may name packages, one on a line.
var requirementsFiles = []string{
	"requirements.txt", "requirements-dev.txt", "requirements-test.txt", "requirements/dev.txt", "requirements/test.txt", "dev-requirements.txt", "test-requirements.txt",
}

// packaged matches a pyproject.toml that has more than settings of tools.
var packaged = regexp.MustCompile(`(?m)^\[(project|build-system|tool\.(poetry|pdm|uv|hatch))\b`)

func pythonProject(s *scan, folder string) *project {
	p := &python{scan: s, folder: folder, tool: "pip", settings: s.read(folder, "pyproject.toml")}
	p.marker = s.has(folder, "pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "tox.ini")
	if p.marker == "" {
		return nil
	}
	for _, name := range requirementsFiles {
		if text := s.read(folder, name); text != "" {
			p.requirements += text + "\n"
			p.files = append(p.files, name)
		}
	}
	if p.settings != "" && len(p.files) == 0 && !packaged.MatchString(p.settings) {
		return nil
	}
	p.packages = p.settings + p.requirements + s.read(folder, "setup.py") + s.read(folder, "setup.cfg") + s.read(folder, "Pipfile")
	version := cmp.Or(find(s.read(folder, ".python-version"), `^(\d+\.\d+)`),
		find(p.settings, `(?m)^requires-python\s*=\s*["'](?:>=|==|~=|\^)?\s*(3\.\d+)`), find(p.settings, `(?m)^python\s*=\s*["'](?:>=|==|~=|~|\^)?\s*(3\.\d+)`), defaultPython)
	p.step = step{name: "test", image: "python:" + version}
	p.install()
	p.lint()
	p.test()
	s.saw(path.Join(folder, p.marker), "Python %s with %s: %s", version, p.tool, strings.Join(p.ran, ", "))
	return &project{folder: folder, steps: []step{p.step}}
}

// has reports which of the files is there, "" for none.
func (p *python) has(names ...string) string { return p.scan.has(p.folder, names...) }

// uses reports whether a file names a package.
func (p *python) uses(name string) bool { return hasWord(p.packages, name) }

func hasWord(text, word string) bool {
	return regexp.MustCompile(`\b` + word + `\b`).MatchString(text)
}

// install finds the tool that installs packages, and has it do so.
func (p *python) install() {
	switch {
	case p.has("poetry.lock") != "" || strings.Contains(p.settings, "[tool.poetry]"):
		p.tool, p.run, p.marker = "poetry", "poetry run ", cmp.Or(p.has("poetry.lock"), "pyproject.toml")
		p.step.commands = []string{"pip install poetry", "poetry install --no-interaction"}
	case p.has("uv.lock") != "":
		p.tool, p.run, p.marker = "uv", "uv run ", "uv.lock"
		// The workspace is yours: the environment is not to be left in it.
		p.step.commands, p.step.env = []string{"pip install uv", "uv sync --locked"}, []variable{{"UV_PROJECT_ENVIRONMENT", "/tmp/venv"}}
	case p.has("Pipfile") != "":
		p.tool, p.run, p.marker = "pipenv", "pipenv run ", "Pipfile"
		p.step.commands = []string{"pip install pipenv", "pipenv install --dev"}
	case len(p.files) > 0:
		p.marker = p.files[0]
		for _, name := range p.files {
			p.step.commands = append(p.step.commands, "pip install -r "+name)
		}
	default:
		install := "pip install ."
		if extra := find(p.settings, `(?ms)^\[project\.optional-dependencies\].*?^(dev|test|tests|testing)\s*=`); extra != "" {
			install = "pip install '.[" + extra + "]'"
		}
		p.step.commands = []string{install}
	}
}

// check adds a command, for what it is for people. needs is the package that it
// is of, "" for none: without a tool that has installed it, pip does.
func (p *python) check(what, command, needs string) {
	if needs != "" && p.run == "" && !hasWord(p.requirements+p.settings, needs) {
		p.step.commands = append(p.step.commands, "pip install "+needs)
	}
	p.step.commands, p.ran = append(p.step.commands, p.run+command), append(p.ran, what)
}

func (p *python) lint() {
	switch {
	case p.uses("ruff") || p.has("ruff.toml", ".ruff.toml") != "":
		p.check("ruff", "ruff check .", "ruff")
	case p.uses("flake8") || p.has(".flake8") != "":
		p.check("flake8", "flake8", "flake8")
	}
}

func (p *python) test() {
	switch {
	case p.has("manage.py") != "" && !p.uses("pytest"):
		p.check("the tests of Django", "python manage.py test", "")
	case p.uses("pytest") || p.has("pytest.ini", "conftest.py", "tests/conftest.py") != "":
		p.check("pytest", "pytest", "pytest")
	case p.has("tox.ini") != "" && p.tool == "pip":
		// It installs and checks all by itself.
		p.step.commands, p.ran = []string{"pip install tox", "tox"}, []string{"tox"}
	default:
		p.check("unittest", "python -m unittest discover", "")
	}
}
