package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"strings"
	"sync"
	"time"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/manifest"
)

// evaluateCommand is not for users: with it the program evaluates a program or a
// template for another process of itself. Not all of that can be stopped, and
// what takes all of the stack or of the memory ends the process that it is in.
const evaluateCommand = "__evaluate"

// evaluated is one of the things that the process says on its standard output,
// one behind the other. The last one has one of the lower three.
type evaluated struct {
	Print, Warn *string `json:",omitempty"`

	Output  *convert.Output `json:",omitempty"`
	Error   *convert.Error  `json:",omitempty"`
	Failure string          `json:",omitempty"` // an error that is none of the program's
}

// serveEvaluation does the one job that it is given on its standard input.
func serveEvaluation(s Streams) int {
	var job convert.Job
	if err := json.NewDecoder(s.In).Decode(&job); err != nil {
		return s.fail(err)
	}
	// The input ends when whoever has asked is gone, who keeps it open.
	go func() {
		_, _ = io.Copy(io.Discard, s.In)
		os.Exit(StatusFailed)
	}()
	answers := json.NewEncoder(s.Out)
	var mu sync.Mutex // what goes on in the background may still print
	over := false
	answer := func(e evaluated, last bool) (err error) {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			err = answers.Encode(e)
		}
		over = over || last
		return err
	}
	// When nobody reads it, the last answer tells.
	out, err := convert.Evaluate(context.Background(), job, convert.Told{
		Print: func(line string) { _ = answer(evaluated{Print: &line}, false) },
		Warn:  func(text string) { _ = answer(evaluated{Warn: &text}, false) },
	})
	last := evaluated{Output: out}
	if err != nil {
		last.Output = nil
		if !errors.As(err, &last.Error) {
			last.Failure = err.Error()
		}
	}
	if err := answer(last, true); err != nil {
		return s.fail(err)
	}
	return StatusOK
}

// evaluator gives what evaluates programs and templates: another process where
// this program knows itself, else this one.
func (s Streams) evaluator() convert.Evaluator {
	if s.Program == "" {
		return convert.Evaluate
	}
	return s.evaluate
}

// evaluationTime is when a process is given up that has not given up itself.
const evaluationTime = 30 * time.Second

// evaluate has another process do a job. It ends with ctx.
func (s Streams) evaluate(ctx context.Context, job convert.Job, told convert.Told) (*convert.Output, error) {
	ask, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, evaluationTime, &convert.Error{
		Pos: manifest.Pos{File: job.Name}, Message: fmt.Sprintf("it was not done after %s and was given up", evaluationTime),
	})
	defer cancel()
	var stderr bytes.Buffer
	c := osexec.CommandContext(ctx, s.Program, evaluateCommand)
	c.Stderr = &stderr
	c.Env = append(os.Environ(), "GOTRACEBACK=none") // only the first line of a crash is looked at
	c.WaitDelay = time.Second
	stdout, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stdin, err := c.StdinPipe() // Wait closes it
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("cannot start what evaluates %s: %w", job.Name, err)
	}
	_, _ = stdin.Write(append(ask, '\n')) // what ends before it has read this tells why
	last := hear(stdout, told)
	failed := c.Wait()
	switch {
	case last == nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case last == nil:
		return nil, crashed(job.Name, stderr.String(), failed)
	case last.Error != nil:
		return nil, last.Error
	case last.Failure != "":
		return nil, errors.New(last.Failure)
	}
	return last.Output, nil
}

// hear passes on what a process says and returns the last of it, nil when there
// is none.
func hear(answers io.Reader, told convert.Told) *evaluated {
	dec := json.NewDecoder(answers)
	for {
		var e evaluated
		if err := dec.Decode(&e); err != nil {
			return nil // the process tells why, or has been ended
		}
		switch {
		case e.Print != nil && told.Print != nil:
			told.Print(*e.Print)
		case e.Warn != nil && told.Warn != nil:
			told.Warn(*e.Warn)
		case e.Output != nil || e.Error != nil || e.Failure != "":
			return &e
		}
	}
}

// crashed explains a process that has ended without an answer.
func crashed(name, output string, failed error) error {
	e := &convert.Error{
		Pos:  manifest.Pos{File: name},
		Hint: "look for a function that calls itself without end, or for a huge text or list",
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
