package exec_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// TestStepsRunAtTheSameTime has steps that end only when all have started.
func TestStepsRunAtTheSameTime(t *testing.T) {
	all := []string{"a", "b", "c"}
	out := scene{
		plan: "pipeline p\nstep first\nstep a after=first\nstep b after=first\nstep c after=first",
		engine: &fake.Engine{Scripts: map[string]fake.Script{
			"a": {Meet: all}, "b": {Meet: all}, "c": {Meet: all},
		}},
	}.play(t)
	if out.summary.Status != exec.StatusSuccess {
		t.Errorf("status is %s:\n%v", out.summary.Status, out)
	}
}

// TestPipelinesRunAtTheSameTime has pipelines whose steps wait for each other.
func TestPipelinesRunAtTheSameTime(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	meet := fake.Script{Do: func(context.Context, *exec.Step, exec.IO) error {
		both.Done()
		both.Wait()
		return nil
	}}
	out := scene{
		plan:   "pipeline p\nstep a\npipeline q\nstep a",
		engine: &fake.Engine{Scripts: map[string]fake.Script{"a": meet}},
		opts:   exec.Options{Parallel: 2},
	}.play(t)
	if out.summary.Status != exec.StatusSuccess {
		t.Errorf("status is %s:\n%v", out.summary.Status, out)
	}
}

// TestPipelinesAreBounded counts pipelines between their events.
func TestPipelinesAreBounded(t *testing.T) {
	var plan strings.Builder
	for i := range 20 {
		fmt.Fprintf(&plan, "pipeline p%d\nstep a\nstep b\n", i)
	}
	for _, parallel := range []int{0, 1, 3} {
		active, most := 0, 0
		scene{plan: plan.String(), opts: exec.Options{Parallel: parallel}, during: func(e exec.Event, _ context.CancelCauseFunc) {
			switch e.(type) {
			case exec.PipelineStarted:
				active++
				most = max(most, active)
			case exec.PipelineFinished:
				active--
			}
		}}.play(t)
		if want := max(parallel, 1); most != want {
			t.Errorf("with parallel %d, %d ran at once, want %d", parallel, most, want)
		}
	}
}

// TestFailureInOneBranchStopsTheOther shows that a failure matters to steps
// that do not depend on it, and not to those that run already.
func TestFailureInOneBranchStopsTheOther(t *testing.T) {
	told := make(chan struct{})
	out := scene{
		plan: "pipeline p\nstep bad\nstep good\nstep next after=good",
		engine: &fake.Engine{Scripts: map[string]fake.Script{
			"bad": {Exit: exec.Exit{Code: 1}}, "good": {Until: told},
		}},
		during: func(e exec.Event, _ context.CancelCauseFunc) {
			if e, ok := e.(exec.StepFinished); ok && e.Step == "bad" {
				close(told)
			}
		},
	}.play(t)
	got := map[string]exec.Status{}
	for _, s := range out.summary.Pipelines[0].Steps {
		got[s.Name] = s.Status
	}
	want := map[string]exec.Status{"bad": exec.StatusFailure, "good": exec.StatusSuccess, "next": exec.StatusSkipped}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestServiceIsLaunchedBeforeItsDependents has a service that says when it is
// started, and a step that must not run before.
func TestServiceIsLaunchedBeforeItsDependents(t *testing.T) {
	started := make(chan struct{})
	out := scene{
		plan: "pipeline p\nservice db\nstep a after=db",
		engine: &fake.Engine{Scripts: map[string]fake.Script{
			"db": {Before: func() { close(started) }, Forever: true},
			"a": {Do: func(context.Context, *exec.Step, exec.IO) error {
				select {
				case <-started:
					return nil
				default:
					return errors.New("the service is not started")
				}
			}},
		}},
	}.play(t)
	if out.summary.Status != exec.StatusSuccess {
		t.Errorf("status is %s:\n%v", out.summary.Status, out)
	}
}

// TestCloseAfterRuns shows the order of calls an engine may rely on.
func TestCloseAfterRuns(t *testing.T) {
	engine := &fake.Engine{Scripts: map[string]fake.Script{"b": {Exit: exec.Exit{Code: 1}}}}
	scene{plan: "pipeline p\nstep a\nstep b after=a\nstep c after=b", engine: engine}.play(t)
	want := []string{"open p", "run p/a", "end p/a", "run p/b", "end p/b", "close p"}
	if diff := cmp.Diff(want, engine.Calls()); diff != "" {
		t.Error(diff)
	}
}

// TestLateSessionIsClosed gives up an engine that sets up and sets up, and
// lets it come back when the run is over.
func TestLateSessionIsClosed(t *testing.T) {
	over, closed := make(chan struct{}), make(chan struct{})
	engine := &deaf{over: over, closed: closed}
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := exec.Run(ctx, parsePlan(t, "pipeline p\nstep a"), engine, exec.Options{Cleanup: 10 * time.Millisecond},
		func(e exec.Event) {
			if _, ok := e.(exec.PipelineStarted); ok {
				cancel(errors.New("interrupted"))
			}
		})
	if err != nil {
		t.Fatal(err)
	}
	close(over)
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error("the session is not closed")
	}
}

