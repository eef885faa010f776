package exec

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestSummaryFolds(t *testing.T) {
	at := func(n int64) At { return At{time.Unix(n, 0)} }
	warning := Warning{At: at(5), Pipeline: "p", Step: "a", Message: "careful"}
	events := []Event{
		RunStarted{At: at(1), Run: "r", Event: "push", File: ".drone.yml", Pipelines: []string{"p", "q"}},
		PipelineStarted{At: at(2), Pipeline: "p"},
		StepStarted{At: at(3), Pipeline: "p", Step: "a", Kind: KindStep, Image: "busybox"},
		PullProgress{At: at(4), Pipeline: "p", Image: "busybox"},
		warning,
		StepOutput{At: at(6), Pipeline: "p", Step: "a", Line: 1, Text: "one"},
		StepOutput{At: at(6), Pipeline: "p", Step: "a", Line: 2, Text: "first piece", Partial: true},
		StepOutput{At: at(6), Pipeline: "p", Step: "a", Line: 2, Text: "second piece"},
		StepFinished{
			At: at(7), Pipeline: "p", Step: "a", Kind: KindStep, Image: "busybox", Status: StatusError, ExitCode: 255,
			Duration: 4 * time.Second, Error: "boom", Hint: "retry", Phase: PhaseRun, Position: "f:1:2",
		},
		StepSkipped{At: at(8), Pipeline: "p", Step: "b", Kind: KindClone, Image: "git", Reason: "step a could not be run"},
		PipelineFinished{At: at(9), Pipeline: "p", Status: StatusError, Reason: "boom", Hint: "retry", Duration: 7 * time.Second},
		PipelineSkipped{At: at(10), Pipeline: "q", Reason: "pipeline p failed"},
		RunFinished{At: at(11), Status: StatusError, Duration: 10 * time.Second},
	}
	want := Summary{
		Run: "r", Event: "push", File: ".drone.yml", Selected: []string{"p", "q"}, Status: StatusError, Started: time.Unix(1, 0), Duration: 10 * time.Second,
		Pipelines: []*PipelineSummary{
			{
				Name: "p", Status: StatusError, Reason: "boom", Hint: "retry", Started: time.Unix(2, 0), Duration: 7 * time.Second,
				Steps: []*StepSummary{
					{
						Name: "a", Kind: KindStep, Image: "busybox", Status: StatusError, ExitCode: 255, Started: time.Unix(3, 0),
						Duration: 4 * time.Second, Error: "boom", Hint: "retry", Phase: PhaseRun, Position: "f:1:2",
						Lines: 2, Tail: []string{"one", "first piece"},
					},
					{Name: "b", Kind: KindClone, Image: "git", Status: StatusSkipped, Reason: "step a could not be run"},
				},
			},
			{Name: "q", Status: StatusSkipped, Reason: "pipeline p failed"},
		},
		Warnings: []Warning{warning},
	}
	var got Summary
	for _, e := range events {
		got.Apply(e)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Summary{})); diff != "" {
		t.Errorf("summary differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[Status]int{StatusError: 1, StatusSkipped: 1}, got.Counts()); diff != "" {
		t.Error(diff)
	}
	if failed := got.Pipelines[0].Failed(); len(failed) != 1 || failed[0].Name != "a" {
		t.Errorf("failed are %v, want a", failed)
	}
}

// TestSummaryKnowsWhoWasGone: what ended in the background before a step failed
// may be why it did.
func TestSummaryKnowsWhoWasGone(t *testing.T) {
	finished := func(step string, kind Kind, status Status, background bool) StepFinished {
		return StepFinished{Pipeline: "p", Step: step, Kind: kind, Status: status, Background: background, Ignored: background}
	}
	var s Summary
	for _, e := range []Event{
		StepFinished{Pipeline: "other", Step: "db", Kind: KindService, Status: StatusFailure, Background: true, Ignored: true},
		finished("db", KindService, StatusFailure, true),
		finished("seed", KindStep, StatusSuccess, true),
		finished("early", KindService, StatusSuccess, true),
		finished("ignored", KindStep, StatusFailure, false),
		StepFinished{Pipeline: "p", Step: "lint", Kind: KindStep, Status: StatusFailure, Ignored: true},
		finished("fine", KindStep, StatusSuccess, false),
		finished("late", KindService, StatusFailure, true),
		StepFinished{Pipeline: "p", Step: "slow", Kind: KindStep, Status: StatusKilled, TimedOut: true},
		StepFinished{Pipeline: "p", Step: "victim", Kind: KindStep, Status: StatusKilled},
		finished("ended by us", KindService, StatusSuccess, false),
	} {
		s.Apply(e)
	}
	want := map[string]string{"ignored": "db early", "slow": "db early late"}
	for _, p := range s.Pipelines {
		for _, step := range p.Steps {
			var names []string
			for _, gone := range step.Gone {
				names = append(names, gone.Name)
			}
			if got := strings.Join(names, " "); got != want[step.Name] {
				t.Errorf("before %s were gone %q, want %q", step.Name, got, want[step.Name])
			}
		}
	}
}

func TestSummaryKeepsTheTail(t *testing.T) {
	var s Summary
	for i := 1; i <= 10*TailLines; i++ {
		s.Apply(StepOutput{Pipeline: "p", Step: "a", Line: i, Text: fmt.Sprint(i)})
		step := s.Pipelines[0].Steps[0]
		var want []string
		for n := max(1, i-TailLines+1); n <= i; n++ {
			want = append(want, fmt.Sprint(n))
		}
		if diff := cmp.Diff(want, step.Tail); diff != "" || step.Lines != i {
			t.Fatalf("after %d lines there are %d, with the tail (-want +got):\n%s", i, step.Lines, diff)
		}
	}
}

func TestSummaryShortensLongLines(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 1<<20), strings.Repeat("世", 1<<20), strings.Repeat("\x80", 1<<20)} {
		var s Summary
		s.Apply(StepOutput{Pipeline: "p", Step: "a", Line: 1, Text: text})
		got := s.Pipelines[0].Steps[0].Tail[0]
		if len(got) > tailText+len("…") || !strings.HasPrefix(text, strings.TrimSuffix(got, "…")) {
			t.Errorf("%d bytes were kept", len(got))
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Error("a character was cut in two")
		}
	}
}

func TestExitCode(t *testing.T) {
	cases := map[Status]int{
		StatusSuccess: 0, StatusSkipped: 0, StatusFailure: 1, StatusError: 1, StatusKilled: 1, StatusRunning: 1, "": 1,
	}
	for status, want := range cases {
		if got := (&Summary{Status: status}).ExitCode(); got != want {
			t.Errorf("status %q: exit code %d, want %d", status, got, want)
		}
	}
}
