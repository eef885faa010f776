package manifest

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// This file has the mistakes that show in a line alone, or in one and the line
// above it.

// keyWords are the names of all known keys.
var keyWords = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for _, o := range Schema() {
		for _, k := range o.Keys {
			words[k.Name] = true
		}
	}
	return words
})

// on makes another line the one of the error.
func (x *explanation) on(number, column int) {
	x.number, x.line, x.column = number, nthLine(x.tree.source, number), column
}

// linesAbove yields the lines above one, from there to the top, with their numbers.
func (x *explanation) linesAbove(number int) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		s := x.tree.source
		for end := offsetOfLine(s, number); end > 0; {
			number--
			start := 1 + strings.LastIndexByte(s[:end-1], '\n')
			if !yield(number, strings.TrimRight(s[start:end], "\r\n")) {
				return
			}
			end = start
		}
	}
}

// before returns the number of the last line above that is neither blank nor a
// comment, 0 when there is none, and the line.
func (x *explanation) before(number int) (int, string) {
	for n, line := range x.linesAbove(number) {
		if firstContent(line) == 0 {
			return n, line
		}
	}
	return 0, ""
}

// here yields the line of the error and the one before it.
func (x *explanation) here() iter.Seq2[int, string] {
	number, line := x.number, x.line
	return func(yield func(int, string) bool) {
		if yield(number, line) {
			if n, above := x.before(number); n > 0 {
				yield(n, above)
			}
		}
	}
}

// conflict explains what git leaves in a file that could not be merged.
func (x *explanation) conflict() bool {
	at := 0
	if !strings.HasPrefix(x.tree.source, "<<<<<<< ") {
		if at = 1 + strings.Index(x.tree.source, "\n<<<<<<< "); at == 0 {
			return false
		}
	}
	x.on(1+strings.Count(x.tree.source[:at], "\n"), 1)
	x.say("the file has the marks of a merge conflict", "decide for one side, and remove the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`")
	return true
}

// isLookalike reports whether a character looks like a blank or like nothing,
// and is no blank to YAML.
func isLookalike(c rune) bool {
	return c != ' ' && c != '\t' && c != '\r' && c != '\n' && (unicode.IsSpace(c) || c >= 0x200b && c <= 0x200f || c == 0x2060 || c == 0xfeff)
}

func lookalikeHint(c rune) string {
	if unicode.IsSpace(c) {
		return "replace it by a space"
	}
	return "remove it"
}

// lookalike explains an indentation that is not made of blanks.
func (x *explanation) lookalike() bool {
	for number, line := range x.here() {
		rest := strings.TrimLeft(line, " -")
		if c, _ := utf8.DecodeRuneInString(rest); rest != "" && isLookalike(c) {
			x.on(number, len(line)-len(rest)+1)
			x.say(fmt.Sprintf("the line has the character %U, which looks like a blank or like nothing", c), lookalikeHint(c))
			return true
		}
	}
	return false
}

var keyOnLine = regexp.MustCompile(`^ *(?:- +)*([a-z_]+)(:?)(.*)$`)

// missingBlank explains `key:value`, on the line of the error or above it.
func (x *explanation) missingBlank() bool {
	for number, line := range x.here() {
		m := keyOnLine.FindStringSubmatchIndex(line)
		if m == nil || m[4] == m[5] || m[6] == m[7] {
			continue
		}
		word, rest := line[m[2]:m[3]], line[m[6]:m[7]]
		if !keyWords()[word] || strings.IndexByte(" \t:/", rest[0]) >= 0 {
			continue
		}
		x.on(number, m[6]+1)
		x.say("a blank is missing behind the `:`", fmt.Sprintf("write `%s: …`", word))
		x.insert = " "
		return true
	}
	return false
}

// missingColon explains a line that begins with a key, or is nothing else.
func (x *explanation) missingColon() bool {
	m := keyOnLine.FindStringSubmatchIndex(x.line)
	if m == nil || m[4] < m[5] || m[6] < m[7] && x.line[m[6]] != ' ' || !keyWords()[x.line[m[2]:m[3]]] || strings.Contains(x.line, ": ") {
		return false
	}
	x.column = m[3] + 1
	x.say(fmt.Sprintf("the `:` behind `%s` is missing", x.line[m[2]:m[3]]), fmt.Sprintf("write `%s:`", x.line[m[2]:m[3]]))
	x.insert = ":"
	return true
}

