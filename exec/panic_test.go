package exec_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// panicPlan has everything that can be under way when something panics.
const panicPlan = "pipeline p\nservice db\nstep a after=db secret=T:token\nstep b after=a\npipeline q\nstep b\npipeline r after=p\nstep c"

// panicking runs panicPlan with an engine whose steps only end when they are
// told to, and checks that the panic is the error, with the secret masked, and
// that every session is closed.
func panicking(t *testing.T, opts exec.Options, emit func(exec.Event)) {
	t.Helper()
	engine := &fake.Engine{Scripts: map[string]fake.Script{
		"db": {Forever: true}, "p/a": {Output: []string{"up\n"}}, "p/b": {Forever: true, Output: []string{"up\n"}},
		"q/b": {Forever: true, Output: []string{"up\n"}},
	}}
	opts.Run, opts.Parallel = "r1", 2
	opts.Secret = func(string) (string, bool) { return "s3cr3t", true }
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("the run hangs"))
	defer cancel()
	summary, err := exec.Run(ctx, parsePlan(t, panicPlan), engine, opts, emit)
	var defect *exec.PanicError
	if !errors.As(err, &defect) || defect.Value != "no ******" || !strings.HasPrefix(defect.Site, "panic_test.go:") {
		t.Errorf("error is %v, want the panic", err)
	}
	if summary == nil || ctx.Err() != nil {
		t.Errorf("summary %v, context %v", summary, ctx.Err())
	}
	if left := engine.Leftovers("r1"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	opened, ended := 0, 0
	for _, call := range engine.Calls() {
		switch {
		case strings.HasPrefix(call, "run "):
			opened++
		case strings.HasPrefix(call, "end "):
			ended++
		}
	}
	if opened != ended {
		t.Errorf("%d of %d steps have ended: %q", ended, opened, engine.Calls())
	}
}

// TestPanicOfTheListener panics at every kind of event.
func TestPanicOfTheListener(t *testing.T) {
	first := func(kind string) func(exec.Event) {
		panicked := false
		return func(e exec.Event) {
			if panicked {
				t.Errorf("the broken listener is told %s", show(e))
			}
			if fmt.Sprintf("%T", e) == kind {
				panicked = true
				panic("no s3cr3t")
			}
		}
	}
	for _, kind := range []string{
		"exec.RunStarted", "exec.PipelineStarted", "exec.StepStarted", "exec.StepOutput", "exec.StepFinished",
	} {
		t.Run(kind, func(t *testing.T) { panicking(t, exec.Options{}, first(kind)) })
	}
	t.Run("at the end", func(t *testing.T) {
		_, err := exec.Run(t.Context(), parsePlan(t, "pipeline p\nstep a"), &fake.Engine{}, exec.Options{}, first("exec.RunFinished"))
		if _, ok := errors.AsType[*exec.PanicError](err); !ok {
			t.Errorf("error is %v, want the panic", err)
		}
	})
}

// TestPanicOfTheOwner panics where the state of the run is kept: in its clock,
// which is asked all the time.
func TestPanicOfTheOwner(t *testing.T) {
	for _, at := range []int{1, 2, 3, 5, 8, 12} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			asked := 0
			clock := func() time.Time {
				if asked++; asked == at {
					panic("no s3cr3t")
				}
				return time.Now()
			}
			panicking(t, exec.Options{Now: clock}, func(exec.Event) {})
		})
	}
}

// closing is an engine whose sessions panic when they are closed.
type closing struct{ *fake.Engine }

type closingSession struct{ exec.Session }

func (e closing) Open(ctx context.Context, p *exec.Pipeline, env exec.Setting) (exec.Session, error) {
	s, err := e.Engine.Open(ctx, p, env)
	return closingSession{s}, err
}

func (s closingSession) Close(ctx context.Context) error {
	panic(errors.Join(errors.New("no"), s.Session.Close(ctx)))
}

// TestPanicWhileClosing: steps have succeeded, but whoever only sees the events
// must not take the run for one that did.
func TestPanicWhileClosing(t *testing.T) {
	var last exec.Event
	summary, err := exec.Run(t.Context(), parsePlan(t, "pipeline p\nstep a"), closing{&fake.Engine{}}, exec.Options{}, func(e exec.Event) { last = e })
	if _, ok := errors.AsType[*exec.PanicError](err); !ok {
		t.Errorf("error is %v", err)
	}
	if over, ok := last.(exec.RunFinished); !ok || !over.Broken || over.Status != exec.StatusSuccess {
		t.Errorf("the last event is %+v", last)
	}
	if summary.ExitCode() != 1 {
		t.Errorf("the summary says %d", summary.ExitCode())
	}
}

// TestPanicIsToldOnce has several steps that panic: each is an error of its
// own, the first one is that of the run.
func TestPanicIsToldOnce(t *testing.T) {
	no := func(context.Context, *exec.Step, exec.IO) error { panic("no") }
	out := scene{
		plan:   "pipeline p\nstep a\npipeline q\nstep a",
		engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {Do: no}}},
	}.play(t)
	defect, ok := errors.AsType[*exec.PanicError](out.err)
	if !ok || defect.Value != "no" {
		t.Errorf("error is %v", out.err)
	}
	for _, p := range out.summary.Pipelines {
		if p.Status != exec.StatusError {
			t.Errorf("pipeline %s is %s", p.Name, p.Status)
		}
	}
}
