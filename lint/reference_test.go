package lint_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/lint"
)

// TestReference compares the page of all rules with the rules.
func TestReference(t *testing.T) {
	compareGolden(t, filepath.Join("..", "docs", "lint-rules.md"), page())
}

// page is the reference of all rules.
func page() string {
	var b strings.Builder
	b.WriteString("# Lint rules\n\n<!-- Made from the rules by `go test ./lint -run TestReference -update`. -->\n\n" +
		"Each rule with what a server makes of the mistake, and an example of it and of what to write\n" +
		"instead. How to set levels and to switch rules off: [lint.md](lint.md).\n")
	group := ""
	for _, r := range lint.Rules() {
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s: %s.\n\n%s\n", r.ID, title(string(r.Severity)), r.Summary, r.Explanation)
		if r.Reference != "" {
			fmt.Fprintf(&b, "\nSpecification: %s.\n", r.Reference)
		}
		if r.Bad != "" {
			fmt.Fprintf(&b, "\nNot so:\n\n%s\n", fenced(r.Bad))
		} else if r.Untold != "" {
			fmt.Fprintf(&b, "\n%s\n", r.Untold)
		}
		if r.Good != "" {
			fmt.Fprintf(&b, "\nBut so:\n\n%s\n", fenced(r.Good))
		}
	}
	return b.String()
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

func fenced(text string) string { return "```yaml\n" + strings.TrimRight(text, "\n") + "\n```" }
