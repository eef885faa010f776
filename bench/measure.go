package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// baseline is the name of the subject that ratios are relative to.
const baseline = "docker run"

// subject is something that does a workload by running a command a number of
// times, one after another.
type subject struct {
	name  string
	dir   string
	argv  []string
	times int
}

// do runs the subject once. Where out is a file the command writes to it
// itself, so that no copying of ours is measured.
func (s subject) do(ctx context.Context, out io.Writer) error {
	for range s.times {
		var problems bytes.Buffer
		cmd := exec.CommandContext(ctx, s.argv[0], s.argv[1:]...)
		cmd.Dir = s.dir
		cmd.Stdout = out
		cmd.Stderr = &problems
		// An interrupted subject removes its containers before it ends.
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = 30 * time.Second
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %s: %w: %s", s.name, strings.Join(s.argv, " "), err, lastLine(problems.String()))
		}
	}
	return nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// check runs every subject once and makes sure that it does the whole work. It
// is the round that is not counted, too.
func check(ctx context.Context, w workload, subjects []subject) error {
	for _, s := range subjects {
		var count lineCounter
		if err := s.do(ctx, &count); err != nil {
			return err
		}
		if int(count) < w.lines {
			return fmt.Errorf("%s printed %d lines of %d, so it cannot be compared", s.name, count, w.lines)
		}
	}
	return nil
}

// lineCounter counts the newlines written to it.
type lineCounter int

func (c *lineCounter) Write(p []byte) (int, error) {
	*c += lineCounter(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}

// measure runs the subjects in rounds and returns the time of each: one slice
// for each subject, one sample for each round. Every round begins with the
// next subject.
func measure(ctx context.Context, subjects []subject, rounds int, out io.Writer, now func() time.Time) ([][]time.Duration, error) {
	samples := make([][]time.Duration, len(subjects))
	for round := range rounds {
		for _, i := range turn(len(subjects), round) {
			start := now()
			if err := subjects[i].do(ctx, out); err != nil {
				return nil, err
			}
			samples[i] = append(samples[i], now().Sub(start))
		}
	}
	return samples, nil
}

// turn is the order of n subjects in a round: 0 1 2, 1 2 0, 2 0 1, and again.
func turn(n, round int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = (i + round) % n
	}
	return order
}
