package history

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// BenchmarkHandle is what keeping a line costs the run that prints it.
func BenchmarkHandle(b *testing.B) {
	r := Start(Recording{Store: In(b.TempDir()), Plan: &exec.Plan{}, Meta: Meta{ID: "run1"}, ExitStatus: (*exec.Summary).ExitCode})
	r.Handle(exec.StepStarted{Pipeline: "p", Step: "s"})
	e := exec.StepOutput{At: exec.At{Time: begin}, Pipeline: "p", Step: "s", Text: "2026-11-21T21:00:00Z INFO  compiling github.com/example/project/internal/thing"}
	b.ReportAllocs()
	for b.Loop() {
		e.Line++
		r.Handle(e)
	}
	if err := r.Close(time.Minute); err != nil {
		b.Error(err)
	}
}

// BenchmarkOpen opens a run of 200 MiB of output, in ten steps, up to its first
// screen and its last.
func BenchmarkOpen(b *testing.B) {
	store := In(b.TempDir())
	r := Start(Recording{Store: store, Plan: &exec.Plan{}, Meta: Meta{ID: "run1"}, ExitStatus: (*exec.Summary).ExitCode})
	r.Handle(exec.RunStarted{Run: "run1"})
	for step := range 10 {
		name := fmt.Sprint("step", step)
		r.Handle(exec.StepStarted{Pipeline: "p", Step: name})
		for i := range 250_000 {
			r.Handle(exec.StepOutput{At: exec.At{Time: begin}, Pipeline: "p", Step: name, Line: i + 1, Text: fmt.Sprintf("2026-11-21T21:00:00Z INFO  compiling github.com/example/project/internal/thing%d", i*7919%100_003)})
		}
		r.Handle(exec.StepFinished{Pipeline: "p", Step: name})
	}
	r.Handle(exec.RunFinished{Status: exec.StatusSuccess})
	if err := r.Close(time.Minute); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		runs, _, err := store.List()
		if err != nil {
			b.Fatal(err)
		}
		reader, err := runs[0].Open()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := reader.Read(); err != nil {
			b.Fatal(err)
		}
		for _, step := range reader.Steps() {
			log, err := reader.Log(step)
			if err != nil {
				b.Fatal(err)
			}
			if lines, err := log.Lines(log.Len()-50, 50); err != nil || len(lines) != 50 {
				b.Fatal(err)
			}
			if err := log.Close(); err != nil {
				b.Fatal(err)
			}
		}
		if err := reader.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay is a line that is shown again.
func BenchmarkReplay(b *testing.B) {
	store := In(b.TempDir())
	r := Start(Recording{Store: store, Plan: &exec.Plan{}, Meta: Meta{ID: "run1"}, ExitStatus: (*exec.Summary).ExitCode})
	for _, e := range scene("run1", &clock{begin}, 100_000) {
		r.Handle(e)
	}
	if err := r.Close(time.Minute); err != nil {
		b.Fatal(err)
	}
	runs, _, err := store.List()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	lines := 0
	for b.Loop() {
		reader, err := runs[0].Open()
		if err != nil {
			b.Fatal(err)
		}
		if err := (Replay{Emit: func(Record) error { lines++; return nil }}).Run(context.Background(), reader); err != nil {
			b.Fatal(err)
		}
		_ = reader.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
}
