package manifest

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// merge calls f for every entry that a merge key brings.
func (d *decoder) merge(val *yaml.Node, f func(key, val *yaml.Node)) {
	switch n := target(val); n.Kind {
	case yaml.MappingNode:
		d.each(n, f)
		return
	case yaml.SequenceNode:
		for _, last := range slices.Backward(n.Content) {
			item := target(last)
			if item.Kind != yaml.MappingNode {
				d.badMerge(last)
				continue
			}
			d.each(item, f)
		}
		return
	}
	d.badMerge(val)
}

func (d *decoder) badMerge(n *yaml.Node) {
	d.report(Error, RuleAlias, n, fmt.Sprintf("the merge key `<<` in %s needs a map, not %s", d.place(), describe(n)),
		"write `<<: *name` where `&name` is the anchor of a map")
}

// checkMergeOrder warns of keys of a map that stand before its merge key, which
// has the index at: by the rules of YAML a map's own keys win, but the server's
// decoder overwrites those (reference §12.2, row 8).
func (d *decoder) checkMergeOrder(n *yaml.Node, at int) {
	if d.silent || at == 0 {
		return
	}
	brought := map[string]*yaml.Node{}
	d.quiet().merge(n.Content[at+1], func(key, val *yaml.Node) { brought[key.Value] = val })
	for i := 0; i < at; i += 2 {
		key := target(n.Content[i])
		if val, ok := brought[key.Value]; ok && key.Kind == yaml.ScalarNode && replaces(val, n.Content[i+1]) {
			d.report(Warning, RuleMergeOrder, key,
				fmt.Sprintf("the key %s in %s stands before `<<`, which overwrites it with the value from line %d",
					d.shown(key), d.place(), d.span(target(val)).Start.Line),
				"write `<<` in front of the keys that are to win over it")
		}
	}
}

// replaces reports whether something of own is lost when val is assigned on
// top of it. Of two maps the entries come together.
func replaces(val, own *yaml.Node) bool {
	val, own = target(val), target(own)
	if isNull(own) {
		return false
	}
	if val.Kind != own.Kind {
		return true
	}
	switch val.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(val.Content); i += 2 {
			if other := rootKey(own, val.Content[i].Value); other != nil && replaces(val.Content[i+1], other) {
				return true
			}
		}
		return false
	case yaml.SequenceNode:
		if len(val.Content) != len(own.Content) {
			return true
		}
		for i := range val.Content {
			if replaces(val.Content[i], own.Content[i]) {
				return true
			}
		}
		return false
	}
	return val.Value != own.Value
}
