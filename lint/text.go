package lint

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/manifest"
)

// Painter colours the parts of a text report; every field may be nil.
type Painter struct {
	Error, Warning, Info, Faint func(string) string
}

// Text writes findings for people: the place, the message, the source line with
// a marker under the exact words, related places, and what to do. source gives
// the text of a file, or nil when it is not at hand.
func Text(w io.Writer, findings []manifest.Problem, source func(file string) []byte, paint Painter) error {
	t := &textWriter{paint: paint, source: source}
	for _, f := range findings {
		t.finding(f)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// Excerpt is the line of a source that a span is in, with a marker under it, or ""
// where there is nothing to be seen.
func Excerpt(source []byte, span manifest.Span) string {
	t := &textWriter{source: func(string) []byte { return source }}
	t.excerpt(span)
	return t.String()
}

type textWriter struct {
	strings.Builder
	paint  Painter
	source func(string) []byte
}

func (t *textWriter) finding(f manifest.Problem) {
	fmt.Fprintf(t, "%s%s: %s%s\n", place(f.Span.Start), t.severity(f.Severity), f.Message, rule(f.Rule))
	t.excerpt(f.Span)
	for _, r := range f.Related {
		fmt.Fprintf(t, "  %s%s\n", place(r.Span.Start), r.Message)
	}
	if f.Hint != "" {
		fmt.Fprintf(t, "  hint: %s\n", f.Hint)
	}
}

func (t *textWriter) severity(s manifest.Severity) string {
	paint := t.paint.Info
	switch s {
	case manifest.Error:
		paint = t.paint.Error
	case manifest.Warning:
		paint = t.paint.Warning
	}
	return apply(paint, string(s))
}

func rule(id string) string {
	if id == "" {
		return ""
	}
	return " [" + id + "]"
}

// place writes file:line:col with a colon and a space, as far as it is known.
func place(p manifest.Pos) string {
	switch {
	case p.Line != 0:
		return fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	case p.File != "":
		return p.File + ": "
	}
	return ""
}

// maxExcerpt is the longest source line that is shown, in bytes; a longer one
// says nothing to the eye.
const maxExcerpt = 400

func (t *textWriter) excerpt(s manifest.Span) {
	if s.Start.Line == 0 || t.source == nil {
		return
	}
	source := t.source(s.Start.File)
	if source == nil {
		return
	}
	text, ok := line(source, s.Start)
	if !ok || len(text) > maxExcerpt || strings.TrimSpace(text) == "" {
		return
	}
	before := prefix(text, s.Start.Column-1)
	number := fmt.Sprintf("%5d", s.Start.Line)
	fmt.Fprintf(t, "%s %s\n", apply(t.paint.Faint, number+" |"), printable(text))
	fmt.Fprintf(t, "%s %s%s\n", apply(t.paint.Faint, "      |"), blank(before), apply(t.paint.Error, marker(text[len(before):], s)))
}

// line cuts the line that holds p out of a file.
func line(source []byte, p manifest.Pos) (string, bool) {
	if p.Offset > len(source) {
		return "", false
	}
	start := bytes.LastIndexByte(source[:p.Offset], '\n') + 1
	rest := source[start:]
	if end := bytes.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	return strings.TrimRight(string(rest), "\r"), true
}

// prefix returns the first n characters of text.
func prefix(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// blank makes white space as wide as text: a tab stays a tab, so that the
// marker stands right whatever the terminal makes of it.
func blank(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\t' {
			b.WriteByte('\t')
			continue
		}
		b.WriteString(strings.Repeat(" ", ansi.StringWidth(string(r))))
	}
	return b.String()
}

// marker is drawn under the marked words, to the end of the line at most.
func marker(rest string, s manifest.Span) string {
	marked := rest
	if s.End.Line == s.Start.Line && s.End.Column > s.Start.Column {
		marked = prefix(rest, s.End.Column-s.Start.Column)
	} else if s.End.Line <= s.Start.Line {
		marked = prefix(rest, 1)
	}
	return "^" + strings.Repeat("~", max(0, ansi.StringWidth(strings.TrimRight(marked, " \t"))-1))
}

// printable replaces what would move the cursor or hide text.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r == 0x7f || r == utf8.RuneError) {
			return '·'
		}
		return r
	}, text)
}

func apply(paint func(string) string, text string) string {
	if paint == nil {
		return text
	}
	return paint(text)
}