// deaf opens a session when over is closed, whatever its context says.
type deaf struct{ over, closed chan struct{} }

func (d *deaf) Open(context.Context, *exec.Pipeline, exec.Setting) (exec.Session, error) {
	<-d.over
	return d, nil
}

func (d *deaf) Run(context.Context, *exec.Step, exec.IO) (exec.Exit, error) {
	return exec.Exit{}, errors.New("nothing should be run")
}

func (d *deaf) Close(context.Context) error {
	close(d.closed)
	return nil
}

// TestSlowReaderHoldsStepsBack shows that output waits in the engine and not
// in memory: a step cannot get far ahead of the one who reads.
func TestSlowReaderHoldsStepsBack(t *testing.T) {
	const writes, most = 20_000, 100
	var written, told atomic.Int64
	some := make(chan struct{})
	flood := func(_ context.Context, _ *exec.Step, io exec.IO) error {
		for range writes {
			if _, err := io.Output.Write([]byte("line\n")); err != nil {
				return err
			}
			if written.Add(1) == most/2 {
				close(some)
			}
		}
		return nil
	}
	out := scene{
		plan:   "pipeline p\nstep flood",
		engine: &fake.Engine{Scripts: map[string]fake.Script{"flood": {Do: flood}}},
		during: func(e exec.Event, _ context.CancelCauseFunc) {
			if _, ok := e.(exec.StepOutput); !ok {
				return
			}
			// While the first line is being told the step goes on, but not far.
			<-some
			if ahead := written.Load() - told.Add(1); ahead > most {
				t.Errorf("the step is %d lines ahead", ahead)
			}
		},
	}.play(t)
	if got := out.summary.Pipelines[0].Steps[0].Lines; got != writes {
		t.Errorf("%d lines were told, want %d", got, writes)
	}
}

// TestLinesOfStepsStayInOrder floods from many steps at once.
func TestLinesOfStepsStayInOrder(t *testing.T) {
	const steps, lines = 20, 500
	var plan strings.Builder
	plan.WriteString("pipeline p\n")
	scripts := make(map[string]fake.Script)
	for i := range steps {
		name := fmt.Sprintf("s%d", i)
		fmt.Fprintf(&plan, "step %s\n", name)
		var chunks []string
		for n := range lines {
			chunks = append(chunks, fmt.Sprintf("%s ", name), fmt.Sprintf("%d\n", n))
		}
		scripts[name] = fake.Script{Output: chunks}
	}
	next := make(map[string]int)
	scene{plan: plan.String(), engine: &fake.Engine{Scripts: scripts}, during: func(e exec.Event, _ context.CancelCauseFunc) {
		if e, ok := e.(exec.StepOutput); ok {
			want := fmt.Sprintf("%s %d", e.Step, next[e.Step])
			next[e.Step]++
			if e.Text != want || e.Line != next[e.Step] {
				t.Errorf("line %d of %s is %q, want %q", e.Line, e.Step, e.Text, want)
			}
		}
	}}.play(t)
	for i := range steps {
		if n := next[fmt.Sprintf("s%d", i)]; n != lines {
			t.Errorf("step s%d has %d lines, want %d", i, n, lines)
		}
	}
}

