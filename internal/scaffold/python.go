package scaffold

import (
	"cmp"
	"path"
	"regexp"
	"strings"
)

// requirements are the files that pip installs from, where there are any.
var requirements = []string{"requirements.txt", "requirements-dev.txt", "requirements-test.txt", "requirements/dev.txt", "requirements/test.txt", "dev-requirements.txt", "test-requirements.txt"}

// python is what files tell about a project of Python.
type python struct {
	scan      *scan
	folder    string
	marker    string   // the file for which there is a project
	files     []string // the requirements that there are
	listed    string   // what they have in them
	pyproject string
	all       string // of all files that name what is used
}

// pythonAt looks for a project of Python, nil for none: files of settings alone
// are none.
func (s *scan) pythonAt(folder string) *python {
	p := &python{scan: s, folder: folder, pyproject: s.read(folder, "pyproject.toml")}
	for _, name := range requirements {
		if text := s.read(folder, name); text != "" {
			p.listed += text + "\n"
			p.files = append(p.files, name)
		}
	}
	isProject := regexp.MustCompile(`(?m)^\[(project|build-system|dependency-groups|tool\.(poetry|pdm|uv|hatch))\b`).MatchString(p.pyproject)
	isTox := regexp.MustCompile(`(?m)^\[(tox|testenv)`).MatchString(s.read(folder, "tox.ini"))
	switch {
	case isProject:
		p.marker = "pyproject.toml"
	case len(p.files) > 0:
		p.marker = p.files[0]
	case s.has(folder, "setup.py", "Pipfile") != "":
		p.marker = s.has(folder, "setup.py", "Pipfile")
	case isTox:
		p.marker = "tox.ini"
	case folder == "." && p.firstTest() != "":
		p.marker = p.firstTest()
	default:
		return nil
	}
	p.all = p.pyproject + p.listed + s.read(folder, "setup.py") + s.read(folder, "setup.cfg") + s.read(folder, "Pipfile")
	return p
}

// firstTest is a file with tests, "" where there is none.
func (p *python) firstTest() string {
	for _, folder := range []string{".", "tests", "test"} {
		for _, pattern := range []string{"test_*.py", "test*.py", "*_test.py"} {
			if name := p.scan.first(path.Join(p.folder, folder), pattern); name != "" {
				return path.Join(folder, name)
			}
		}
	}
	return ""
}

func (p *python) uses(word string) bool {
	return regexp.MustCompile(`(?m)\b` + word + `\b`).MatchString(p.all)
}

func (p *python) version() string {
	const number = `3\.\d+`
	open := []string{">=", ">", "~=", "^"}
	for _, asked := range []string{
		find(p.scan.read(p.folder, ".python-version"), `^(\d+\.\d+)`),
		find(p.pyproject, `(?m)^requires-python\s*=\s*["'](.*?)["']`),
		find(p.pyproject, `(?m)^python\s*=\s*["'](.*?)["']`),
		find(p.scan.read(p.folder, "Pipfile"), `(?m)^python_version\s*=\s*["'](.*?)["']`),
	} {
		if version := release(asked, number, oldestPython, open...); version != "" {
			return version
		}
	}
	return defaultPython
}

// install is how its dependencies come into the container, with what begins the
// commands that use them. There is everything that is in has.
func (p *python) install() (tool, run string, commands []string, has string) {
	s := p.scan
	switch {
	case s.has(p.folder, "poetry.lock") != "" || strings.Contains(p.pyproject, "[tool.poetry]"):
		p.marker = cmp.Or(s.has(p.folder, "poetry.lock"), "pyproject.toml")
		return "poetry", "poetry run ", []string{"pip install poetry", "poetry install --no-interaction"}, p.all
	case s.has(p.folder, "uv.lock") != "":
		p.marker = "uv.lock"
		return "uv", "uv run ", []string{"pip install uv", "uv sync --locked"}, p.all
	case s.has(p.folder, "Pipfile") != "":
		p.marker = "Pipfile"
		return "pipenv", "pipenv run ", []string{"pip install pipenv", "pipenv install --dev"}, p.all
	}
	for _, name := range p.files {
		p.marker = p.files[0]
		commands = append(commands, "pip install -r "+name)
	}
	has = p.listed
	built := s.has(p.folder, "setup.py") != "" || strings.Contains(p.pyproject, "[build-system]")
	if !built && (len(p.files) > 0 || !regexp.MustCompile(`(?m)^\[project\]`).MatchString(p.pyproject)) {
		return "pip", "", commands, has
	}
	install := "pip install ."
	if m := regexp.MustCompile(`(?ms)^\[project\.optional-dependencies\].*?^(dev|tests?|testing)\s*=\s*\[(.*?)\]`).FindStringSubmatch(p.pyproject); m != nil {
		install, has = "pip install '.["+m[1]+"]'", has+m[2]
	}
	return "pip", "", append(commands, install), has
}

func pythonProject(s *scan, folder string) *project {
	p := s.pythonAt(folder)
	if p == nil {
		return nil
	}
	tool, run, commands, has := p.install()
	st := step{name: "test", image: "python:" + p.version(), commands: commands}
	if tool == "uv" { // the workspace is yours: the environment is not to be left in it
		st.env = []variable{{"UV_PROJECT_ENVIRONMENT", "/tmp/venv"}}
	}
	ran := []string{}
	do := func(what, needs, command string) {
		if needs != "" && run == "" && !regexp.MustCompile(`(?m)\b`+needs+`\b`).MatchString(has) {
			st.commands = append(st.commands, "pip install "+needs)
		}
		st.commands, ran = append(st.commands, run+command), append(ran, what)
	}
	if p.uses("ruff") || s.has(folder, "ruff.toml", ".ruff.toml") != "" {
		do("ruff", "ruff", "ruff check .")
	} else if p.uses("flake8") || s.has(folder, ".flake8") != "" {
		do("flake8", "flake8", "flake8")
	}
	test := p.firstTest()
	source := s.read(folder, test)
	switch {
	case s.has(folder, "manage.py") != "" && !p.uses("pytest"):
		do("the tests of Django", "", "python manage.py test")
	case p.uses("pytest") || s.has(folder, "pytest.ini", "conftest.py", "tests/conftest.py") != "":
		do("pytest", "pytest", "pytest")
	case s.has(folder, "tox.ini") != "" && tool == "pip":
		st.commands, ran = []string{"pip install tox", "tox"}, []string{"tox"}
	case test == "":
		do("compiled, since no tests were found", "", "python -m compileall -q .")
	case !strings.Contains(source, "unittest"):
		do("pytest", "pytest", "pytest")
	case path.Dir(test) != "." && s.has(folder, path.Join(path.Dir(test), "__init__.py")) == "":
		do("unittest", "", "python -m unittest discover -s "+path.Dir(test))
	default:
		do("unittest", "", "python -m unittest discover")
	}
	s.saw(path.Join(folder, p.marker), "Python %s with %s: %s", strings.TrimPrefix(st.image, "python:"), tool, strings.Join(ran, ", "))
	return &project{folder: folder, steps: []step{st}}
}
