package exec_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// TestHeir: what is left when nothing but removal is to be done goes to the heir,
// if there is one that wants it and the run was not ended before its time. Without
// one the run waits for its removals, which a heir that does not want it lets go
// on here.
func TestHeir(t *testing.T) {
	const two = "pipeline p\nstep a\npipeline q after=p always\nstep b"
	for _, tc := range []struct {
		name    string
		plan    string
		want    bool // what the heir says
		exit    int  // of step a
		end     bool // the run is ended while step a runs
		quiet   bool // the engine never says that only removal is left
		closing int  // sessions that are closed when the heir is asked; 0: it is not
	}{
		{name: "after success", plan: "pipeline p\nstep a", want: true, closing: 1},
		{name: "after a failure", plan: "pipeline p\nstep a", want: true, exit: 1, closing: 1},
		{name: "one that does not want it", plan: "pipeline p\nstep a", closing: 1},
		{name: "after the last of two pipelines", plan: two, want: true, closing: 2},
		{name: "after what was skipped", plan: "pipeline p\nstep a\npipeline q after=p\nstep b", exit: 1, want: true, closing: 1},
		{name: "not of a run that was ended", plan: "pipeline p\nstep a", want: true, end: true},
		{name: "not while more is to be done", plan: "pipeline p\nstep a", want: true, quiet: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			removed := make(chan struct{})
			engine := &fake.Engine{Removal: removed, Scripts: map[string]fake.Script{"a": {Exit: exec.Exit{Code: tc.exit}, Forever: tc.end}}}
			if tc.quiet {
				engine.Removal = nil
			}
			asked, closing := 0, 0
			heir := func() bool {
				asked++
				for _, call := range engine.Calls() {
					if call == "close p" || call == "close q" {
						closing++
					}
				}
				if !tc.want {
					close(removed)
				}
				return tc.want
			}
			over := 0
			out := scene{plan: tc.plan, engine: engine, opts: exec.Options{Heir: heir}, during: func(e exec.Event, cancel context.CancelCauseFunc) {
				switch e.(type) {
				case exec.StepStarted:
					if tc.end {
						cancel(errors.New("stopped"))
					}
				case exec.PipelineFinished:
					if over++; tc.end {
						close(removed)
					}
				}
			}}.play(t)
			if closing != tc.closing || asked != min(tc.closing, 1) {
				t.Errorf("the heir was asked %d times, when %d sessions were being closed, want %d", asked, closing, tc.closing)
			}
			if _, last := out.events[len(out.events)-1].(exec.RunFinished); !last || over == 0 {
				t.Errorf("the events do not tell of the end: %v", out.events)
			}
			if slices.ContainsFunc(out.summary.Warnings, func(w exec.Warning) bool { return w.Left }) {
				t.Errorf("something is said to be left: %v", out.summary.Warnings)
			}
		})
	}
}
