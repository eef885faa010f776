package convert

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// entry is one entry of a mapping; its value is no alias.
type entry struct {
	key, value *yaml.Node
}

// entries are those of a mapping in their order, with the keys that are merged
// into it. Keys may occur more than once: in a pipeline they are two steps. It is
// nil for what is no mapping.
func entries(n *yaml.Node) []entry {
	if n == nil {
		return nil
	}
	n = target(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	var out []entry
	var sources []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := target(n.Content[i]), target(n.Content[i+1])
		if isMerge(key) {
			sources = append(sources, value)
			continue
		}
		out = append(out, entry{key, value})
	}
	if len(sources) == 0 {
		return out
	}
	m := merging{seen: map[*yaml.Node]bool{n: true}, keys: map[string]bool{}, out: out}
	for _, e := range out {
		m.keys[e.key.Value] = true
	}
	for _, source := range sources {
		m.merge(source)
	}
	return m.out
}

func isMerge(key *yaml.Node) bool {
	return key.Tag == "!!merge" || key.Value == "<<" && key.Style == 0
}

// merging collects the entries of mappings that are merged into another, each
// of them once: what is merged again adds no key, and there may be a billion
// ways to it.
type merging struct {
	seen map[*yaml.Node]bool
	keys map[string]bool
	out  []entry
}

func (m *merging) merge(n *yaml.Node) {
	n = target(n)
	if m.seen[n] {
		return
	}
	m.seen[n] = true
	if n.Kind == yaml.SequenceNode {
		for _, source := range n.Content {
			m.merge(source)
		}
		return
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	var further []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := target(n.Content[i]), target(n.Content[i+1])
		if isMerge(key) {
			further = append(further, value)
			continue
		}
		if !m.keys[key.Value] {
			m.keys[key.Value] = true
			m.out = append(m.out, entry{key, value})
		}
	}
	for _, source := range further {
		m.merge(source)
	}
}

// get is the value of a key, the last one where there are several, nil without.
func get(list []entry, key string) *yaml.Node {
	for _, e := range slices.Backward(list) {
		if e.key.Value == key {
			return e.value
		}
	}
	return nil
}

func keyOf(list []entry, key string) *yaml.Node {
	for _, e := range slices.Backward(list) {
		if e.key.Value == key {
			return e.key
		}
	}
	return nil
}

// mapping are the entries of what has to be a mapping, or null.
func (l *legacy) mapping(n *yaml.Node, what string) ([]entry, error) {
	n = target(n)
	if n.Kind != yaml.MappingNode && n.Tag != "!!null" {
		return nil, l.errorAt(n, "", "%s is not a map", what)
	}
	return entries(n), nil
}

// texts are the items of a list of text, or the one text; ok is false for what
// is neither.
func texts(n *yaml.Node) (items []*yaml.Node, ok bool) {
	n = target(n)
	switch {
	case isNull(n):
		return nil, true
	case n.Kind == yaml.ScalarNode:
		return []*yaml.Node{n}, true
	case n.Kind != yaml.SequenceNode:
		return nil, false
	}
	for _, item := range n.Content {
		item = target(item)
		if item.Kind != yaml.ScalarNode {
			return nil, false
		}
		items = append(items, item)
	}
	return items, true
}

// text makes a scalar that is read as text, at the place of another.
func text(value string, from *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	if from != nil {
		n.Line, n.Column = from.Line, from.Column
	}
	return n
}

// plain makes a scalar that is read as it is spelled.
func plain(value string, from *yaml.Node) *yaml.Node {
	n := text(value, from)
	n.Tag = ""
	return n
}

// sameText keeps a scalar as text with its style and comments.
func sameText(n *yaml.Node) *yaml.Node {
	out := text(n.Value, n)
	out.Style = n.Style &^ yaml.TaggedStyle
	out.HeadComment, out.LineComment, out.FootComment = n.HeadComment, n.LineComment, n.FootComment
	if out.Style == 0 {
		out.Tag = "" // what is spelled like a number is text to whoever reads it
	}
	return out
}

// commentedAs gives a node that was made of another the comments of that.
func commentedAs(n, from *yaml.Node) *yaml.Node {
	n.HeadComment, n.LineComment, n.FootComment = from.HeadComment, from.LineComment, from.FootComment
	return n
}

func newMap(from *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	if from != nil {
		n.Line, n.Column = from.Line, from.Column
	}
	return n
}

func newList(from *yaml.Node, items ...*yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Content: items}
	if from != nil {
		n.Line, n.Column = from.Line, from.Column
		n.Style = from.Style & yaml.FlowStyle
	}
	return n
}

// set adds an entry to a mapping, in the place of one with the same key.
func set(m *yaml.Node, key string, value *yaml.Node) { setKey(m, text(key, nil), value) }

// setAt is set with the comments and the place of the key that it was made of.
func setAt(m *yaml.Node, key string, from, value *yaml.Node) {
	k := text(key, from)
	if from != nil {
		k.HeadComment, k.LineComment, k.FootComment = from.HeadComment, from.LineComment, from.FootComment
	}
	setKey(m, k, value)
}

func setKey(m, key, value *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key.Value {
			m.Content[i], m.Content[i+1] = key, value
			return
		}
	}
	m.Content = append(m.Content, key, value)
}

// copied is a value without anchors and aliases, which are of no use where it
// goes.
func (l *legacy) copied(n *yaml.Node) (*yaml.Node, error) {
	if l.nodes++; l.nodes > maxNodes {
		if err := l.explained(l.masked.text); err != nil {
			return nil, err
		}
		return nil, l.errorAt(l.key, "", "the file becomes too large: its anchors make more than %d values of it", maxNodes)
	}
	n = target(n)
	out := *n
	out.Anchor, out.Alias, out.Content = "", nil, nil
	if n.Kind == yaml.MappingNode {
		for _, e := range entries(n) {
			key, err := l.copied(e.key)
			if err != nil {
				return nil, err
			}
			value, err := l.copied(e.value)
			if err != nil {
				return nil, err
			}
			setKey(&out, key, value)
		}
		return &out, nil
	}
	for _, c := range n.Content {
		item, err := l.copied(c)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, item)
	}
	return &out, nil
}
