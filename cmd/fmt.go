package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/format"
	"github.com/drone-laptop/drone/internal/rewrite"
	"github.com/drone-laptop/drone/report"
)

type fmtOptions struct {
	check, diff, write bool
	breakSignature     bool
}

func newFmt(s Streams) *cobra.Command {
	o := &fmtOptions{}
	c := &cobra.Command{
		Use:   "fmt [PATH…]",
		Short: "bring a file into its canonical form",
		Long: "fmt sets the indentation and the other blanks of each PATH (default .drone.yml, - for\n" +
			"standard input, a folder for the files in it) and changes nothing else: comments, the\n" +
			"order of keys, quotes and values stay. It prints the one file, or with --write changes\n" +
			"the files and prints the names of those that were not in this form.",
		Example: "  drone fmt --write\n  drone fmt --check --diff .",
		Args:    cobra.ArbitraryArgs,
	}
	c.Flags().BoolVarP(&o.write, "write", "w", false, "write the result to the file")
	c.Flags().BoolVar(&o.check, "check", false, "print the names of files that would change, and exit 1 when there is one")
	c.Flags().BoolVarP(&o.diff, "diff", "d", false, "print what would change as a unified diff")
	c.Flags().BoolVar(&o.breakSignature, "break-signature", false,
		"write also files whose signature (kind: signature) is for the text as it was")
	c.RunE = func(c *cobra.Command, args []string) error { return runFmt(orBackground(c.Context()), s, o, args) }
	return c
}

// runFmt formats every file, also after one that cannot be formatted.
func runFmt(ctx context.Context, s Streams, o *fmtOptions, args []string) error {
	paths, failed, err := o.paths(s, args)
	if err != nil {
		return err
	}
	changed := 0
	for _, path := range paths {
		differs, err := o.file(ctx, s, path)
		if err != nil {
			s.fail(err)
			failed++
		}
		if differs {
			changed++
		}
	}
	switch {
	case failed > 0:
		return &failure{status: StatusUsage}
	case o.check && changed > 0:
		return &failure{
			status: StatusFailed, err: fmt.Errorf("%s not in canonical form", report.Plural(changed, "file")+are(changed)),
			hint: "`drone fmt --write` changes nothing but blanks",
		}
	}
	return nil
}

func are(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// paths gives the files that the arguments name, and the number of arguments
// that name none, which are told.
func (o *fmtOptions) paths(s Streams, args []string) (paths []string, failed int, err error) {
	if o.write && o.check {
		return nil, 0, usage(errors.New("--check and --write exclude each other"), "--write prints the names of the files that it changes")
	}
	if len(args) == 0 {
		args = []string{defaultFile}
	}
	for _, arg := range args {
		if arg == "-" && o.write {
			return nil, 0, usage(errors.New("standard input cannot be written to"), "leave out --write: the result is printed")
		}
		found, err := configurations(arg, configuration)
		if err != nil {
			s.fail(err)
			failed++
		}
		paths = append(paths, found...)
	}
	if len(paths) > 1 && !o.write && !o.check && !o.diff {
		return nil, 0, usage(fmt.Errorf("the text of %d files would be printed as one", len(paths)), "add --write, --check or --diff")
	}
	return paths, failed, nil
}

// file formats one file and reports whether that makes a difference.
func (o *fmtOptions) file(ctx context.Context, s Streams, path string) (differs bool, err error) {
	name, source, err := readSource(s, namedOrDefault(path))
	if err != nil {
		return false, err
	}
	if err := formattable(ctx, name, source); err != nil {
		return false, err
	}
	result, err := format.Source(name, source)
	if err != nil {
		if wrong, ok := errors.AsType[*format.Error](err); ok {
			return false, usage(wrong, wrong.Hint)
		}
		return false, err
	}
	if err := o.signature(s, name, result); err != nil {
		return false, err
	}
	if o.write && result.Changed {
		if err := rewrite.File(path, result.Text); err != nil {
			return false, usage(fmt.Errorf("cannot write %s: %w", path, cause(err)), "")
		}
		s.warnJOSE(path)
	}
	return result.Changed, o.print(s, name, source, result)
}

// namedOrDefault is path as readSource takes it, which knows where else a file
// may be that nobody has named.
func namedOrDefault(path string) []string {
	if path == defaultFile {
		return nil
	}
	return []string{path}
}

// print writes what the flags ask for.
func (o *fmtOptions) print(s Streams, name string, source []byte, result *format.Result) (err error) {
	switch {
	case o.diff:
		text := string(diff.Diff(name+".orig", source, name, result.Text))
		_, err = io.WriteString(s.Out, paintDiff(s.outStyle(), text))
	case !o.check && !o.write:
		_, err = s.Out.Write(result.Text)
	case result.Changed:
		_, err = fmt.Fprintln(s.Out, name)
	}
	return err
}

// paintDiff gives the lines of a diff the colours that they have everywhere.
func paintDiff(style report.Style, text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		body, end := strings.CutSuffix(line, "\n")
		switch {
		case strings.HasPrefix(body, "+"):
			body = style.Paint(report.Green, body)
		case strings.HasPrefix(body, "-"):
			body = style.Paint(report.Red, body)
		}
		if lines[i] = body; end {
			lines[i] += "\n"
		}
	}
	return strings.Join(lines, "")
}

// signature sees to it that nobody breaks a signature unawares.
func (o *fmtOptions) signature(s Streams, name string, result *format.Result) error {
	if !result.StaleSignature || o.breakSignature {
		return nil
	}
	if o.write {
		return usage(fmt.Errorf("%s is signed, and a server refuses the formatted text until it is signed again", name),
			"write it with --break-signature, then sign it again with `drone sign --save`")
	}
	s.warn(name + " is signed, and a server refuses the formatted text until it is signed again")
	return nil
}

// formattable refuses programs and files for old versions, which are no YAML of
// Drone.
func formattable(ctx context.Context, name string, source []byte) error {
	switch convert.Detect(name, source) {
	case convert.FormatJsonnet:
		return usage(fmt.Errorf("%s is a Jsonnet program, and drone fmt is for YAML", name), "`jsonnetfmt` formats it")
	case convert.FormatStarlark:
		return usage(fmt.Errorf("%s is a Starlark program, and drone fmt is for YAML", name), "`buildifier` formats it")
	case convert.FormatLegacy04, convert.FormatLegacy08:
		_, err := convert.Run(ctx, name, source, convert.Options{})
		return conversionFailure(err)
	}
	return nil
}
