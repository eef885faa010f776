package convert

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// origin tells where a value of the converted text comes from.
type origin struct {
	column int // where the value begins in the converted line
	line   int // of the source
	from   int // its column there, 0 when the value was not in the source
}

// trace remembers for every value of what was written where the node that it
// was written from stands in the source. A node that was made has the place of
// the one around it.
func (l *legacy) trace(made, written *yaml.Node, before, line, column int) {
	known := 0
	if made.Line > 0 {
		line, column = l.out.source.original(made.Line, made.Column)
		known = column
	}
	if line > 0 {
		at := before + written.Line
		l.out.lines[at] = append(l.out.lines[at], origin{column: written.Column, line: line, from: known})
		if block := yaml.LiteralStyle | yaml.FoldedStyle; made.Line > 0 && made.Style&block != 0 && written.Style&block != 0 {
			for i := range strings.Count(made.Value, "\n") + 1 {
				l.out.lines[at+1+i] = append(l.out.lines[at+1+i], origin{column: 1, line: line + 1 + i})
			}
		}
	}
	for i := range min(len(made.Content), len(written.Content)) {
		l.trace(made.Content[i], written.Content[i], before, line, column)
	}
}

// Source gives the place in the file that was converted for a place in Text:
// the very value, or what it was made of.
func (c *Converted) Source(pos manifest.Pos) manifest.Pos {
	if pos.Line == 0 {
		return manifest.Pos{File: c.at.file}
	}
	line := pos.Line
	for line > 0 && len(c.lines[line]) == 0 {
		line--
	}
	var best *origin
	for i := range c.lines[line] {
		if o := &c.lines[line][i]; best == nil || o.column <= pos.Column && (o.column > best.column || o.column == best.column && o.from > 0) {
			best = o
		}
	}
	if best == nil {
		return c.at.place(1, 1)
	}
	if best.from == 0 {
		text := c.at.line(best.line)
		return c.at.place(best.line, len([]rune(text))-len([]rune(strings.TrimLeft(text, " ")))+1)
	}
	column := best.from
	if line == pos.Line {
		column += max(0, pos.Column-best.column)
	}
	if rest := len([]rune(c.at.line(best.line))) + 1; column > rest {
		column = rest
	}
	return c.at.place(best.line, column)
}

// Span is Source for both ends of a span. The end stays on the line of the start.
func (c *Converted) Span(span manifest.Span) manifest.Span {
	out := manifest.Span{Start: c.Source(span.Start), End: c.Source(span.End)}
	if out.End.Line != out.Start.Line || out.End.Offset < out.Start.Offset {
		out.End = out.Start
	}
	return out
}

// Problem gives a problem of the converted text with its places in the file that
// was converted. What would mend the text cannot mend that file.
func (c *Converted) Problem(p manifest.Problem) manifest.Problem {
	p.Span, p.Fix = c.Span(p.Span), nil
	switch {
	case p.Rule == "undefined-variable" && c.guess:
		p.Hint += "; with `--legacy-version 0.5` it is a secret, and nothing here tells the versions apart"
	case c.Version != Version05:
	case p.Rule == "undefined-variable":
		p.Hint = "write it without braces where the shell is to see it: Drone 0.5 had no escape"
	case p.Rule == manifest.RuleSubstitution:
		p.Hint = "Drone 0.5 refused this, too, and had no escape: leave out the braces, or have `printenv` ask for the variable"
	}
	p.Related = slices.Clone(p.Related)
	for i := range p.Related {
		p.Related[i].Span = c.Span(p.Related[i].Span)
	}
	return p
}

// indexed is a text whose lines are found without reading all before them.
type indexed struct {
	file, text string
	starts     []int // of the lines
}

func newIndexed(file, text string) *indexed {
	l := &indexed{file: file, text: text, starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// line is the text of a line, "" for one that is not there.
func (l *indexed) line(number int) string {
	if number < 1 || number > len(l.starts) {
		return ""
	}
	text, _, _ := strings.Cut(l.text[l.starts[number-1]:], "\n")
	return strings.TrimSuffix(text, "\r")
}

// place makes a place of a line and a column in code points, 0 for no column.
func (l *indexed) place(line, column int) manifest.Pos {
	pos := manifest.Pos{File: l.file, Line: line, Column: column}
	if line < 1 || line > len(l.starts) {
		return pos
	}
	pos.Offset = l.starts[line-1]
	n := 1
	for i := range l.line(line) {
		if n >= column {
			pos.Offset += i
			return pos
		}
		n++
	}
	if column > 1 {
		pos.Offset += len(l.line(line))
	}
	return pos
}

// node stands for the text at an offset.
func (l *indexed) node(offset int) *yaml.Node {
	line := sort.Search(len(l.starts), func(i int) bool { return l.starts[i] > offset })
	return &yaml.Node{Line: line, Column: utf8.RuneCountInString(l.text[l.starts[line-1]:offset]) + 1}
}
