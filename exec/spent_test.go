package exec_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
)

// phased is an engine whose steps tell their phases, but for one that tells
// nothing.
type phased struct{}

func (p phased) Open(context.Context, *exec.Pipeline, exec.Setting) (exec.Session, error) {
	return p, nil
}
func (p phased) Close(context.Context) error { return nil }
func (p phased) Run(_ context.Context, s *exec.Step, io exec.IO) (exec.Exit, error) {
	if s.Name == "mute" {
		return exec.Exit{}, nil
	}
	for _, phase := range []exec.Phase{exec.PhasePull, exec.PhaseCreate, exec.PhasePull, exec.PhaseStart} {
		io.Notify(exec.Notice{Phase: phase})
	}
	io.Started()
	return exec.Exit{}, nil
}

// TestSpent says that the phases of a step are in the order in which they
// began, and make up all of its time.
func TestSpent(t *testing.T) {
	now := time.Unix(1000, 0)
	clock := func() time.Time { // asked by the goroutine of Run alone
		now = now.Add(time.Second)
		return now
	}
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{{Name: "p", Runs: true, Steps: []*exec.Step{{Name: "told"}, {Name: "mute", DependsOn: []string{"told"}}}}}}
	got := map[string][]exec.Phase{}
	var cleanup, setup time.Duration
	_, err := exec.Run(t.Context(), plan, phased{}, exec.Options{Now: clock}, func(e exec.Event) {
		switch e := e.(type) {
		case exec.StepFinished:
			var sum time.Duration
			for _, s := range e.Spent {
				got[e.Step] = append(got[e.Step], s.Phase)
				sum += s.Duration
			}
			if sum != e.Duration {
				t.Errorf("the phases of %s take %v of %v", e.Step, sum, e.Duration)
			}
		case exec.PipelineFinished:
			setup = e.Setup
		case exec.RunFinished:
			cleanup = e.Cleanup
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]exec.Phase{
		"told": {exec.PhaseStart, exec.PhasePull, exec.PhaseCreate, exec.PhaseRun},
		"mute": {exec.PhaseStart},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("phases differ (-want +got):\n%s", diff)
	}
	if setup <= 0 || cleanup <= 0 {
		t.Errorf("setting up took %v and cleaning up %v", setup, cleanup)
	}
}
