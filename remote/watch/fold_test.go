package watch_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/watch"
)

// tale is a build as a server has it, as it goes through its life. Every change
// counts the versions on, as a server does.
type tale struct {
	build remote.Build
	rng   *rand.Rand
	lines map[watch.Place][]remote.Line
	told  []remote.Build // every state that there has been
}

func newTale(rng *rand.Rand) *tale {
	t := &tale{rng: rng, lines: map[watch.Place][]remote.Line{}}
	t.build = remote.Build{Number: 7, Event: "push", Status: remote.StatePending, Created: 100, Version: 1}
	for n := range 1 + rng.IntN(3) {
		t.build.Stages = append(t.build.Stages, remote.Stage{
			Number: n + 1, Name: []string{"build", "test", "build"}[n], Status: remote.StatePending, Version: 1,
		})
	}
	t.tell()
	for i := range t.build.Stages {
		t.stage(i)
	}
	return t
}

func (t *tale) tell() { t.told = append(t.told, copied(t.build)) }

func copied(b remote.Build) remote.Build {
	b.Stages = slices.Clone(b.Stages)
	for i := range b.Stages {
		b.Stages[i].Steps = slices.Clone(b.Stages[i].Steps)
	}
	return b
}

func (t *tale) stage(i int) {
	s := &t.build.Stages[i]
	if t.rng.IntN(6) == 0 {
		s.Status, s.Version = remote.StateSkipped, s.Version+1
		t.tell()
		return
	}
	s.Status, s.Started, s.Version = remote.StateRunning, 110, s.Version+1
	if t.build.Status == remote.StatePending {
		t.build.Status, t.build.Started, t.build.Version = remote.StateRunning, 110, t.build.Version+1
	}
	for n := range 1 + t.rng.IntN(3) {
		s.Steps = append(s.Steps, remote.Step{Number: n + 1, Name: []string{"clone", "a", "b"}[n], Status: remote.StatePending, Version: 1})
	}
	t.tell()
	s.Status = remote.StateSuccess
	for n := range s.Steps {
		step := &s.Steps[n]
		step.Version++
		if s.Status != remote.StateSuccess {
			step.Status, step.Stopped = remote.StateSkipped, 130
			continue
		}
		step.Status, step.Started = remote.StateRunning, 111
		running := copied(t.build)
		running.Stages[i].Status = remote.StateRunning
		t.told = append(t.told, running)
		for pos := range t.rng.IntN(5) {
			at := watch.Place{Stage: i + 1, Step: n + 1}
			t.lines[at] = append(t.lines[at], remote.Line{Number: pos, Message: fmt.Sprintf("line %d\n", pos), Timestamp: int64(pos)})
		}
		step.Version, step.Stopped = step.Version+1, 120
		step.Status = []string{remote.StateSuccess, remote.StateSuccess, remote.StateFailure, remote.StateKilled, remote.StateError}[t.rng.IntN(5)]
		if step.Status != remote.StateSuccess {
			step.ExitCode = 1
			s.Status = step.Status
		}
		running = copied(t.build)
		running.Stages[i].Status = remote.StateRunning
		t.told = append(t.told, running)
	}
	s.Version, s.Stopped = s.Version+1, 130
	if i == len(t.build.Stages)-1 {
		t.build.Status, t.build.Finished, t.build.Version = remote.StateSuccess, 140, t.build.Version+1
		for _, s := range t.build.Stages {
			if s.Status != remote.StateSkipped && s.Status != remote.StateSuccess {
				t.build.Status = s.Status
			}
		}
	}
	t.tell()
}

// end finishes a build whose last stage was skipped.
func (t *tale) end() remote.Build {
	if !remote.Finished(t.build.Status) {
		t.build.Status, t.build.Finished, t.build.Version = remote.StateSuccess, 140, t.build.Version+1
		t.tell()
	}
	return t.told[len(t.told)-1]
}

