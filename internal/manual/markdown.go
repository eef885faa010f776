package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Markdown gives a page for each command of the root that is shown, with those
// below it, by the name of its file, and README.md with a list of them. The same
// tree gives the same bytes.
func Markdown(root *cobra.Command) map[string][]byte {
	pages := map[string][]byte{}
	index := &strings.Builder{}
	index.WriteString("# Commands\n\nMade from the help of the program.\n\n| Command | Does |\n|---|---|\n")
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		fmt.Fprintf(index, "| [`%s`](%s.md) | %s |\n", c.CommandPath(), c.Name(), cellText(c.Short))
		page := &strings.Builder{}
		markdown(page, c, 1)
		pages[c.Name()+".md"] = []byte(page.String())
	}
	pages["README.md"] = []byte(index.String())
	return pages
}

// markdown writes a command, and then those below it.
func markdown(w *strings.Builder, c *cobra.Command, level int) {
	own := c.LocalFlags() // which has the synopsis know the flags of the commands above, too
	if level > 1 {
		w.WriteString("\n")
	}
	fmt.Fprintf(w, "%s %s\n\n%s\n", strings.Repeat("#", min(level, 3)), c.CommandPath(), c.Short)
	fmt.Fprintf(w, "\n```\n%s\n```\n", c.UseLine())
	if c.Long != "" {
		fmt.Fprintf(w, "\n%s\n", paragraphs(c.Long))
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\n```sh\n%s\n```\n", unindented(c.Example))
	}
	var rows strings.Builder
	own.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			rows.WriteString(flagRow(f))
		}
	})
	if rows.Len() > 0 {
		fmt.Fprintf(w, "\n| Flag | |\n|---|---|\n%s", rows.String())
	}
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() {
			markdown(w, child, level+1)
		}
	}
}

func flagRow(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	argument, about := pflag.UnquoteUsage(f)
	if argument != "" {
		name += " " + argument
	}
	return fmt.Sprintf("| `%s` | %s |\n", strings.ReplaceAll(name, "|", `\|`), cellText(about))
}

// cellText is a text as it stands in a table.
func cellText(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "$", `\$`).Replace(text)
}

// paragraphs are a text whose lines that begin with a blank stay as they are.
func paragraphs(text string) string {
	var b strings.Builder
	literal := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		if kept := strings.HasPrefix(line, " "); kept != literal && line != "" {
			literal = kept
			b.WriteString(map[bool]string{true: "\n```\n", false: "```\n\n"}[kept])
		}
		if !literal {
			line = strings.NewReplacer("<", "&lt;", "*", `\*`).Replace(line)
		}
		b.WriteString(line + "\n")
	}
	if literal {
		b.WriteString("```\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}
