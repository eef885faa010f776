package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), rewrite it with -update if that is right:\n%s", path, diff)
	}
}

// clock gives times a second apart.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)} }

func (c *clock) tick() exec.At {
	c.at = c.at.Add(time.Second)
	return exec.At{Time: c.at}
}

// oneFailing is a run of one pipeline in which something of everything happens.
func oneFailing() []exec.Event {
	c := newClock()
	image := "docker.io/library/busybox:1.35"
	return []exec.Event{
		exec.RunStarted{At: c.tick(), Run: "r1", Event: "push", File: ".drone.yml", Pipelines: []string{"default"}},
		exec.PipelineStarted{At: c.tick(), Pipeline: "default"},
		exec.StepStarted{At: c.tick(), Pipeline: "default", Step: "db", Kind: exec.KindService, Image: image},
		exec.PullProgress{At: c.tick(), Pipeline: "default", Image: image, Platform: "linux/arm64", Current: 100, Total: 2_500_000},
		exec.PullProgress{At: c.tick(), Pipeline: "default", Image: image, Platform: "linux/arm64", Current: 2_500_000, Total: 2_500_000, Done: true},
		exec.StepStarted{At: c.tick(), Pipeline: "default", Step: "test", Kind: exec.KindStep, Image: image},
		exec.StepOutput{At: c.tick(), Pipeline: "default", Step: "test", Line: 1, Text: "+ make test"},
		exec.StepOutput{At: c.tick(), Pipeline: "default", Step: "db", Line: 1, Text: "ready"},
		exec.StepOutput{At: c.tick(), Pipeline: "default", Step: "test", Line: 2, Text: "bad \xff byte <&>"},
		exec.StepOutput{At: c.tick(), Pipeline: "default", Step: "test", Line: 3, Text: "no newline", Partial: true},
		exec.Warning{At: c.tick(), Pipeline: "default", Step: "test", Message: "the image is local"},
		exec.StepFinished{At: c.tick(), Pipeline: "default", Step: "test", Kind: exec.KindStep, Image: image, Status: exec.StatusFailure, ExitCode: 137, OOMKilled: true, Duration: 1500 * time.Millisecond},
		exec.StepSkipped{At: c.tick(), Pipeline: "default", Step: "publish", Kind: exec.KindStep, Image: image, Reason: "step test failed"},
		exec.StepStarted{At: c.tick(), Pipeline: "default", Step: "notify", Kind: exec.KindStep, Image: image},
		exec.StepFinished{At: c.tick(), Pipeline: "default", Step: "notify", Kind: exec.KindStep, Image: image, Status: exec.StatusError, ExitCode: 255, Duration: 80 * time.Millisecond,
			Phase: exec.PhasePull, Error: "image notify:1 cannot be had: no such host", Hint: "check the name", Position: ".drone.yml:9:10"},
		exec.StepFinished{At: c.tick(), Pipeline: "default", Step: "db", Kind: exec.KindService, Image: image, Status: exec.StatusSuccess, Duration: 65 * time.Second},
		exec.PipelineFinished{At: c.tick(), Pipeline: "default", Status: exec.StatusFailure, Duration: 66 * time.Second},
		exec.RunFinished{At: c.tick(), Status: exec.StatusFailure, Duration: 67 * time.Second},
	}
}

