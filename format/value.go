package format

import (
	"strings"
)

// value reads a scalar, an alias or a flow collection, with its anchor and tag.
// Lines on which a collection goes on are set in from base.
func (s *scanner) value(base int) {
	for s.at < len(s.mask) && (s.mask[s.at] == '&' || s.mask[s.at] == '!') {
		s.copy(wordEnd(s.mask, s.at))
		if s.gap() {
			return
		}
		s.put(" ")
	}
	switch s.mask[s.at] {
	case '|', '>':
		s.blockScalar()
	case '"', '\'':
		s.quoted(s.inside())
		s.rest()
	case '[', '{':
		s.flow(base)
		s.rest()
	case '*':
		s.copy(nameEnd(s.mask, s.at+1))
		s.rest()
	default:
		s.plain()
	}
}

// plain reads a plain scalar and ends its last line.
func (s *scanner) plain() {
	s.copy(plainEnd(s.mask[:s.lineEnd()], s.at))
	first := s.at
	s.skipBlanks()
	commented := !s.atEnd() // only a comment can follow
	s.at = first
	s.rest()
	if commented {
		return
	}
	var lines []continued
	for at := s.at; at < len(s.mask); {
		text := skipBlanks(s.mask, at)
		end := contentEnd(s.mask, at)
		if text < end {
			if text-at <= s.top().column || s.mask[text] == '#' {
				break
			}
			stop := plainEnd(s.mask[:end], text)
			lines = append(lines, continued{at, text, stop})
			if stop < len(strings.TrimRight(s.mask[:end], " \t")) {
				break // a comment ends the scalar
			}
		} else {
			lines = append(lines, continued{at, end, end})
		}
		at = min(end+1, len(s.mask))
	}
	for len(lines) > 0 && lines[len(lines)-1].blank() {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return
	}
	for i, by := 0, s.shift(lines, s.inside()); i < len(lines); i++ {
		s.continueLine(lines[i], by)
		s.rest()
	}
}

// continued is a line on which a scalar goes on: where it starts, where its
// text does, and where that ends.
type continued struct{ start, text, end int }

func (c continued) blank() bool { return c.text >= c.end }

// shift returns by how much lines are moved so that the leftmost has an
// indentation. The shape of a scalar of several lines is the author's.
func (s *scanner) shift(lines []continued, indent int) int {
	least := -1
	for _, c := range lines {
		if column := c.text - c.start; !c.blank() && (least < 0 || column < least) {
			least = column
		}
	}
	return indent - max(0, least)
}

// continueLine writes a line of a scalar up to its end.
func (s *scanner) continueLine(c continued, by int) {
	s.at = c.text
	if c.blank() {
		s.line.fixed = true
		return
	}
	s.line.indent = c.text - c.start + by
	s.copy(c.end)
}

// quoted reads a quoted scalar, whose lines but the first are set in by indent.
func (s *scanner) quoted(indent int) {
	double := s.mask[s.at] == '"'
	end := quotedEnd(s.mask, s.at)
	if end < 0 {
		s.unexpected()
		return
	}
	line := s.lineEnd()
	if end <= line {
		s.copy(end)
		return
	}
	var lines []continued
	for at := line + 1; at < end; {
		stop := min(contentEnd(s.mask, at), end)
		lines = append(lines, continued{at, min(skipBlanks(s.mask, at), stop), stop})
		at = stop + 1
	}
	s.copy(line)
	s.endQuotedLine(double)
	by := s.shift(lines, indent)
	for i, c := range lines {
		s.continueLine(c, by)
		if i+1 < len(lines) {
			s.endQuotedLine(double)
		}
	}
}

