package manifest

import (
	"fmt"
	"strings"
)

// oddity is an expression that means something else than it does in a shell,
// and of which the author can hardly be aware (reference §12.3, rows 18 and 23).
type oddity struct {
	start, end int
	what, hint string
}

// note remembers an expression if it is odd. Its name ends at operation.
func (e *extents) note(start, operation, end int) {
	what, hint := oddOperation(e.text[operation : end-len("}")])
	if what != "" {
		e.oddities = append(e.oddities, oddity{start, end, what, hint})
	}
}

func oddOperation(operation string) (what, hint string) {
	switch {
	case strings.HasPrefix(operation, ":?"), strings.HasPrefix(operation, ":+"):
		return fmt.Sprintf("means the same as with `:-`: a server knows no `%s`", operation[:2]),
			"write `:-` for a default; for what a shell does with it, write `$${` and let the shell see it"
	case strings.HasPrefix(operation, "/#") && emptyReplacement(operation):
		return "changes nothing: with `/#` an empty replacement has no effect", "write `${NAME#prefix}` to strip a prefix"
	case strings.HasPrefix(operation, "/%") && emptyReplacement(operation):
		return "changes nothing: with `/%` an empty replacement has no effect", "write `${NAME%suffix}` to strip a suffix"
	case strings.HasPrefix(operation, "%") && strings.Contains(operation, "[") && !strings.Contains(operation, "${"):
		return "changes nothing: a pattern for a suffix knows no `[…]`", "strip the suffix in a command"
	}
	return "", ""
}

// emptyReplacement reports whether the operation ends with its delimiter, not
// with a slash that is text.
func emptyReplacement(operation string) bool {
	return strings.HasSuffix(operation, "/") && !strings.HasSuffix(operation, `\/`)
}

// reportOddities warns of the odd parts of the expression that was just read.
func (s *substituter) reportOddities() {
	for _, o := range s.extents.oddities {
		s.r.add(Problem{
			Severity: Warning, Rule: RuleOperator, Span: s.r.places.span(o.start, o.end),
			Message: quoteExcerpt(s.source[o.start:o.end]) + " " + o.what, Hint: o.hint,
		})
	}
}
