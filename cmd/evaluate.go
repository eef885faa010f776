package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"time"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/manifest"
)

// evaluateCommand is not for users: with it the program evaluates Jsonnet for
// another process of itself. Nothing can stop go-jsonnet, and a program without
// end takes all of the stack, which would end the process that it is in.
const evaluateCommand = "__jsonnet"

// evaluation is what the process is asked on its standard input.
type evaluation struct {
	Name    string
	Source  []byte
	Options convert.JsonnetOptions
}

// evaluated is what it answers on its standard output.
type evaluated struct {
	Output  *convert.Output
	Error   *convert.Error
	Failure string // an error that is none of the program's
	Printed []string
}

// serveEvaluation answers one evaluation.
func serveEvaluation(s Streams) int {
	var ask evaluation
	if err := json.NewDecoder(s.In).Decode(&ask); err != nil {
		return s.fail(err)
	}
	var answer evaluated
	ask.Options.Print = func(line string) { answer.Printed = append(answer.Printed, line) }
	ctx, release := convert.Bound(context.Background(), ask.Name)
	defer release()
	out, err := convert.Jsonnet(ctx, ask.Name, ask.Source, ask.Options)
	if ctx.Err() != nil {
		answer.Printed = nil // it may still be added to
	}
	switch {
	case err == nil:
		answer.Output = out
	case !errors.As(err, &answer.Error):
		answer.Failure = err.Error()
	}
	if err := json.NewEncoder(s.Out).Encode(answer); err != nil {
		return s.fail(err)
	}
	return StatusOK
}

// evaluator gives what evaluates Jsonnet: another process where this program
// knows itself, else this one.
func (s Streams) evaluator() convert.JsonnetEvaluator {
	if s.Program == "" {
		return convert.Jsonnet
	}
	return s.evaluate
}

// evaluate has another process evaluate a program. It ends with ctx.
func (s Streams) evaluate(ctx context.Context, name string, source []byte, opts convert.JsonnetOptions) (*convert.Output, error) {
	ask, err := json.Marshal(evaluation{name, source, opts})
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	c := osexec.CommandContext(ctx, s.Program, evaluateCommand)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(ask), &stdout, &stderr
	c.Env = append(os.Environ(), "GOTRACEBACK=none") // only the first line of a crash is looked at
	c.WaitDelay = time.Second
	failed := c.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var answer evaluated
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
		return nil, crashed(name, stderr.String(), failed)
	}
	for _, line := range answer.Printed {
		if opts.Print != nil {
			opts.Print(line)
		}
	}
	switch {
	case answer.Error != nil:
		return nil, answer.Error
	case answer.Failure != "":
		return nil, errors.New(answer.Failure)
	}
	return answer.Output, nil
}

// crashed explains a process that has ended without an answer.
func crashed(name, output string, failed error) error {
	e := &convert.Error{
		Pos:  manifest.Pos{File: name},
		Hint: "look for a function that calls itself without end, or a huge list",
	}
	switch {
	case strings.Contains(output, "stack overflow"), strings.Contains(output, "stack exceeds"):
		e.Message = "its calls nest too deep"
	case strings.Contains(output, "out of memory"), strings.Contains(output, "cannot allocate"), failed != nil && strings.Contains(failed.Error(), "killed"):
		e.Message = "it takes more memory than there is"
	default:
		first, _, _ := strings.Cut(strings.TrimSpace(output), "\n")
		e.Message, e.Hint = fmt.Sprintf("it could not be evaluated: %v: %s", failed, first), ""
	}
	return e
}
