package cmd

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/convert"
)

type renderOptions struct {
	build   buildFlags
	progs   programFlags
	trusted bool
	lines   bool
}

func newRender(s Streams) *cobra.Command {
	o := &renderOptions{}
	c := &cobra.Command{
		Use:   "render [FILE]",
		Short: "print what a template or a program makes",
		Long: "render prints the text that exec, plan and lint read in place of FILE (default\n" +
			".drone.yml): what a template makes that FILE names (kind: template), or what FILE makes\n" +
			"if it is a Jsonnet or Starlark program, for the event that flags say. Templates are\n" +
			"looked for in the folders of --template-dir, then in " + templateFolder + ".",
		Example: "  drone render --template-dir ../templates\n  drone render --lines\n  drone render --event tag --tag v1 .drone.star",
		Args:    maxArgs(1),
	}
	o.build.register(c)
	o.progs.register(c.Flags())
	c.Flags().BoolVar(&o.trusted, "trusted", false, "let programs read files outside of the working tree")
	c.Flags().BoolVar(&o.lines, "lines", false, "print the number of each line, and which line of the template or program it comes from")
	c.RunE = func(c *cobra.Command, args []string) error { return runRender(orBackground(c.Context()), s, o, args) }
	return c
}

func runRender(ctx context.Context, s Streams, o *renderOptions, args []string) error {
	name, source, err := readSource(s, args)
	if err != nil {
		return err
	}
	build, _, err := o.build.resolveBuild(s)
	if err != nil {
		return err
	}
	given, err := o.progs.options(s, name, source, build, o.trusted)
	if err != nil {
		return err
	}
	made, err := convert.Run(ctx, name, source, given)
	if err != nil {
		return conversionFailure(err)
	}
	if o.lines {
		return writeLines(s.Out, made)
	}
	_, err = s.Out.Write(made.Text)
	return err
}

// writeLines writes what was made with the number of each line and the line that
// it comes from, as far as that is known.
func writeLines(w io.Writer, made *convert.Result) error {
	from := make([]string, 0)
	width := 0
	for _, pos := range made.Lines() {
		text := ""
		if pos.File != "" {
			text = fmt.Sprintf("%s:%d", pos.File, pos.Line)
		}
		from = append(from, text)
		width = max(width, ansi.StringWidth(text))
	}
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(string(made.Text), "\n"), "\n") {
		fmt.Fprintf(&b, "%5d  %s%s  %s\n", i+1, from[i], strings.Repeat(" ", width-ansi.StringWidth(from[i])), line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// renderHint tells how to see what was made of a file.
func renderHint(command, maker string) string {
	return "`" + command + "` prints what " + maker + " makes"
}

// renderCommand is the command that prints what is made of a file for the build
// that flags of another command say. Values that can be anything are left for
// the user to fill in.
func (s Streams) renderCommand(given *pflag.FlagSet, file string) string {
	words := []string{"drone", "render"}
	if given != nil {
		known := newRender(s).Flags()
		given.Visit(func(f *pflag.Flag) {
			if known.Lookup(f.Name) == nil {
				return
			}
			values := []string{f.Value.String()}
			if list, ok := f.Value.(pflag.SliceValue); ok {
				values = list.GetSlice()
			}
			for _, value := range values {
				name, _, isPair := strings.Cut(value, "=")
				switch {
				case f.Value.Type() == "bool" && value == "true":
					words = append(words, "--"+f.Name)
					continue
				case isPair && f.Name != "jpath" && f.Name != "template-dir":
					value = name + "=…"
				}
				words = append(words, "--"+f.Name, shellWord(value))
			}
		})
	}
	if file == "<stdin>" {
		file = "-"
	}
	return strings.Join(append(words, shellWord(file)), " ")
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./…-]+$`)

// shellWord is a word as a shell wants it written.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
