package manifest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// tree is a parsed document that knows the offsets of its nodes.
type tree struct {
	part   part
	index  int
	source string // the text of the document
	root   *yaml.Node
	starts []int // offset in source of each line, as YAML counts lines
	ascii  bool

	firstLine int  // line of the source where the document starts
	cut       bool // a separator or terminator ends the document

	line, column, offset int // the last answer of position; line is 1-based
}

func newTree(p part, index int, source string) *tree {
	t := &tree{part: p, index: index, source: source, ascii: isASCII(source)}
	t.starts = yamlLines(source, t.ascii)
	return t
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lines returns the offsets where lines that end at "\n" start.
func lines(s string) []int {
	starts := make([]int, 1, 1+strings.Count(s, "\n"))
	for at := 0; ; {
		i := strings.IndexByte(s[at:], '\n')
		if i < 0 {
			return starts
		}
		at += i + 1
		starts = append(starts, at)
	}
}

// yamlLines returns the offsets where lines start. YAML 1.1 breaks lines at
// more characters than "\n".
func yamlLines(s string, ascii bool) []int {
	if ascii && strings.IndexByte(s, '\r') < 0 {
		return lines(s)
	}
	starts := make([]int, 1, 1+strings.Count(s, "\n"))
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\n', c == '\r' && !strings.HasPrefix(s[i+1:], "\n"):
			i++
		case c < utf8.RuneSelf:
			i++
			continue
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			i += size
			if r != '\u0085' && r != '\u2028' && r != '\u2029' {
				continue
			}
		}
		starts = append(starts, i)
	}
	return starts
}

// position returns the offset of a line and column as the YAML library gives
// them: 1-based, columns in code points.
func (t *tree) position(line, column int) int {
	if line < 1 || line > len(t.starts) {
		return len(t.source)
	}
	if t.ascii {
		return min(len(t.source), t.starts[line-1]+column-1)
	}
	if line != t.line || column < t.column {
		t.line, t.column, t.offset = line, 1, t.starts[line-1]
	}
	for t.column < column && t.offset < len(t.source) {
		size := 1
		if t.source[t.offset] >= utf8.RuneSelf {
			_, size = utf8.DecodeRuneInString(t.source[t.offset:])
		}
		t.offset += size
		t.column++
	}
	return t.offset
}

// start returns the offset of a node's value, after its anchor and tag. The
// library does not tell of the tag "!", but a scalar starts with none of these
// characters.
func (t *tree) start(n *yaml.Node) int {
	at := t.position(n.Line, n.Column)
	if n.Kind == yaml.AliasNode {
		return at
	}
	for n.Kind == yaml.ScalarNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		if at >= len(t.source) || t.source[at] != '&' && t.source[at] != '!' {
			break
		}
		at = skipBlank(t.source, skipWord(t.source, at))
	}
	return at
}

// end returns the offset after a node: that of its last descendant, and the
// brackets that close between them.
func (t *tree) end(n *yaml.Node) int {
	brackets := 0
	for n.Kind != yaml.AliasNode && len(n.Content) > 0 {
		if t.bracketed(n) {
			brackets++
		}
		n = n.Content[len(n.Content)-1]
	}
	end := t.start(n)
	switch {
	case n.Kind == yaml.AliasNode:
		end = min(len(t.source), end+len("*")+len(n.Value))
	case n.Kind == yaml.ScalarNode:
		end = t.scalarEnd(n, end)
	case t.bracketed(n):
		brackets++
	}
	for ; brackets > 0; brackets-- {
		if i := strings.IndexAny(t.source[end:], "]}"); i >= 0 {
			end += i + 1
		}
	}
	return end
}

// bracketed reports whether a list or map is written in brackets. A map of one
// entry in a list of flow style may be without.
func (t *tree) bracketed(n *yaml.Node) bool {
	at := t.start(n)
	return n.Style&yaml.FlowStyle != 0 && at < len(t.source) && (t.source[at] == '[' || t.source[at] == '{')
}

func (t *tree) scalarEnd(n *yaml.Node, start int) int {
	switch {
	case start >= len(t.source) || n.Value == "" && n.Style&^yaml.TaggedStyle == 0:
		return start
	case n.Style&yaml.SingleQuotedStyle != 0:
		return quotedEnd(t.source, start, '\'')
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return quotedEnd(t.source, start, '"')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return blockEnd(t.source, start, n.Value)
	case strings.HasPrefix(t.source[start:], n.Value):
		return start + len(n.Value)
	}
	return plainEnd(t.source, start, n.Value)
}

// plainEnd follows the words of a plain scalar of several lines.
func plainEnd(s string, start int, value string) int {
	end := start
	for word := range strings.FieldsSeq(value) {
		at := skipBlank(s, end)
		if !strings.HasPrefix(s[at:], word) {
			break
		}
		end = at + len(word)
	}
	return end
}

func quotedEnd(s string, start int, quote byte) int {
	for at := start + 1; at < len(s); at++ {
		switch {
		case s[at] == '\\' && quote == '"':
			at++
		case s[at] != quote:
		case quote == '\'' && strings.HasPrefix(s[at+1:], "'"):
			at++
		default:
			return at + 1
		}
	}
	return len(s)
}

// blockEnd returns the end of the last line of a block scalar that is not
// blank, without its line break.
func blockEnd(s string, start int, value string) int {
	at := lineEnd(s, start)
	end := start + len(strings.TrimRight(s[start:at], " \t\r\n"))
	indent := -1
	for at < len(s) {
		next := lineEnd(s, at)
		line := strings.TrimRight(s[at:next], "\r\n")
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimSpace(line) != "" {
			if indent < 0 {
				indent = depth - leadingSpaces(value)
			}
			if depth < indent || indent <= 0 && depth == 0 {
				break
			}
			end = at + len(line)
		}
		at = next
	}
	return end
}

// leadingSpaces counts the spaces that begin the first line of a block scalar
// that is not blank: they are content, not indentation.
func leadingSpaces(value string) int {
	line := strings.TrimLeft(value, "\n")
	return len(line) - len(strings.TrimLeft(line, " "))
}

func skipBlank(s string, at int) int {
	return len(s) - len(strings.TrimLeftFunc(s[at:], unicode.IsSpace))
}

func skipWord(s string, at int) int {
	if i := strings.IndexFunc(s[at:], unicode.IsSpace); i >= 0 {
		return at + i
	}
	return len(s)
}

// target follows aliases to the node they stand for.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
