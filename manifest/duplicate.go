package manifest

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// checkDuplicates reports keys that a map has twice. The values of maps come
// together; anything else is lost when the key comes again.
func (d *decoder) checkDuplicates(n *yaml.Node) {
	const few = 12
	keys := len(n.Content) / 2
	if keys <= few {
		for i := 2; i < 2*keys; i += 2 {
			for j := 0; j < i; j += 2 {
				if n.Content[i].Value == n.Content[j].Value {
					d.duplicate(n, j, i)
					break
				}
			}
		}
		return
	}
	first := make(map[string]int, keys)
	for i := 0; i < 2*keys; i += 2 {
		key := n.Content[i].Value
		if earlier, found := first[key]; found {
			d.duplicate(n, earlier, i)
			continue
		}
		first[key] = i
	}
}

// duplicate reports a key of the map n that stands at two indices.
func (d *decoder) duplicate(n *yaml.Node, earlier, later int) {
	first, again := n.Content[earlier], n.Content[later]
	if d.silent || again.Kind != yaml.ScalarNode || first.Kind != yaml.ScalarNode || isMerge(again) {
		return
	}
	root := d.tree.root == n
	if kinds := indices(n, "kind"); root && len(kinds) > 1 && d.joined(n, kinds) {
		// Two documents without a line between them: one mistake, not one for
		// each key that both have.
		if again.Value == "kind" {
			d.missingSeparator(n, earlier, later)
			// What belongs to the document of another kind is no mistake of its own.
			d.foreign = d.foreign || d.kindsDiffer(n, kinds)
		}
		return
	}
	before := d.span(first)
	if !d.loses(n.Content[earlier+1], n.Content[later+1], again.Value) {
		p := d.report(Warning, RuleRepeatedKey, again,
			fmt.Sprintf("the key %s is in %s twice; nothing is lost by it", d.shown(again), d.place()), "write it once")
		p.Related = []Related{{Span: before, Message: "the first one is here"}}
		return
	}
	p := d.report(Warning, RuleDuplicateKey, again,
		fmt.Sprintf("the key %s is in %s twice; the later one wins over the first, on line %d", d.shown(again), d.place(), before.Start.Line),
		"remove one of them")
	p.Related = []Related{{Span: before, Message: "the first one is here"}}
}

// loses reports whether something of the value of a key is lost when the key
// comes again. A condition is replaced as a whole, other maps come together.
func (d *decoder) loses(first, again *yaml.Node, key string) bool {
	if first = target(first); isNull(first) {
		return false
	}
	if again = target(again); len(d.path) > 0 && first.Kind == yaml.MappingNode && again.Kind == yaml.MappingNode {
		switch d.path[len(d.path)-1] {
		case "settings", "environment", "data":
			return !same(first, again)
		case "trigger", "when":
			form := d.schema.patterns
			if key == "changeset" {
				form = d.schema.changeset
			}
			for _, name := range form.names() {
				if val := rootKey(first, name); val != nil && !isNull(val) {
					if other := rootKey(again, name); other == nil || replaces(other, val) {
						return true
					}
				}
			}
			d.void = append(d.void, first)
			return false
		}
	}
	return replaces(again, first)
}

// same reports whether two nodes have the same content.
func same(a, b *yaml.Node) bool {
	a, b = target(a), target(b)
	if a.Kind != b.Kind || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// indices returns where in a map a key stands.
func indices(n *yaml.Node, name string) (at []int) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Kind == yaml.ScalarNode && key.Value == name {
			at = append(at, i)
		}
	}
	return at
}

// joined reports whether a map is several documents: it is of two kinds, or
// what stands above the second `kind` comes again below it.
func (d *decoder) joined(n *yaml.Node, kinds []int) bool {
	above := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		switch key := n.Content[i]; {
		case key.Kind != yaml.ScalarNode || key.Value == "kind":
		case i < kinds[1]:
			above[key.Value] = true
		case above[key.Value]:
			return true
		}
	}
	return d.kindsDiffer(n, kinds)
}

func (d *decoder) kindsDiffer(n *yaml.Node, kinds []int) bool {
	return target(n.Content[kinds[0]+1]).Value != target(n.Content[kinds[1]+1]).Value
}

// missingSeparator reports a document that goes on where another should begin.
func (d *decoder) missingSeparator(n *yaml.Node, earlier, later int) {
	first, again := n.Content[earlier], n.Content[later]
	p := d.report(Warning, RuleDuplicateKey, again,
		fmt.Sprintf("the key %s is in the document twice, so that what is above it is lost where it comes again", d.shown(again)),
		"a `---` line is missing between two documents")
	p.Related = []Related{{Span: d.span(first), Message: "the first document begins here"}}
	for i := 0; i < later; i += 2 {
		for j := i + 2; j < later; j += 2 {
			if n.Content[i].Value == n.Content[j].Value {
				return // the second document does not begin with its kind
			}
		}
	}
	if at := p.Span.Start; at.Column == 1 && len(d.text.pieces) == 0 && n.Style&yaml.FlowStyle == 0 {
		p.Fix = &Edit{Span: Span{Start: at, End: at}, Text: "---\n"}
	}
}
