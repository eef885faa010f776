package settings

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A change is made in the text, at the lines that it is about, so that whatever
// else is in the file stays as it was written. Where those lines cannot be told,
// as in flow style, the whole is written anew, with its comments.

// Set gives a key one value or several. The rest of the file stays, its comments
// above all.
func (f *File) Set(key string, values ...string) {
	edited, done := f.lineSet(key, values)
	set(&f.document, key, values)
	f.adopt(edited, done)
}

// Unset removes a key, and the commands that have nothing left then. It reports
// whether there was one.
func (f *File) Unset(key string) bool {
	edited, done := f.lineUnset(key)
	root := f.root()
	if root == nil || !unset(root, strings.Split(key, ".")) {
		return false
	}
	f.adopt(edited, done)
	return true
}

// adopt takes an edited text, if it means what the document does that was
// changed in the same way, and else the text of that document.
func (f *File) adopt(edited []byte, done bool) {
	want, _ := settingsIn(&f.document)
	same := func(document *yaml.Node) bool {
		got, _ := settingsIn(document)
		return reflect.DeepEqual(unplaced(got), unplaced(want))
	}
	if document, wrong := parse(edited); done && wrong == nil && same(&document) {
		f.text, f.document = edited, document
		return
	}
	text, err := encoded(&f.document)
	if err != nil {
		f.broken = err
		return
	}
	if bytes.Contains(f.text, []byte("\r\n")) {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	document, wrong := parse(text)
	if wrong != nil || !same(&document) {
		f.broken = errors.New("the file has something that this program cannot change")
		return
	}
	f.text, f.document = text, document
}

func unplaced(list []Setting) (out []string) {
	for _, s := range list {
		out = append(out, fmt.Sprintf("%s=%q", s.Key, s.Values))
	}
	slices.Sort(out)
	return out
}

func encoded(document *yaml.Node) ([]byte, error) {
	var text bytes.Buffer
	if len(document.Content) == 0 || len(document.Content[0].Content) == 0 {
		return nil, nil
	}
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(document), enc.Close()); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// found is an entry of a map, and the maps that it is in, the outermost first.
type found struct {
	maps        []*yaml.Node
	names       []*yaml.Node // the last is that of the entry
	name, value *yaml.Node
}

// find goes the way of words through the maps, of which one may join several by
// dots. ok is false where it ends before the last word, of which rest are left.
func find(root *yaml.Node, words []string) (at found, rest []string, ok bool) {
	at.maps = []*yaml.Node{root}
	m := root
walk:
	for m.Kind == yaml.MappingNode {
		for n := len(words); n > 0; n-- {
			i := index(m, strings.Join(words[:n], "."))
			if i < 0 {
				continue
			}
			at.name, at.value = m.Content[i], m.Content[i+1]
			at.names = append(at.names, at.name)
			if n == len(words) {
				return at, nil, true
			}
			if at.value.Kind == yaml.MappingNode || at.value.Tag == "!!null" {
				m, words = at.value, words[n:]
				at.maps = append(at.maps, m)
				continue walk
			}
		}
		break
	}
	return at, words, false
}

func index(m *yaml.Node, key string) int {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// set changes a document.
func set(document *yaml.Node, key string, values []string) {
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		head := document.HeadComment
		if len(document.Content) > 0 && head == "" {
			head = document.Content[0].HeadComment
		}
		*document = yaml.Node{Kind: yaml.DocumentNode, HeadComment: head, Content: []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}}
	}
	at, rest, ok := find(document.Content[0], strings.Split(key, "."))
	if ok {
		fill(at.value, values)
		return
	}
	m := at.maps[len(at.maps)-1]
	for i, word := range rest {
		if m.Kind != yaml.MappingNode {
			*m = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", HeadComment: m.HeadComment, LineComment: m.LineComment, FootComment: m.FootComment}
		}
		child := &yaml.Node{}
		if at := index(m, word); at >= 0 { // what is there is no map
			child = m.Content[at+1]
		} else {
			m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: word}, child)
		}
		if i == len(rest)-1 {
			fill(child, values)
		}
		m = child
	}
}

// fill makes a node hold values, and keeps its comments.
func fill(n *yaml.Node, values []string) {
	fresh := yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	if len(values) == 1 {
		fresh = *scalar(values[0])
	} else {
		for _, v := range values {
			fresh.Content = append(fresh.Content, scalar(v))
		}
	}
	fresh.HeadComment, fresh.LineComment, fresh.FootComment = n.HeadComment, n.LineComment, n.FootComment
	*n = fresh
}

