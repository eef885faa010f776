package format

import "strings"

// flowEnd returns the offset behind the flow collection at an offset, or -1
// when the text ends before it.
func flowEnd(text string, at int) int {
	depth := 0
	for at < len(text) {
		switch c := text[at]; c {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return at + 1
			}
		case '"', '\'':
			if strings.IndexByte(" \t[{,:", text[at-1]) >= 0 {
				if at = quotedEnd(text, at); at < 0 {
					return -1
				}
				continue
			}
		}
		at++
	}
	return -1
}

// flow reads a flow collection: `[a, b]`, `{a: b}`. Line breaks in it stay; its
// further lines are set in by two for each bracket that is open.
func (s *scanner) flow(base int) {
	f := &flow{scanner: s, base: base}
	for s.err == nil {
		if f.skip(); s.err != nil || f.token() {
			return
		}
	}
}

// flow is the state within a flow collection.
type flow struct {
	*scanner
	base  int
	depth int
	// last tells what was read last on the line: an indicator, '!' for an anchor
	// or a tag, 'x' for anything else, 0 for nothing.
	last  byte
	blank bool // there were blanks since
	plain bool // the last token was a plain scalar, which may go on
}

// skip reads blanks, comments and line breaks.
func (f *flow) skip() {
	f.blank = false
	for {
		before := f.at
		f.skipBlanks()
		f.blank = f.blank || f.at > before
		switch {
		case f.at >= len(f.mask):
			f.unexpected()
			return
		case f.mask[f.at] == '\n':
			// What breaks a plain scalar is part of it, so blank lines stay.
			f.line.fixed = f.last == 0
			f.endLine()
		case f.mask[f.at] == '#':
			f.plain = false
			f.comment()
		default:
			return
		}
		f.last = 0
		f.line.indent = f.base + 2*f.depth
	}
}

// token reads one token and reports whether it ends the collection.
func (f *flow) token() (done bool) {
	c := f.mask[f.at]
	if f.plain && strings.IndexByte(`"'*&!`, c) >= 0 {
		c = 'x' // it is text where a plain scalar goes on
	}
	f.plain = false
	switch c {
	case '[', '{':
		f.space()
		f.copy(f.at + 1)
		f.depth++
		f.last = c
	case ']', '}':
		f.depth--
		if f.last == 0 {
			f.line.indent = f.base + 2*f.depth
		}
		f.end(c)
		f.last = 'x'
		return f.depth == 0
	case ',':
		f.end(c)
	case ':':
		if f.last == '*' && f.blank || f.last == ',' {
			f.put(" ")
		}
		f.copy(f.at + 1)
		f.last = c
	case '"', '\'':
		f.space()
		f.quoted(f.base + 2*f.depth)
		f.last = 'x'
	case '*':
		f.space()
		f.copy(nameEnd(f.mask, f.at+1))
		f.last = c
	case '&', '!':
		f.space()
		f.copy(f.textEnd(true))
		f.last = '!'
	default:
		f.space()
		f.copy(f.textEnd(false))
		f.last, f.plain = 'x', true
	}
	return false
}

// end writes what ends an item. An empty value keeps the blank in front of it:
// a colon or a tag would go on with what follows.
func (f *flow) end(c byte) {
	if f.blank && (f.last == ':' || f.last == '!') {
		f.put(" ")
	}
	f.copy(f.at + 1)
	f.last = c
}

// space writes the blank in front of a token.
func (f *flow) space() {
	switch f.last {
	case ',', ':':
		f.put(" ")
	case 0, '[', '{':
	default:
		if f.blank {
			f.put(" ")
		}
	}
}

// textEnd returns the offset of the end of a property, which is an anchor or a
// tag, or else of a plain scalar on its line.
func (f *flow) textEnd(property bool) int {
	line := f.lineEnd()
	at := f.at + 1
	for ; at < line; at++ {
		c := f.mask[at]
		if strings.IndexByte(",[]{}", c) >= 0 || property && isBlank(c) || c == '#' && isBlank(f.mask[at-1]) {
			break
		}
		if c == ':' && (at+1 == line || isBlank(f.mask[at+1])) {
			break
		}
	}
	return f.at + max(1, len(strings.TrimRight(f.mask[f.at:at], " \t")))
}
