package compile

import (
	"slices"
	"sort"
	"strconv"

	"github.com/drone-laptop/drone/manifest"
)

// problems collects what is wrong, each thing once: the same text is read
// before and after substitution.
type problems struct {
	list []manifest.Problem
	seen map[problemKey]bool
}

type problemKey struct {
	rule, message  string
	offset, column int
}

func newProblems() *problems { return &problems{seen: map[problemKey]bool{}} }

func (p *problems) add(found manifest.Problem) {
	key := problemKey{found.Rule, found.Message, found.Span.Start.Offset, found.Span.Start.Column}
	if p.seen[key] {
		return
	}
	p.seen[key] = true
	p.list = append(p.list, found)
}

// failedIn reports an error in a range of the file.
func (p *problems) failedIn(span manifest.Span) bool {
	return slices.ContainsFunc(p.list, func(f manifest.Problem) bool {
		at := f.Span.Start.Offset
		return f.Severity == manifest.Error && span.Start.Offset <= at && at < span.End.Offset
	})
}

func (p *problems) merge(found []manifest.Problem) {
	for _, f := range found {
		p.add(f)
	}
}

func (p *problems) failed() bool {
	for _, f := range p.list {
		if f.Severity == manifest.Error {
			return true
		}
	}
	return false
}

func (p *problems) sorted() []manifest.Problem {
	sort.SliceStable(p.list, func(i, j int) bool {
		a, b := p.list[i], p.list[j]
		if a.Span.Start.Offset != b.Span.Start.Offset {
			return a.Span.Start.Offset < b.Span.Start.Offset
		}
		return a.Rule < b.Rule
	})
	return p.list
}

// place writes a position as a plan holds it, "" when there is none.
func place(p manifest.Pos) string {
	if p.Line == 0 {
		return ""
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}
