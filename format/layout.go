package format

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// layout is the lines of a document, without their line ends.
type layout struct {
	lines []line
	// open reports that the last line is that of a block scalar whose value
	// would change if the file ended with a line break.
	open bool
}

// line is one line. A line with neither text nor comment is blank.
type line struct {
	indent  int
	text    string
	comment string // with its `#`
	// column is where a comment behind text was written, in code points from 0,
	// or -1 where tabs make that a matter of opinion.
	column int
	fixed  bool // a blank line that is part of a value
}

func (l *line) blank() bool { return l.text == "" && l.comment == "" }

// width is how wide the line is without its comment, in code points.
func (l *line) width() int { return l.indent + utf8.RuneCountInString(l.text) }

func (l *layout) comments() []string {
	var all []string
	for i := range l.lines {
		if c := l.lines[i].comment; c != "" {
			all = append(all, c)
		}
	}
	return all
}

// ending is what follows a document.
type ending struct {
	separated bool // a separator or terminator, before which goes a blank line
	open      bool // the end of the file, without a line break
}

// write appends the text of the lines, with no blank lines at either end and
// no more than one in between.
func (l *layout) write(b *strings.Builder, end ending) error {
	l.alignComments()
	l.dropBlanks()
	if len(l.lines) == 0 {
		return nil
	}
	if err := l.checkSize(); err != nil {
		return err
	}
	for i := range l.lines {
		l.lines[i].write(b)
		if i+1 < len(l.lines) || !end.open || !l.open {
			b.WriteByte('\n')
		}
	}
	if last := l.lines[len(l.lines)-1]; end.separated && !last.fixed {
		b.WriteByte('\n')
	}
	return nil
}

func (l *line) write(b *strings.Builder) {
	if l.blank() {
		return
	}
	b.WriteString(spaces(l.indent))
	b.WriteString(l.text)
	if l.comment == "" {
		return
	}
	if l.text != "" {
		b.WriteString(spaces(max(1, l.column-l.width())))
	}
	b.WriteString(l.comment)
}

func spaces(n int) string {
	const many = "                                                                "
	if n <= len(many) {
		return many[:n]
	}
	return strings.Repeat(" ", n)
}

// dropBlanks removes blank lines at the ends and all but one in between.
func (l *layout) dropBlanks() {
	kept := l.lines[:0]
	blank := true
	for _, line := range l.lines {
		loose := line.blank() && !line.fixed
		if loose && blank {
			continue
		}
		blank = loose
		kept = append(kept, line)
	}
	if len(kept) > 0 && blank {
		kept = kept[:len(kept)-1]
	}
	l.lines = kept
}

// alignComments sets comments behind text one blank after it, and those of
// adjacent lines that were written below each other below each other.
func (l *layout) alignComments() {
	for i := 0; i < len(l.lines); {
		end := i + 1
		if first := &l.lines[i]; first.trailing() && first.column >= 0 {
			for end < len(l.lines) && l.lines[end].trailing() && l.lines[end].column == first.column {
				end++
			}
		}
		column := 0
		for j := i; j < end; j++ {
			column = max(column, l.lines[j].width()+1)
		}
		for j := i; j < end; j++ {
			l.lines[j].column = column
		}
		i = end
	}
}

func (l *line) trailing() bool { return l.text != "" && l.comment != "" }

// checkSize refuses a document that would grow without measure: a short line
// can open many levels for the many lines after it.
func (l *layout) checkSize() error {
	const most, free = 16, 1 << 20
	size, indents := free, 0
	for i := range l.lines {
		size += most * (len(l.lines[i].text) + len(l.lines[i].comment))
		indents += l.lines[i].indent
	}
	if indents > size {
		return errors.New("the document is nested too deeply to be formatted")
	}
	return nil
}
