package manifest

import (
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/internal/parallel"
)

// leastChunk is the size in bytes from which parsing a part of a text on
// another processor is worth it.
const leastChunk = 32 << 10

// stepsLine is the line that begins the list in which large files are large.
const stepsLine = "steps:\n"

// parseChunks parses a document as that many chunks at the same time, each with
// some of its steps, and returns just what the library makes of the whole, but
// for comments. It returns nil for a text that does not lend itself to that, or
// has a mistake.
//
// Where to cut is a guess by the look of the lines, and what the library makes
// of the chunks tells whether it was right. A cut within brackets or quotes
// leaves the chunk before it with an error. What else may follow a line break,
// as in a block scalar, is indented deeper than the items of the list it is in,
// so a line that is not starts an item of that list; and a chunk that ends in
// another list than the steps has another key at its end.
func parseChunks(s string, count int) *yaml.Node {
	cuts, column := cutSteps(s, count)
	if len(cuts) == 0 || mayHaveAlias(s) {
		return nil
	}
	bounds := slices.Concat([]int{0}, cuts, []int{len(s)})
	roots := make([]*yaml.Node, len(bounds)-1)
	parallel.Each(len(roots), func(i int) {
		roots[i] = parseChunk(s[:bounds[i+1]], bounds[i])
	})
	whole, last := roots[0], len(roots)-1
	var items []*yaml.Node
	for i, root := range roots {
		pairs := 0
		if root != nil && root.Kind == yaml.MappingNode {
			pairs = len(root.Content)
		}
		at := 0 // of the steps, which end the first chunk and begin the others
		if i == 0 {
			at = pairs - 2
		}
		if pairs < 2 || i > 0 && i < last && pairs > 2 || !isSteps(root.Content[at:], column) {
			return nil
		}
		items = append(items, root.Content[at+1].Content...)
	}
	whole.Content[len(whole.Content)-1].Content = items
	whole.Content = append(whole.Content, roots[last].Content[2:]...)
	return whole
}

// isSteps reports whether a key and its value are the steps, in a column.
func isSteps(pair []*yaml.Node, column int) bool {
	key, list := pair[0], pair[1]
	return key.Value == "steps" && list.Kind == yaml.SequenceNode && list.Style&yaml.FlowStyle == 0 && list.Column == column
}

// parseChunk parses the end of a text, from the start of a step on, as what
// follows the line of the steps. It returns nil on a mistake.
func parseChunk(s string, start int) *yaml.Node {
	if start == 0 {
		root, _ := decodeYAML(strings.NewReader(s))
		return root
	}
	root, _ := decodeYAML(io.MultiReader(strings.NewReader(stepsLine), strings.NewReader(s[start:])))
	if root != nil {
		moveLines(root, len(yamlLines(s[:start], isASCII(s[:start])))-2)
	}
	return root
}

// moveLines adds to the lines of a node and all in it.
func moveLines(n *yaml.Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		moveLines(c, lines)
	}
}

// cutSteps returns the offsets of steps that cut a text into chunks of about
// the same size, at most so many, and the column of the items of the list.
func cutSteps(s string, count int) (cuts []int, column int) {
	if count < 2 {
		return nil, 0
	}
	first := topLine(s, "steps")
	if first < 0 || !strings.HasPrefix(s[first:], stepsLine) {
		return nil, 0
	}
	first += len(stepsLine)
	first += max(0, firstContent(s[first:]))
	indent := len(s[first:]) - len(strings.TrimLeft(s[first:], " "))
	item := "\n" + strings.Repeat(" ", indent) + "- "
	for i := 1; i < count; i++ {
		near := max(first, len(s)*i/count)
		at := strings.Index(s[near:], item)
		if at < 0 {
			break
		}
		cuts = append(cuts, near+at+1)
	}
	return slices.Compact(cuts), indent + 1
}

// mayHaveAlias reports whether something in a text looks like an alias: that
// may stand for what another chunk has.
func mayHaveAlias(s string) bool {
	for at := 0; ; at++ {
		i := strings.IndexByte(s[at:], '*')
		if i < 0 || at+i+1 == len(s) {
			return false
		}
		at += i
		if at > 0 && strings.IndexByte(" \n[{,", s[at-1]) >= 0 && isNameByte(s[at+1]) {
			return true
		}
	}
}

// isNameByte reports whether a byte may be in the name of an anchor.
func isNameByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-'
}
