package viewer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxColumns is how much of a line is shown, and maxText how much of it is
	// looked at: whoever needs the rest of such a line saves it to a file.
	maxColumns = 1 << 16
	maxText    = 1 << 18
	tabStop    = 8
)

// emulate gives what a terminal would show of a line that a step has printed:
// what follows a carriage return is written over the line, backspaces go back,
// and of sequences those count that select colours, erase the line or move the
// cursor within it. Everything else that a terminal would obey is dropped.
// Colours end with the line.
func emulate(text string) line {
	if len(text) > maxText {
		text = text[:maxText]
	}
	if !obeys(text) {
		if len(text) > maxColumns {
			text = text[:maxColumns]
		}
		return line{{text: text}}
	}
	e := &emulator{}
	e.run(text)
	return e.line()
}

// obeys reports a text with anything in it but printable ASCII.
func obeys(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return true
		}
	}
	return false
}

// cell is one column. Behind a wide character there are cells without text.
type cell struct {
	text  string
	style style
}

type emulator struct {
	cells  []cell
	column int
	style  style
}

func (e *emulator) run(text string) {
	for text != "" {
		n := 0
		for n < len(text) && text[n] >= ' ' && text[n] < 0x7f {
			n++
		}
		for i := 0; i < n; i++ {
			e.put(text[i:i+1], 1)
		}
		if text = text[n:]; text == "" {
			return
		}
		switch c := text[0]; {
		case c == '\x1b':
			n = e.escape(text)
		case c == 0xc2 && len(text) > 1 && text[1] >= 0x80 && text[1] < 0xa0:
			n = 2 + e.control(text[1]-0x40, text[2:]) // the same as escape and this
		case c >= 0x80:
			n = e.char(text)
		default:
			n = 1
			e.move(c)
		}
		text = text[n:]
	}
}

func (e *emulator) move(c byte) {
	switch c {
	case '\r':
		e.column = 0
	case '\b':
		e.column = max(0, e.column-1)
	case '\t':
		e.column = min(maxColumns, (e.column/tabStop+1)*tabStop)
		// What was jumped over shows as blanks, also at the end of the line.
		e.grow(e.column)
	}
}

// char puts a character that is not ASCII, and gives its length. What has no
// place in a row, such as marks that turn the direction of writing, is replaced.
func (e *emulator) char(text string) int {
	r, n := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && n <= 1 {
		e.put("\ufffd", 1)
		return max(1, n)
	}
	char, width := cluster(text)
	for _, r := range char {
		switch {
		case unicode.Is(unicode.Zs, r):
			e.put(" ", 1)
			return n
		case !unicode.IsPrint(r) && r != '\u200d': // which holds emoji together
			e.put("\ufffd", 1)
			return n
		}
	}
	if !utf8.ValidString(char) || width == 0 {
		return n // a mark without anything to stand on
	}
	e.put(char, width)
	return len(char)
}

func (e *emulator) put(text string, width int) {
	if e.column+width > maxColumns {
		return
	}
	e.grow(e.column + width)
	e.split(e.column)
	e.split(e.column + width)
	e.cells[e.column] = cell{text, e.style}
	for i := 1; i < width; i++ {
		e.cells[e.column+i] = cell{}
	}
	e.column += width
}

func (e *emulator) grow(n int) {
	for len(e.cells) < n {
		e.cells = append(e.cells, cell{text: " "})
	}
}

// split makes blanks of a wide character that lies across the border before a
// column.
func (e *emulator) split(column int) {
	if column >= len(e.cells) || e.cells[column].text != "" {
		return
	}
	from := column
	for from > 0 && e.cells[from].text == "" {
		from--
	}
	for to := from; to < len(e.cells) && (to == from || e.cells[to].text == ""); to++ {
		e.cells[to].text = " "
	}
}

// escape obeys what begins with an escape character, and gives its length.
func (e *emulator) escape(text string) int {
	if len(text) == 1 {
		return 1
	}
	switch c := text[1]; {
	case c >= ' ' && c <= '/':
		n := 1 + span0(text[1:], ' ', '/')
		return n + min(1, span0(text[n:], '0', '~'))
	case c >= '0' && c <= '~':
		return 2 + e.control(c, text[2:])
	}
	return 1
}