// endQuotedLine ends a line within a quoted scalar. Blanks at its end are no
// part of the value unless the first of them is escaped.
func (s *scanner) endQuotedLine(double bool) {
	written := s.ink.String()
	escaped := ""
	if trimmed := strings.TrimRight(written, " \t"); double && strings.HasSuffix(trimmed, `\`) {
		escaped = written[len(trimmed):]
	}
	s.endLine()
	s.out.lines[len(s.out.lines)-1].text += escaped
}

// blockScalar reads a literal or folded scalar and all of its lines.
func (s *scanner) blockScalar() {
	s.afterBlock = true
	at := s.at + 1
	digit, keep, strip := 0, false, false
	for ; at < len(s.mask) && strings.IndexByte("+-123456789", s.mask[at]) >= 0; at++ {
		switch c := s.mask[at]; c {
		case '+':
			keep = true
		case '-':
			strip = true
		default:
			digit = int(c - '0')
		}
	}
	s.copy(at)
	s.rest()
	indent, target := max(0, s.top().column)+digit, max(0, s.top().target)+digit
	if digit == 0 {
		indent, target = s.blockIndent(), max(0, s.top().target)+2
	}
	first := len(s.out.lines)
	used := first // behind the last line of the value
	for s.err == nil && s.at < len(s.mask) {
		line := s.text[s.at:s.lineEnd()]
		column := leadingSpaces(line)
		if column < indent && column < len(line) {
			break
		}
		if column < len(line) || column > indent {
			s.line.indent = target
			s.put(line[indent:])
		} else {
			s.line.fixed = true
		}
		s.endRaw()
		if last := s.out.lines[len(s.out.lines)-1]; keep || last.text != "" {
			used = len(s.out.lines)
		}
	}
	for i := first; i < len(s.out.lines); i++ {
		s.out.lines[i].fixed = keep || i < used && s.out.lines[i].fixed
	}
	s.out.open = !strip && used == len(s.out.lines) && s.at == len(s.text) && !strings.HasSuffix(s.text, "\n")
}

// endRaw ends a line whose blanks at the end are part of a value.
func (s *scanner) endRaw() {
	raw := s.ink.String()
	s.endLine()
	s.out.lines[len(s.out.lines)-1].text = raw
}

// blockIndent returns the indentation of the block scalar whose lines begin
// here: that of its first line with text, or of a longer one of blanks.
func (s *scanner) blockIndent() int {
	most := s.top().column + 1
	for at := s.at; at < len(s.mask); {
		end := contentEnd(s.text, at)
		column := leadingSpaces(s.text[at:end])
		most = max(most, column)
		if column < end-at {
			break
		}
		at = min(end+1, len(s.mask))
	}
	return max(1, most)
}

func leadingSpaces(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// quotedEnd returns the offset behind the quoted scalar at an offset, or -1.
func quotedEnd(text string, at int) int {
	quote := text[at]
	for at++; at < len(text); at++ {
		switch {
		case text[at] == '\\' && quote == '"':
			at++
		case text[at] != quote:
		case quote == '\'' && strings.HasPrefix(text[at+1:], "'"):
			at++
		default:
			return at + 1
		}
	}
	return -1
}

// plainEnd returns the offset of the end of a plain scalar on its line, which
// is that of the text, or of a comment.
func plainEnd(line string, at int) int {
	for i := at + 1; i < len(line); i++ {
		if line[i] == '#' && isBlank(line[i-1]) {
			line = line[:i]
			break
		}
	}
	return max(at, len(strings.TrimRight(line, " \t")))
}

// plainKeyEnd returns the offset of the end of the plain scalar at an offset
// if a colon follows that makes it a key, else -1.
func plainKeyEnd(line string, at int) int {
	for i := at; i < len(line); i++ {
		switch {
		case line[i] == '#' && i > at && isBlank(line[i-1]):
			return -1
		case line[i] == ':' && (i+1 == len(line) || isBlank(line[i+1])):
			return at + len(strings.TrimRight(line[at:i], " \t"))
		}
	}
	return -1
}

// wordEnd returns the offset of the next blank or line break.
func wordEnd(text string, at int) int {
	for at < len(text) && !isSpace(text[at]) {
		at++
	}
	return at
}

// nameEnd returns the offset of the end of the name of an alias.
func nameEnd(text string, at int) int {
	for at < len(text) {
		c := text[at]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			break
		}
		at++
	}
	return at
}
