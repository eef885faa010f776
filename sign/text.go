package sign

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxLine is the length, without its newline, from which on a line ends what
// the server reads of a file, without a word.
const maxLine = 64 * 1024

// TextError is a text that has no signature, because a server cannot read it
// either.
type TextError struct {
	Line    int // 1-based
	Message string
	Hint    string // what to do, may be empty
}

func (e *TextError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

// Text is a configuration file as the server takes it apart to sign and to
// verify it (reference I1): by lines, not as YAML does. The line ends count for
// nothing, everything else in the lines does.
type Text struct {
	source    []byte
	documents []document
	end       int // where the server stops reading
	endLine   int // the line there that begins with `...`, 0 for the end of the file
}

// document is what lies between two lines that separate.
type document struct {
	start, separator int // of the text, and of the line `---` before it, if it has one
	end              int
	line             int    // of the first line of the text
	text             []byte // its lines, each with LF
	signature        bool
	hmac             string
	hmacLine         int // within the document, 0 without one
}

// Signature is a document of kind signature.
type Signature struct {
	Line int    // of its `hmac`, or of the document when it has none
	HMAC string // as it is written
}

// Parse takes a text apart. The error is a *TextError.
func Parse(source []byte) (*Text, error) {
	t := &Text{source: source, end: len(source)}
	current := document{separator: 0, line: 1}
	line := 0
	for at := 0; at < len(source); {
		line++
		next, stop := len(source), len(source)
		if i := bytes.IndexByte(source[at:], '\n'); i >= 0 {
			stop, next = at+i, at+i+1
		}
		if stop-at >= maxLine {
			return nil, &TextError{line, fmt.Sprintf("the line has %d KiB or more, where a server stops reading the file without a word", maxLine>>10), "break the line"}
		}
		content := source[at:stop]
		switch {
		case bytes.HasPrefix(content, []byte("---")):
			t.documents = append(t.documents, current.endingAt(at))
			current = document{start: next, separator: at, line: line + 1}
		case bytes.HasPrefix(content, []byte("...")):
			t.end, t.endLine = at, line
			next = len(source)
		default:
			current.text = append(append(current.text, bytes.TrimSuffix(content, []byte("\r"))...), '\n')
		}
		at = next
	}
	t.documents = append(t.documents, current.endingAt(t.end))
	for i := range t.documents {
		if err := t.documents[i].read(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (d document) endingAt(at int) document {
	d.end = at
	return d
}

// blank reports a document in which nothing is written.
func (d *document) blank() bool { return len(bytes.TrimSpace(d.text)) == 0 }

// read finds out whether the document is a signature.
func (d *document) read() (err error) {
	defer func() { // the YAML reader gives up some texts so
		if recover() != nil {
			err = &TextError{d.line, "the document confuses the reader of YAML", "`drone lint` tells more"}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(d.text))
	var root, more yaml.Node
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return d.wrong(err)
	}
	// YAML ends lines also at characters that do not end one for a server, so there
	// may be another document in this one, which nobody is to take for signed.
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return &TextError{d.line, "the document has text behind its end, or line ends that are none for a server", "`drone lint` tells more"}
	}
	if len(root.Content) == 0 {
		return nil
	}
	mapping := resolved(root.Content[0])
	switch {
	case mapping.Kind == yaml.ScalarNode && mapping.Tag == "!!null":
		return nil
	case mapping.Kind != yaml.MappingNode:
		return &TextError{d.line + mapping.Line - 1, "the document is no mapping of keys to values, so a server refuses the file",
			"a line that begins with --- separates documents, whatever stands behind it"}
	}
	e := entries{left: maxEntries}
	if !e.add(mapping) {
		return &TextError{d.line + mapping.Line - 1, "the aliases of the document bring too much, or contain themselves", "write out what they bring"}
	}
	kind, ok := scalarText(e.kind)
	d.signature = ok && kind == "signature"
	if hmac, ok := scalarText(e.hmac); d.signature && ok {
		d.hmac, d.hmacLine = hmac, e.hmac.Line
	}
	return nil
}

// maxEntries bounds what the merge keys of a document may bring.
const maxEntries = 100_000

// entries are those of a document that matter here, nil where it has none. Of a
// key that stands twice, or that a merge key brings, the last one counts, as for
// the decoder of the server: what is no signature for it, and is run, must not be
// one here.
type entries struct {
	kind, hmac *yaml.Node
	left       int
}

// add reports whether there is no end of the entries of a mapping.
func (e *entries) add(mapping *yaml.Node) bool {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if e.left--; e.left < 0 {
			return false
		}
		key, value := resolved(mapping.Content[i]), resolved(mapping.Content[i+1])
		switch {
		case key.Kind != yaml.ScalarNode:
		case key.Value == "<<" && (key.Style == 0 || key.ShortTag() == "!!merge"):
			if !e.merge(value) {
				return false
			}
		case key.Value == "kind":
			e.kind = value
		case key.Value == "hmac":
			e.hmac = value
		}
	}
	return true
}

// merge adds what a merge key brings: a mapping, or several, of which the first
// wins.
func (e *entries) merge(value *yaml.Node) bool {
	switch value.Kind {
	case yaml.MappingNode:
		return e.add(value)
	case yaml.SequenceNode:
		for _, item := range slices.Backward(value.Content) {
			if item = resolved(item); item.Kind == yaml.MappingNode && !e.add(item) {
				return false
			}
			if e.left--; e.left < 0 {
				return false
			}
		}
	}
	return true
}

// scalarText is the text of a scalar as the server gets it, which is none for a
// null.
func scalarText(n *yaml.Node) (string, bool) {
	if n == nil || n.Kind != yaml.ScalarNode {
		return "", false
	}
	switch n.ShortTag() {
	case "!!null":
		return "", true
	case "!!binary":
		data, err := base64.StdEncoding.DecodeString(withoutSpace(n.Value))
		return string(data), err == nil
	}
	return n.Value, true
}

func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// wrong has an error of the YAML reader name the line of the file.
func (d *document) wrong(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := d.line
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line += n - 1
		}
		text = text[len(m[0]):]
	}
	return &TextError{line, "the document is no YAML: " + text, "`drone lint` tells more"}
}

