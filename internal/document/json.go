// Package document writes values as text that programs read, and people may: JSON
// and YAML.
//
// It neither knows what the values are nor changes them. Its functions are safe for
// concurrent use.
package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// JSON writes one indented value with its text as it is, but for characters that a
// terminal could obey.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(escaping{w})
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// escaping writes JSON, and escapes those characters that JSON would allow as they
// are: the second half of the control characters, and those that turn the direction
// of text. What is read from it is the same.
type escaping struct{ io.Writer }

func (w escaping) Write(text []byte) (int, error) {
	var escaped bytes.Buffer
	from := 0
	for i := 0; i < len(text); {
		if text[i] < '\x7f' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			escaped.Write(text[from:i])
			fmt.Fprintf(&escaped, "\\u%04x", r)
			from = i + size
		}
		i += size
	}
	if from == 0 {
		return w.Writer.Write(text)
	}
	escaped.Write(text[from:])
	if _, err := w.Writer.Write(escaped.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// SpaceEmpty puts a blank into each empty list and object of a JSON text, as the
// official command does with what Jsonnet makes: files that it wrote stay as they
// are.
func SpaceEmpty(text string) string {
	var b strings.Builder
	var before byte
	for c, quoted := range jsonBytes(text) {
		if !quoted && (before == '[' && c == ']' || before == '{' && c == '}') {
			b.WriteByte(' ')
		}
		b.WriteByte(c)
		if before = c; quoted {
			before = 0
		}
	}
	return b.String()
}

// OneLine writes an indented JSON text in one line, with a blank behind each comma
// and colon, as the official command does with what Starlark makes.
func OneLine(text string) string {
	var b strings.Builder
	for c, quoted := range jsonBytes(text) {
		if !quoted && (c == ' ' || c == '\n') {
			continue
		}
		b.WriteByte(c)
		if !quoted && (c == ',' || c == ':') {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// jsonBytes are the bytes of JSON, and whether they are in a string. The quotes
// are, but for the last one.
func jsonBytes(text string) iter.Seq2[byte, bool] {
	return func(yield func(byte, bool) bool) {
		quoted, escaped := false, false
		for _, c := range []byte(text) {
			switch {
			case quoted:
				quoted = escaped || c != '"'
				escaped = c == '\\' && !escaped
			case c == '"':
				quoted = true
			}
			if !yield(c, quoted) {
				return
			}
		}
	}
}
