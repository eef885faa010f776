package manifest

import "strings"

// Extent is a half-open range of bytes of a text.
type Extent struct{ Start, End int }

// Expressions returns where the `${…}` of a text are that substitution would
// replace, in order. What is escaped or malformed is not among them.
func Expressions(text string) []Extent {
	var found []Extent
	e := extents{text: text}
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '$')
		if i < 0 || at+i+1 >= len(text) {
			return found
		}
		at += i
		switch text[at+1] {
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
		found = append(found, Extent{at, end})
		at = end
	}
}
