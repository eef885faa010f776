package manifest

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// legacy recognises a file for Drone 0.4 to 0.8 and returns the one problem
// that says so, or nil. A single document with a kind makes a file a modern one.
func (r *reader) legacy(trees []*tree) *Problem {
	if slices.ContainsFunc(trees, hasKind) {
		return nil
	}
	for _, t := range trees {
		offset, version, key := legacyKey(t)
		if version == "" {
			continue
		}
		p := &Problem{
			Severity: Error, Rule: RuleLegacy,
			Span:    r.text.span(t.part.start+offset, t.part.start+offset+len(key)),
			Message: fmt.Sprintf("the file is written for Drone %s: it has a top-level `%s` and no `kind`", version, key),
			Hint:    "`drone convert` rewrites it as `kind: pipeline` with a list of `steps`",
		}
		for _, other := range r.problems {
			if other.Rule == RuleSyntax {
				p.Related = append(p.Related, Related{Span: other.Span, Message: other.Message})
			}
		}
		return p
	}
	return nil
}

func hasKind(t *tree) bool {
	if t.root == nil {
		return topLine(t.source, "kind") >= 0
	}
	n := target(t.root)
	return n.Kind == yaml.MappingNode && rootKey(n, "kind") != nil
}

// rootKey returns the value of a key that is written in a map itself.
func rootKey(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Kind == yaml.ScalarNode && key.Value == name {
			return target(n.Content[i+1])
		}
	}
	return nil
}

// legacyKey returns the key that shows that a document without kind is a
// legacy one, its offset and the version of Drone it is for.
func legacyKey(t *tree) (offset int, version, key string) {
	if t.root == nil {
		if at := topLine(t.source, "pipeline"); at >= 0 {
			return at, "0.8", "pipeline"
		}
		return 0, "", ""
	}
	root := target(t.root)
	if root.Kind != yaml.MappingNode {
		return 0, "", ""
	}
	if rootKey(root, "steps") != nil {
		return 0, "", ""
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := root.Content[i]
		if k.Kind == yaml.ScalarNode && k.Value == "pipeline" {
			return t.start(k), "0.8", k.Value
		}
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k, v := root.Content[i], target(root.Content[i+1])
		if k.Kind == yaml.ScalarNode && isSection(k.Value, v) {
			return t.start(k), "0.4", k.Value
		}
	}
	return 0, "", ""
}

// isSection reports whether a key and its value are a section of a 0.4 file.
func isSection(key string, v *yaml.Node) bool {
	if v.Kind != yaml.MappingNode {
		return false
	}
	switch key {
	case "compose", "publish", "deploy", "notify":
		return true
	case "build", "script": // script: a form between 0.4 and 0.5
	default:
		return false
	}
	if rootKey(v, "image") != nil {
		return true
	}
	for i := 1; i < len(v.Content); i += 2 {
		c := target(v.Content[i])
		if c.Kind == yaml.MappingNode && (rootKey(c, "image") != nil || rootKey(c, "commands") != nil) {
			return true
		}
	}
	return false
}

// topLine returns the offset of the line that starts with a key, or -1.
func topLine(s, key string) int {
	for at := 0; at < len(s); {
		end := lineEnd(s, at)
		if strings.HasPrefix(s[at:end], key+":") {
			return at
		}
		at = end
	}
	return -1
}
