package manifest

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// checkInserted warns of values that substitution put into a document and that
// YAML does not read as text: a ` #` makes the rest a comment, a `: ` makes a
// map, a bracket a list. Where that is no YAML at all, blameSubstitution has
// told so; here it is, and means something that the author did not write
// (reference §12.3, row 21).
func (r *reader) checkInserted(t *tree) {
	pieces := r.text.piecesIn(t.part.start, t.part.end)
	if len(pieces) == 0 {
		return
	}
	texts := t.texts(t.root, nil)
	next := 0
	for _, p := range pieces {
		if !p.expression || p.start < t.part.start || p.end > t.part.end {
			continue
		}
		value := r.text.body[p.start:p.end]
		start := p.start - t.part.start + len(value) - len(strings.TrimLeft(value, " \t"))
		end := start + len(strings.TrimSpace(value))
		for next < len(texts) && texts[next].end <= start {
			next++
		}
		if start == end || next < len(texts) && texts[next].start <= start && end <= texts[next].end || inComment(r.places.source, p.srcStart) {
			continue
		}
		r.add(Problem{
			Severity: Warning, Rule: RuleInserted, Span: r.places.span(p.srcStart, p.srcEnd), Pipeline: r.sourceName(t),
			Message: fmt.Sprintf("the value of %s is not read as text: it has characters that begin a comment, a map or a list",
				quoteExcerpt(r.places.source[p.srcStart:p.srcEnd])),
			Hint: "quote the text around it in YAML, or write `$$` to leave the expression to the shell",
		})
	}
}

// extent is a range of the source of a tree.
type extent struct{ start, end int }

// texts appends the places of all scalars below a node, in order.
func (t *tree) texts(n *yaml.Node, out []extent) []extent {
	if n.Kind == yaml.ScalarNode {
		if start := t.start(n); n.Value != "" || n.Style != 0 {
			out = append(out, extent{start, t.scalarEnd(n, start)})
		}
		return out
	}
	for _, c := range n.Content {
		out = t.texts(c, out)
	}
	return out
}
