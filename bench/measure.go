package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// baseline is the name of the subject that ratios of steps are relative to.
const baseline = "docker run"

// subject is something that does a workload by running a command a number of
// times, one after another or together.
type subject struct {
	name     string
	dir      string
	argv     []string
	times    int
	together bool
	base     bool // ratios are relative to it
	optional bool // it is left out where it fails
	// settle waits until nothing is left of what it did; nil when nothing is.
	settle func(context.Context) error
}

// reading is what one run of a subject gave.
type reading struct {
	values []time.Duration // one at least
	memory int64           // the most that a process of it had resident, in bytes; 0 when unknown
}

// do runs the subject once and gives the most memory that its process had.
// Where out is a file the command writes to it itself, so that no copying of
// ours is measured.
func (s subject) do(ctx context.Context, out io.Writer) (memory int64, err error) {
	if !s.together {
		for range s.times {
			used, err := s.once(ctx, out)
			if err != nil {
				return 0, err
			}
			memory = max(memory, used)
		}
		return memory, nil
	}
	var all sync.WaitGroup
	problems := make([]error, s.times)
	for i := range s.times {
		all.Go(func() { _, problems[i] = s.once(ctx, out) })
	}
	all.Wait()
	return 0, errors.Join(problems...)
}

func (s subject) once(ctx context.Context, out io.Writer) (memory int64, err error) {
	var problems bytes.Buffer
	cmd := exec.CommandContext(ctx, s.argv[0], s.argv[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "CI=") // some wait for more there
	cmd.Stdout = out
	cmd.Stderr = &problems
	// An interrupted subject removes its containers before it ends.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %s: %w: %s", s.name, strings.Join(s.argv, " "), err, lastLine(problems.String()))
	}
	return resident(cmd.ProcessState), nil
}

// read runs the subject once and reads what it gave.
func (s subject) read(ctx context.Context, read reader, out io.Writer, now func() time.Time) (reading, error) {
	var kept *bytes.Buffer
	if read != nil {
		kept = &bytes.Buffer{}
		out = kept
	}
	o, err := s.timed(ctx, out, now)
	if err != nil {
		return reading{}, err
	}
	if read == nil {
		return reading{[]time.Duration{o.ended.Sub(o.began)}, o.memory}, nil
	}
	o.output = kept.Bytes()
	values, err := read(o)
	if err != nil {
		return reading{}, fmt.Errorf("%s: %w", s.name, err)
	}
	return reading{values, o.memory}, nil
}

// outcome is what one run of a subject gave, before it is read.
type outcome struct {
	output       []byte
	began, ended time.Time
	clean        time.Time // when nothing was left of it any more
	memory       int64
}

// timed runs the subject once. It comes back when nothing is left of that.
func (s subject) timed(ctx context.Context, out io.Writer, now func() time.Time) (o outcome, err error) {
	o.began = now()
	o.memory, err = s.do(ctx, out)
	o.ended = now()
	o.clean = o.ended
	if s.settle != nil && err == nil {
		err = s.settle(ctx)
		o.clean = now()
	}
	return o, err
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// check runs every subject once and makes sure that it does the whole work. It
// is the round that is not counted, too. It gives the subjects that can be
// compared, and why each other one, which must be optional, cannot.
func check(ctx context.Context, w workload, subjects []subject) (able []subject, out []string, err error) {
	for _, s := range subjects {
		err := s.check(ctx, w)
		switch {
		case err == nil:
			able = append(able, s)
		case s.optional && ctx.Err() == nil:
			out = append(out, err.Error())
		default:
			return nil, nil, err
		}
	}
	return able, out, nil
}

func (s subject) check(ctx context.Context, w workload) error {
	var count lineCounter
	var kept bytes.Buffer
	out := io.Writer(&count)
	if w.read != nil {
		out = &kept
	}
	o, err := s.timed(ctx, out, time.Now)
	if err != nil {
		return err
	}
	_, _ = count.Write(kept.Bytes())
	if n := count.lines(); n < w.lines {
		return fmt.Errorf("%s printed %d lines of %d, so it cannot be compared", s.name, n, w.lines)
	}
	if w.read == nil {
		return nil
	}
	o.output = kept.Bytes()
	if _, err := w.read(o); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// lineCounter counts the newlines written to it. It is safe for concurrent use.
type lineCounter struct {
	mu sync.Mutex
	n  int
}

func (c *lineCounter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += bytes.Count(p, []byte{'\n'})
	return len(p), nil
}

func (c *lineCounter) lines() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// measure runs the subjects in rounds and returns what each gave: one slice
// for each subject, one reading for each round. Every round begins with the
// next subject.
func measure(ctx context.Context, subjects []subject, read reader, rounds int, out io.Writer, now func() time.Time) ([][]reading, error) {
	readings := make([][]reading, len(subjects))
	for round := range rounds {
		for _, i := range turn(len(subjects), round) {
			r, err := subjects[i].read(ctx, read, out, now)
			if err != nil {
				return nil, err
			}
			readings[i] = append(readings[i], r)
		}
	}
	return readings, nil
}

// turn is the order of n subjects in a round: 0 1 2, 1 2 0, 2 0 1, and again.
func turn(n, round int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = (i + round) % n
	}
	return order
}
