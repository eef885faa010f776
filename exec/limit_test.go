package exec_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// short is a limit that a step which hangs exceeds, long one that nothing in
// these tests does.
const (
	short = 50 * time.Millisecond
	long  = time.Minute
)

func limitScenes() map[string]scene {
	hangs := fake.Script{Forever: true, Output: []string{"up\nand"}, Last: " down"}
	return map[string]scene{
		"step_timeout": {
			plan: "pipeline p\nstep a\nstep b after=a\nstep c after=b on_failure\nstep d after=c always\n" +
				"pipeline next after=p\nstep a\npipeline alarm after=p on_failure\nstep b",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"p/a": hangs}},
			opts:   exec.Options{StepTimeout: short},
		},
		"step_timeout_is_not_ignored": {
			plan:   "pipeline p\nstep a ignore\nstep b after=a",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": hangs}},
			opts:   exec.Options{StepTimeout: short},
		},
		"step_timeout_of_a_fast_step": {
			plan:   "pipeline p\nstep a fast\nstep b after=a always",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": hangs}},
			opts:   exec.Options{StepTimeout: short},
		},
		"step_timeout_after_78": {
			plan:   "pipeline p\nstep a\nstep b after=a always",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {Exit: exec.Exit{Code: 78}}, "b": hangs}},
			opts:   exec.Options{StepTimeout: short},
		},
		"step_timeout_of_a_deaf_step": {
			plan:   "pipeline p\nstep a\nstep b after=a on_failure",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {Forever: true, Deaf: true}}},
			opts:   exec.Options{StepTimeout: short, Cleanup: 10 * short},
		},
		"step_timeout_before_the_start": {
			plan: "pipeline p\nstep a",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {
				Before: func() { time.Sleep(2 * short) }, Forever: true,
			}}},
			opts: exec.Options{StepTimeout: short},
		},
		"idle_timeout": {
			plan:   "pipeline p\nstep a ignore\nstep b after=a on_failure",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": hangs}},
			opts:   exec.Options{StepTimeout: long, IdleTimeout: short},
		},
		"run_timeout": {
			plan:   "pipeline p\nstep a\nstep b after=a always",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": hangs}},
			during: when(`p/a:1 "up"`, &exec.TimeoutError{Limit: exec.LimitRun, After: time.Hour}),
		},
	}
}

// TestLimitsSpareTheBackground has a service and a detached step that run and
// are silent for longer than a step may.
func TestLimitsSpareTheBackground(t *testing.T) {
	works := fake.Script{Do: func(context.Context, *exec.Step, exec.IO) error {
		time.Sleep(200 * time.Millisecond)
		return nil
	}}
	out := scene{
		plan: "pipeline p\nservice db\nstep server detach after=db\nstep a after=server\nstep b after=a\nstep c after=b\nstep d after=c\nstep e after=d",
		engine: &fake.Engine{Scripts: map[string]fake.Script{
			"db": {Forever: true}, "server": {Forever: true}, "a": works, "b": works, "c": works, "d": works, "e": works,
		}},
		opts: exec.Options{StepTimeout: 800 * time.Millisecond, IdleTimeout: 800 * time.Millisecond},
	}.play(t)
	for _, s := range out.summary.Pipelines[0].Steps {
		if s.Status != exec.StatusSuccess || s.TimedOut {
			t.Errorf("step %s: %s, error %q", s.Name, s.Status, s.Error)
		}
	}
}

// TestOutputIsNoSilence has a step that takes longer than the idle limit but
// writes all the time, only parts of a line.
func TestOutputIsNoSilence(t *testing.T) {
	out := scene{
		plan: "pipeline p\nstep a",
		engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {
			Do: func(ctx context.Context, _ *exec.Step, to exec.IO) error {
				for range 50 {
					if _, err := io.WriteString(to.Output, "."); err != nil {
						return err
					}
					select {
					case <-ctx.Done():
						return context.Cause(ctx)
					case <-time.After(20 * time.Millisecond):
					}
				}
				return nil
			},
		}}},
		opts: exec.Options{IdleTimeout: 500 * time.Millisecond},
	}.play(t)
	if out.summary.Status != exec.StatusSuccess {
		t.Errorf("status is %s:\n%v", out.summary.Status, out)
	}
}

