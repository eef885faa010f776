package viewer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// colour is one of a terminal's: its own, one of its palette, or any.
type colour uint32

const (
	ownColour  colour = 0
	inPalette  colour = 1 << 24 // and the index
	anyColour  colour = 2 << 24 // and red, green and blue, eight bits each
	colourKind colour = 3 << 24
)

func palette(n int) colour { return inPalette | colour(n) }

// params are the parameters of the sequence that selects it, of which that for
// the first colour of the palette is base.
func (c colour) params(base int) string {
	n := int(c &^ colourKind)
	switch {
	case c&colourKind == anyColour:
		return strconv.Itoa(base+8) + ";2;" + strconv.Itoa(n>>16) + ";" + strconv.Itoa(n>>8&0xff) + ";" + strconv.Itoa(n&0xff)
	case n < 8:
		return strconv.Itoa(base + n)
	case n < 16:
		return strconv.Itoa(base + 60 + n - 8)
	}
	return strconv.Itoa(base+8) + ";5;" + strconv.Itoa(n)
}

// attr is what a terminal can do with text besides colours.
type attr uint8

const (
	bold attr = 1 << iota
	faint
	italic
	underline
	reverse
	strike
)

var attrParams = [...]string{"1", "2", "3", "4", "7", "9"}

// style is how a piece of text looks. The zero style is that of the terminal.
type style struct {
	fg, bg colour
	attr   attr
}

func (s style) with(a attr) style {
	s.attr |= a
	return s
}

// chosen is the style where the text is chosen: all of one colour, for reversed
// ones would be blocks of several.
func (s style) chosen() style { return style{attr: s.attr&bold | reverse} }

// sequence selects the style, whatever was selected before.
func (s style) sequence() string {
	params := []string{"0"}
	for i, p := range attrParams {
		if s.attr&(1<<i) != 0 {
			params = append(params, p)
		}
	}
	if s.fg != ownColour {
		params = append(params, s.fg.params(30))
	}
	if s.bg != ownColour {
		params = append(params, s.bg.params(40))
	}
	return "\x1b[" + strings.Join(params, ";") + "m"
}

// span is text of one style, without anything that a terminal obeys.
type span struct {
	text  string
	style style
}

// line is what stands in one row, or in several when it is wrapped.
type line []span

func plainLine(text string) line { return line{{text: text}} }

// text is the line without its styles.
func (l line) text() string {
	if len(l) == 1 {
		return l[0].text
	}
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.text)
	}
	return b.String()
}

// width is how many columns the line takes.
func (l line) width() (n int) {
	for _, s := range l {
		n += textWidth(s.text)
	}
	return n
}

// textWidth is that of text without sequences.
func textWidth(text string) int {
	if isASCII(text) {
		return len(text)
	}
	return ansi.StringWidth(text)
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// cluster is the first character of a text, as people count them, and how many
// columns it takes.
func cluster(text string) (char string, width int) {
	char, width, _, _ = ansi.DecodeSequence(text, ansi.NormalState, nil)
	if char == "" && text != "" {
		return text[:1], 1
	}
	return char, width
}

// cut gives the columns from start to before end. Half of a wide character is a
// space.
func (l line) cut(start, end int) line {
	var cut line
	column := 0
	for _, s := range l {
		if column >= end {
			break
		}
		if isASCII(s.text) {
			from, to := max(0, start-column), min(len(s.text), end-column)
			if from < to {
				cut = append(cut, span{s.text[from:to], s.style})
			}
			column += len(s.text)
			continue
		}
		var b strings.Builder
		for text := s.text; text != "" && column < end; {
			char, width := cluster(text)
			text = text[len(char):]
			switch {
			case column >= start && column+width <= end:
				b.WriteString(char)
			case column+width > start:
				b.WriteString(strings.Repeat(" ", min(column+width, end)-max(column, start)))
			}
			column += width
		}
		if b.Len() > 0 {
			cut = append(cut, span{b.String(), s.style})
		}
	}
	return cut
}

// fit makes the line as wide as that: it is padded, or cut with the sign for
// more.
func (l line) fit(width int, more string) line {
	l = l.truncate(width, more)
	if n := width - l.width(); n > 0 {
		l = append(slices.Clip(l), span{text: strings.Repeat(" ", n)})
	}
	return l
}

// truncate makes the line no wider than that.
func (l line) truncate(width int, more string) line {
	if l.width() <= width {
		return l
	}
	n := textWidth(more)
	if n > width {
		return l.cut(0, max(0, width))
	}
	short := l.cut(0, width-n)
	last := style{}
	if len(short) > 0 {
		last = short[len(short)-1].style
	}
	return append(short, span{more, last})
}

// restyled gives each span the style that f makes of its own.
func (l line) restyled(f func(style) style) line {
	changed := make(line, len(l))
	for i, s := range l {
		changed[i] = span{s.text, f(s.style)}
	}
	return changed
}

// marked gives the bytes of the text that lie in ranges, in order, another
// style.
func (l line) marked(ranges [][]int, with func(style) style) line {
	if len(ranges) == 0 {
		return l
	}
	var marked line
	at := 0
	for _, s := range l {
		for text := s.text; text != ""; {
			for len(ranges) > 0 && ranges[0][1] <= at {
				ranges = ranges[1:]
			}
			n, look := len(text), s.style
			switch {
			case len(ranges) == 0:
			case ranges[0][0] > at:
				n = min(n, ranges[0][0]-at)
			default:
				n, look = min(n, ranges[0][1]-at), with(look)
			}
			marked = append(marked, span{text[:n], look})
			text, at = text[n:], at+n
		}
	}
	return marked
}

// rows breaks the line into pieces of a width. There is at least one.
func (l line) rows(width int) []line {
	total := l.width()
	if width < 1 || total <= width {
		return []line{l}
	}
	var rows []line
	row, used := line{}, 0
	for _, s := range l {
		var b strings.Builder
		for text := s.text; text != ""; {
			char, w := cluster(text)
			text = text[len(char):]
			if used+w > width && used > 0 {
				if b.Len() > 0 {
					row = append(row, span{b.String(), s.style})
					b.Reset()
				}
				rows = append(rows, row)
				row, used = line{}, 0
			}
			b.WriteString(char)
			used += w
		}
		if b.Len() > 0 {
			row = append(row, span{b.String(), s.style})
		}
	}
	return append(rows, row)
}

// paint writes the line for a terminal, with or without colours. It leaves the
// style of the terminal as it was.
func (l line) paint(b *strings.Builder, colours bool) {
	current := style{}
	for _, s := range l {
		if s.text == "" {
			continue
		}
		look := s.style
		if !colours {
			look.fg, look.bg = ownColour, ownColour
		}
		if look != current {
			b.WriteString(look.sequence())
			current = look
		}
		b.WriteString(s.text)
	}
	if current != (style{}) {
		b.WriteString("\x1b[0m")
	}
}

// words breaks a text between words, into lines of a style.
func words(text string, width int, look style) (lines []line) {
	width = max(1, width)
	for textWidth(text) > width {
		fits := len(plainLine(text).cut(0, width).text())
		end, next := fits, fits
		if i := strings.LastIndexByte(text[:min(len(text), fits+1)], ' '); i > 0 {
			end, next = i, i+1
		}
		if end == 0 { // one character that is wider than there is room
			break
		}
		lines = append(lines, line{{text[:end], look}})
		text = text[next:]
	}
	return append(lines, line{{text, look}})
}