// TestStepsGetTheirEnvironment follows the changing variables through a run.
func TestStepsGetTheirEnvironment(t *testing.T) {
	engine := exits(map[string]int{"bad": 1, "ignored": 1})
	engine.SessionEnv = map[string]string{"NETWORK": "net1", "TOKEN": "a secret wins"}
	now := time.Unix(1000, 0)
	scene{
		plan: "pipeline one\nstep ignored ignore\nstep bad after=ignored secret=TOKEN:token\nstep skipped after=bad never\n" +
			"step tell after=skipped always\npipeline two after=one always\nstep a\npipeline three\nstep a",
		engine: engine,
		opts: exec.Options{
			Now: func() time.Time { now = now.Add(time.Second); return now },
			Secret: func(name string) (string, bool) {
				return "value of " + name, true
			},
		},
	}.play(t)
	cases := map[string]map[string]string{
		"one/ignored": {"DRONE_BUILD_STATUS": "success", "CI_BUILD_STATUS": "pending", "DRONE_STEP_NUMBER": "1", "DRONE_BUILD_STARTED": "1001", "NETWORK": "net1"},
		"one/bad": {
			"DRONE_STAGE_STATUS": "success", "DRONE_STEP_NUMBER": "2", "DRONE_STEP_NAME": "bad", "TOKEN": "value of token",
		},
		"one/tell": {
			"DRONE_STAGE_STATUS": "failure", "DRONE_BUILD_STATUS": "failure", "CI_BUILD_STATUS": "failure",
			"DRONE_FAILED_STEPS": "bad", "DRONE_FAILED_STAGES": "", "DRONE_STEP_NUMBER": "3",
		},
		"two/a": {
			"DRONE_STAGE_STATUS": "success", "DRONE_BUILD_STATUS": "failure", "CI_BUILD_STATUS": "running",
			"DRONE_FAILED_STEPS": "", "DRONE_FAILED_STAGES": "one",
		},
		"three/a": {"DRONE_BUILD_STATUS": "failure", "DRONE_FAILED_STAGES": "one", "TOKEN": "a secret wins"},
	}
	for step, want := range cases {
		env := engine.Env(step)
		for name, value := range want {
			if env[name] != value {
				t.Errorf("%s: %s is %q, want %q", step, name, env[name], value)
			}
		}
	}
}

// TestSettingOfASession checks what Open is given.
func TestSettingOfASession(t *testing.T) {
	var got exec.Setting
	engine := &fake.Engine{OnOpen: func(_ context.Context, _ *exec.Pipeline, env exec.Setting) { got = env }}
	plan := parsePlan(t, "pipeline p pull-secret=login\nstep a secret=T:token")
	lookup := func(name string) (string, bool) { return name + "!", name != "token" }
	summary, err := exec.Run(t.Context(), plan, engine, exec.Options{Secret: lookup}, func(exec.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	if got.Run == "" || got.Run != summary.Run {
		t.Errorf("run is %q in the setting and %q in the summary, want the same name", got.Run, summary.Run)
	}
	if v, ok := got.Secret("login"); v != "login!" || !ok {
		t.Errorf("secret login is %q, %v", v, ok)
	}
	if v, ok := got.Secret("token"); v != "" || ok {
		t.Errorf("missing secret is %q, %v", v, ok)
	}
}

// TestGoroutineEndedByTheEngine has an engine that calls Goexit, as a test
// helper inside it would.
func TestGoroutineEndedByTheEngine(t *testing.T) {
	out := scene{
		plan: "pipeline p\nstep a\nstep b after=a always",
		engine: &fake.Engine{Scripts: map[string]fake.Script{
			"a": {Do: func(context.Context, *exec.Step, exec.IO) error { runtime.Goexit(); return nil }},
		}},
	}.play(t)
	if out.summary.Status != exec.StatusError || out.summary.Pipelines[0].Steps[0].Error == "" {
		t.Errorf("status is %s:\n%v", out.summary.Status, out)
	}
}
