package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"
)

func newCompile(s Streams) *cobra.Command {
	f := &planFlags{}
	c := &cobra.Command{
		Use:   "compile [FILE]",
		Short: "print the plan, resolved, as JSON or YAML",
		Long: "compile prints everything exec would do with FILE (default .drone.yml): images,\n" +
			"scripts, variables, mounts, and the graph. Secrets appear by name only.",
		Example: "  drone compile\n  drone compile --event tag --tag v1.2.3 --output yaml",
	}
	f.register(c)
	output := addOutput(c.Flags(), "output", "json", "yaml")
	c.RunE = func(c *cobra.Command, args []string) error {
		return runCompile(c.Context(), s, f, output.value, args)
	}
	return c
}

func runCompile(ctx context.Context, s Streams, f *planFlags, form string, args []string) error {
	growHeap(s) // to the end, which is near
	p, err := f.load(orBackground(ctx), s, args)
	if err != nil {
		return err
	}
	if err := p.showProblems(s); err != nil {
		return err
	}
	if form == "yaml" {
		return writeYAML(s.Out, p.plan)
	}
	return writeJSON(s.Out, p.plan)
}

// writeYAML writes a value with the names and the order its JSON has.
func writeYAML(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	tree, err := yamlNode(dec)
	if err != nil {
		return err
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(tree); err != nil {
		return err
	}
	return enc.Close()
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
