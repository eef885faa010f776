package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/rewrite"
)

// generateFlags are what the commands that make a .drone.yml of a program have
// in common.
type generateFlags struct {
	source, target string
	stdout, format bool
}

func (f *generateFlags) register(flags *pflag.FlagSet, source string) {
	flags.StringVar(&f.source, "source", source, "`file` with the program")
	flags.StringVar(&f.target, "target", defaultFile, "`file` to write")
	flags.BoolVar(&f.stdout, "stdout", false, "write to standard output instead")
	flags.BoolVar(&f.format, "format", false, "write YAML instead of JSON, with sorted keys")
}

// read reads the program, which an argument may name instead of --source.
func (f *generateFlags) read(s Streams, c *cobra.Command, args []string) (name string, source []byte, err error) {
	name = f.source
	if len(args) > 0 {
		if c.Flags().Changed("source") {
			return "", nil, usage(fmt.Errorf("both %s and --source %s name the program", args[0], f.source), "leave one of them out")
		}
		name = args[0]
	}
	return readSource(s, []string{name})
}

// generate does the job with the program and writes the text that join makes of
// what comes out. The program may read any file: nothing of it is run here.
func (f *generateFlags) generate(ctx context.Context, s Streams, c *cobra.Command, args []string, job convert.Job, join func(name string, out *convert.Output) ([]byte, error)) error {
	var err error
	if job.Name, job.Source, err = f.read(s, c, args); err != nil {
		return err
	}
	out, err := s.evaluator()(ctx, job, convert.Told{Print: func(line string) { s.note(line) }})
	if err != nil {
		return conversionFailure(err)
	}
	text, err := join(job.Name, out)
	if err != nil {
		return err
	}
	return f.write(s, text)
}

// documents writes the documents that the program name has made: as plain does,
// or as YAML. separated has each follow a --- line.
func (f *generateFlags) documents(name string, out *convert.Output, separated bool, plain func(text string) string) ([]byte, error) {
	var b bytes.Buffer
	for _, made := range out.Documents {
		if separated {
			b.WriteString("---\n")
		}
		if !f.format {
			b.WriteString(plain(made))
			continue
		}
		text, err := document.SortedYAML(made)
		if err != nil {
			return nil, usage(fmt.Errorf("what %s makes cannot be written as YAML: %w", name, err), "leave out --format")
		}
		b.WriteString(text)
	}
	return b.Bytes(), nil
}

// write writes what a program made.
func (f *generateFlags) write(s Streams, text []byte) error {
	if f.stdout {
		_, err := s.Out.Write(text)
		return err
	}
	err := rewrite.File(f.target, text)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(f.target, text, 0o644)
	}
	if err != nil {
		return usage(fmt.Errorf("cannot write %s: %w", f.target, cause(err)), "")
	}
	return nil
}