// audience folds events, and checks that they are as exec.Event says.
type audience struct {
	t       testing.TB
	summary exec.Summary
	open    map[string]bool // pipelines and steps that have begun
	ended   map[string]int
	over    bool
	begun   bool
	lines   map[string][]string
}

func newAudience(t testing.TB) *audience {
	return &audience{t: t, open: map[string]bool{}, ended: map[string]int{}, lines: map[string][]string{}}
}

func (a *audience) hear(e exec.Event) {
	a.t.Helper()
	if _, first := e.(exec.RunStarted); first == a.begun {
		a.t.Errorf("%T: RunStarted is the first event, once", e)
	}
	if a.over {
		a.t.Errorf("%T after the end of the run", e)
	}
	if e.When().IsZero() {
		a.t.Errorf("%T has no time", e)
	}
	a.begun = true
	begin := func(name, parent string) {
		if a.open[name] || a.ended[name] > 0 || parent != "" && !a.open[parent] {
			a.t.Errorf("%T of %s comes at the wrong time", e, name)
		}
		a.open[name] = true
	}
	end := func(name string, open bool) {
		if a.open[name] != open || a.ended[name] > 0 {
			a.t.Errorf("%T of %s comes at the wrong time", e, name)
		}
		delete(a.open, name)
		a.ended[name]++
	}
	switch e := e.(type) {
	case exec.PipelineStarted:
		begin(e.Pipeline, "")
	case exec.PipelineFinished:
		end(e.Pipeline, true)
	case exec.PipelineSkipped:
		end(e.Pipeline, false)
	case exec.StepStarted:
		begin(e.Pipeline+"/"+e.Step, e.Pipeline)
	case exec.StepFinished:
		end(e.Pipeline+"/"+e.Step, true)
	case exec.StepSkipped:
		end(e.Pipeline+"/"+e.Step, false)
	case exec.StepOutput:
		name := e.Pipeline + "/" + e.Step
		if !a.open[name] {
			a.t.Errorf("output of %s, which does not run", name)
		}
		a.lines[name] = append(a.lines[name], fmt.Sprintf("%d %s", e.Line, e.Text))
	case exec.RunFinished:
		a.over = true
		if len(a.open) > 0 {
			a.t.Errorf("%v have not ended", a.open)
		}
	}
	a.summary.Apply(e)
}

// story is what there is to know in the end.
func (a *audience) story() map[string]string {
	told := map[string]string{"": fmt.Sprint(a.summary.Status, a.summary.Duration)}
	for _, p := range a.summary.Pipelines {
		told[p.Name] = fmt.Sprint(p.Status, p.Duration)
		for _, s := range p.Steps {
			told[p.Name+"/"+s.Name] = fmt.Sprint(s.Status, s.ExitCode, s.Duration, a.lines[p.Name+"/"+s.Name])
		}
	}
	return told
}

// TestFoldAnyOrder: whatever of the states of a build comes, in whatever order and
// how often, and however often its lines do, the end is the same.
func TestFoldAnyOrder(t *testing.T) {
	for seed := range uint64(300) {
		anyOrder(t, seed, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, build, order uint64) { anyOrder(t, build, order) })
}

func anyOrder(t *testing.T, build, order uint64) {
	tale := newTale(rand.New(rand.NewPCG(build, 1)))
	end := tale.end()
	inOrder := newAudience(t)
	play(tale, inOrder, tale.told, rand.New(rand.NewPCG(1, 1)), false)
	rng := rand.New(rand.NewPCG(order, 2))
	var some []remote.Build
	for range rng.IntN(2 * len(tale.told)) {
		some = append(some, tale.told[rng.IntN(len(tale.told))])
	}
	other := newAudience(t)
	play(tale, other, append(some, end), rng, true)
	if diff := cmp.Diff(inOrder.story(), other.story()); diff != "" {
		t.Errorf("the end depends on the order (-in order +otherwise):\n%s", diff)
	}
}

