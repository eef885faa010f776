package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// insideWord as the first argument has this program do a piece of work itself
// and print its nanoseconds. It does so in a process of its own, so that no run
// finds a heap that another has grown, and so that this program stays smaller
// than what it measures.
const insideWord = "inside"

func inside(self, shape string, steps int) []string {
	return []string{self, insideWord, shape, strconv.Itoa(steps)}
}

// runInside schedules a pipeline of steps that do nothing and prints the time
// that each takes.
func runInside(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("%s takes a shape and a number of steps", insideWord)
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of steps", args[1])
	}
	if err := schedule(ctx, args[0], n/10+1); err != nil { // not the first run of its kind
		return err
	}
	began := time.Now()
	if err := schedule(ctx, args[0], n); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, float64(time.Since(began).Nanoseconds())/float64(n))
	return err
}

// schedule runs a graph of n steps: wide, where none waits, or deep, where each
// waits for the one before.
func schedule(ctx context.Context, shape string, n int) error {
	p := &exec.Pipeline{Name: "p", Runs: true, Env: map[string]string{}}
	for i := range 90 { // about as many as a build has
		p.Env[fmt.Sprintf("DRONE_VARIABLE_%d", i)] = "value"
	}
	for i := range n {
		s := &exec.Step{Name: fmt.Sprintf("step-%d", i+1)}
		if shape == "deep" && i > 0 {
			s.DependsOn = []string{fmt.Sprintf("step-%d", i)}
		}
		p.Steps = append(p.Steps, s)
	}
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{p}}
	summary, err := exec.Run(ctx, plan, nothing{}, exec.Options{}, func(exec.Event) {})
	if err == nil && summary.Counts()[exec.StatusSuccess] != n {
		err = fmt.Errorf("of %d steps %v", n, summary.Counts())
	}
	return err
}

// nothing is an engine whose steps do nothing, so that what is measured is the
// scheduler.
type nothing struct{}

func (nothing) Open(context.Context, *exec.Pipeline, exec.Setting) (exec.Session, error) {
	return nothing{}, nil
}
func (nothing) Run(context.Context, *exec.Step, exec.IO) (exec.Exit, error) { return exec.Exit{}, nil }
func (nothing) Close(context.Context) error                                 { return nil }
