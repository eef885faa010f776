package manifest

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder reads one document.
type decoder struct {
	*reader
	tree   *tree
	schema *schema

	pipeline string // name of the pipeline being read
	step     string // name of the step being read
	owner    owner  // what is being read, for messages
	path     []string
	foreign  bool         // a pipeline type whose keys are not known here
	silent   bool         // problems are dropped
	void     []*yaml.Node // values that are replaced as a whole, so that nothing in them matters
	strange  []*yaml.Node // keys of the step being read that resemble no known one
}

// owner is what a field belongs to: a noun, such as step, with the node of its
// name or else its number. The zero owner is the document.
type owner struct {
	noun   string
	name   *yaml.Node
	number int
}

// ownerName words the owner: `step "build"`, or `step 3` when it has no name.
func (d *decoder) ownerName() string {
	switch {
	case d.owner.name != nil:
		return d.owner.noun + " " + d.shown(d.owner.name)
	case d.owner.number > 0:
		return fmt.Sprintf("%s %d", d.owner.noun, d.owner.number)
	case d.owner.noun != "":
		return "the " + d.owner.noun
	}
	return ""
}

// span returns the place where a node is written.
func (d *decoder) span(n *yaml.Node) Span {
	base := d.tree.part.start
	start := d.tree.start(n)
	return d.text.span(base+start, base+max(start, d.tree.end(n)))
}

// sourceOf returns the source of a node as it is written, without the values
// of substituted variables.
func (d *decoder) sourceOf(n *yaml.Node) string {
	span := d.span(n)
	return d.places.source[span.Start.Offset:span.End.Offset]
}

// shown quotes a name for a message. With substitution it is shown as it is
// written, without the values of variables.
func (d *decoder) shown(n *yaml.Node) string {
	if len(d.text.pieces) == 0 {
		return quoteExcerpt(n.Value)
	}
	return quoteExcerpt(strings.Trim(d.sourceOf(n), `"'`))
}

// quiet returns a decoder of the same document whose problems are dropped.
func (d *decoder) quiet() *decoder {
	return &decoder{reader: &reader{text: d.text, places: d.places}, tree: d.tree, schema: d.schema, silent: true}
}

// fork returns a decoder of the same document, in the same place of it, that
// may be used at the same time and finds problems of its own.
func (d *decoder) fork() *decoder {
	out, tree, text, places := *d, *d.tree, *d.text, *d.places
	text.places = &places
	out.reader = &reader{places: &places, text: &text}
	out.tree, out.path = &tree, slices.Clone(d.path)
	return &out
}

// join adds the problems of forks, in their order.
func (r *reader) join(forks []*decoder) {
	for _, fork := range forks {
		r.problems = append(r.problems, fork.problems...)
	}
}

func (d *decoder) report(severity Severity, rule string, n *yaml.Node, message, hint string) *Problem {
	d.add(Problem{
		Severity: severity, Rule: rule, Span: d.span(n), Message: message, Hint: hint,
		Pipeline: d.pipeline, Step: d.step,
	})
	return &d.problems[len(d.problems)-1]
}

// subject names the value being read: `environment of step "build"`.
func (d *decoder) subject() string {
	of := d.ownerName()
	if len(d.path) == 0 {
		return of
	}
	name := "`" + strings.Join(d.path, ".") + "`"
	if of == "" {
		return name
	}
	return name + " of " + of
}

// shape reports a value of the wrong shape.
func (d *decoder) shape(n *yaml.Node, want, hint string) *Problem {
	return d.report(Error, RuleShape, n, fmt.Sprintf("%s must be %s, not %s", d.subject(), want, describe(n)), hint)
}

func describe(n *yaml.Node) string {
	switch n = target(n); n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a map"
	}
	switch value, _ := resolve(n); value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64, uint64, float64:
		return "a number"
	}
	return "text"
}

// each calls f for every entry of a map in the order in which the server's
// decoder assigns them: what a merge key brings is assigned where the merge key
// stands, so it overwrites keys written before it, and in a list of merges the
// first is assigned last (reference §1.5).
func (d *decoder) each(n *yaml.Node, f func(key, val *yaml.Node)) {
	d.checkDuplicates(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := target(n.Content[i]), n.Content[i+1]
		switch {
		case isMerge(key):
			d.checkMergeOrder(n, i)
			d.merge(val, f)
		case key.Kind != yaml.ScalarNode:
			d.report(Error, RuleShape, key, fmt.Sprintf("a key in %s is %s, not text", d.place(), describe(key)),
				"quote the key if it is meant as text")
		default:
			f(key, val)
		}
	}
}

// place is subject with a word for the document itself.
func (d *decoder) place() string {
	if s := d.subject(); s != "" {
		return s
	}
	return "the document"
}
