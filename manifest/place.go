package manifest

import (
	"sort"
	"strings"
	"unicode/utf8"
)

const byteOrderMark = "\ufeff"

// locator turns byte offsets of a source into places. It remembers the last
// answer, because offsets mostly come in ascending order and a line may be
// long. It is not safe for concurrent use.
type locator struct {
	name   string
	source string
	bom    int   // length of the byte order mark, which is no column
	starts []int // offset of each line
	ascii  bool

	line, offset, column int // the last answer; line is an index
}

func newLocator(name, source string) *locator {
	l := &locator{name: name, source: source, starts: lines(source), ascii: isASCII(source)}
	if strings.HasPrefix(source, byteOrderMark) {
		l.bom = len(byteOrderMark)
	}
	l.starts[0] = l.bom
	return l
}

// pos returns the place of an offset, which is clamped to the source.
func (l *locator) pos(offset int) Pos {
	offset = max(l.bom, min(offset, len(l.source)))
	if offset < l.starts[l.line] || l.nextLine() <= offset {
		l.line = sort.SearchInts(l.starts, offset+1) - 1
		l.offset, l.column = l.starts[l.line], 1
	}
	if offset < l.offset {
		l.offset, l.column = l.starts[l.line], 1
	}
	if l.column == 0 {
		l.offset, l.column = l.starts[l.line], 1
	}
	if l.ascii {
		l.column += offset - l.offset
	} else {
		l.column += utf8.RuneCountInString(l.source[l.offset:offset])
	}
	l.offset = offset
	return Pos{File: l.name, Line: l.line + 1, Column: l.column, Offset: offset}
}

// nextLine returns the offset of the line after the remembered one.
func (l *locator) nextLine() int {
	if l.line+1 < len(l.starts) {
		return l.starts[l.line+1]
	}
	return len(l.source) + 1
}

// span returns the range of the offsets [start, end).
func (l *locator) span(start, end int) Span {
	return Span{Start: l.pos(start), End: l.pos(end)}
}
