// Package format brings the text of a Drone configuration into its canonical
// form: indentation, the blanks around indicators, blank lines and the ends of
// lines. It changes nothing else, so that the file means what it meant, every
// comment stays at its item, and `git diff -w` of the change is empty but for
// blank lines.
//
// It finds the structure of the text by itself and only moves lines; then it
// has a YAML parser read the text before and after, and gives up rather than
// return a text with another meaning. It leaves alone what is a matter of
// meaning or of taste that a reader would miss: the order of keys, quotes, the
// style of scalars and collections, the words of comments, separators. It
// reports nothing that is wrong with a file but what keeps it from being
// formatted, reads no files and writes none.
//
// Functions may be called concurrently.
package format

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/drone-laptop/drone/manifest"
)

// Error is why a text cannot be formatted, with the place that shows it.
type Error struct {
	Pos     manifest.Pos // its File is always set
	Message string
	Hint    string // what to do, may be empty
}

// Error is file:line:col: message, without the parts that are not known.
func (e *Error) Error() string {
	switch {
	case e.Pos.Line == 0:
		return e.Pos.File + ": " + e.Message
	case e.Pos.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.Pos.File, e.Pos.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Pos.File, e.Pos.Line, e.Pos.Column, e.Message)
}

// Result is a formatted text.
type Result struct {
	Text []byte
	// Changed reports that Text is not what was given.
	Changed bool
	// StaleSignature reports that the text holds a signature (kind: signature)
	// of what has changed, which a server will therefore refuse.
	StaleSignature bool
}

const byteOrderMark = "\ufeff"

// Source formats the text of a file, which is called name in errors. Formatting
// its result again changes nothing. The error is an *Error.
//
// Line ends become those that most lines have; a byte order mark stays. What
// follows a line that starts with `...`, which nobody reads, is left as it is.
func Source(name string, source []byte) (*Result, error) {
	if !isText(source) {
		return nil, explain(name, source)
	}
	text, ends := unify(string(source))
	if err := oddCharacters(name, text); err != nil {
		return nil, err
	}
	before, err := read(name, text)
	if err != nil {
		return nil, err
	}
	formatted, err := before.format()
	if err != nil {
		return nil, err
	}
	out := ends.restore(formatted)
	result := &Result{Text: []byte(out), Changed: out != string(source)}
	if formatted == text {
		return result, nil
	}
	after, err := read(name, formatted)
	if err != nil {
		return nil, changed(name, 0, "the text would not be YAML any more")
	}
	if err := before.compare(after); err != nil {
		return nil, err
	}
	result.StaleSignature = breaksSignature(source, result.Text)
	return result, nil
}

// lineEnds is how a file ends its lines, and whether it has a byte order mark.
type lineEnds struct {
	mark, end string
}

// unify gives a text without byte order mark whose lines end with "\n" alone.
func unify(s string) (string, lineEnds) {
	e := lineEnds{end: "\n"}
	if rest, found := strings.CutPrefix(s, byteOrderMark); found {
		s, e.mark = rest, byteOrderMark
	}
	if windows := strings.Count(s, "\r\n"); windows > 0 {
		if 2*windows > strings.Count(s, "\n") {
			e.end = "\r\n"
		}
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	return s, e
}

func (e lineEnds) restore(s string) string {
	if e.end != "\n" {
		s = strings.ReplaceAll(s, "\n", e.end)
	}
	return e.mark + s
}

// oddCharacters refuses characters that end a line in YAML, but for nobody who
// edits the file or cuts it into documents, and a byte order mark further down,
// which YAML skips at the start of a document.
func oddCharacters(name, text string) error {
	at := strings.IndexAny(text, "\r\u0085\u2028\u2029"+byteOrderMark)
	if at < 0 {
		return nil
	}
	e := &Error{Pos: position(name, 1, text, at)}
	switch c, _ := utf8.DecodeRuneInString(text[at:]); c {
	case '\r':
		e.Message = "a carriage return stands within a line"
		e.Hint = `end lines with a line feed, or with both; within a value write "\r"`
	case '\ufeff':
		e.Message = "a byte order mark (U+FEFF) stands within the file"
		e.Hint = "remove it; most editors can show what is not visible"
	default:
		e.Message = fmt.Sprintf("the character %U ends a line in YAML, but not for other readers of the file", c)
		e.Hint = fmt.Sprintf(`remove it, or write "\u%04x" within a value`, c)
	}
	return e
}

// position gives the place of an offset in a text whose first line has a number.
func position(name string, first int, text string, at int) manifest.Pos {
	before := text[:at]
	return manifest.Pos{
		File: name, Line: first + strings.Count(before, "\n"),
		Column: 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]),
	}
}

// explain has the reader of configurations say what is wrong with a text that
// cannot be read.
func explain(name string, source []byte) error {
	_, problems := manifest.Parse(name, source, nil)
	for _, p := range problems {
		switch p.Rule {
		case manifest.RuleSyntax, manifest.RuleEncoding:
			return &Error{Pos: p.Span.Start, Message: p.Message, Hint: p.Hint}
		}
	}
	return &Error{Pos: manifest.Pos{File: name}, Message: "the text is not YAML", Hint: "see `drone lint`"}
}

// changed is the error of a text that would not mean the same. line is 0 when
// the place is not known.
func changed(name string, line int, what string) error {
	return &Error{
		Pos:     manifest.Pos{File: name, Line: line},
		Message: "the file could not be formatted without changing it: " + what,
		Hint:    "the file is left as it is; this is a defect of drone, please report it with the file",
	}
}
