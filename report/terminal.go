package report

import (
	"io"
	"strings"
)

const (
	escape    = '\x1b'
	reset     = "\x1b[0m"
	eraseLine = "\x1b[K"
	c1Prefix  = '\xc2' // begins the UTF-8 of the C1 control characters
)

// tamer writes a line of a step as a terminal may be given it. What prompts
// and boards stand on is not for steps to change, so of all sequences only
// those that colour text are kept, and of all control characters only the tab
// and the carriage return.
//
// Colours end with the line. What is written over the line gets its prefix
// again. Errors are left to the writer, which keeps them.
type tamer struct {
	out    io.StringWriter
	prefix []string

	coloured bool
	returned bool // the next text is written over the line
	erased   bool // and nothing of the line is to be left
}

// line writes the text of a line. The first prefix and the newline are the
// business of the caller.
func (t *tamer) line(text string) {
	for i := obeyed(text); i >= 0; i = obeyed(text) {
		t.write(text[:i])
		text = text[i:]
		n := sequence(text)
		t.control(text[:n])
		// Behind it these bytes begin no character, but with one before it
		// they could become a control character.
		text = text[n+span(text[n:], 0x80, 0x9f):]
	}
	t.write(text)
	t.endColour()
}

func (t *tamer) control(seq string) {
	switch {
	case seq == "\r":
		t.returned = true
	case isSGR(seq):
		t.write(seq)
		t.coloured = true
	case isEraseLine(seq):
		t.erased = true
	}
}

// write writes text, or a colour. Only now is it known that something follows
// a carriage return: one at the end belongs to the newline.
func (t *tamer) write(text string) {
	if text == "" {
		return
	}
	if t.returned {
		t.endColour()
		_, _ = t.out.WriteString("\r")
		if t.erased {
			_, _ = t.out.WriteString(eraseLine)
		}
		for _, part := range t.prefix {
			_, _ = t.out.WriteString(part)
		}
	}
	t.returned, t.erased = false, false
	_, _ = t.out.WriteString(text)
}

func (t *tamer) endColour() {
	if t.coloured {
		_, _ = t.out.WriteString(reset)
	}
	t.coloured = false
}

// tamed is the last of the texts that a line writes over each other.
func tamed(text string) string {
	text = strings.TrimRight(text, "\r")
	text = text[strings.LastIndexByte(text, '\r')+1:]
	if obeyed(text) < 0 {
		return text
	}
	var b strings.Builder
	t := tamer{out: &b}
	t.line(text)
	return b.String()
}

// Tamed returns text of several lines, which somebody else has written, as a
// terminal may be given it: colours and tabs stay, and nothing else that a
// terminal obeys. Of texts that a line writes over each other the last one stays.
func Tamed(text string) string {
	if obeyed(strings.ReplaceAll(text, "\n", "")) < 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = tamed(line)
	}
	return strings.Join(lines, "\n")
}

// obeyed is the index of the first control character but the tab, or -1.
func obeyed(text string) int {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c < '\x7f' || c == '\t' || c > c1Prefix {
			continue
		}
		if c < ' ' || c == '\x7f' || c == c1Prefix && isC1(text[i:]) {
			return i
		}
	}
	return -1
}

// isC1 reports text that begins with a C1 control character. A single byte
// from 0x80 is none: in UTF-8 it means nothing.
func isC1(text string) bool {
	return len(text) > 1 && text[0] == c1Prefix && text[1] >= 0x80 && text[1] < 0xa0
}

// sequence is the length of the control character that text begins with, and
// of what belongs to it. Text may end within a sequence.
//
// The parser of x/ansi would end a title at a byte 0x9c, which is also the
// middle of a ✔, and have the rest of it shown.
func sequence(text string) int {
	switch {
	case isC1(text):
		return 2 + operands(text[1]-0x40, text[2:]) // the same as escape and this
	case text[0] != escape || len(text) == 1:
		return 1
	case text[1] >= ' ' && text[1] <= '/':
		n := 1 + span(text[1:], ' ', '/')
		return n + min(1, span(text[n:], '0', '~'))
	case text[1] >= '0' && text[1] <= '~':
		return 2 + operands(text[1], text[2:])
	}
	return 1
}

// operands is how much of text belongs to the sequence that kind begins.
func operands(kind byte, text string) int {
	switch kind {
	case '[':
		n := span(text, '0', '?')
		n += span(text[n:], ' ', '/')
		return n + min(1, span(text[n:], '@', '~'))
	case ']', 'P', 'X', '^', '_':
		return controlString(text)
	}
	return 0
}

// controlString is the length of a title, or something like it, with its
// terminator. Without one it ends where a terminal would begin something new,
// or with the line.
func controlString(text string) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\a' || text[i] == '\x18' || text[i] == '\x1a':
			return i + 1
		case strings.HasPrefix(text[i:], "\x1b\\") || strings.HasPrefix(text[i:], "\u009c"):
			return i + 2
		case text[i] == escape:
			return i
		}
	}
	return len(text)
}

// span is how many bytes from low to high text begins with.
func span(text string, low, high byte) int {
	n := 0
	for n < len(text) && text[n] >= low && text[n] <= high {
		n++
	}
	return n
}

// isSGR reports a complete sequence that selects colours and the like. Others
// that end with m too have something else between.
func isSGR(seq string) bool {
	params, ok := strings.CutPrefix(seq, "\x1b[")
	return ok && strings.HasSuffix(params, "m") && span(params, '0', ';') == len(params)-1
}

// isEraseLine reports a sequence that erases the line, or a part of it.
func isEraseLine(seq string) bool {
	return seq == "\x1b[K" || seq == "\x1b[0K" || seq == "\x1b[1K" || seq == "\x1b[2K"
}
