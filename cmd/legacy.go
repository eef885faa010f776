package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/internal/rewrite"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

// legacyFlags say how files for Drone 0.4 to 0.8 are recognised and read.
type legacyFlags struct {
	version, detect choice
	matrix          []string
}

func (f *legacyFlags) register(flags *pflag.FlagSet) {
	f.version = choice{kind: "version", of: convert.LegacyVersions()}
	f.detect = choice{value: "structure", kind: "rule", of: []string{"structure", "upstream"}}
	flags.Var(&f.version, "legacy-version", "read the file as one for this old version of Drone: "+strings.Join(f.version.of, ", "))
	flags.Var(&f.detect, "legacy-detect", "how files for old versions are recognised: by structure, or upstream, by a line `pipeline:` as servers do")
	flags.StringArrayVar(&f.matrix, "matrix", nil, "of the matrix of a file for Drone 0.8 take what has this value, `K=V` (repeatable)")
}

// axis parses --matrix.
func (f *legacyFlags) axis() (map[string]string, error) {
	axis := map[string]string{}
	for _, text := range f.matrix {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, usage(fmt.Errorf("--matrix %q has no name and value", text), "write --matrix NAME=VALUE")
		}
		if old, twice := axis[name]; twice && old != value {
			return nil, usage(fmt.Errorf("--matrix gives %s two values, %q and %q", name, old, value), "without --matrix all of them are taken")
		}
		axis[name] = value
	}
	return axis, nil
}

// recognises reports whether a file is one for an old version.
func (f *legacyFlags) recognises(name string, source []byte) bool {
	format := convert.Detect(name, source)
	yaml := format == convert.FormatDrone || convert.IsLegacy(format)
	switch {
	case !yaml:
		return false
	case f.version.value != "":
		return true
	case f.detect.value == "upstream":
		return convert.Upstream(source)
	}
	return convert.IsLegacy(format)
}

// convert gives what a file for an old version means today, nil for any other
// file. Of opts, the version and the axis are those of the flags.
func (f *legacyFlags) convert(name string, source []byte, opts convert.LegacyOptions) (*convert.Converted, error) {
	if !f.recognises(name, source) {
		if len(f.matrix) > 0 {
			return nil, usage(fmt.Errorf("--matrix is for files with a matrix, and %s is none for Drone 0.4 to 0.8", name), "leave it out, or say --legacy-version")
		}
		return nil, nil
	}
	axis, err := f.axis()
	if err != nil {
		return nil, err
	}
	opts.Version, opts.Axis = f.version.value, axis
	c, err := convert.Legacy(name, source, opts)
	if err != nil {
		return nil, conversionFailure(err)
	}
	return c, nil
}

// warnings are the problems that a run has to tell of.
func warnings(problems []manifest.Problem) []manifest.Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p manifest.Problem) bool { return p.Severity == manifest.Info })
}

type convertOptions struct {
	legacy       legacyFlags
	check, write bool
	output       string
}

func newConvert(s Streams) *cobra.Command {
	o := &convertOptions{}
	c := &cobra.Command{
		Use:   "convert [FILE]",
		Short: "rewrite a file for Drone 0.4 to 0.8 as one of today",
		Long: "convert prints the file that means today what FILE (default .drone.yml, - for standard\n" +
			"input) meant to Drone 0.4 to 0.8. Comments are kept, and each combination of a matrix\n" +
			"becomes a pipeline. What has no equivalent is told on standard error, with its place.\n" +
			"Such files need not be converted to be run: all commands take them as they are.",
		Example: "  drone convert --check\n  drone convert --write\n  drone convert --matrix GO_VERSION=1.11 old.yml",
		Args:    maxArgs(1),
	}
	flags := c.Flags()
	o.legacy.register(flags)
	flags.BoolVar(&o.check, "check", false, "convert nothing: print the name and version of a file for an old version, and exit 1")
	flags.BoolVarP(&o.write, "write", "w", false, "write the result to the file")
	flags.StringVarP(&o.output, "output", "o", "", "write the result to this `file`")
	c.RunE = func(_ *cobra.Command, args []string) error { return runConvert(s, o, args) }
	return c
}

func runConvert(s Streams, o *convertOptions, args []string) error {
	switch {
	case o.check && (o.write || o.output != ""):
		return usage(errors.New("--check writes nothing"), "leave it out to convert the file")
	case o.write && o.output != "":
		return usage(errors.New("--write and --output exclude each other"), "--write replaces the file itself")
	}
	name, source, err := readSource(s, args)
	if err != nil {
		return err
	}
	if o.write && name == "<stdin>" {
		return usage(errors.New("standard input cannot be written to"), "leave out --write: the result is printed")
	}
	if format := convert.Detect(name, source); format == convert.FormatJsonnet || format == convert.FormatStarlark {
		return usage(fmt.Errorf("%s is a program, and drone convert is for files of Drone 0.4 to 0.8", name), "every command takes it as it is")
	}
	old, err := o.legacy.convert(name, source, convert.LegacyOptions{})
	if err != nil {
		return err
	}
	if old == nil {
		if err := refuseUnreadable(s, name, source); err != nil {
			return err
		}
	}
	if o.check {
		return checkLegacy(s, name, old)
	}
	text := source
	if old == nil {
		s.note(name + " is not for Drone 0.4 to 0.8, so it stays as it is")
	} else {
		text = old.Text
		if i := bytes.IndexByte(source, '\n'); i > 0 && source[i-1] == '\r' {
			text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) // as all its lines end
		}
		sourceOf := func(string) []byte { return source }
		// Whoever cannot read it has nobody to be told of that.
		_ = lint.Text(s.Err, old.Notes, sourceOf, painter(s.errStyle()))
	}
	switch {
	case o.write && old == nil:
		return nil
	case o.write:
		if err = rewrite.File(name, text); err == nil {
			s.warnJOSE(name)
		}
	case o.output != "":
		name, err = o.output, os.WriteFile(o.output, text, 0o644)
	default:
		_, err = s.Out.Write(text)
		return err
	}
	if err != nil {
		return usage(fmt.Errorf("cannot write %s: %w", name, cause(err)), "")
	}
	return nil
}

// refuseUnreadable shows why a file cannot be read, so that nobody takes it for
// one that needs nothing.
func refuseUnreadable(s Streams, name string, source []byte) error {
	if convert.Detect(name, source) != convert.FormatDrone {
		return nil
	}
	problems := manifest.Unreadable(name, source)
	if len(problems) == 0 {
		return nil
	}
	// Whoever cannot read it has nobody to be told of that.
	_ = lint.Text(s.Err, problems, func(string) []byte { return source }, painter(s.errStyle()))
	return usage(fmt.Errorf("%s cannot be read, so nothing can be said of it", name), "")
}

// checkLegacy tells whether a file is for an old version.
func checkLegacy(s Streams, name string, old *convert.Converted) error {
	if old == nil {
		return nil
	}
	if _, err := fmt.Fprintf(s.Out, "%s: Drone %s\n", name, old.Version); err != nil {
		return err
	}
	return &failure{
		status: StatusFailed, err: fmt.Errorf("%s is for Drone %s", name, old.Version),
		hint: "`drone convert --write` rewrites it; servers of Drone 1.0 and later do not take all of such a file",
	}
}
