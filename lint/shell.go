package lint

import (
	"regexp"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// quotes says which quoted text of a command is blanked.
type quotes int

const (
	singleQuotes quotes = iota // only what no shell expands
	allQuotes
)

// code returns a command in which comments, quoted text and here-documents are
// blanked, byte for byte, so that what is left is what the shell takes for
// commands.
func code(command string, blank quotes) string {
	if !strings.ContainsAny(command, `'"#\<`) {
		return command
	}
	b := []byte(command)
	var ends []string // of the here-documents that the line begins
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\\' && i+1 < len(b):
			if b[i+1] != '\n' {
				b[i], b[i+1] = '_', '_'
			}
			i++
		case c == '\'':
			i = fill(b, i+1, '\'', true)
		case c == '"':
			i = fill(b, i+1, '"', blank == allQuotes)
		case c == '#' && (i == 0 || strings.IndexByte(" \t\n;&|(", b[i-1]) >= 0):
			for ; i < len(b) && b[i] != '\n'; i++ {
				b[i] = ' '
			}
			i--
		case c == '<' && i+1 < len(b) && b[i+1] == '<':
			if m := hereDocument.FindStringSubmatch(command[i:]); m != nil {
				ends = append(ends, m[1])
				i += len(m[0]) - 1
			} else {
				i += 2
			}
		case c == '\n' && len(ends) > 0:
			i = skipDocuments(b, i+1, ends) - 1
			ends = nil
		}
	}
	return string(b)
}

// fill blanks text up to a closing quote and returns the index of that.
func fill(b []byte, i int, quote byte, blank bool) int {
	for ; i < len(b) && b[i] != quote; i++ {
		if quote == '"' && b[i] == '\\' && i+1 < len(b) {
			b[i], b[i+1] = '_', '_'
			i++
			continue
		}
		if blank && b[i] != '\n' {
			b[i] = '_'
		}
	}
	return i
}

// hereDocument matches the operator of a here-document with its word.
var hereDocument = regexp.MustCompile(`^<<-?\s*\\?["']?([A-Za-z_][A-Za-z0-9_.]*)["']?`)

// skipDocuments blanks here-documents and returns the index after them.
func skipDocuments(b []byte, i int, ends []string) int {
	for i < len(b) && len(ends) > 0 {
		end := i
		for end < len(b) && b[end] != '\n' {
			end++
		}
		if strings.TrimSpace(string(b[i:end])) == ends[0] {
			ends = ends[1:]
		}
		for j := i; j < end; j++ {
			b[j] = ' '
		}
		i = min(end+1, len(b))
	}
	return i
}

// Places where a shell gives a variable a value.
var (
	beginning = regexp.MustCompile(`(?m)(?:\b(?:export|local|readonly|declare|typeset|then|do|else)\s|^|[;&|({` + "`" + `])[ \t]*(?:-\w+[ \t]+)*`)
	setting   = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)(?:\[[^]]*\])?\+?=`)
	loop      = regexp.MustCompile(`\b(?:for|select)\s+([A-Za-z_][A-Za-z0-9_]*)\b`)
	reading   = regexp.MustCompile(`\b(?:read|mapfile|readarray)\s+((?:-\w+\s+)*[A-Za-z_][A-Za-z0-9_ \t]*)`)
	getopts   = regexp.MustCompile(`\bgetopts\s+\S+\s+([A-Za-z_][A-Za-z0-9_]*)`)
)

// piece is a part of a command.
type piece struct {
	command    manifest.String
	start, end int
}

// assigned are the names that commands give a value, with the place of the
// first time.
func assigned(commands []manifest.String) map[string]piece {
	names := map[string]piece{}
	for _, c := range commands {
		text := code(c.Value, allQuotes)
		add := func(start, end int) {
			if _, known := names[text[start:end]]; !known {
				names[text[start:end]] = piece{c, start, end}
			}
		}
		for _, at := range beginning.FindAllStringIndex(text, -1) {
			for from := at[1]; ; {
				m := setting.FindStringSubmatchIndex(text[from:])
				if m == nil {
					break
				}
				add(from+m[2], from+m[3])
				from = wordEnd(text, from+m[1])
				from += len(text[from:]) - len(strings.TrimLeft(text[from:], " \t"))
			}
		}
		for _, pattern := range []*regexp.Regexp{loop, getopts} {
			for _, at := range pattern.FindAllStringSubmatchIndex(text, -1) {
				add(at[2], at[3])
			}
		}
		for _, at := range reading.FindAllStringSubmatchIndex(text, -1) {
			for name := range strings.FieldsSeq(text[at[2]:at[3]]) {
				start := at[2] + strings.Index(text[at[2]:at[3]], name)
				add(start, start+len(name))
			}
		}
	}
	return names
}

// wordEnd returns the end of the word of a shell that goes on at i.
func wordEnd(text string, i int) int {
	for depth := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '{':
			depth++
		case ')', '}':
			if depth--; depth < 0 {
				return i
			}
		case ' ', '\t', ';', '&', '|':
			if depth == 0 {
				return i
			}
		case '\n':
			return i
		}
	}
	return i
}
