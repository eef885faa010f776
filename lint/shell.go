package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// writing is a text of an element for which it matters where it goes: a
// command, or the value of a variable or a setting.
type writing struct {
	start, end int // offsets
	kind       writingKind
	element    element
}

type writingKind int

const (
	inCommand writingKind = iota
	inVariable
	inSetting
)

// writingAt returns what stands at an offset, nil when it is something else.
func (p *pass) writingAt(offset int) *writing {
	if p.written == nil {
		p.written = p.writings()
	}
	i, found := slices.BinarySearchFunc(p.written, offset, func(w writing, offset int) int {
		switch {
		case w.end <= offset:
			return -1
		case w.start > offset:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &p.written[i]
}

func (p *pass) writings() []writing {
	list := []writing{}
	add := func(e element, kind writingKind, s manifest.Span) {
		if s.Start.Offset < s.End.Offset {
			list = append(list, writing{s.Start.Offset, s.End.Offset, kind, e})
		}
	}
	for pl := range p.pipelines() {
		for _, v := range pl.Environment {
			add(element{pipeline: pl, Step: &manifest.Step{}}, inVariable, v.Value.Span)
		}
		for e := range elements(pl) {
			for _, c := range e.Commands {
				add(e, inCommand, c.Span)
			}
			for _, v := range e.Environment {
				add(e, inVariable, v.Value.Span)
			}
			for _, s := range e.Settings {
				add(e, inSetting, s.Value.Span)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b writing) int { return a.start - b.start })
	// What an anchor brings to several steps stands in the first of them.
	return slices.CompactFunc(list, func(a, b writing) bool { return a.start == b.start })
}

// locate returns the place in the file of a part of a text. Where the part
// occurs several times it is found by counting, as the text may be indented,
// folded or escaped in the file.
func (p *pass) locate(s manifest.String, at, length int) manifest.Span {
	const long, most = 16 << 10, 1000
	word := s.Value[at : at+length]
	if len(s.Value) > long {
		if p.counted++; p.counted > most {
			return s.Span // counting takes the time of a look at all of it
		}
	}
	text := p.text(s.Span)
	if word == "" || text == "" {
		return s.Span
	}
	from := 0
	for range strings.Count(s.Value[:at], word) {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return s.Span
		}
		from += i + len(word)
	}
	i := strings.Index(text[from:], word)
	if i < 0 {
		return s.Span
	}
	return p.part(s.Span, from+i, length)
}

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
