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
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
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
	s.sources = folders
	projects := limit(s, "project", s.projects(folders), func(p *project) string { return p.folder })
	s.addServices(projects)
	taken := map[string]bool{}
	pipelines := named(projects, taken)
	tests := names(pipelines)
	images := slices.DeleteFunc(slices.Clone(folders), func(folder string) bool { return !s.file(folder, "Dockerfile") })
	for _, folder := range limit(s, "Dockerfile", images, func(folder string) string { return folder }) {
		pipelines = append(pipelines, s.imagePipeline(folder, tests, taken))
	}
	r := &Result{Recognised: len(pipelines) > 0}
	if !r.Recognised {
		pipelines = []*pipeline{unknownPipeline()}
		s.note("nothing was recognised, so the file is only a beginning: put your commands in it")
	}
	r.Text, r.Seen, r.Notes = render(pipelines), s.seen, s.notes
	return r, nil
}

// projects are those of all folders, but not those that belong to another one.
func (s *scan) projects(folders []string) (list []*project) {
	for _, folder := range folders {
		for _, l := range languages {
			if slices.ContainsFunc(list, func(p *project) bool { return p.language == l.name && p.has(folder) }) {
				continue
			}
			if p := l.detect(s, folder); p != nil {
				p.language = l.name
				list = append(list, p)
			}
		}
	}
	return list
}

// scan is one look at a tree.
type scan struct {
	tree    fs.FS
	opts    Options
	sources []string // the folders in which a project may be
	seen    []Seen
	notes   []string
}

func (s *scan) saw(file, format string, args ...any) {
	s.seen = append(s.seen, Seen{file, fmt.Sprintf(format, args...)})
}

// note tells something once.
func (s *scan) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
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
	// Editors of Windows begin files with a mark, which not every parser knows.
	return strings.TrimPrefix(string(text), "\ufeff")
}

// file reports whether a folder has a regular file of a name.
func (s *scan) file(folder, name string) bool {
	info, err := fs.Stat(s.tree, path.Join(folder, name))
	return err == nil && info.Mode().IsRegular()
}

// first gives the first file of a folder that matches a pattern, "" for none.
func (s *scan) first(folder, pattern string) string {
	entries, _ := fs.ReadDir(s.tree, folder)
	for _, e := range entries {
		if ok, _ := path.Match(pattern, e.Name()); ok && !e.IsDir() {
			return e.Name()
		}
	}
	return ""
}

// program is how a script of a folder is called: some lose the right to be run
// on their way through Windows.
func (s *scan) program(folder, name string) string {
	info, err := fs.Stat(s.tree, path.Join(folder, name))
	switch {
	case err != nil || !info.Mode().IsRegular():
		return ""
	case info.Mode()&0o111 == 0:
		return "sh " + name
	}
	return "./" + name
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
	language string // short, for the name of its pipeline
	folder   string
	members  []string // patterns of the folders below it that belong to it, too
	steps    []step
	services []service
	env      []variable
}

// has reports whether a folder belongs to the workspace of the project.
func (p *project) has(folder string) bool {
	below := folder
	if p.folder != "." {
		var ok bool
		if below, ok = strings.CutPrefix(folder, p.folder+"/"); !ok {
			return false
		}
	}
	in := false
	for _, pattern := range p.members {
		pattern, without := strings.CutPrefix(pattern, "!")
		if ok, _ := doublestar.Match(path.Clean(pattern), below); ok {
			in = !without
		}
	}
	return in
}

// limit leaves out what is too much for one file that is written by hand.
func limit[T any](s *scan, what string, list []T, where func(T) string) []T {
	if len(list) <= maxProjects {
		return list
	}
	s.note("the tree has %d %ss, and the file pipelines for %d of them: add those of others, such as %s, or have a program make the file",
		len(list), what, maxProjects, where(list[maxProjects]))
	return list[:maxProjects]
}

// named gives each project its pipeline: default when it is the only one,
// otherwise the language at the top, and the folder below it.
func named(projects []*project, taken map[string]bool) (list []*pipeline) {
	for _, p := range projects {
		name := p.language
		switch {
		case len(projects) == 1:
			name = "default"
		case p.folder != ".":
			name = strings.ReplaceAll(p.folder, "/", "-")
			if taken[name] {
				name += "-" + p.language
			}
		}
		l := &pipeline{name: unique(name, taken), services: p.services}
		steps := map[string]bool{}
		for _, svc := range p.services {
			steps[svc.name] = true
		}
		if len(p.services) > 0 {
			p.steps = append([]step{waitStep(p.services)}, p.steps...)
		}
		for i, st := range p.steps {
			st.name = unique(st.name, steps)
			if i > 0 || len(p.services) == 0 { // nothing but waiting is done at the top
				if p.folder != "." {
					st.commands = append([]string{"cd " + quoteWord(p.folder)}, st.commands...)
				}
				st.env = append(slices.Clone(st.env), p.env...)
			}
			l.steps = append(l.steps, st)
		}
		list = append(list, l)
	}
	return list
}

// unique is a name that is not taken, and takes it.
func unique(name string, taken map[string]bool) string {
	free := name
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	taken[free] = true
	return free
}

func names(list []*pipeline) (all []string) {
	for _, p := range list {
		all = append(all, p.name)
	}
	return all
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

// imagePipeline builds the image of a Dockerfile, without pushing it, once the
// tests have succeeded.
func (s *scan) imagePipeline(folder string, tests []string, taken map[string]bool) *pipeline {
	file, name, repository := path.Join(folder, "Dockerfile"), "image", cmp.Or(s.opts.Repository, "octocat/hello")
	if folder != "." {
		name = "image-" + strings.ReplaceAll(folder, "/", "-")
		repository += "-" + path.Base(folder)
	}
	settings := []variable{{"repo", imageName(repository)}, {"dry_run", "true"}}
	if folder != "." {
		settings = append(settings, variable{"dockerfile", file}, variable{"context", folder})
	}
	s.saw(file, "a pipeline builds the image, and pushes none: give it username, password and tags, and remove dry_run, to have it published")
	return &pipeline{name: unique(name, taken), steps: []step{{name: "build", image: pluginDocker, settings: settings}}, after: tests}
}

// imageName has nothing in it that no name of an image may have.
func imageName(text string) string {
	text = regexp.MustCompile(`[^a-z0-9/_.-]+`).ReplaceAllString(strings.ToLower(text), "-")
	return strings.Trim(regexp.MustCompile(`([/_.-])[_.-]+`).ReplaceAllString(text, "$1"), "/_.-")
}
