// Package manual writes man pages for a tree of commands. The same tree gives
// the same bytes.
package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Topic is what is explained beside the commands. Lines of its text that begin
// with a blank stay as they are.
type Topic struct{ Name, Title, Text string }

// Pages gives a page for each command that is shown, by the name of its file:
// drone.1, drone-exec.1. That of the root has the topics as sections.
func Pages(root *cobra.Command, topics []Topic, version string) map[string][]byte {
	pages := map[string][]byte{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		w := &page{}
		w.command(c, version)
		if c == root {
			for _, t := range topics {
				w.macro(".SH", strings.ToUpper(t.Name))
				w.text(t.Title + ".\n\n" + t.Text)
			}
		}
		w.seeAlso(c)
		pages[pageName(c)+".1"] = []byte(w.b.String())
		for _, child := range c.Commands() {
			if child.IsAvailableCommand() {
				walk(child)
			}
		}
	}
	walk(root)
	return pages
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// page is one page as it is written, in the macros of man(7).
type page struct {
	b     strings.Builder
	fresh bool // right behind the beginning of a section or of a paragraph
}

func (w *page) command(c *cobra.Command, version string) {
	c.LocalFlags() // has the synopsis know the flags of the commands above, too
	w.macro(".TH", strings.ToUpper(pageName(c)), "1", "", strings.TrimSpace("drone "+version), "drone")
	w.macro(".SH", "NAME")
	w.line(pageName(c) + " - " + c.Short)
	w.macro(".SH", "SYNOPSIS")
	w.b.WriteString(".nf\n")
	if c.Runnable() {
		w.line(c.UseLine())
	}
	if c.HasAvailableSubCommands() {
		w.line(c.CommandPath() + " COMMAND")
	}
	w.b.WriteString(".fi\n")
	if c.Long != "" {
		w.macro(".SH", "DESCRIPTION")
		w.text(c.Long)
	}
	if c.HasAvailableSubCommands() {
		w.macro(".SH", "COMMANDS")
		for _, child := range c.Commands() {
			if child.IsAvailableCommand() {
				w.entry(child.Name(), child.Short)
			}
		}
	}
	w.flags("OPTIONS", c.NonInheritedFlags())
	w.flags("GLOBAL OPTIONS", c.InheritedFlags())
	if c.Example != "" {
		w.macro(".SH", "EXAMPLES")
		w.text(c.Example)
	}
}

func (w *page) flags(title string, set *pflag.FlagSet) {
	if !set.HasAvailableFlags() {
		return
	}
	w.macro(".SH", title)
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		argument, about := pflag.UnquoteUsage(f)
		if argument != "" {
			name += " " + argument
		}
		w.entry(name, about)
	})
}

func (w *page) seeAlso(c *cobra.Command) {
	var others []string
	add := func(other *cobra.Command) { others = append(others, pageName(other)+"(1)") }
	if c.HasParent() {
		add(c.Parent())
	}
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() {
			add(child)
		}
	}
	if len(others) > 0 {
		w.macro(".SH", "SEE ALSO")
		w.line(strings.Join(others, ", "))
	}
}

// macro writes a request with its arguments.
func (w *page) macro(name string, args ...string) {
	w.b.WriteString(name)
	for _, a := range args {
		fmt.Fprintf(&w.b, ` "%s"`, strings.ReplaceAll(escaped(a), `"`, `\(dq`))
	}
	w.b.WriteString("\n")
	w.fresh = true
}

// paragraph begins a paragraph, unless one has just begun.
func (w *page) paragraph() {
	if !w.fresh {
		w.b.WriteString(".PP\n")
	}
	w.fresh = true
}

func (w *page) entry(name, about string) {
	w.b.WriteString(".TP\n")
	w.b.WriteString(`\fB` + escaped(name) + "\\fR\n")
	w.line(strings.Join(strings.Fields(about), " "))
}

// text writes paragraphs, which are filled, and lines that begin with a blank,
// which are not.
func (w *page) text(text string) {
	literal := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		kept := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		switch {
		case line == "":
			w.paragraph()
			continue
		case kept && !literal:
			w.paragraph()
			w.b.WriteString(".nf\n")
		case !kept && literal:
			w.b.WriteString(".fi\n")
			w.paragraph()
		}
		literal = kept
		w.line(line)
	}
	if literal {
		w.b.WriteString(".fi\n")
	}
}

// line writes a line of text, which is no request whatever it begins with.
func (w *page) line(text string) {
	if slices.Contains([]string{".", "'"}, text[:min(1, len(text))]) {
		w.b.WriteString(`\&`)
	}
	w.b.WriteString(escaped(text) + "\n")
	w.fresh = false
}

func escaped(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "`", `\(ga`, "'", `\(aq`, "~", `\(ti`, "^", `\(ha`).Replace(text)
}
