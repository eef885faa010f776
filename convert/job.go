package convert

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/drone-laptop/drone/compile"
)

// Job is the evaluation of one program or template, in a form that another
// process can be given as JSON.
type Job struct {
	Format Format // FormatTemplate is for a template in YAML
	Name   string
	Source []byte
	// Use asks for it if it is a template, nil if it is none.
	Use      *Use `json:",omitempty"`
	Build    compile.Build
	Jsonnet  JsonnetOptions
	Starlark StarlarkOptions
	Limits   Limits
}

// Use is a file that asks for a template.
type Use struct {
	Name   string
	Source []byte
}

// Limits are what an evaluation may take: 20 s and 1 GiB where they are 0.
// Memory, in bytes, is looked at now and then, for the whole process.
type Limits struct {
	Time   time.Duration
	Memory uint64
}

// Told are those who are told what a program says, and what a server does
// otherwise; nil are those who are not there.
type Told struct{ Print, Warn func(string) }

// Output is what a program or a template makes.
type Output struct {
	// Documents has one of a program that makes an object, and of a template in
	// YAML the whole text.
	Documents []string
	IsList    bool // the program made a list of them
	// Files are those that the program imports or loads, without itself.
	Files []string
	// Asked tells that a Starlark program has looked at facts of the build.
	Asked bool
	// Pieces tell where the parts of what a template made come from.
	Pieces []Piece
}

// Evaluator is what Evaluate is.
type Evaluator = func(ctx context.Context, job Job, told Told) (*Output, error)

// Evaluate runs a program or a template within its limits. The error is an
// *Error, or the cause of the end of ctx. When it returns early, the evaluation
// may go on in the background until it is done.
func Evaluate(ctx context.Context, job Job, told Told) (*Output, error) {
	ctx, release := bound(ctx, job.Name, job.Limits)
	defer release()
	input := map[string]any{}
	if job.Use != nil {
		u, err := readUse(job.Use.Name, job.Use.Source)
		if err != nil {
			return nil, err
		}
		input = u.data
	}
	switch job.Format {
	case FormatJsonnet:
		opts := job.Jsonnet
		opts.Print = told.Print
		opts.ExtVars = map[string]string{}
		for key, value := range input {
			opts.ExtVars["input."+key] = fmt.Sprint(value)
		}
		maps.Copy(opts.ExtVars, job.Jsonnet.ExtVars)
		return evaluateJsonnet(ctx, job.Name, job.Source, opts)
	case FormatStarlark:
		opts := job.Starlark
		opts.Build, opts.Input, opts.Print, opts.Warn = job.Build, input, told.Print, told.Warn
		return evaluateStarlark(ctx, job.Name, job.Source, opts)
	}
	return abandonable(ctx, hearing, func() (*Output, error) {
		text, pieces, err := render(ctx, job.Name, job.Source, input, job.Build, told.Warn)
		return &Output{Documents: []string{string(text)}, Pieces: pieces}, err
	})
}

// take has a job do what options say.
func (j *Job) take(opts Options) {
	j.Build = opts.Build
	vars := map[string]string{}
	if !opts.Bare {
		vars = externals(opts.Build, j.Name)
	}
	maps.Copy(vars, opts.ExtVars)
	j.Jsonnet = JsonnetOptions{
		ExtVars: vars, ExtCode: opts.ExtCode, TopVars: opts.TopVars, TopCode: opts.TopCode,
		Paths: append([]string{filepath.Dir(j.Name)}, opts.Paths...), Within: opts.Within,
	}
	j.Starlark = StarlarkOptions{MaxSteps: opts.MaxSteps, Paths: opts.Paths, Within: opts.Within}
}
