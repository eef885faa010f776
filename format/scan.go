package format

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// scanner finds the structure of a YAML document by its indentation and
// indicators and lays its lines out anew. The document is known to be YAML, so
// that hardly anything is checked; where the scanner is wrong all the same, the
// comparison of the result finds it.
type scanner struct {
	text string // what is written
	mask string // what is read, of the same length: see part.masked
	at   int    // offset of what is read next

	// levels are the block collections that are open, outermost first. Their
	// columns never decrease.
	levels []level
	// afterBlock is set while a block scalar is what was read last: a comment
	// that is set in too far would become part of it.
	afterBlock bool

	out     layout
	pending []int // comments in out.lines since the last line with text
	line    line  // being written
	ink     strings.Builder
	start   int // offset of the line that is read
	end     int // where that ends, see lineEnd
	err     *scanError
}

// level is a block collection: the column where it is written, and the one
// where it will be.
type level struct {
	column, target int
	sequence       bool
}

type scanError struct {
	at           int
	reason, hint string
}

// document scans all of the text.
func (s *scanner) document() (*layout, *scanError) {
	for s.at < len(s.mask) && s.err == nil {
		s.start = s.at
		s.skipBlanks()
		switch {
		case s.atEnd():
			s.endLine()
		case s.mask[s.at] == '#':
			s.ownComment()
		default:
			s.content()
		}
	}
	if s.err == nil {
		s.placeComments(-1)
	}
	return &s.out, s.err
}

func (s *scanner) fail(reason, hint string) {
	if s.err == nil {
		s.err = &scanError{min(s.at, len(s.text)), reason, hint}
	}
	s.at = len(s.mask)
}

// unexpected is a text that the scanner takes for something else than the
// parser did.
func (s *scanner) unexpected() {
	s.fail("the structure of this line is not understood, so the file is left as it is",
		"write it in a plainer way, or leave the file out")
}

// atEnd reports whether the line is read to its end.
func (s *scanner) atEnd() bool { return s.at >= len(s.mask) || s.mask[s.at] == '\n' }

// lineEnd returns the offset of the end of the line that is read.
func (s *scanner) lineEnd() int {
	if s.at > s.end || s.end == 0 {
		s.end = contentEnd(s.mask, s.at)
	}
	return s.end
}