// severalPipelines is a run with a pipeline that was skipped, one that was
// interrupted and one that could not be set up.
func severalPipelines() []exec.Event {
	c := newClock()
	return []exec.Event{
		exec.RunStarted{At: c.tick(), Run: "r2", Event: "tag", File: ".drone.yml", Pipelines: []string{"one", "two"}},
		exec.PipelineSkipped{At: c.tick(), Pipeline: "zero", Reason: `trigger.event is [push], event is "tag"`},
		exec.PipelineStarted{At: c.tick(), Pipeline: "one"},
		exec.StepStarted{At: c.tick(), Pipeline: "one", Step: "a step with a name that is longer than the column", Kind: exec.KindStep, Image: "a:1"},
		exec.StepOutput{At: c.tick(), Pipeline: "one", Step: "a step with a name that is longer than the column", Line: 1, Text: "hello"},
		exec.StepFinished{At: c.tick(), Pipeline: "one", Step: "a step with a name that is longer than the column", Kind: exec.KindStep, Image: "a:1", Status: exec.StatusKilled, ExitCode: 137, Duration: 2 * time.Hour},
		exec.PipelineFinished{At: c.tick(), Pipeline: "one", Status: exec.StatusKilled, Reason: "stopped by interrupt", Duration: 2 * time.Hour},
		exec.PipelineStarted{At: c.tick(), Pipeline: "two"},
		exec.StepSkipped{At: c.tick(), Pipeline: "two", Step: "b", Kind: exec.KindStep, Image: "b:1", Reason: "the pipeline could not be set up"},
		exec.PipelineFinished{At: c.tick(), Pipeline: "two", Status: exec.StatusError, Reason: "no address is left for a network", Hint: "docker network prune", Duration: time.Second},
		exec.RunFinished{At: c.tick(), Status: exec.StatusKilled, Duration: 2 * time.Hour},
	}
}

// interrupted is a run of two pipelines that was interrupted in the first, after
// failures that do not count.
func interrupted() []exec.Event {
	c := newClock()
	const why = "stopped by interrupt"
	events := []exec.Event{
		exec.RunStarted{At: c.tick(), Run: "r3", Event: "push", File: ".drone.yml", Pipelines: []string{"one", "two"}},
		exec.PipelineStarted{At: c.tick(), Pipeline: "one"},
		exec.StepStarted{At: c.tick(), Pipeline: "one", Step: "db", Kind: exec.KindService, Image: "a:1"},
		exec.StepFinished{At: c.tick(), Pipeline: "one", Step: "db", Kind: exec.KindService, Image: "a:1", Status: exec.StatusFailure, ExitCode: 3, Ignored: true, Background: true, Duration: time.Second},
		exec.Warning{At: c.tick(), Pipeline: "one", Step: "db", Message: "the service ended with exit code 3 while other steps ran"},
		exec.StepStarted{At: c.tick(), Pipeline: "one", Step: "build", Kind: exec.KindStep, Image: "a:1"},
	}
	for i := 1; i <= 30; i++ {
		events = append(events, exec.StepOutput{At: c.tick(), Pipeline: "one", Step: "build", Line: i, Text: strings.Repeat(fmt.Sprintf("line %d ", i), i)})
	}
	return append(events,
		exec.StepFinished{At: c.tick(), Pipeline: "one", Step: "build", Kind: exec.KindStep, Image: "a:1", Status: exec.StatusKilled, ExitCode: 137, Error: why, Duration: time.Minute},
		exec.PipelineFinished{At: c.tick(), Pipeline: "one", Status: exec.StatusKilled, Reason: why, Duration: time.Minute},
		exec.PipelineSkipped{At: c.tick(), Pipeline: "two", Reason: why},
		exec.RunFinished{At: c.tick(), Status: exec.StatusKilled, Duration: time.Minute},
	)
}