func play(tale *tale, a *audience, told []remote.Build, rng *rand.Rand, wild bool) {
	a.t.Helper()
	fold := watch.Fold{Name: "octo/cat#7", Emit: a.hear, Holds: func(watch.Place) bool { return true }, Now: func() time.Time { return time.Unix(100, 0) }}
	for _, b := range told {
		fold.Snapshot(&b)
		for at, lines := range tale.lines {
			// A stream gives what there is from some line on; after a gap in it the
			// rest would be missing, so it begins with the first.
			if wild && len(lines) > 0 && rng.IntN(3) == 0 {
				for _, l := range lines[:rng.IntN(len(lines))] {
					fold.Line(at, l)
				}
			}
		}
	}
	if fold.Over() {
		// Only when nothing has a log to wait for.
		for name := range a.lines {
			a.t.Errorf("the run is over before the log of %s", name)
		}
	}
	for _, at := range fold.Places() {
		for _, l := range tale.lines[at] {
			fold.Line(at, l)
		}
		fold.LogEnd(at, "")
		fold.LogEnd(at, "again")
		if len(tale.lines[at]) > 0 && fold.Line(at, remote.Line{Number: 1000, Message: "late\n"}) {
			a.t.Error("a line is taken after the end of the log")
		}
	}
	if !fold.Over() || !a.over {
		a.t.Error("the run has not ended")
	}
}

// kinds are the names of the types of events, with what identifies each.
func kinds(events []exec.Event) (names []string) {
	for _, e := range events {
		text := strings.TrimPrefix(fmt.Sprintf("%T", e), "exec.")
		v := reflect.ValueOf(e)
		for _, field := range []string{"Pipeline", "Step", "Status", "ExitCode", "Ignored", "Reason", "Error", "Line", "Text", "Message"} {
			if f := v.FieldByName(field); f.IsValid() && !f.IsZero() {
				text += fmt.Sprintf(" %v", f)
			}
		}
		names = append(names, text)
	}
	return names
}

