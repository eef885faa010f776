package manifest

import (
	"strings"
)

// flowFault is what is wrong at an offset of a text.
type flowFault struct {
	at            int
	message, hint string
}

// flowScan reads a list or a map in brackets until something in it cannot be.
type flowScan struct {
	source string
	at     int
	open   []byte // the brackets that are open
	colon  bool   // the entry has its `: `
}

// checkFlow explains why the list or map in brackets at an offset is not one.
// It returns nil where the most likely cause is that nothing closes it.
func checkFlow(source string, open int) *flowFault {
	s := &flowScan{source: source, at: open}
	for s.at < len(source) {
		c := source[s.at]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			s.at++
		case c == '#' && s.at > 0 && strings.IndexByte(" \t\n", source[s.at-1]) >= 0:
			s.at = lineEnd(source, s.at)
		case c == '[' || c == '{':
			s.open, s.colon = append(s.open, c), false
			s.at++
		case c == ',':
			s.colon = false
			s.at++
		case c == ']' || c == '}':
			if f := s.closing(c); f != nil || len(s.open) == 0 {
				return f
			}
		default:
			if f, more := s.text(c); !more {
				return f
			}
		}
	}
	return nil
}

// closing reads a closing bracket.
func (s *flowScan) closing(c byte) *flowFault {
	last := s.open[len(s.open)-1]
	if want := map[byte]byte{'[': ']', '{': '}'}[last]; want != c {
		return &flowFault{s.at, "the `" + string(last) + "` is closed with `" + string(c) + "`", "write `" + string(want) + "`"}
	}
	s.open = s.open[:len(s.open)-1]
	s.at++
	if len(s.open) == 0 {
		return nil
	}
	return s.missingComma()
}

// missingComma reports what follows a value on its line without a comma.
func (s *flowScan) missingComma() *flowFault {
	rest := strings.TrimLeft(s.source[s.at:], " \t")
	if rest == "" || strings.IndexByte(",]}:#\r\n", rest[0]) >= 0 {
		return nil
	}
	return &flowFault{len(s.source) - len(rest), "a comma is missing between two entries in brackets", "write a comma, or quote the whole entry if it is one text"}
}

// text reads a scalar and the `: ` behind it. more is false when the text is
// not read any further.
func (s *flowScan) text(c byte) (f *flowFault, more bool) {
	start := s.at
	if c == '"' || c == '\'' {
		s.at = quotedEnd(s.source, s.at, c)
		if strings.HasPrefix(s.source[s.at:], ":") { // as in JSON
			return s.pair()
		}
		f = s.missingComma()
		return f, f == nil
	}
	for ; s.at < len(s.source); s.at++ {
		switch c := s.source[s.at]; {
		case c == '\n':
			return nil, false // it may be the next key of the block
		case c == ',' || c == ']' || c == '}':
			return nil, true
		case (c == '[' || c == '{') && s.at > start:
			return &flowFault{start, "a text in brackets cannot have a `" + string(c) + "` in it", "quote the text"}, false
		case c == '#' && s.at > start && s.source[s.at-1] == ' ':
			return nil, true
		case c == ':' && s.at+1 < len(s.source) && strings.IndexByte(" \t\r\n,[]{}", s.source[s.at+1]) >= 0:
			return s.pair()
		}
	}
	return nil, false
}

// pair reads the `:` of an entry.
func (s *flowScan) pair() (f *flowFault, more bool) {
	if s.colon {
		return &flowFault{s.at, "the entry has a second `: `, which YAML reads as another key", "quote the text with the `: ` in it, or write a comma in front of the key"}, false
	}
	s.colon = true
	s.at++
	return nil, true
}
