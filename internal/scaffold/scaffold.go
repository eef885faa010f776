// Package scaffold writes a first configuration for a tree of sources: from the
// files that tell which languages it has, how it is built and tested, and which
// services its tests talk to.
//
// It reads files and nothing else: it asks no network for versions and runs no
// tool. What it writes is meant to be read and changed by people.
package scaffold

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// maxProjects is how many projects of a tree get pipelines. A tree with more is
// better served by a program that makes the file.
const maxProjects = 12

// maxDepth is how many folders down a project is looked for.
const maxDepth = 3

// maxFile is how much of a file is read.
const maxFile = 1 << 20

// Seen is a file that had something to say, and what was made of it.
type Seen struct {
	File string // with slashes, from the top of the tree
	What string
}

// Result is a configuration, and why it is as it is.
type Result struct {
	Text []byte
	Seen []Seen
	// Notes tell what was left out, or is to be looked at.
	Notes []string
	// Recognised is false where nothing was: then the text is only a beginning.
	Recognised bool
}

// Options are what the tree does not say.
type Options struct {
	Repository string // owner/name, for images; "" when that is not known
}

// Write looks at a tree. Its error is that of a folder that cannot be read.
func Write(tree fs.FS, opts Options) (*Result, error) {
	s := &scan{tree: tree, opts: opts}
	folders, err := s.folders()
	if err != nil {
		return nil, err
	}
	var projects []*project
	covered := map[string]bool{} // languages whose workspace the top is
	for _, folder := range folders {
		for _, l := range languages {
			if covered[l.name] {
				continue
			}
			p := l.detect(s, folder)
			if p == nil {
				continue
			}
			p.language = l.name
			covered[l.name] = p.workspace && folder == "."
			projects = append(projects, p)
		}
	}
	projects = s.limit(projects)
	s.addServices(projects)
	pipelines := s.named(projects)
	for _, folder := range folders {
		if p := imagePipeline(s, folder, pipelines); p != nil {
			pipelines = append(pipelines, p)
		}
	}
	r := &Result{Recognised: len(pipelines) > 0}
	if !r.Recognised {
		pipelines = []*pipeline{unknownPipeline()}
		s.note("nothing was recognised, so the file is only a beginning: put your commands in it")
	}
	r.Text, r.Seen, r.Notes = render(pipelines), s.seen, s.notes
	return r, nil
}

// scan is one look at a tree.
type scan struct {
	tree  fs.FS
	opts  Options
	seen  []Seen
	notes []string
}

func (s *scan) saw(file, format string, args ...any) {
	s.seen = append(s.seen, Seen{file, fmt.Sprintf(format, args...)})
}

func (s *scan) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// notSources are folders whose projects are those of others, or examples.
var notSources = []string{"node_modules", "vendor", "third_party", "testdata", "fixtures", "examples", "example", "docs", "doc", "dist", "build", "target", "venv", "site-packages", "__pycache__"}

// folders are those in which a project may be, the top first.
func (s *scan) folders() (list []string, err error) {
	err = fs.WalkDir(s.tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == "." {
				return err
			}
			return fs.SkipDir // what cannot be read has nothing to say
		}
		if !d.IsDir() {
			return nil
		}
		base := path.Base(name)
		if name != "." && (strings.HasPrefix(base, ".") || slices.Contains(notSources, base)) {
			return fs.SkipDir
		}
		list = append(list, name)
		if name != "." && strings.Count(name, "/") == maxDepth-1 {
			return fs.SkipDir
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(depth(a), depth(b)) })
	return list, err
}

func depth(folder string) int {
	if folder == "." {
		return 0
	}
	return 1 + strings.Count(folder, "/")
}

// read gives a file of a folder, "" where there is none.
func (s *scan) read(folder, name string) string {
	name = path.Join(folder, name)
	info, err := fs.Stat(s.tree, name)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	file, err := s.tree.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return ""
	}
	return string(text)
}

// has reports which of the files of a folder is there, "" for none.
func (s *scan) has(folder string, names ...string) string {
	for _, name := range names {
		if _, err := fs.Stat(s.tree, path.Join(folder, name)); err == nil {
			return name
		}
	}
	return ""
}

// languages are what is recognised, in the order of their pipelines.
var languages = []struct {
	name   string
	detect func(*scan, string) *project // nil where there is none
}{
	{"go", goProject}, {"node", nodeProject}, {"python", pythonProject}, {"rust", rustProject}, {"java", javaProject},
}

// project is something that is built and tested by one tool.
type project struct {
	language  string // short, for the name of its pipeline
	folder    string
	workspace bool // it has those of the folders below it, too
	steps     []step
	services  []service
	env       []variable
}

// limit leaves out what is too much for one file that is written by hand.
func (s *scan) limit(projects []*project) []*project {
	if len(projects) <= maxProjects {
		return projects
	}
	s.note("%d more projects were found, such as %s: add pipelines for them, or have a program make the file",
		len(projects)-maxProjects, projects[maxProjects].folder)
	return projects[:maxProjects]
}

// named gives each project its pipeline: default when it is the only one,
// otherwise the language at the top, and the folder below it.
func (s *scan) named(projects []*project) (list []*pipeline) {
	taken := map[string]bool{}
	for _, p := range projects {
		name := p.language
		switch {
		case len(projects) == 1:
			name = "default"
		case p.folder != ".":
			name = strings.ReplaceAll(p.folder, "/", "-")
		}
		if taken[name] {
			name += "-" + p.language
		}
		taken[name] = true
		l := &pipeline{name: name, services: p.services}
		if len(p.services) > 0 {
			l.steps = append(l.steps, waitStep(p.services))
		}
		for _, st := range p.steps {
			if p.folder != "." {
				st.commands = append([]string{"cd " + quoteWord(p.folder)}, st.commands...)
			}
			st.env = append(st.env, p.env...)
			l.steps = append(l.steps, st)
		}
		list = append(list, l)
	}
	return list
}

// quoteWord is a word for a shell.
func quoteWord(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./@", r)
	}
	if strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// unknownPipeline is what is written where nothing was recognised.
func unknownPipeline() *pipeline {
	return &pipeline{name: "default", steps: []step{{
		name: "test", image: "alpine:3", commands: []string{"echo 'put the commands here that test this repository'"},
	}}}
}

// imagePipeline builds the image of a Dockerfile, without pushing it, once all
// else has succeeded.
func imagePipeline(s *scan, folder string, before []*pipeline) *pipeline {
	if s.has(folder, "Dockerfile") == "" {
		return nil
	}
	file := path.Join(folder, "Dockerfile")
	name := "image"
	repository := cmp.Or(s.opts.Repository, "octocat/hello")
	if folder != "." {
		name = "image-" + strings.ReplaceAll(folder, "/", "-")
		repository += "-" + path.Base(folder)
	}
	settings := []variable{{"repo", strings.ToLower(repository)}, {"dry_run", "true"}}
	if folder != "." {
		settings = append(settings, variable{"dockerfile", file}, variable{"context", folder})
	}
	s.saw(file, "a pipeline builds the image, and pushes none: give it username, password and tags, and remove dry_run, to have it published")
	l := &pipeline{name: name, steps: []step{{name: "build", image: pluginDocker, settings: settings}}}
	for _, p := range before {
		if !strings.HasPrefix(p.name, "image") {
			l.after = append(l.after, p.name)
		}
	}
	return l
}
