package format

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// stream is a file as a sequence of documents and the lines between them.
type stream struct {
	name  string
	parts []part
}

// part is a document, or a line that ends one. The server cuts a file by lines,
// with no regard to the YAML in them, and so does this.
type part struct {
	kind partKind
	text string
	line int // of the file, 1-based

	// Of a document:

	// masked is the text with a word in place of each `${…}`, of the same
	// length: what an expression looks like is not YAML, what it becomes mostly is.
	masked      string
	expressions []string
	root        *yaml.Node // of masked, nil for a document without content
	raw         *yaml.Node // of text where it is another and can be read, else nil
	comments    []string   // set by layOut
}

type partKind int

const (
	documentPart   partKind = iota
	separatorPart           // a line that starts with `---`
	terminatorPart          // a line that starts with `...`
	tailPart                // all that follows the terminator
)

// read cuts a text and parses its documents.
func read(name, text string) (*stream, error) {
	s := &stream{name: name, parts: split(text)}
	for i := range s.parts {
		p := &s.parts[i]
		if p.kind != documentPart {
			continue
		}
		if !p.parse() {
			masked, _ := mask(text)
			return nil, explain(name, []byte(masked))
		}
		if p.root != nil && p.root.Kind != yaml.MappingNode {
			return nil, &Error{
				Pos:     manifest.Pos{File: name, Line: p.line + p.root.Line - 1, Column: p.root.Column},
				Message: "a document must be a map, so this is no configuration of Drone",
				Hint:    "start it with `kind: pipeline`",
			}
		}
	}
	return s, nil
}

// parse reads the YAML of a document and reports whether that is possible.
func (p *part) parse() bool {
	p.masked, p.expressions = mask(p.text)
	var ok bool
	if p.root, ok = parseYAML(p.masked); !ok {
		return false
	}
	if len(p.expressions) > 0 {
		p.raw, _ = parseYAML(p.text)
	}
	return true
}

// split cuts a text into parts, which cover it without gaps.
func split(text string) []part {
	var parts []part
	line, start, first := 1, 0, 1
	document := func(end int) {
		if end > start {
			parts = append(parts, part{kind: documentPart, text: text[start:end], line: first})
		}
	}
	for at := 0; at < len(text); line++ {
		end := nextLine(text, at)
		switch content := text[at:end]; {
		case strings.HasPrefix(content, "---"):
			document(at)
			parts = append(parts, part{kind: separatorPart, text: content, line: line})
			start, first = end, line+1
		case strings.HasPrefix(content, "..."):
			document(at)
			parts = append(parts, part{kind: terminatorPart, text: content, line: line})
			if end < len(text) {
				parts = append(parts, part{kind: tailPart, text: text[end:], line: line + 1})
			}
			return parts
		}
		at = end
	}
	document(len(text))
	return parts
}

// mask puts a word in place of each `${…}` of a text. An expression of several
// lines stays: it cannot become a word.
func mask(text string) (masked string, expressions []string) {
	extents := manifest.Expressions(text)
	if len(extents) == 0 {
		return text, nil
	}
	b := []byte(text)
	for _, x := range extents {
		expression := text[x.Start:x.End]
		expressions = append(expressions, expression)
		if !strings.Contains(expression, "\n") {
			copy(b[x.Start:x.End], bytes.Repeat([]byte("x"), x.End-x.Start))
		}
	}
	return string(b), expressions
}

// parseYAML parses a text that should hold one YAML document, or none. ok is
// false for any other.
func parseYAML(s string) (root *yaml.Node, ok bool) {
	defer func() {
		if recover() != nil { // the library panics on some texts
			root, ok = nil, false
		}
	}()
	var document, more yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(s))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, true
	case err != nil:
		return nil, false
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, false
	}
	if len(document.Content) == 0 {
		return nil, true
	}
	return document.Content[0], true
}

// isText reports whether a source can be that of a YAML file.
func isText(source []byte) bool {
	return utf8.Valid(source) && bytes.IndexByte(source, 0) < 0
}

// nextLine returns the offset after the line that has the offset at.
func nextLine(s string, at int) int {
	if i := strings.IndexByte(s[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(s)
}

// format gives the canonical text of the stream.
func (s *stream) format() (string, error) {
	var b strings.Builder
	for i := range s.parts {
		p := &s.parts[i]
		switch p.kind {
		case documentPart:
			lines, err := s.layOut(p)
			if err != nil {
				return "", err
			}
			if err := lines.write(&b, s.place(i)); err != nil {
				return "", &Error{Pos: manifest.Pos{File: s.name, Line: p.line}, Message: err.Error()}
			}
		case tailPart:
			b.WriteString(p.text)
		default:
			b.WriteString(strings.TrimRight(p.text, " \t\n") + "\n")
		}
	}
	return b.String(), nil
}

// place says how the document at an index ends.
func (s *stream) place(i int) ending {
	p := s.parts[i]
	separated := i+1 < len(s.parts) && p.root != nil
	if separated && s.signature(i+2) {
		// A blank line here is signed, and whoever signs a file adds none:
		// that a canonical file was signed must not make it another.
		separated = blankLine.MatchString(p.text)
	}
	return ending{separated: separated, open: !strings.HasSuffix(p.text, "\n")}
}

var blankLine = regexp.MustCompile(`\n[ \t]*\r?\n$`)

// signature reports whether a part is a document with a signature.
func (s *stream) signature(i int) bool {
	if i >= len(s.parts) || s.parts[i].root == nil {
		return false
	}
	for content := s.parts[i].root.Content; len(content) >= 2; content = content[2:] {
		if content[0].Value == "kind" {
			return content[1].Value == "signature"
		}
	}
	return false
}

// layOut scans a document and notes its comments.
func (s *stream) layOut(p *part) (*layout, error) {
	scan := &scanner{text: p.text, mask: p.masked}
	lines, err := scan.document()
	if err != nil {
		return nil, &Error{Pos: position(s.name, p.line, p.text, err.at), Message: err.reason, Hint: err.hint}
	}
	p.comments = lines.comments()
	return lines, nil
}