// scalar writes a value as one would: numbers and truth values without quotes.
func scalar(value string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(value)
	switch strings.ToLower(value) {
	case "", "~", "null":
		n.Style = yaml.SingleQuotedStyle
	default:
		n.Tag = ""
	}
	return n
}

func unset(m *yaml.Node, words []string) bool {
	at, _, ok := find(m, words)
	if !ok {
		return false
	}
	for i, name := range slices.Backward(at.names) {
		m := at.maps[i]
		n := slices.Index(m.Content, name)
		m.Content = slices.Delete(m.Content, n, n+2)
		if len(m.Content) > 0 {
			break
		}
	}
	return true
}

// lines are the text with the ends of its lines.
func (f *File) lines() []string {
	list := strings.SplitAfter(string(f.text), "\n")
	return slices.DeleteFunc(list, func(line string) bool { return line == "" })
}

func (f *File) lineEnd() string {
	if bytes.Contains(f.text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// entryText is an entry as it stands in a map in block style, with the maps of
// words around it.
func entryText(words, values []string, indent, end string) (text string, ok bool) {
	value := &yaml.Node{}
	fill(value, values)
	for i, word := range slices.Backward(words) {
		m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: word}, value}}
		if i == 0 {
			document := &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{m}}
			lines, err := encoded(document)
			if err != nil {
				return "", false
			}
			for line := range strings.Lines(string(lines)) {
				text += indent + strings.TrimSuffix(line, "\n") + end
			}
		}
		value = m
	}
	return text, true
}

// lineSet is the text with a key set, ok is false where that takes more than
// some lines.
func (f *File) lineSet(key string, values []string) (text []byte, ok bool) {
	lines, words, end := f.lines(), strings.Split(key, "."), f.lineEnd()
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		lines[n-1] += end
	}
	root := f.root()
	if root == nil || root.Tag == "!!null" {
		added, ok := entryText(words, values, "", end)
		return []byte(strings.Join(lines, "") + added), ok
	}
	at, rest, ok := find(root, words)
	if ok {
		return replaced(lines, at, values, end)
	}
	m := at.maps[len(at.maps)-1]
	if m.Kind != yaml.MappingNode || m.Style&yaml.FlowStyle != 0 || len(m.Content) == 0 {
		return nil, false
	}
	added, ok := entryText(rest, values, strings.Repeat(" ", m.Content[0].Column-1), end)
	last := lastLine(m)
	if !ok || last > len(lines) {
		return nil, false
	}
	return []byte(strings.Join(slices.Insert(lines, last, added), "")), true
}

// replaced is the text with another value of an entry that has one line, behind
// which its comment stays.
func replaced(lines []string, at found, values []string, end string) (text []byte, ok bool) {
	n := at.name.Line - 1
	inFlow := slices.ContainsFunc(at.maps, func(m *yaml.Node) bool { return m.Style&yaml.FlowStyle != 0 })
	if inFlow || at.value.Kind == yaml.MappingNode || n >= len(lines) || lastLine(at.value) != at.name.Line {
		return nil, false
	}
	indent := lines[n][:len(lines[n])-len(strings.TrimLeft(lines[n], " "))]
	entry, ok := entryText([]string{at.name.Value}, values, indent, end)
	if comment := at.value.LineComment; comment != "" {
		entry = strings.TrimSuffix(entry, end) + " " + comment + end
	}
	lines[n] = entry
	return []byte(strings.Join(lines, "")), ok
}

// lineUnset is the text without the lines of a key, and without those of the
// commands that have nothing left. The comment right above goes with them.
func (f *File) lineUnset(key string) (text []byte, ok bool) {
	root := f.root()
	if root == nil {
		return nil, false
	}
	at, _, ok := find(root, strings.Split(key, "."))
	if !ok {
		return nil, false
	}
	i := len(at.names) - 1
	for i > 0 && len(at.maps[i].Content) == 2 {
		i--
	}
	m, name := at.maps[i], at.names[i]
	lines, last := f.lines(), lastLine(m.Content[slices.Index(m.Content, name)+1])
	if m.Style&yaml.FlowStyle != 0 || last > len(lines) {
		return nil, false
	}
	first := name.Line - 1
	for range strings.SplitSeq(name.HeadComment, "\n") {
		if first > 0 && name.HeadComment != "" && strings.HasPrefix(strings.TrimSpace(lines[first-1]), "#") {
			first--
		}
	}
	return []byte(strings.Join(slices.Delete(lines, first, max(last, name.Line)), "")), true
}

// lastLine is the last line on which something of a node begins: of one that
// goes on from there the text would not be read as it should.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}