// TestSlowReaderIsNoSilence lets nobody take the output for longer than a step
// may be silent: the step waits for its reader, not the other way round.
func TestSlowReaderIsNoSilence(t *testing.T) {
	blocked := false
	out := scene{
		plan: "pipeline p\nstep a",
		engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {
			// More than waits anywhere on the way, in pieces.
			Output: strings.SplitAfter(strings.Repeat(strings.Repeat("x", 1000)+"\n", 1000), "\n"),
		}}},
		opts: exec.Options{IdleTimeout: short},
		during: func(e exec.Event, _ context.CancelCauseFunc) {
			if _, ok := e.(exec.StepOutput); ok && !blocked {
				blocked = true
				time.Sleep(6 * short)
			}
		},
	}.play(t)
	if out.summary.Status != exec.StatusSuccess || !blocked {
		t.Errorf("status is %s, blocked %v:\n%v", out.summary.Status, blocked, out.summary.Pipelines[0].Steps[0])
	}
}

// TestHurry has steps that take all the time they are given.
func TestHurry(t *testing.T) {
	hurry := make(chan struct{})
	ups := 0
	out := scene{
		plan: "pipeline p\nservice db\nstep a after=db\nstep b after=db\npipeline q\nstep a\nstep b",
		engine: &fake.Engine{Scripts: map[string]fake.Script{
			"db": {Forever: true, Lingering: true},
			"a":  {Forever: true, Lingering: true, Output: []string{"up\n"}},
			"b":  {Forever: true, Lingering: true, Output: []string{"up\n"}},
		}},
		opts: exec.Options{Parallel: 2, Cleanup: time.Hour, Hurry: hurry},
		during: func(e exec.Event, cancel context.CancelCauseFunc) {
			if _, ok := e.(exec.StepOutput); !ok {
				return
			}
			if ups++; ups == 4 {
				cancel(errors.New("interrupted"))
				time.AfterFunc(short, func() { close(hurry) })
			}
		},
	}.play(t)
	for _, p := range out.summary.Pipelines {
		if p.Status != exec.StatusKilled {
			t.Errorf("pipeline %s is %s", p.Name, p.Status)
		}
		for _, s := range p.Steps {
			if s.Status != exec.StatusKilled || s.TimedOut {
				t.Errorf("step %s/%s is %s, timed out %v", p.Name, s.Name, s.Status, s.TimedOut)
			}
		}
	}
}

// TestHurryBoundsAnEngineThatHangs gives an engine an hour, and takes it back.
func TestHurryBoundsAnEngineThatHangs(t *testing.T) {
	hurry := make(chan struct{})
	begun := time.Now()
	out := scene{
		plan: "pipeline p\nstep a\npipeline q\nstep b",
		engine: &fake.Engine{
			Scripts: map[string]fake.Script{"a": {Forever: true, Deaf: true, Output: []string{"up\n"}}},
			OnClose: func(_ context.Context, p *exec.Pipeline) { <-make(chan struct{}) },
		},
		opts: exec.Options{Parallel: 2, Cleanup: time.Hour, Hurry: hurry, Haste: short},
		during: func(e exec.Event, cancel context.CancelCauseFunc) {
			if show(e) == `p/a:1 "up"` {
				cancel(errors.New("interrupted"))
				close(hurry)
			}
		},
	}.play(t)
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	left := 0
	for _, w := range out.summary.Warnings {
		if w.Left {
			left++
		}
	}
	if left != 2 {
		t.Errorf("%d warnings about what is left, want 2:\n%v", left, out)
	}
}

// TestStepTimeoutWithoutReader has a step whose limit is over while nobody takes
// the output of the run: the step is ended then, not when somebody does.
func TestStepTimeoutWithoutReader(t *testing.T) {
	for name, opts := range map[string]exec.Options{
		"step": {StepTimeout: short},
		"idle": {IdleTimeout: short},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			out := scene{
				plan: "pipeline p\nstep a",
				engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {Do: func(ctx context.Context, _ *exec.Step, to exec.IO) error {
					if _, err := io.WriteString(to.Output, "up\n"); err != nil {
						return err
					}
					<-ctx.Done()
					close(ended)
					return context.Cause(ctx)
				}}}},
				opts: opts,
				during: func(e exec.Event, _ context.CancelCauseFunc) {
					if _, ok := e.(exec.StepOutput); !ok {
						return
					}
					select {
					case <-ended:
					case <-time.After(10 * time.Second):
						t.Error("the step goes on until its output is taken")
					}
				},
			}.play(t)
			if s := out.summary.Pipelines[0].Steps[0]; s.Status != exec.StatusKilled || !s.TimedOut {
				t.Errorf("status is %s, timed out %v: %s", s.Status, s.TimedOut, s.Error)
			}
		})
	}
}
