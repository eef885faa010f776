package lint

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// List writes one line for each rule, by chapters.
func List(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	group := ""
	for _, r := range catalogue() {
		if r.Group != group {
			if group != "" {
				fmt.Fprintln(t)
			}
			group = r.Group
			fmt.Fprintln(t, group)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", r.ID, r.Severity, r.Summary)
	}
	return t.Flush()
}

// Explain writes all that is known of a rule, for people.
func Explain(w io.Writer, r Rule) error {
	const width = 88
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s\n\n%s\n", r.ID, r.Severity, r.Summary, wrapped(r.Explanation, width))
	if r.Bad != "" {
		fmt.Fprintf(&b, "\nNot so:\n\n%s", indented(r.Bad))
	} else if r.Untold != "" {
		fmt.Fprintf(&b, "\n%s\n", wrapped(r.Untold, width))
	}
	if r.Good != "" {
		fmt.Fprintf(&b, "\nBut so:\n\n%s", indented(r.Good))
	}
	fmt.Fprintf(&b, "\nSwitch it off with `# drone-lint: disable=%s` in the file, or `--rule %s=off`.\n", r.ID, r.ID)
	_, err := io.WriteString(w, b.String())
	return err
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString("    ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// wrapped breaks a paragraph into lines.
func wrapped(text string, width int) string {
	var b strings.Builder
	used := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case used == 0:
		case used+1+len(word) > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += len(word)
	}
	return b.String()
}

// Markdown writes the reference of all rules.
func Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Lint rules\n\n<!-- Made from the rules by `go test ./lint -run TestReference -update`. -->\n\n" +
		"Each rule with what a server makes of the mistake, and an example of it and of what to write\n" +
		"instead. How to set levels and to switch rules off: [lint.md](lint.md).\n")
	group := ""
	for _, r := range catalogue() {
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
	_, err := io.WriteString(w, b.String())
	return err
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

func fenced(text string) string { return "```yaml\n" + strings.TrimRight(text, "\n") + "\n```" }