// control obeys what kind begins, and gives the length of what belongs to it.
func (e *emulator) control(kind byte, text string) int {
	switch kind {
	case '[':
		params := span0(text, '0', '?')
		n := params + span0(text[params:], ' ', '/')
		if span0(text[n:], '@', '~') == 0 {
			return n
		}
		if n == params {
			e.obey(text[n], text[:params])
		}
		return n + 1
	case ']', 'P', 'X', '^', '_':
		for i := 0; i < len(text); i++ {
			switch {
			case text[i] == '\a' || text[i] == '\x18' || text[i] == '\x1a':
				return i + 1
			case strings.HasPrefix(text[i:], "\x1b\\") || strings.HasPrefix(text[i:], "\u009c"):
				return i + 2
			case text[i] == '\x1b':
				return i
			}
		}
		return len(text)
	}
	return 0
}

// span0 is how many bytes from low to high text begins with.
func span0(text string, low, high byte) int {
	n := 0
	for n < len(text) && text[n] >= low && text[n] <= high {
		n++
	}
	return n
}

func (e *emulator) obey(final byte, text string) {
	params, ok := numbers(text)
	if !ok {
		return
	}
	n := 1
	if len(params) > 0 && params[0] > 0 {
		n = min(params[0], maxColumns)
	}
	switch final {
	case 'm':
		e.style = selected(e.style, params)
	case 'K':
		e.erase(params)
	case 'C':
		e.column = min(maxColumns, e.column+n)
	case 'D':
		e.column = max(0, e.column-n)
	case 'G', '`':
		e.column = n - 1
	}
}

func (e *emulator) erase(params []int) {
	from, to := min(e.column, len(e.cells)), len(e.cells)
	if len(params) > 0 {
		switch params[0] {
		case 1:
			from, to = 0, min(e.column+1, len(e.cells))
		case 2:
			from = 0
		}
	}
	e.split(from)
	e.split(to)
	if to == len(e.cells) {
		e.cells = e.cells[:from]
		return
	}
	for i := from; i < to; i++ {
		e.cells[i] = cell{text: " "}
	}
}

// numbers reads parameters, of which those left out are 0. Sequences with other
// characters in them are private.
func numbers(text string) ([]int, bool) {
	if text == "" {
		return nil, true
	}
	params := []int{0}
	for _, c := range []byte(text) {
		last := len(params) - 1
		switch {
		case c == ';' || c == ':':
			params = append(params, 0)
		case c > '9':
			return nil, false
		case params[last] < 1<<20:
			params[last] = params[last]*10 + int(c-'0')
		}
	}
	return params, true
}

// selected is the style that a sequence selects.
func selected(s style, params []int) style {
	if len(params) == 0 {
		return style{}
	}
	for i := 0; i < len(params); i++ {
		switch p := params[i]; {
		case p == 0:
			s = style{}
		case p >= 1 && p <= 9:
			s.attr |= [...]attr{bold, faint, italic, underline, 0, 0, reverse, 0, strike}[p-1]
		case p == 22:
			s.attr &^= bold | faint
		case p == 23:
			s.attr &^= italic
		case p == 24:
			s.attr &^= underline
		case p == 27:
			s.attr &^= reverse
		case p == 29:
			s.attr &^= strike
		case p >= 30 && p <= 37:
			s.fg = palette(p - 30)
		case p == 39:
			s.fg = ownColour
		case p >= 40 && p <= 47:
			s.bg = palette(p - 40)
		case p == 49:
			s.bg = ownColour
		case p >= 90 && p <= 97:
			s.fg = palette(p - 90 + 8)
		case p >= 100 && p <= 107:
			s.bg = palette(p - 100 + 8)
		case p == 38 || p == 48:
			c, n := extended(params[i+1:])
			if c != ownColour && p == 38 {
				s.fg = c
			} else if c != ownColour {
				s.bg = c
			}
			i += n
		}
	}
	return s
}

// extended reads a colour that takes several parameters, and how many.
func extended(params []int) (colour, int) {
	switch {
	case len(params) >= 2 && params[0] == 5:
		return palette(params[1] & 0xff), 2
	case len(params) >= 4 && params[0] == 2:
		return anyColour | colour(params[1]&0xff)<<16 | colour(params[2]&0xff)<<8 | colour(params[3]&0xff), 4
	}
	return ownColour, len(params)
}

// line joins the cells of one style.
func (e *emulator) line() line {
	var l line
	var b strings.Builder
	var current style
	for _, c := range e.cells {
		if c.text == "" {
			continue
		}
		if c.style != current && b.Len() > 0 {
			l = append(l, span{b.String(), current})
			b.Reset()
		}
		current = c.style
		b.WriteString(c.text)
	}
	if b.Len() > 0 {
		l = append(l, span{b.String(), current})
	}
	return l
}