func TestPlain(t *testing.T) {
	type testCase struct {
		golden string
		events []exec.Event
		colour bool
	}
	run := func(t *testing.T, tc testCase) {
		var out, notes bytes.Buffer
		style := report.NewStyle(tc.colour)
		r := report.NewPlain(&out, &notes, style, style)
		for _, e := range tc.events {
			if err := r.Handle(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		golden(t, tc.golden, "-- output --\n"+out.String()+"-- notes --\n"+notes.String())
	}
	t.Run("one pipeline", func(t *testing.T) { run(t, testCase{"one.plain.golden", oneFailing(), false}) })
	t.Run("several pipelines", func(t *testing.T) { run(t, testCase{"several.plain.golden", severalPipelines(), false}) })
	t.Run("interrupted", func(t *testing.T) { run(t, testCase{"interrupted.plain.golden", interrupted(), false}) })
	t.Run("colour", func(t *testing.T) { run(t, testCase{"one.colour.golden", oneFailing(), true}) })
}

func TestJSON(t *testing.T) {
	run := func(t *testing.T, name string, events []exec.Event) {
		var out bytes.Buffer
		r := report.NewJSON(&out, func(*exec.Summary) int { return 42 })
		for _, e := range events {
			if err := r.Handle(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
			if !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %s", line)
			}
		}
		golden(t, name, out.String())
	}
	t.Run("one pipeline", func(t *testing.T) { run(t, "one.json.golden", oneFailing()) })
	t.Run("several pipelines", func(t *testing.T) { run(t, "several.json.golden", severalPipelines()) })
}

func TestSummary(t *testing.T) {
	run := func(t *testing.T, name string, events []exec.Event, o report.SummaryOptions) {
		var s exec.Summary
		for _, e := range events {
			s.Apply(e)
		}
		var out bytes.Buffer
		if err := report.WriteSummary(&out, &s, o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
	}
	t.Run("wide", func(t *testing.T) { run(t, "one.summary.golden", oneFailing(), report.SummaryOptions{}) })
	t.Run("narrow", func(t *testing.T) {
		run(t, "one.summary40.golden", oneFailing(), report.SummaryOptions{Width: 40})
	})
	t.Run("several", func(t *testing.T) { run(t, "several.summary.golden", severalPipelines(), report.SummaryOptions{}) })
	t.Run("interrupted", func(t *testing.T) {
		run(t, "interrupted.summary.golden", interrupted(), report.SummaryOptions{Width: 40})
	})
}

// broken fails after some bytes, as a pipe whose reader went away.
type broken struct{ left int }

var errGone = errors.New("the reader is gone")

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errGone
	}
	return len(p), nil
}

func TestWriterErrorIsReturned(t *testing.T) {
	line := exec.StepOutput{Pipeline: "p", Step: "s", Line: 1, Text: strings.Repeat("x", 1000)}
	run := func(t *testing.T, r report.Renderer) {
		for range 1000 {
			if err := r.Handle(line); err != nil {
				if !errors.Is(err, errGone) {
					t.Fatalf("got %v, want %v", err, errGone)
				}
				if err := r.Close(); !errors.Is(err, errGone) {
					t.Fatalf("Close: got %v, want %v", err, errGone)
				}
				return
			}
		}
		t.Fatal("a megabyte was written to a reader that is gone, without an error")
	}
	t.Run("plain", func(t *testing.T) {
		run(t, report.NewPlain(&broken{1000}, &bytes.Buffer{}, report.Style{}, report.Style{}))
	})
	t.Run("json", func(t *testing.T) {
		run(t, report.NewJSON(&broken{1000}, func(*exec.Summary) int { return 0 }))
	})
}

// TestOutputIsNotHeldBack shows that a single line is written without another
// one or Close pushing it.
func TestOutputIsNotHeldBack(t *testing.T) {
	pipe, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer writer.Close()
	r := report.NewPlain(writer, &bytes.Buffer{}, report.Style{}, report.Style{})
	if err := r.Handle(exec.StepOutput{Pipeline: "p", Step: "s", Line: 7, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := pipe.Read(buf) // blocks for ever if the line is held back
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(buf[:n]), "[s:7] hello\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDurationAndBytes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ms", 999 * time.Millisecond: "999ms", 3200 * time.Millisecond: "3.2s",
		65 * time.Second: "1m05s", 123 * time.Minute: "2h03m",
	} {
		if got := report.Duration(d); got != want {
			t.Errorf("Duration(%d) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 2_500_000: "2.5 MB", 3_000_000_000: "3.0 GB"} {
		if got := report.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func BenchmarkPlain(b *testing.B) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	r := report.NewPlain(null, null, report.NewStyle(true), report.Style{})
	e := exec.StepOutput{Pipeline: "p", Step: "s", Line: 123456, Text: strings.Repeat("x", 80)}
	for b.Loop() {
		if err := r.Handle(e); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPlural(t *testing.T) {
	for want, noun := range map[string]string{"2 errors": "error", "2 directories": "directory", "2 processes": "process"} {
		if got := report.Plural(2, noun); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := report.Plural(1, "directory"); got != "1 directory" {
		t.Errorf("got %q", got)
	}
}
