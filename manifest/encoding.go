package manifest

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxLine is the length of a line, without its "\n", from which on the server
// and its runners stop reading a file without a word (reference §1.2).
const maxLine = 64 * 1024

// checkEncoding reports a source that is not text and says whether it is.
func (r *reader) checkEncoding() bool {
	source := r.places.source
	if strings.HasPrefix(source, "\xff\xfe") || strings.HasPrefix(source, "\xfe\xff") {
		r.add(Problem{
			Severity: Error, Rule: RuleEncoding, Span: r.places.span(0, 1),
			Message: "the file is not UTF-8 text: it is UTF-16",
			Hint:    "save the file as UTF-8; in PowerShell with `-Encoding utf8`",
		})
		return false
	}
	if i := strings.IndexByte(source, 0); i >= 0 {
		r.add(Problem{
			Severity: Error, Rule: RuleEncoding, Span: r.places.span(i, i+1),
			Message: "the file is not text: it has a NUL byte",
			Hint:    "save the file as UTF-8; a pipeline file is plain text",
		})
		return false
	}
	if i := firstInvalid(source); i >= 0 {
		r.add(Problem{
			Severity: Error, Rule: RuleEncoding, Span: r.places.span(i, i+1),
			Message: fmt.Sprintf("the file is not UTF-8 text: it has the byte 0x%02x", source[i]),
			Hint:    "save the file as UTF-8",
		})
		return false
	}
	return true
}

// firstInvalid returns the offset of the first byte that is not UTF-8, or -1.
func firstInvalid(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		if c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// checkLines reports lines at which the server cuts the file.
func (r *reader) checkLines() {
	s := r.text.body
	for at := 0; at < len(s); {
		end := lineEnd(s, at)
		if n := len(strings.TrimSuffix(s[at:end], "\n")); n >= maxLine {
			r.add(Problem{
				Severity: Error, Rule: RuleLongLine, Span: r.text.span(at, end),
				Message: fmt.Sprintf("the line is %d bytes long; the server drops it and the rest of the file without a message", n),
				Hint:    fmt.Sprintf("keep lines shorter than %d bytes, for example by moving the text to a file or a block scalar", maxLine),
			})
		}
		at = end
	}
}
