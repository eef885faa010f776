package exec_test

import (
	"context"
	"maps"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// TestCancelOneStep ends a step and a service while others run.
func TestCancelOneStep(t *testing.T) {
	cancel := make(chan exec.StepName, 4)
	forever := fake.Script{Forever: true, Output: []string{"up\n"}}
	out := scene{
		plan:   "pipeline p\nservice db\nstep a\nstep b after=a\nstep c after=a on_failure\npipeline next\nstep a",
		engine: &fake.Engine{Scripts: map[string]fake.Script{"p/a": forever, "p/db": forever}},
		opts:   exec.Options{Cancel: cancel},
		during: func(e exec.Event, _ context.CancelCauseFunc) {
			if show(e) == `p/a:1 "up"` {
				cancel <- exec.StepName{Pipeline: "p", Step: "b"} // does not run yet
				cancel <- exec.StepName{Pipeline: "p", Step: "none"}
				cancel <- exec.StepName{Pipeline: "p", Step: "a"}
				close(cancel)
			}
		},
	}.play(t)
	for _, want := range []string{"a killed", "b skipped", "c success"} {
		found := false
		for _, p := range out.summary.Pipelines {
			for _, s := range p.Steps {
				if p.Name == "p" && s.Name+" "+string(s.Status) == want {
					found = true
				}
				if s.Status == exec.StatusKilled && s.Error != exec.ErrCancelled.Error() {
					t.Errorf("step %s was killed: %s", s.Name, s.Error)
				}
			}
		}
		if !found {
			t.Errorf("not so: step %s", want)
		}
	}
	if out.summary.Status != exec.StatusKilled || len(out.summary.Pipelines) != 2 || out.summary.Pipelines[1].Status != exec.StatusSuccess {
		t.Errorf("the run is %s, and its pipelines %+v", out.summary.Status, out.summary.Pipelines)
	}
}

// TestCancelAFastStep: its pipeline ends as after a failure of it.
func TestCancelAFastStep(t *testing.T) {
	cancel := make(chan exec.StepName, 1)
	forever := fake.Script{Forever: true, Output: []string{"up\n"}}
	out := scene{
		plan:   "pipeline p\nstep a fast\nstep beside\nstep b after=a on_failure",
		engine: &fake.Engine{Scripts: map[string]fake.Script{"p/a": forever, "p/beside": forever}},
		opts:   exec.Options{Cancel: cancel},
		during: func(e exec.Event, _ context.CancelCauseFunc) {
			if show(e) == `p/a:1 "up"` {
				cancel <- exec.StepName{Pipeline: "p", Step: "a"}
			}
		},
	}.play(t)
	got := map[string]exec.Status{}
	for _, s := range out.summary.Pipelines[0].Steps {
		got[s.Name] = s.Status
	}
	want := map[string]exec.Status{"a": exec.StatusKilled, "beside": exec.StatusKilled, "b": exec.StatusSkipped}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
