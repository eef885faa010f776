package convert

import (
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// words are texts that stand in files as they are, with all places of each:
// strings of programs, keys of Jsonnet, values of the data of a template. They
// are found by their look: a program need not be one that can be parsed.
type words map[string][]manifest.Span

// find gives the place of a text that stands in the files only once.
func (w words) find(text string) (manifest.Span, bool) {
	if spans := w[text]; len(spans) == 1 && text != "" {
		return spans[0], true
	}
	return manifest.Span{}, false
}

// Both match comments and blocks of text, too, which are no words.
var (
	starlarkWords = regexp.MustCompile(`(?s)#[^\n]*|"""(?:\\.|.)*?"""|'''(?:\\.|.)*?'''|"((?:\\.|[^"\\\n])*)"|'((?:\\.|[^'\\\n])*)'`)
	jsonnetWords  = regexp.MustCompile(`(?s)#[^\n]*|//[^\n]*|/\*.*?\*/|\|\|\|.*?\|\|\||@"(?:""|[^"])*"|@'(?:''|[^'])*'|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|\b([A-Za-z_]\w*)\s*\+?:`)
)

// ofProgram adds the words of a program.
func (w words) ofProgram(file string, source []byte) {
	form := jsonnetWords
	if Detect(file, nil) == FormatStarlark {
		form = starlarkWords
	}
	at := newPlaces(file, string(source))
	for _, m := range form.FindAllSubmatchIndex(source, -1) {
		for i := 2; i+1 < len(m); i += 2 {
			if m[i] < 0 {
				continue
			}
			if text, ok := unescape(string(source[m[i]:m[i+1]])); ok {
				w[text] = append(w[text], manifest.Span{Start: at.of(m[i]), End: at.of(m[i+1])})
			}
		}
	}
}

// unescape reads what is between quotes. Both languages have more escapes than
// Go, which are given up.
func unescape(raw string) (string, bool) {
	if !strings.Contains(raw, `\`) {
		return raw, true
	}
	raw = strings.ReplaceAll(strings.ReplaceAll(raw, `\'`, `'`), `\/`, `/`)
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] == '\\' && i+1 < len(raw):
			b.WriteString(raw[i : i+2])
			i++
		case raw[i] == '"':
			b.WriteString(`\"`)
		case raw[i] == '\n':
			b.WriteString(`\n`)
		default:
			b.WriteByte(raw[i])
		}
	}
	text, err := strconv.Unquote(`"` + b.String() + `"`)
	return text, err == nil
}

// ofUse adds the data of a file that asks for a template.
func (w words) ofUse(file string, source []byte) {
	u, err := readUse(file, source)
	if err != nil {
		return // it was read before
	}
	var add func(n *yaml.Node)
	add = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			start := u.at(n)
			end := start
			if start.Offset+len(n.Value) <= len(source) && string(source[start.Offset:start.Offset+len(n.Value)]) == n.Value {
				end.Offset += len(n.Value)
				end.Column += utf8.RuneCountInString(n.Value)
			}
			w[n.Value] = append(w[n.Value], manifest.Span{Start: start, End: end})
			return
		}
		for i, child := range n.Content { // an alias has none
			if n.Kind != yaml.MappingNode || i%2 == 1 {
				add(child)
			}
		}
	}
	if u.node != nil {
		add(u.node)
	}
}

// places finds those of the offsets of a text.
type places struct {
	file, text string
	starts     []int // of lines
}

func newPlaces(file, text string) *places {
	p := &places{file: file, text: text, starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			p.starts = append(p.starts, i+1)
		}
	}
	return p
}

func (p *places) of(offset int) manifest.Pos {
	offset = min(max(offset, 0), len(p.text))
	line := sort.SearchInts(p.starts, offset+1)
	return manifest.Pos{
		File: p.file, Line: line, Offset: offset,
		Column: utf8.RuneCountInString(p.text[p.starts[line-1]:offset]) + 1,
	}
}

// offset is that of a line and a column, which may be 0.
func (p *places) offset(line, column int) int {
	if line < 1 || line > len(p.starts) {
		return len(p.text)
	}
	start, n := p.starts[line-1], 1
	for i, c := range p.text[start:] {
		if n >= column || c == '\n' {
			return start + i
		}
		n++
	}
	return len(p.text)
}