func TestFoldStates(t *testing.T) {
	running := remote.Step{Number: 1, Name: "clone", Status: remote.StateRunning, Started: 10, Version: 2}
	failed := remote.Step{Number: 1, Name: "clone", Status: remote.StateFailure, ExitCode: 3, Started: 10, Stopped: 14, Version: 3}
	tests := []struct {
		name  string // with the section that says so
		hold  bool
		feed  func(*watch.Fold)
		wants []string
	}{{
		name: "an error build has no stages (§2.3)",
		feed: func(f *watch.Fold) {
			f.Snapshot(&remote.Build{Status: remote.StateError, Error: "yaml: line 3: oops"})
		},
		wants: []string{"RunStarted", "Warning the server refuses the build: yaml: line 3: oops", "RunFinished error"},
	}, {
		name: "a blocked stage of a pending build, declined (§2.3)",
		feed: func(f *watch.Fold) {
			b := remote.Build{Status: remote.StatePending, Stages: []remote.Stage{{Number: 1, Name: "build", Status: remote.StateBlocked}}}
			f.Snapshot(&b)
			f.Snapshot(&b)
			f.Snapshot(&remote.Build{Version: 1, Status: remote.StateDeclined, Stages: []remote.Stage{{Version: 1, Number: 1, Name: "build", Status: remote.StateDeclined}}})
		},
		wants: []string{
			"RunStarted", "Warning build pipeline build waits until somebody approves it",
			"PipelineSkipped build it was declined", "RunFinished killed",
		},
	}, {
		name: "a stage that waits for another (§5.6)",
		feed: func(f *watch.Fold) {
			f.Snapshot(&remote.Build{Status: remote.StateRunning, Stages: []remote.Stage{
				{Number: 1, Name: "build", Status: remote.StateRunning, Started: 9},
				{Number: 2, Name: "deploy", Status: remote.StateWaiting, DependsOn: []string{"build"}},
			}})
		},
		wants: []string{"RunStarted", "PipelineStarted build"},
	}, {
		name: "a runner that cannot read the file (§5.5)",
		feed: func(f *watch.Fold) {
			f.Snapshot(&remote.Build{Status: remote.StateError, Stages: []remote.Stage{
				{Number: 1, Name: "build", Status: remote.StateError, Error: "yaml: oops", ExitCode: 255, Started: 9, Stopped: 9},
			}})
		},
		wants: []string{"RunStarted", "PipelineStarted build", "PipelineFinished build error yaml: oops", "RunFinished error"},
	}, {
		name: "cancelled: what ran is killed, the rest skipped (§5.8)",
		feed: func(f *watch.Fold) {
			f.Snapshot(&remote.Build{Status: remote.StateRunning, Stages: []remote.Stage{{Number: 1, Name: "build", Status: remote.StateRunning, Started: 9, Steps: []remote.Step{running}}}})
			killed, after := running, remote.Step{Number: 2, Name: "test", Status: remote.StateSkipped, ExitCode: 130, Version: 3}
			killed.Status, killed.ExitCode, killed.Version = remote.StateKilled, 130, 3
			f.Snapshot(&remote.Build{Version: 1, Status: remote.StateKilled, Stages: []remote.Stage{
				{Number: 1, Version: 1, Name: "build", Status: remote.StateKilled, Started: 9, Steps: []remote.Step{killed, after}},
				{Number: 2, Name: "deploy", Status: remote.StateSkipped},
			}})
		},
		wants: []string{
			"RunStarted", "PipelineStarted build", "StepStarted build clone", "StepFinished build clone killed 130",
			"StepSkipped build test the build was cancelled", "PipelineFinished build killed the build was cancelled",
			"PipelineSkipped deploy the build was cancelled", "RunFinished killed",
		},
	}, {
		name: "a stage that the server skips has times, and so have steps (§5.5)",
		feed: func(f *watch.Fold) {
			f.Snapshot(&remote.Build{Status: remote.StateSuccess, Stages: []remote.Stage{
				{Number: 1, Name: "build", Status: remote.StateSuccess, Started: 9, Stopped: 12, Steps: []remote.Step{
					{Number: 1, Name: "notify", Status: remote.StateSkipped, Started: 12, Stopped: 12},
				}},
				{Number: 2, Name: "alert", Status: remote.StateSkipped, Started: 12, Stopped: 12},
			}})
		},
		wants: []string{
			"RunStarted", "PipelineStarted build", "StepSkipped build notify the server skipped it", "PipelineFinished build success",
			"PipelineSkipped alert the server skipped it", "RunFinished success",
		},
	}, {
		name: "a stage that ends with an error leaves steps that never began (§5.6)",
		feed: func(f *watch.Fold) {
			f.Snapshot(&remote.Build{Status: remote.StateError, Stages: []remote.Stage{
				{Number: 1, Name: "build", Status: remote.StateError, Error: "no space left", Started: 9, Stopped: 12, Steps: []remote.Step{
					{Number: 1, Name: "clone", Status: remote.StatePending},
				}},
			}})
		},
		wants: []string{
			"RunStarted", "PipelineStarted build", "StepSkipped build clone its turn had not come when the rest ended",
			"PipelineFinished build error no space left", "RunFinished error",
		},
	}, {
		name: "the end of a step waits for its log",
		hold: true,
		feed: func(f *watch.Fold) {
			at := watch.Place{Stage: 1, Step: 1}
			f.Snapshot(&remote.Build{Status: remote.StateFailure, Stages: []remote.Stage{{Number: 1, Name: "build", Status: remote.StateFailure, Started: 9, Steps: []remote.Step{failed}}}})
			f.Line(at, remote.Line{Number: 0, Message: "one\n"})
			f.Line(at, remote.Line{Number: 0, Message: "one\n"})
			f.Line(at, remote.Line{Number: 3, Message: "four"})
			f.Line(at, remote.Line{Number: 2, Message: "three"})
			f.LogEnd(at, "")
		},
		wants: []string{
			"RunStarted", "PipelineStarted build", "StepStarted build clone", "StepOutput build clone 1 one",
			"Warning build clone lines 2 to 3 are missing: the server has let go of them", "StepOutput build clone 4 four",
			"StepFinished build clone failure 3", "PipelineFinished build failure", "RunFinished failure",
		},
	}, {
		name: "a failure that does not count",
		feed: func(f *watch.Fold) {
			ignored := failed
			ignored.ErrIgnore = true
			f.Snapshot(&remote.Build{Status: remote.StateSuccess, Stages: []remote.Stage{{Number: 1, Name: "build", Status: remote.StateSuccess, Started: 9, Steps: []remote.Step{ignored}}}})
		},
		wants: []string{
			"RunStarted", "PipelineStarted build", "StepStarted build clone", "StepFinished build clone failure 3 true",
			"PipelineFinished build success", "RunFinished success",
		},
	}, {
		name: "a stage that hangs in a build that has ended (§5.8, race 2)",
		feed: func(f *watch.Fold) {
			f.Snapshot(&remote.Build{Status: remote.StateKilled, Stages: []remote.Stage{{Number: 1, Name: "build", Status: remote.StatePending}}})
		},
		wants: []string{"RunStarted", "PipelineSkipped build the build was cancelled", "RunFinished killed"},
	}, {
		name: "a build of a list has no stages, and says nothing of them (§2.3)",
		feed: func(f *watch.Fold) {
			f.Snapshot(&remote.Build{Status: remote.StateRunning, Stages: []remote.Stage{{Number: 1, Name: "build", Status: remote.StatePending}}})
			f.Snapshot(&remote.Build{Version: 9, Status: remote.StateSuccess})
		},
		wants: []string{"RunStarted"},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var events []exec.Event
			f := watch.Fold{Emit: func(e exec.Event) { events = append(events, e) }}
			if tt.hold {
				f.Holds = func(watch.Place) bool { return true }
			}
			tt.feed(&f)
			if diff := cmp.Diff(tt.wants, kinds(events)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestFoldPlan: what is to come, and after what.
func TestFoldPlan(t *testing.T) {
	f := watch.Fold{Name: "octo/cat#7", Emit: func(exec.Event) {}}
	f.Snapshot(&remote.Build{Event: "push", Target: "main", After: "8f51ad7", Stages: []remote.Stage{
		{Number: 1, Name: "build", Status: remote.StateRunning, Started: 9, Steps: []remote.Step{
			{Number: 1, Name: "db", Detached: true}, {Number: 2, Name: "clone"}, {Number: 3, Name: "test"},
		}},
		{Number: 2, Name: "graph", Status: remote.StateRunning, Started: 9, Steps: []remote.Step{
			{Number: 1, Name: "clone"}, {Number: 2, Name: "a", DependsOn: []string{"clone"}}, {Number: 3, Name: "b", DependsOn: []string{"clone"}},
		}},
		{Number: 3, Name: "deploy", Status: remote.StateBlocked, DependsOn: []string{"build", "graph"}},
	}})
	var got []string
	for _, p := range f.Plan().Pipelines {
		got = append(got, fmt.Sprint(p.Name, " after ", p.DependsOn, ": ", p.Reason))
		for _, s := range p.Steps {
			got = append(got, fmt.Sprint(s.Kind, " ", s.Name, " after ", s.DependsOn))
		}
	}
	want := []string{
		"build after []: ", "service db after []", "step clone after []", "step test after [clone]",
		"graph after []: ", "clone clone after []", "step a after [clone]", "step b after [clone]",
		"deploy after [build graph]: it waits until somebody approves it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
