package lint

import (
	"slices"

	"github.com/drone-laptop/drone/manifest"
)

// Apply makes the changes that findings propose for a text, and returns the
// text that results with the number of changes. Of two that touch the first
// one is made: looking at the result again finds the other.
func Apply(source []byte, findings []manifest.Problem) ([]byte, int) {
	var edits []manifest.Edit
	for _, f := range findings {
		if f.Fix != nil && f.Fix.Span.Start.Offset <= f.Fix.Span.End.Offset && f.Fix.Span.End.Offset <= len(source) {
			edits = append(edits, *f.Fix)
		}
	}
	slices.SortStableFunc(edits, func(a, b manifest.Edit) int { return a.Span.Start.Offset - b.Span.Start.Offset })
	var out []byte
	end, made := 0, 0
	for _, e := range edits {
		if made > 0 && e.Span.Start.Offset <= end || e.Span.Start.Offset < end {
			continue
		}
		out = append(out, source[end:e.Span.Start.Offset]...)
		out = append(out, e.Text...)
		end = e.Span.End.Offset
		made++
	}
	return append(out, source[end:]...), made
}
