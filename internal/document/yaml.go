package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// YAML writes a value with the names and the order its JSON has.
func YAML(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tree, err := parsed(text)
	if err != nil {
		return err
	}
	return encode(w, tree)
}

// yamlNode turns the next value of dec into YAML, with the keys in their order.
func yamlNode(dec *json.Decoder) (*yaml.Node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		kind := yaml.MappingNode
		if v == '[' {
			kind = yaml.SequenceNode
		}
		return yamlCollection(dec, kind)
	case string:
		return yamlString(v), nil
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: "null"}, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(token)}, nil
}

// yamlCollection reads up to the end of the object or array that has begun.
// Keys and values of an object alternate in dec as they do in a node.
func yamlCollection(dec *json.Decoder, kind yaml.Kind) (*yaml.Node, error) {
	n := &yaml.Node{Kind: kind}
	for dec.More() {
		child, err := yamlNode(dec)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, child)
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	return n, nil
}

func yamlString(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if ambiguous(text) || unblockable(text) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// unblockable reports whether a text of several lines loses some of its white
// space in the block that the encoder would write it as.
func unblockable(text string) bool {
	return strings.Contains(text, "\n") && strings.ContainsAny(text[:1], " \t\n") ||
		strings.ContainsAny(text, "\r\u0085\u2028\u2029")
}

// ambiguous reports whether a string might be read as something else where it
// has no quotes. The encoder knows YAML 1.2 only, but many readers are of 1.1:
// to them y and off are booleans, 012, 1_000 and 1:30 numbers, and 2001-01-01
// is a date. Everything that looks a little like a number or a date counts.
func ambiguous(text string) bool {
	switch strings.ToLower(text) {
	case "", "~", "=", "<<", "null", "y", "n", "yes", "no", "on", "off", "true", "false", ".inf", "+.inf", "-.inf", ".nan":
		return true
	}
	if strings.TrimLeft(text, "+-.0123456789") == text {
		return false
	}
	return strings.Trim(text, "0123456789abcdefABCDEFxXoO_:.+-TtZz ") == ""
}

// SortedYAML is a JSON text as YAML, its keys sorted.
func SortedYAML(text string) (string, error) {
	tree, err := parsed([]byte(text))
	if err != nil {
		return "", err
	}
	sortKeys(tree)
	var b bytes.Buffer
	err = encode(&b, tree)
	return b.String(), err
}

func encode(w io.Writer, tree *yaml.Node) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	return errors.Join(enc.Encode(tree), enc.Close())
}

// parsed is the value of a JSON text, with its numbers as they stand there.
func parsed(text []byte) (*yaml.Node, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return yamlNode(dec)
}

// sortKeys sorts the keys of all mappings.
func sortKeys(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		var pairs [][2]*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			pairs = append(pairs, [2]*yaml.Node{n.Content[i], n.Content[i+1]})
		}
		slices.SortStableFunc(pairs, func(a, b [2]*yaml.Node) int { return strings.Compare(a[0].Value, b[0].Value) })
		for i, pair := range pairs {
			copy(n.Content[2*i:], pair[:])
		}
	}
	for _, child := range n.Content {
		sortKeys(child)
	}
}