// Message is what is signed: the lines of all documents that are no signature,
// each with LF, one after another. It is empty for a file without any.
func (t *Text) Message() []byte {
	var message []byte
	for _, d := range t.documents {
		if !d.signature {
			message = append(message, d.text...)
		}
	}
	return message
}

// Signatures are the documents of kind signature, of which a server looks at the
// first alone.
func (t *Text) Signatures() []Signature {
	var found []Signature
	for _, d := range t.documents {
		if d.signature {
			s := Signature{Line: d.line, HMAC: d.hmac}
			if d.hmacLine > 0 {
				s.Line += d.hmacLine - 1
			}
			found = append(found, s)
		}
	}
	return found
}

// Unread is the line that begins with `...`, where a server stops reading, if
// there is more behind it than blanks; else 0.
func (t *Text) Unread() int {
	if t.endLine == 0 {
		return 0
	}
	_, rest, _ := bytes.Cut(t.source[t.end:], []byte("\n"))
	if len(bytes.TrimSpace(rest)) == 0 {
		return 0
	}
	return t.endLine
}

// errNoHMAC is a text that Saved is not to write.
var errNoHMAC = errors.New("an HMAC-SHA256 has 64 hexadecimal digits")

// Saved is the source with hmac as its one signature, at its end. All other
// bytes are as they were. A signature that is there already, and last, is
// written anew only when it is another, and then no more than its digits are
// changed where that is possible. The text is then verified with the key of the
// hmac. The error is for a hmac that is none.
func (t *Text) Saved(hmac string) ([]byte, error) {
	if _, ok := decoded(hmac); !ok {
		return nil, errNoHMAC
	}
	if only := t.last(); only != nil {
		if same(only.hmac, hmac) {
			return t.source, nil
		}
		if written, ok := t.withDigits(only, hmac); ok {
			return written, nil
		}
	}
	return t.moved(hmac), nil
}

// last is the signature if it is the only one and nothing is behind it.
func (t *Text) last() *document {
	var only *document
	for i := range t.documents {
		d := &t.documents[i]
		switch {
		case d.signature && only != nil:
			return nil
		case d.signature:
			only = d
		case only != nil && !d.blank():
			return nil
		}
	}
	return only
}

var hmacLine = regexp.MustCompile(`^hmac:[ \t]+(["']?)([^\s"'#&*!|>{}\[\]]+)(["']?)[ \t]*(#.*)?\r?\n?$`)

// withDigits changes the value of hmac where it stands, if it stands on a line
// of its own.
func (t *Text) withDigits(d *document, hmac string) ([]byte, bool) {
	if d.hmacLine == 0 {
		return nil, false
	}
	at := d.start
	for range d.hmacLine - 1 {
		at = t.nextLine(at)
	}
	m := hmacLine.FindSubmatchIndex(t.source[at:t.nextLine(at)])
	if m == nil || m[3]-m[2] != m[7]-m[6] {
		return nil, false
	}
	written := bytes.Join([][]byte{t.source[:at+m[4]], []byte(hmac), t.source[at+m[5]:]}, nil)
	return written, t.holds(written, hmac)
}

// holds reports whether a text is this one with another signature.
func (t *Text) holds(written []byte, hmac string) bool {
	again, err := Parse(written)
	if err != nil {
		return false
	}
	found := again.Signatures()
	return len(found) == 1 && same(found[0].HMAC, hmac) && bytes.Equal(again.Message(), t.Message())
}

func (t *Text) nextLine(at int) int {
	if i := bytes.IndexByte(t.source[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(t.source)
}

// moved leaves out all signatures and writes one at the end.
func (t *Text) moved(hmac string) []byte {
	var out []byte
	for _, d := range t.documents {
		if !d.signature {
			out = append(out, t.source[d.separator:d.end]...)
		}
	}
	newline := t.newline()
	switch {
	case len(out) == 0 || out[len(out)-1] == '\n':
	case out[len(out)-1] == '\r': // which the scanner drops, but one only
		out = append(out, '\n')
	default:
		out = append(out, newline...)
	}
	lines := []string{"---", "kind: signature", "hmac: " + hmac, ""}
	if t.endLine == 0 {
		lines = append(lines, "...")
	}
	for _, line := range lines {
		out = append(out, line+newline...)
	}
	return append(out, t.source[t.end:]...)
}

// newline is the line end of the text: that of the last line that has one.
func (t *Text) newline() string {
	if i := bytes.LastIndexByte(t.source, '\n'); i > 0 && t.source[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