// glued explains a key that follows another value on its line. content is the
// line without its indentation and dash.
func (x *explanation) glued(content string) bool {
	first, _, _ := strings.Cut(content, ":")
	key := gluedKey(valueOf(content))
	at := strings.LastIndex(x.line, key)
	if key == "" {
		at = strings.LastIndex(x.line, ": ")
		if at < 0 {
			return false
		}
		begin := 1 + strings.LastIndexAny(x.line[:at], " \t")
		if key = x.line[begin:at]; begin == 0 || !keyWords()[key] || strings.Contains(x.line[:begin], "'") {
			return false
		}
		key, at = key+":", begin
	}
	if !keyWords()[first] || strings.TrimLeft(x.line[:at], " -") == "" {
		return false
	}
	x.column = at + 1
	x.say("two keys are on one line", "a line break is missing in front of `"+key+"`")
	return true
}

// blockHeader matches a line that begins a text of several lines.
var blockHeader = regexp.MustCompile(`(?:^|[:-])\s+[|>][-+0-9]*\s*(?:#.*)?$`)

// shallowBlock explains the text of a `|` that is not indented.
func (x *explanation) shallowBlock() bool {
	above, line := x.before(x.number)
	if above == 0 || !blockHeader.MatchString(line) {
		return false
	}
	x.say("the text is not indented deeper than the `|` or `>` it belongs to", fmt.Sprintf("indent it deeper than line %d", above+x.tree.firstLine-1))
	return true
}

// endedBlock explains a line that is indented less than the text of a `|` above
// it, and more than the key of that.
func (x *explanation) endedBlock() bool {
	indent := leading(x.line)
	first := 0
	for n, line := range x.linesAbove(x.number) {
		switch {
		case strings.TrimSpace(line) == "":
		case leading(line) > indent:
			first = n
		case first > 0 && blockHeader.MatchString(line):
			x.say(fmt.Sprintf("the line is indented less than the text of the `|` or `>` on line %d, and so ends it", n+x.tree.firstLine-1),
				fmt.Sprintf("indent it like line %d", first+x.tree.firstLine-1))
			return true
		default:
			return false
		}
	}
	return false
}

func leading(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// amongKeys reports whether the line above is a key of the same indentation.
func (x *explanation) amongKeys() bool {
	above, _ := x.above()
	return above != "" && depth(above) == leading(x.line) && strings.Contains(above, ":")
}

// afterBracket explains a value that begins with a bracket and goes on behind
// it, most often a command.
func (x *explanation) afterBracket() bool {
	value := valueOf(strings.TrimSpace(x.line))
	if value == "" || value[0] != '[' && value[0] != '{' {
		return false
	}
	at := 0
	for depth := 0; at < len(value); at++ {
		switch value[at] {
		case '"', '\'':
			at = quotedEnd(value, at, value[at]) - 1
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth == 0 {
			break
		}
	}
	rest := strings.TrimLeft(value[min(len(value), at+1):], " ")
	if rest == "" || slices.Contains([]byte("#:]},"), rest[0]) {
		return false
	}
	x.column = strings.LastIndex(x.line, value) + 1
	x.say("text follows the closing bracket of the value", "quote the whole: "+singleQuoted(value))
	return true
}

// afterQuote explains a value that begins with a quoted word and goes on behind
// it.
func (x *explanation) afterQuote() bool {
	value := valueOf(strings.TrimSpace(x.line))
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return false
	}
	end := quotedEnd(value, 0, value[0])
	if rest := strings.TrimLeft(value[end:], " "); rest == "" || slices.Contains([]byte("#:]},"), rest[0]) {
		return false
	}
	x.column = strings.LastIndex(x.line, value) + 1
	x.say("text follows the closing quote of the value", "put the whole value into quotes of the other kind, or double the quotes inside single quotes")
	return true
}

// flow explains what is wrong in brackets.
func (x *explanation) flow() bool {
	open := flowStart.FindStringIndex(x.line)
	if open == nil {
		return false
	}
	start := offsetOfLine(x.tree.source, x.number)
	f := checkFlow(x.tree.source, start+open[1]-1)
	if f == nil {
		return false
	}
	number := 1 + strings.Count(x.tree.source[:f.at], "\n")
	x.on(number, f.at-strings.LastIndexByte(x.tree.source[:f.at], '\n'))
	x.say(f.message, f.hint)
	return true
}

// flowStart matches up to the first bracket that begins a value.
var flowStart = regexp.MustCompile(`(?:^|[\s:,])[\[{]`)
