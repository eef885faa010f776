package exec_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// prepared lists which steps had been prepared when step during ended, in
// order, without the name of the pipeline.
func prepared(calls []string, during string) []string {
	var found []string
	for _, call := range calls {
		if call == "end p/"+during {
			break
		}
		if name, ok := strings.CutPrefix(call, "prepare p/"); ok {
			found = append(found, name)
		}
	}
	return found
}

// TestLookahead shows which steps are prepared while the first one runs, and
// that each of them runs in its turn. The first one runs until all that is
// expected has been prepared; that no more is, the list of calls shows.
func TestLookahead(t *testing.T) {
	type testCase struct {
		name  string
		plan  string
		ahead int
		want  []string // until the first step ends
		exits map[string]int
		undo  []string
	}
	run := func(t *testing.T, tc testCase) {
		all := make(chan struct{})
		left := len(tc.want)
		engine := exits(tc.exits)
		if engine.Scripts == nil {
			engine.Scripts = map[string]fake.Script{}
		}
		first := engine.Scripts["a"]
		if first.Until = all; left == 0 {
			close(all)
		}
		engine.Scripts["a"] = first
		engine.OnPrepare = func(*exec.Pipeline, *exec.Step, map[string]string) {
			if left--; left == 0 {
				close(all)
			}
		}
		scene{plan: tc.plan, engine: engine, opts: exec.Options{Lookahead: tc.ahead}}.play(t)
		if diff := cmp.Diff(tc.want, prepared(engine.Calls(), "a")); diff != "" {
			t.Errorf("what was prepared while a ran (-want +got):\n%s", diff)
		}
		var undone []string
		for deadline := time.Now().Add(10 * time.Second); len(undone) < len(tc.undo) && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			undone = nil
			for _, call := range engine.Calls() {
				if name, ok := strings.CutPrefix(call, "undo p/"); ok {
					undone = append(undone, name)
				}
			}
		}
		slices.Sort(undone)
		if diff := cmp.Diff(tc.undo, undone); diff != "" {
			t.Errorf("what was undone (-want +got):\n%s", diff)
		}
	}
	row := "pipeline p\nstep a\nstep b after=a\nstep c after=b\nstep d after=c\nstep e after=d"
	for _, tc := range []testCase{
		{name: "off", plan: row},
		{name: "one", plan: row, ahead: 1, want: []string{"b"}},
		{name: "more than there are", plan: row, ahead: 9, want: []string{"b", "c", "d", "e"}},
		{name: "two", plan: row, ahead: 2, want: []string{"b", "c"}},
		{name: "all that start together run", plan: "pipeline p\nstep a\nstep b", ahead: 9},
		{
			name: "a join comes after all of its steps", ahead: 9, want: []string{"c", "d", "b", "y", "e"},
			plan: "pipeline p\nstep a\nstep b after=c,d\nstep c after=a\nstep d after=a\nstep e after=x\nstep x never after=y\nstep y after=b",
		},
		{
			name: "not those for failure, but those after them", ahead: 9, want: []string{"c"},
			plan: "pipeline p\nstep a\nstep b after=a on_failure\nstep c after=b",
		},
		{
			name: "not those that never run", ahead: 9, want: []string{"c"},
			plan: "pipeline p\nstep a\nstep b after=a never\nstep c after=b",
		},
		{
			name: "what is skipped is undone", ahead: 9, want: []string{"c", "d", "b"}, undo: []string{"c", "d"},
			plan: "pipeline p\nstep a\nstep c after=a\nstep d after=c\nstep b after=d always", exits: map[string]int{"a": 1},
		},
		{
			name: "what is cut off is undone", ahead: 1, want: []string{"c"}, undo: []string{"c"},
			plan: "pipeline p\nstep a fast\nstep c after=a", exits: map[string]int{"a": 1},
		},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestNothingIsPreparedDuringAStart shows that what is being started has the
// machine for itself.
func TestNothingIsPreparedDuringAStart(t *testing.T) {
	running := false
	engine := &fake.Engine{}
	engine.Scripts = map[string]fake.Script{"a": {Before: func() {
		time.Sleep(20 * time.Millisecond) // were anything to happen, it would by now
		for _, call := range engine.Calls() {
			if strings.HasPrefix(call, "prepare") {
				t.Errorf("%s, before step a was started", call)
			}
		}
		running = true
	}}}
	scene{plan: "pipeline p\nstep a\nstep b after=a\nstep c after=b", engine: engine, opts: exec.Options{Lookahead: 9}}.play(t)
	if !running {
		t.Error("step a was not run")
	}
}

// TestPreparedEnvironment shows that a step is prepared with what is known
// then, and runs with what is known in its turn.
func TestPreparedEnvironment(t *testing.T) {
	early := map[string]string{}
	engine := exits(map[string]int{"a": 1})
	engine.OnPrepare = func(_ *exec.Pipeline, s *exec.Step, env map[string]string) {
		if s.Name == "b" {
			early["DRONE_STAGE_STATUS"], early["DRONE_STEP_NAME"] = env["DRONE_STAGE_STATUS"], env["DRONE_STEP_NAME"]
		}
	}
	scene{plan: "pipeline p\nstep a\nstep b after=a always", engine: engine, opts: exec.Options{Lookahead: 1}}.play(t)
	if diff := cmp.Diff(map[string]string{"DRONE_STAGE_STATUS": "success", "DRONE_STEP_NAME": "b"}, early); diff != "" {
		t.Errorf("environment it was prepared with (-want +got):\n%s", diff)
	}
	if got := engine.Env("p/b"); got["DRONE_STAGE_STATUS"] != "failure" || got["DRONE_FAILED_STEPS"] != "a" {
		t.Errorf("environment it ran with: %v", got)
	}
}

// TestPreparePanics ends like every defect: told, with nothing left.
func TestPreparePanics(t *testing.T) {
	engine := &fake.Engine{OnPrepare: func(*exec.Pipeline, *exec.Step, map[string]string) { panic("oh no") }}
	out := scene{plan: "pipeline p\nstep a\nstep b after=a", engine: engine, opts: exec.Options{Lookahead: 1}}.play(t)
	if defect, ok := errors.AsType[*exec.PanicError](out.err); !ok || defect.Value != "oh no" {
		t.Errorf("error is %v, want the panic", out.err)
	}
}

// TestNothingIsPreparedAtTheEnd shows that the end of a run prepares no more.
func TestNothingIsPreparedAtTheEnd(t *testing.T) {
	engine := &fake.Engine{Scripts: map[string]fake.Script{"a": {Forever: true}}}
	scene{
		plan: "pipeline p\nstep a\nstep b after=a\nstep c after=b", engine: engine, opts: exec.Options{Lookahead: 1},
		during: func(e exec.Event, cancel context.CancelCauseFunc) {
			if _, ok := e.(exec.StepStarted); ok {
				cancel(errors.New("enough"))
			}
		},
	}.play(t)
	for _, call := range engine.Calls() {
		if strings.HasPrefix(call, "prepare p/c") {
			t.Errorf("called after the end: %q", engine.Calls())
		}
	}
}
