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
		in := trimmed(t.source, p.start-t.part.start, p.end-t.part.start)
		for next < len(texts) && texts[next].end <= in.start {
			next++
		}
		if in.start < in.end && !t.isText(in, texts, next) {
			r.warnInserted(t, p)
		}
	}
}

func (r *reader) warnInserted(t *tree, p piece) {
	r.add(Problem{
		Severity: Warning, Rule: RuleInserted, Span: r.places.span(p.srcStart, p.srcEnd), Pipeline: r.sourceName(t),
		Message: fmt.Sprintf("the value of %s is not read as one text: something in it is a comment, a map or a list to YAML",
			quoteExcerpt(r.places.source[p.srcStart:p.srcEnd])),
		Hint: "quote the text around it in YAML, or write `$$` to leave the expression to the shell",
	})
}

// isText reports whether a range of a tree lies within one of its texts, the
// one with the index next being the first that ends behind the start, or where
// no text is: in a comment, or in the name of an anchor, an alias or a tag.
func (t *tree) isText(in extent, texts []extent, next int) bool {
	if next < len(texts) && texts[next].start < in.end {
		return texts[next].start <= in.start && in.end <= texts[next].end
	}
	from := 1 + strings.LastIndexByte(t.source[:in.start], '\n')
	if next > 0 {
		from = max(from, texts[next-1].end)
	}
	gap := t.source[from:in.start]
	word := strings.TrimLeft(gap[1+strings.LastIndexAny(gap, " \t"):], "[{,")
	return strings.Contains(gap, "#") || word != "" && strings.IndexByte("&*!", word[0]) >= 0
}

// trimmed is a range of s without the blanks at its ends, which YAML drops.
func trimmed(s string, start, end int) extent {
	text := strings.TrimRight(s[start:end], " \t")
	return extent{start + len(text) - len(strings.TrimLeft(text, " \t")), start + len(text)}
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
