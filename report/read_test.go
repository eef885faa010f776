package report_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// What is written is read back, all of it.
func TestEventsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	at := exec.At{Time: time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)}
	events := []exec.Event{
		exec.RunStarted{At: at, Run: "r", Event: "push", File: ".drone.yml", Pipelines: []string{"p"}},
		exec.PipelineStarted{At: at, Pipeline: "p"},
		exec.PipelineSkipped{At: at, Pipeline: "q", Reason: "no"},
		exec.StepStarted{At: at, Pipeline: "p", Step: "s", Kind: exec.KindStep, Image: "i"},
		exec.StepOutput{At: at, Pipeline: "p", Step: "s", Line: 3, Text: "a <text> with \x1b[31m and é", Partial: true},
		exec.StepOutput{At: at, Pipeline: "p", Step: "s", Line: 4, Text: "bytes \xff\xfe"},
		exec.PullProgress{At: at, Pipeline: "p", Image: "i", Platform: "linux/arm64", Current: 3, Total: 9, Done: true, Failed: true},
		exec.Warning{At: at, Pipeline: "p", Step: "s", Message: "careful", Left: true},
		exec.StepFinished{
			At: at, Pipeline: "p", Step: "s", Kind: exec.KindService, Image: "i", Status: exec.StatusFailure, ExitCode: 3, OOMKilled: true,
			Ignored: true, TimedOut: true, Background: true, Duration: 7 * time.Millisecond,
			Spent: []exec.Spent{{Phase: exec.PhaseCreate, Duration: 2 * time.Millisecond}, {Phase: exec.PhaseRun, Duration: 5 * time.Millisecond}},
			Error: "e", Hint: "h", Phase: exec.PhaseRun, Position: "f:1:2",
		},
		exec.StepSkipped{At: at, Pipeline: "p", Step: "t", Kind: exec.KindClone, Image: "i", Reason: "why"},
		exec.PipelineFinished{At: at, Pipeline: "p", Status: exec.StatusFailure, Reason: "r", Hint: "h", Duration: time.Second, Setup: time.Millisecond},
		exec.RunFinished{At: at, Status: exec.StatusFailure, Duration: time.Minute, Cleanup: time.Millisecond, Unreachable: true, Broken: true},
	}
	var out bytes.Buffer
	j := report.NewJSON(&out, func(*exec.Summary) int { return 1 }).WithTiming(&report.Timing{Total: func() time.Duration { return time.Minute }})
	for _, e := range events {
		if err := j.Handle(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	var got []exec.Event
	for line := range strings.Lines(out.String()) {
		e, err := report.ReadEvent([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(events, got); diff != "" {
		t.Error(diff)
	}
}

func TestLinesThatAreNoEvents(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "{", `{"v":2,"type":"warning"}`, `{"v":1,"type":"step_output","base64":"*"}`} {
		if e, err := report.ReadEvent([]byte(line)); err == nil {
			t.Errorf("%q is %v", line, e)
		}
	}
	if e, err := report.ReadEvent([]byte(`{"v":1,"type":"of_tomorrow"}`)); e != nil || err != nil {
		t.Error(e, err)
	}
}

func TestTextIsTheLinesAlone(t *testing.T) {
	t.Parallel()
	at := exec.At{Time: time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.Local)}
	events := []exec.Event{
		exec.StepStarted{At: at, Pipeline: "p", Step: "s"},
		exec.StepOutput{At: at, Pipeline: "p", Step: "s", Line: 1, Text: "one"},
		exec.StepOutput{At: at, Pipeline: "p", Step: "s", Line: 2, Text: "two ", Partial: true},
		exec.StepOutput{At: at, Pipeline: "p", Step: "s", Line: 2, Text: "halves"},
		exec.StepOutput{At: at, Pipeline: "p", Step: "s", Line: 3, Text: "50%\r100%\x1b[2J", Partial: true},
	}
	run := func(stamped bool, style report.Style, want string) {
		t.Helper()
		var out bytes.Buffer
		var r report.Renderer = report.NewText(&out, style)
		if stamped {
			r = report.Stamped(r)
		}
		for _, e := range events {
			if err := r.Handle(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("it is %q, want %q", out.String(), want)
		}
	}
	run(false, report.Style{}, "one\ntwo halves\n50%\r100%\x1b[2J\n")
	run(false, report.Style{}.OnTerminal(true), "one\ntwo \nhalves\n50%\r100%\n")
	stamp := at.Time.Format(report.StampFormat) + " "
	run(true, report.Style{}, stamp+"one\n"+stamp+"two halves\n"+stamp+"50%\r100%\x1b[2J\n")
}

// FuzzReadEvent: what can be read can be written, and is the same again.
func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(`{"v":1,"time":"2026-03-04T05:06:07.000000089Z","type":"step_output","pipeline":"p","step":"s","line":3,"text":"x","partial":true}`))
	f.Add([]byte(`{"v":1,"time":"2026-03-04T05:06:07Z","type":"step_finished","status":"failure","duration_ms":7,"phases_ms":{"run":5}}`))
	f.Add([]byte(`{"v":1,"time":"2026-03-04T05:06:07Z","type":"run_finished","duration_ms":-7,"counts":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := report.ReadEvent(line)
		if err != nil || e == nil || e.When().Year() < 1 || e.When().Year() > 9999 {
			return
		}
		var out bytes.Buffer
		j := report.NewJSON(&out, (*exec.Summary).ExitCode)
		if err := errors.Join(j.Handle(e), j.Close()); err != nil {
			t.Fatal(err)
		}
		again, err := report.ReadEvent(out.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", out.String(), err)
		}
		if want, ok := e.(exec.StepFinished); ok { // phases are told with --timing only
			want.Spent = nil
			e = want
		}
		sameTime := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
		// Durations that no run can have are cut.
		if diff := cmp.Diff(e, again, sameTime, cmpopts.EquateEmpty(), cmpopts.IgnoreTypes(time.Duration(0))); diff != "" {
			t.Error(diff)
		}
	})
}
