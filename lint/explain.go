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
