// Package manifest reads a Drone configuration: a stream of YAML documents in
// which every value knows its place in the file, and every problem that can be
// seen from the text alone is reported with its place.
//
// It substitutes variables, splits the stream, and decodes the documents in
// the YAML dialect of the server (reference §1 to §4 and §6.2). It applies no
// defaults and no rules about how things belong together: names that refer to
// nothing, missing steps, unknown events are the business of its callers.
//
// Functions may be called concurrently. A File is not changed after Parse.
package manifest

import (
	"slices"
	"sort"

	"github.com/drone-laptop/drone/internal/parallel"
)

// Lookup gives the value of a variable for substitution; ok is false for a
// name that is not defined, which substitutes to the empty string.
type Lookup func(name string) (value string, ok bool)

// File is a parsed configuration file.
type File struct {
	Name string
	// Source is the text as read. All positions refer to it.
	Source []byte
	// Documents holds every document that could be read, in file order.
	Documents []*Document
	// Substituted names each variable that an expression in the text asked
	// for, with the place of its first use, or of the first without a default
	// and outside of comments where there is one, in order of the places.
	Substituted []Use

	places *locator
}

// Pipelines returns the pipelines that could be read, in file order.
func (f *File) Pipelines() []*Pipeline {
	var list []*Pipeline
	for _, d := range f.Documents {
		if d.Pipeline != nil {
			list = append(list, d.Pipeline)
		}
	}
	return list
}

// Use is one variable that the text asked for.
type Use struct {
	Name    string
	Span    Span
	Defined bool
	// Default reports that the expression has a word to insert in place of an
	// empty value.
	Default bool
	// Comment reports that the expression stands in a comment, as far as its
	// line tells: what it becomes does not matter.
	Comment bool
}

// Parse reads a configuration file. With a nil lookup the text is parsed as it
// stands, as the server does for triggers and dependencies; otherwise `${…}`
// expressions of the whole text are substituted first (reference §4).
//
// A value that an alias or a merge key brings has the place where it is
// written, not where it is used. A value that comes from a substitution has
// the place of its expression.
//
// It returns everything that could be read together with every problem found,
// ordered by place; the file is usable for running only when no problem is an
// Error. It never panics and never returns a nil File.
func Parse(name string, source []byte, lookup Lookup) (*File, []Problem) {
	r := &reader{places: newLocator(name, string(source))}
	file := &File{Name: name, Source: source, places: r.places}
	if !r.checkEncoding() {
		return file, r.problems
	}
	r.text = &text{body: r.places.source[r.places.bom:], places: r.places}
	if lookup != nil {
		r.text, file.Substituted = r.substitute(r.places.source, lookup)
	}
	r.checkLines()
	parts := split(r.text.body)
	if legacy := r.readDocuments(file, parts); legacy != nil {
		return file, []Problem{*legacy}
	}
	r.checkParts(parts)
	return file, r.sorted()
}

// Unreadable returns what keeps a text from being read as YAML, whatever it is
// for, ordered by place; nil when nothing does.
func Unreadable(name string, source []byte) []Problem {
	r := &reader{places: newLocator(name, string(source))}
	if r.checkEncoding() {
		r.text = &text{body: r.places.source[r.places.bom:], places: r.places}
		r.readTrees(split(r.text.body))
	}
	return slices.DeleteFunc(r.sorted(), func(p Problem) bool {
		return p.Severity != Error || p.Rule != RuleEncoding && p.Rule != RuleSyntax && p.Rule != RuleAlias
	})
}

// Substitute reads one document of a file again, with the expressions in it
// substituted. It is for variables that differ from document to document:
// reading the whole file for each of them would take a time that grows with the
// square of their number. d is a document of f, which was parsed without a
// lookup.
//
// It returns nil when the text is no single document after substitution, and
// reports what Parse would report of the document. It is safe for concurrent
// use.
func (f *File) Substitute(d *Document, lookup Lookup) (*Document, []Use, []Problem) {
	places := *f.places // it remembers where it was
	r := &reader{places: &places}
	var uses []Use
	r.text, uses = r.substituteRange(places.source, d.Span.Start.Offset, d.Span.End.Offset, lookup)
	r.checkLines()
	parts := split(r.text.body)
	if len(parts) != 1 || parts[0].kind != documentPart || firstContent(r.text.body) < 0 {
		return nil, uses, r.sorted()
	}
	t := r.readTrees(parts)[0]
	t.index = d.Index
	if t.root == nil {
		return nil, uses, r.sorted()
	}
	decoder := &decoder{reader: r, tree: t, schema: tables()}
	return decoder.document(), uses, r.sorted()
}

// reader is the state of one Parse.
type reader struct {
	places   *locator
	text     *text
	problems []Problem
}

func (r *reader) add(p Problem) { r.problems = append(r.problems, p) }

// sorted returns the problems by place, each once: what an anchor brings to
// several places is wrong in one.
func (r *reader) sorted() []Problem {
	type identity struct {
		rule, message string
		offset        int
	}
	sort.SliceStable(r.problems, func(i, j int) bool {
		return r.problems[i].Span.Start.Offset < r.problems[j].Span.Start.Offset
	})
	var out []Problem
	seen := map[identity]bool{}
	for _, p := range r.problems {
		id := identity{p.Rule, p.Message, p.Span.Start.Offset}
		if !seen[id] {
			out = append(out, p)
		}
		seen[id] = true
	}
	return out
}

// readDocuments reads the documents among the parts of the stream. A legacy
// file has no documents; the problem that names it as such is returned.
func (r *reader) readDocuments(file *File, parts []part) *Problem {
	trees := r.readTrees(parts)
	if legacy := r.legacy(trees); legacy != nil {
		return legacy
	}
	trees = slices.DeleteFunc(trees, func(t *tree) bool { return t.root == nil })
	file.Documents = make([]*Document, len(trees))
	forks := make([]*decoder, len(trees))
	schema := tables()
	parallel.Each(len(trees), func(i int) {
		d := &decoder{reader: r, tree: trees[i], schema: schema}
		forks[i] = d.fork()
		file.Documents[i] = forks[i].document()
	})
	r.join(forks)
	return nil
}
