package manifest

import (
	"bytes"
	"regexp"
)

var templateLine = regexp.MustCompile(`^kind:[ \t]+template[ \t]*\r?$`)

// TemplateLine gives the place of the line for which a file is taken for one
// that names a template, whatever else is in it (reference §11.6); -1 without one.
// A line with quotes or a comment is none to a server.
func TemplateLine(source []byte) int { return LineOf(source, "kind:", templateLine) }

// LineOf gives the place of the first line that begins with key and that form
// matches, -1 without one. Only such lines are matched: a whole file of ten
// thousand steps would take as long to match as it does to read.
func LineOf(source []byte, key string, form *regexp.Regexp) int {
	for at := 0; at < len(source); {
		line := source[at:]
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line = line[:end]
		}
		if bytes.HasPrefix(line, []byte(key)) && form.Match(line) {
			return at
		}
		at += len(line) + 1
	}
	return -1
}
