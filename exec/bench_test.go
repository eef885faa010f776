package exec_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/drone-laptop/drone/exec"
)

// none is an engine whose steps do nothing, so that what is measured is ours.
type none struct{}

func (none) Open(context.Context, *exec.Pipeline, exec.Setting) (exec.Session, error) {
	return none{}, nil
}
func (none) Run(context.Context, *exec.Step, exec.IO) (exec.Exit, error) { return exec.Exit{}, nil }
func (none) Close(context.Context) error                                 { return nil }
func (none) Prepare(context.Context, *exec.Step, map[string]string)      {}

// BenchmarkSchedule runs ten times as many steps in the second size: the time
// of one step must stay what it is.
func BenchmarkSchedule(b *testing.B) {
	for _, shape := range []string{"wide", "deep", "star"} {
		for _, steps := range []int{1000, 10_000} {
			plan := graphOf(steps, shapes()[shape])
			b.Run(fmt.Sprintf("%s/%d", shape, steps), func(b *testing.B) {
				for b.Loop() {
					s, err := exec.Run(b.Context(), plan, none{}, exec.Options{Lookahead: 4}, func(exec.Event) {})
					if err != nil || s.Status != exec.StatusSuccess {
						b.Fatalf("%v, %v", s.Status, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*steps), "ns/step")
			})
		}
	}
}

// BenchmarkOutput takes a million lines all the way from an engine to emit.
func BenchmarkOutput(b *testing.B) {
	const line = "2026-11-20 go: downloading example.com/some/module v1.2.3 (12 kB)\n"
	lines := 0
	for b.Loop() {
		lines = 0
		plan := &exec.Plan{Pipelines: []*exec.Pipeline{{Name: "p", Runs: true, Steps: []*exec.Step{{
			Name: "a", Secrets: []exec.SecretRef{{Env: "TOKEN", Name: "token"}},
		}}}}}
		opts := exec.Options{Secret: func(string) (string, bool) { return "ghp_abcdefghijklmnop", true }}
		_, err := exec.Run(b.Context(), plan, flood{line, 1_000_000}, opts, func(e exec.Event) {
			if _, ok := e.(exec.StepOutput); ok {
				lines++
			}
		})
		if err != nil || lines != 1_000_000 {
			b.Fatalf("%d lines, %v", lines, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/line")
}

// flood writes a line many times, in chunks of 32 KiB.
type flood struct {
	line  string
	times int
}

func (f flood) Open(context.Context, *exec.Pipeline, exec.Setting) (exec.Session, error) {
	return f, nil
}
func (f flood) Close(context.Context) error { return nil }
func (f flood) Run(_ context.Context, _ *exec.Step, io exec.IO) (exec.Exit, error) {
	var chunk []byte
	for range f.times {
		if chunk = append(chunk, f.line...); len(chunk) < 32<<10 {
			continue
		}
		if _, err := io.Output.Write(chunk); err != nil {
			return exec.Exit{}, err
		}
		chunk = chunk[:0]
	}
	_, err := io.Output.Write(chunk)
	return exec.Exit{}, err
}
