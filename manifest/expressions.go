package manifest

import (
	"iter"
	"strings"
)

// Extent is a half-open range of bytes of a text.
type Extent struct{ Start, End int }

// Expressions returns where the `${…}` of a text are that substitution would
// replace, in order. What is escaped or malformed is not among them.
func Expressions(text string) []Extent {
	var found []Extent
	e := extents{text: text}
	for x := range e.expressions(0) {
		found = append(found, x)
	}
	return found
}

// Uses returns every variable that an expression of the text asks for, each
// time it does, in the order of their places. Expressions that are malformed
// are left out. Whether a name is defined is not known; Defined is false.
func (f *File) Uses() []Use {
	places := *f.places // it remembers where it was
	e := extents{text: places.source}
	var uses []Use
	for x := range e.expressions(places.bom) {
		comment := inComment(places.source, x.Start)
		for _, u := range e.uses {
			u.Comment = comment
			u.Span = places.span(u.Span.Start.Offset, u.Span.End.Offset)
			uses = append(uses, u)
		}
	}
	return uses
}

// expressions yields where the well-formed expressions of the text are. The
// names and oddities of each are there until the next one.
func (e *extents) expressions(at int) iter.Seq[Extent] {
	return func(yield func(Extent) bool) {
		for {
			i := strings.IndexByte(e.text[at:], '$')
			if i < 0 || at+i+1 >= len(e.text) {
				return
			}
			at += i
			switch e.text[at+1] {
			case '$':
				at += 2
				continue
			case '{':
			default:
				at++
				continue
			}
			e.uses, e.oddities = e.uses[:0], e.oddities[:0]
			end, fault := e.expression(at)
			if fault != nil {
				at += len("${")
				continue
			}
			if !yield(Extent{at, end}) {
				return
			}
			at = end
		}
	}
}