// contentEnd returns the offset of the line break after an offset.
func contentEnd(text string, at int) int {
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(text)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func (s *scanner) skipBlanks() { s.at = skipBlanks(s.mask, s.at) }

func skipBlanks(text string, at int) int {
	for at < len(text) && isBlank(text[at]) {
		at++
	}
	return at
}

// isIndicator reports whether the character at an offset is c and stands for
// itself, with a blank behind it.
func (s *scanner) isIndicator(at int, c byte) bool {
	return at < len(s.mask) && s.mask[at] == c && (at+1 == len(s.mask) || isSpace(s.mask[at+1]))
}

// put writes to the line.
func (s *scanner) put(text string) { s.ink.WriteString(text) }

// copy writes what is read up to an offset.
func (s *scanner) copy(end int) {
	s.put(s.text[s.at:end])
	s.at = end
}

// endLine ends the line that is written, and goes on behind the one read.
func (s *scanner) endLine() {
	s.line.text = strings.TrimRight(s.ink.String(), " \t")
	s.out.lines = append(s.out.lines, s.line)
	s.line = line{}
	s.ink.Reset()
	if s.at = s.lineEnd(); s.at < len(s.mask) {
		s.at++
	}
	s.start, s.end = s.at, contentEnd(s.mask, s.at)
}

// ownComment reads a line that is nothing but a comment. It is placed when the
// next line with text is known.
func (s *scanner) ownComment() {
	s.line.indent = s.at - s.start
	s.pending = append(s.pending, len(s.out.lines))
	s.comment()
}

// comment reads a comment and ends the line.
func (s *scanner) comment() {
	s.line.column = utf8.RuneCountInString(s.text[s.start:s.at])
	if strings.Contains(s.text[s.start:s.at], "\t") {
		s.line.column = -1
	}
	s.line.comment = strings.TrimRight(s.text[s.at:s.lineEnd()], " \t")
	s.endLine()
}

// gap reads the blanks behind an indicator or a value and reports whether
// nothing but a comment follows on the line, which it ends then.
func (s *scanner) gap() bool {
	s.skipBlanks()
	switch {
	case s.atEnd():
		s.endLine()
	case s.mask[s.at] == '#': // also right behind a quote, as the parser has it
		s.comment()
	default:
		return false
	}
	return true
}

// rest ends a line behind a value.
func (s *scanner) rest() {
	if s.err == nil && !s.gap() {
		s.unexpected()
	}
}

// content reads a line with text on which no value of the lines before goes on,
// and the lines that belong to the same scalar or flow collection.
func (s *scanner) content() {
	if strings.Contains(s.mask[s.start:s.at], "\t") {
		s.unexpected()
		return
	}
	column := s.at - s.start
	sequence, key := s.isIndicator(s.at, '-'), -1
	if !sequence {
		key = s.keyEnd()
	}
	next := column
	if !sequence && key < 0 && column == s.top().column {
		next++ // a block scalar may begin at the column of its key
	}
	late := s.placeComments(next)
	s.afterBlock = false
	s.close(column, sequence)
	if sequence || key >= 0 {
		s.open(column, sequence)
		s.line.indent = s.top().target
	} else {
		s.line.indent = s.inside()
	}
	for _, i := range late {
		s.out.lines[i].indent += s.line.indent
	}
	for s.isIndicator(s.at, '-') {
		s.open(s.at-s.start, true)
		s.copy(s.at + 1)
		if s.gap() {
			return
		}
		s.put(" ")
	}
	switch {
	case s.isIndicator(s.at, '?'):
		s.fail("the key of a map begins with `? `, which cannot be formatted", "write the key as plain or quoted text")
		return
	case sequence:
		key = s.keyEnd()
	}
	if key < 0 {
		s.value(s.inside())
		return
	}
	s.open(s.at-s.start, false)
	s.entry(key)
}

// entry reads a key of a map, which ends at an offset, and its value.
func (s *scanner) entry(key int) {
	alias := s.mask[key-1] != '"' && s.mask[key-1] != '\'' && strings.Contains(s.mask[s.at:key], "*")
	s.copy(key)
	s.skipBlanks()
	if alias && s.at > key {
		s.put(" ") // without it some parsers take the colon for a part of the name
	}
	s.copy(s.at + len(":"))
	if s.gap() {
		return
	}
	s.put(" ")
	s.value(s.top().target)
}

// top returns the innermost open collection; without one, what stands for the
// document.
func (s *scanner) top() level {
	if len(s.levels) == 0 {
		return level{column: -1, target: -2}
	}
	return s.levels[len(s.levels)-1]
}

// inside returns the indentation of what is in the innermost open collection.
func (s *scanner) inside() int { return s.top().target + 2 }

// close ends the collections that a line does not belong to whose text begins
// at a column. The items of a sequence may stand at the column of its key.
func (s *scanner) close(column int, sequence bool) {
	for n := len(s.levels); n > 0; n-- {
		top := s.levels[n-1]
		if top.column < column || top.column == column && (sequence || !top.sequence) {
			return
		}
		s.levels = s.levels[:n-1]
	}
}

// open begins a collection at a column unless it is open. The items of a
// sequence go where its key is.
func (s *scanner) open(column int, sequence bool) {
	top := s.top()
	if top.column == column && top.sequence == sequence {
		return
	}
	target := top.target + 2
	if sequence && len(s.levels) > 0 && !top.sequence {
		target = top.target
	}
	s.levels = append(s.levels, level{column, target, sequence})
}

// keyEnd returns the offset of the end of the key that begins here, or -1 when
// it is no key.
func (s *scanner) keyEnd() int {
	at := s.properties(s.at)
	if at >= len(s.mask) {
		return -1
	}
	line := contentEnd(s.mask, at)
	var end int
	switch s.mask[at] {
	case '\n', '|', '>', '#':
		return -1
	case '"', '\'':
		end = quotedEnd(s.mask[:line], at)
	case '[', '{':
		end = flowEnd(s.mask[:line], at)
	case '*':
		end = nameEnd(s.mask, at+1)
	default:
		return plainKeyEnd(s.mask[:line], at)
	}
	if end < 0 || !s.isIndicator(skipBlanks(s.mask, end), ':') {
		return -1
	}
	return end
}

// properties returns the offset behind anchors and tags.
func (s *scanner) properties(at int) int {
	for at < len(s.mask) && (s.mask[at] == '&' || s.mask[at] == '!') {
		at = skipBlanks(s.mask, wordEnd(s.mask, at))
	}
	return at
}

// placeComments gives the comments in front of a line with text at a column,
// -1 at the end, the indentation of what they stand with: that of the open
// collection, or the coming line, that is written at their column, else of the
// nearest one further to the left. Comments further to the right than all are
// set in by one step and keep their shape.
//
// The ones it returns are relative to the indentation of the coming line, which
// is not known yet.
func (s *scanner) placeComments(next int) (late []int) {
	top := level{column: -1, target: -2}
	if n := len(s.levels); n > 0 {
		top = s.levels[n-1]
	}
	deeper := next > top.column // the line opens a level, or is a value
	deepest := max(next, top.column)
	shape := -1 // column of the first comment that is set in
	for _, i := range s.pending {
		l := &s.out.lines[i]
		column := l.indent
		offset := 0
		if column > deepest {
			if shape < 0 {
				shape = column
			}
			offset = 2 + max(0, column-shape)
		}
		switch {
		case deeper && column >= next:
			l.indent = offset
			late = append(late, i)
		case column > deepest && !s.afterBlock:
			l.indent = top.target + offset
		default:
			l.indent = s.targetAt(column)
		}
	}
	s.pending = s.pending[:0]
	return late
}

// targetAt returns where the open collection goes that is written at a column,
// or is the nearest to its left.
func (s *scanner) targetAt(column int) int {
	i := sort.Search(len(s.levels), func(i int) bool { return s.levels[i].column > column })
	if i == 0 {
		return 0
	}
	return s.levels[i-1].target
}
