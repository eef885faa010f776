package format

import (
	"bytes"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/sign"
)

// maxLine is the length of a line from which on the server stops reading a file
// without a word.
const maxLine = 64 * 1024

// compare reports a difference between the stream and what it was formatted to
// that is more than one of blanks. It relies as little as possible on the code
// that formats.
func (s *stream) compare(after *stream) error {
	before, now := s.written(), after.written()
	if len(before) != len(now) {
		return changed(s.name, 0, "it would have other documents")
	}
	for i, p := range before {
		q := now[i]
		if p.kind != q.kind {
			return changed(s.name, p.line, "it would have other documents")
		}
		if !slices.Equal(p.expressions, q.expressions) {
			return &Error{
				Pos:     manifest.Pos{File: s.name, Line: p.line},
				Message: "an expression ${…} reaches over several lines, so that their indentation is part of it",
				Hint:    "write it on one line",
			}
		}
		if line, what := p.compare(q); what != "" {
			return changed(s.name, p.line+line-1, what)
		}
		if p.kind != documentPart {
			continue
		}
		if _, err := after.layOut(q); err != nil || !slices.Equal(p.comments, q.comments) {
			return changed(s.name, p.line, "comments would change")
		}
	}
	return nil
}

// written returns the parts that are more than blank lines.
func (s *stream) written() []*part {
	var parts []*part
	for i := range s.parts {
		if p := &s.parts[i]; strings.TrimSpace(p.text) != "" {
			parts = append(parts, p)
		}
	}
	return parts
}

// compare says what is different in two documents, "" for nothing, and on which
// line of the first.
func (p *part) compare(q *part) (line int, what string) {
	if line := differentInk(p.text, q.text); line > 0 {
		return line, "more than blanks would change"
	}
	if line := differentNode(p.root, q.root); line > 0 {
		return line, "a value would change"
	}
	if (p.raw == nil) != (q.raw == nil) {
		return 1, "a value would change before substitution"
	}
	if line := differentNode(p.raw, q.raw); line > 0 {
		return line, "a value would change before substitution"
	}
	if longLines(p.text) != longLines(q.text) {
		return 1, "a line would become too long for the server"
	}
	return 0, ""
}

// differentInk returns the line on which two texts differ by more than blanks,
// or 0.
func differentInk(a, b string) int {
	line, j := 1, 0
	for i := 0; i < len(a); i++ {
		if isSpace(a[i]) {
			if a[i] == '\n' {
				line++
			}
			continue
		}
		for j < len(b) && isSpace(b[j]) {
			j++
		}
		if j == len(b) || a[i] != b[j] {
			return line
		}
		j++
	}
	if strings.TrimRight(b[j:], " \t\n\r") != "" {
		return line
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// differentNode returns the line of the first node in which two trees differ,
// or 0.
func differentNode(a, b *yaml.Node) int {
	if a == nil || b == nil {
		if a == b {
			return 0
		}
		return 1
	}
	if a.Kind != b.Kind || a.Style != b.Style || a.Tag != b.Tag || a.Value != b.Value ||
		a.Anchor != b.Anchor || len(a.Content) != len(b.Content) {
		return max(1, a.Line)
	}
	for i := range a.Content {
		if line := differentNode(a.Content[i], b.Content[i]); line > 0 {
			return line
		}
	}
	return 0
}

func longLines(text string) int {
	n := 0
	for at := 0; at < len(text); {
		end := nextLine(text, at)
		if end-at > maxLine {
			n++
		}
		at = end
	}
	return n
}

// breaksSignature reports whether a text has a signature that is for another
// than the formatted text. One that no server can verify is not broken.
func breaksSignature(before, after []byte) bool {
	was, err := sign.Parse(before)
	if err != nil || len(was.Signatures()) == 0 {
		return false
	}
	is, err := sign.Parse(after)
	return err != nil || !bytes.Equal(was.Message(), is.Message())
}
