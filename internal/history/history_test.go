package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/owner"
)

var begin = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock gives times of events, each a millisecond later.
type clock struct{ now time.Time }

func (c *clock) at() exec.At {
	c.now = c.now.Add(time.Millisecond)
	return exec.At{Time: c.now}
}

// scene is a run with two steps at a time.
func scene(id string, c *clock, lines int) []exec.Event {
	out := func(step string, line int) exec.Event {
		return exec.StepOutput{At: c.at(), Pipeline: "p", Step: step, Line: line, Text: fmt.Sprintf("%s says %d", step, line)}
	}
	events := []exec.Event{
		exec.RunStarted{At: c.at(), Run: id, Event: "push", File: ".drone.yml", Pipelines: []string{"p"}},
		exec.PipelineStarted{At: c.at(), Pipeline: "p"},
		exec.StepStarted{At: c.at(), Pipeline: "p", Step: "a", Kind: exec.KindStep, Image: "i"},
		exec.StepStarted{At: c.at(), Pipeline: "p", Step: "quiet", Kind: exec.KindService, Image: "i"},
		exec.StepStarted{At: c.at(), Pipeline: "p", Step: "b", Kind: exec.KindStep, Image: "i"},
	}
	for i := range lines {
		events = append(events, out("a", 2*i+1), out("a", 2*i+2), out("b", i+1))
		if i == lines/2 {
			events = append(events, exec.Warning{At: c.at(), Message: "halfway"})
		}
	}
	end := func(step string, status exec.Status) exec.Event {
		return exec.StepFinished{At: c.at(), Pipeline: "p", Step: step, Kind: exec.KindStep, Image: "i", Status: status, Duration: time.Second}
	}
	return append(events,
		end("a", exec.StatusSuccess), end("b", exec.StatusFailure), end("quiet", exec.StatusSuccess),
		exec.PipelineFinished{At: c.at(), Pipeline: "p", Status: exec.StatusFailure, Duration: time.Second},
		exec.RunFinished{At: c.at(), Status: exec.StatusFailure, Duration: 2 * time.Second},
	)
}

// recording is how a run of a test is kept. Warnings fail the test unless it
// looks at them itself.
func recording(t *testing.T, store Store, id string, started time.Time) Recording {
	t.Helper()
	return Recording{
		Store: store, Plan: &exec.Plan{Version: 1, File: ".drone.yml"},
		Meta:       Meta{ID: id, Started: started, Branch: "main", Tree: "/src"},
		ExitStatus: (*exec.Summary).ExitCode,
		Warn:       func(text string) { t.Error("warning: " + text) },
	}
}

func record(t *testing.T, o Recording, events []exec.Event) *Recorder {
	t.Helper()
	r := Start(o)
	for _, e := range events {
		r.Handle(e)
	}
	return r
}

// keep keeps a whole run.
func keep(t *testing.T, o Recording, events []exec.Event) {
	t.Helper()
	if err := record(t, o, events).Close(10 * time.Second); err != nil {
		t.Error(err)
	}
}

func list(t *testing.T, s Store) []Run {
	t.Helper()
	runs, _, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// replay gives the events of a run.
func replay(t *testing.T, run Run, p Replay) (events []exec.Event, damage []error) {
	t.Helper()
	r, err := run.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p.Emit = func(record Record) error {
		events = append(events, record.Event)
		return nil
	}
	p.Damaged = func(err error) { damage = append(damage, err) }
	if err := p.Run(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	return events, damage
}

var sameTime = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

func TestARunIsReplayedAsItWas(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	want := scene("run1", &clock{begin}, 2000)
	keep(t, recording(t, store, "run1", begin), want)
	runs := list(t, store)
	if len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
	got, damage := replay(t, runs[0], Replay{})
	if diff := cmp.Diff(want, got, sameTime); diff != "" || damage != nil {
		t.Error(diff, damage)
	}
	m := runs[0].Meta
	if m.Status != exec.StatusFailure || m.Finished == nil || m.ExitCode != 1 || m.DurationMS != 2000 || m.Size == 0 || m.Incomplete != "" {
		t.Errorf("%+v", m)
	}
	if diff := cmp.Diff([]Step{{"p", "b"}}, m.Failed); diff != "" {
		t.Error(diff)
	}
	if size := sizeOf(runs[0].Dir()); m.Size > size || m.Size < size-4096 {
		t.Errorf("its size is %d, not %d", m.Size, size)
	}
	some, _ := replay(t, runs[0], Replay{Step: func(s Step) bool { return s.Step == "b" }})
	of := func(events []exec.Event, step string) int {
		return len(slices.DeleteFunc(slices.Clone(events), func(e exec.Event) bool {
			o, ok := e.(exec.StepOutput)
			return !ok || o.Step != step
		}))
	}
	if of(some, "b") != 2000 || of(some, "a") != 0 {
		t.Errorf("of one step: %d lines, and %d of another", of(some, "b"), of(some, "a"))
	}
}

func TestNobodyElseReadsIt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes on Windows: who may read is inherited from the profile of the user")
	}
	state := t.TempDir()
	keep(t, recording(t, In(state), "run1", begin), scene("run1", &clock{begin}, 10))
	files := 0
	err := filepath.WalkDir(filepath.Join(state, "drone"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		if !entry.IsDir() {
			files++
		}
		return nil
	})
	// Two logs, for one step has printed nothing.
	if err != nil || files != 5 {
		t.Errorf("%d files (%v)", files, err)
	}
}

func TestARunThatGoesOnIsFollowed(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	want := scene("run1", &clock{begin}, 300)
	r := record(t, recording(t, store, "run1", begin), want[:20])
	for len(list(t, store)) == 0 {
		time.Sleep(time.Millisecond)
	}
	run := list(t, store)[0]
	if run.State() != exec.StatusRunning {
		t.Errorf("its state is %s", run.State())
	}
	var written sync.WaitGroup
	written.Go(func() {
		for i, e := range want[20:] {
			if i%200 == 0 {
				time.Sleep(150 * time.Millisecond)
			}
			r.Handle(e)
		}
	})
	got, damage := replay(t, run, Replay{Follow: true})
	written.Wait()
	if err := r.Close(10 * time.Second); err != nil || damage != nil {
		t.Error(err, damage)
	}
	// What two steps print at a time may come in another order while it is
	// followed; for each step nothing is missing, and all before its end.
	for _, step := range []string{"a", "b", "quiet"} {
		of := func(e exec.Event) bool {
			switch e := e.(type) {
			case exec.StepOutput:
				return e.Step == step
			case exec.StepFinished:
				return e.Step == step
			}
			return false
		}
		mine := func(events []exec.Event) []exec.Event {
			return slices.DeleteFunc(slices.Clone(events), func(e exec.Event) bool { return !of(e) })
		}
		if diff := cmp.Diff(mine(want), mine(got), sameTime); diff != "" {
			t.Error(diff)
		}
	}
	if _, over := got[len(got)-1].(exec.RunFinished); !over || len(got) != len(want) {
		t.Errorf("%d events of %d, the last is %T", len(got), len(want), got[len(got)-1])
	}
}

// orphan is a run whose program is gone.
func orphan(t *testing.T, store Store, id string, started time.Time) Run {
	t.Helper()
	keep(t, recording(t, store, id, started), scene(id, &clock{started}, 50))
	path := filepath.Join(store.dir, id)
	run, err := store.read(id)
	if err != nil {
		t.Fatal(err)
	}
	run.Finished, run.Status = nil, exec.StatusRunning
	run.Owner = owner.Self()
	run.Owner.Start = "0" // the number belongs to another process now
	if _, err := writeJSON(filepath.Join(path, runFile), run.Meta); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestARunThatWasCutOff(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	run := orphan(t, store, "run1", begin)
	if run.Owner.Start == owner.Self().Start {
		t.Skip("here nothing tells when a process was started")
	}
	if run.State() != Interrupted {
		t.Fatalf("its state is %s", run.State())
	}
	whole, _ := replay(t, run, Replay{})
	events := filepath.Join(run.Dir(), eventsFile)
	text, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	// It ended in the middle of the line that says how the first step ended.
	at := strings.Index(string(text), `"type":"step_finished"`)
	if err := os.WriteFile(events, text[:at], 0o600); err != nil {
		t.Fatal(err)
	}
	got, damage := replay(t, run, Replay{Follow: true})
	n := slices.IndexFunc(whole, func(e exec.Event) bool { _, is := e.(exec.StepFinished); return is })
	if diff := cmp.Diff(whole[:n], got, sameTime); diff != "" || damage != nil {
		t.Error(diff, damage)
	}
}

func TestWhatIsDamagedIsToldAndTheRestIsShown(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	keep(t, recording(t, store, "run1", begin), scene("run1", &clock{begin}, 50))
	run := list(t, store)[0]
	whole, _ := replay(t, run, Replay{})
	log := filepath.Join(run.Dir(), logsDir, "1.log")
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 1
	if err := os.WriteFile(log, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, damage := replay(t, run, Replay{})
	want := slices.DeleteFunc(slices.Clone(whole), func(e exec.Event) bool {
		o, is := e.(exec.StepOutput)
		return is && o.Step == "a"
	})
	if diff := cmp.Diff(want, got, sameTime); diff != "" || len(damage) != 1 {
		t.Error(diff, damage)
	}
}

func TestAFolderThatCannotBeMadeIsOneWarning(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(state, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	o := recording(t, In(state), "run1", begin)
	o.Warn = func(text string) { warnings = append(warnings, text) }
	r := record(t, o, scene("run1", &clock{begin}, 5000))
	if err := r.Close(10 * time.Second); err == nil {
		t.Error("it says that all is kept")
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], state) {
		t.Errorf("warnings: %q", warnings)
	}
	// Those who watch miss nothing.
	l := r.Log("p", "a")
	defer l.Close()
	if lines, err := l.Lines(0, 20_000); err != nil || len(lines) != 10_000 || lines[9_999].Text != "a says 10000" {
		t.Errorf("%d lines (%v)", len(lines), err)
	}
}

func TestTheOutputOfOneRunIsBounded(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	var warnings []string
	o := recording(t, store, "run1", begin)
	o.Limits.Each = 20 << 10
	o.Warn = func(text string) { warnings = append(warnings, text) }
	if err := record(t, o, scene("run1", &clock{begin}, 20_000)).Close(10 * time.Second); err == nil || len(warnings) != 1 {
		t.Errorf("err %v, warnings %q", err, warnings)
	}
	run := list(t, store)[0]
	if run.Incomplete == "" || run.Status != exec.StatusFailure || run.Meta.Size > 40<<10 {
		t.Errorf("%+v", run.Meta)
	}
}

func TestWithoutAStoreLinesAreInMemory(t *testing.T) {
	t.Parallel()
	r := record(t, Recording{}, scene("run1", &clock{begin}, 100))
	l := r.Log("p", "b")
	defer l.Close()
	if lines, err := l.Lines(99, 1); err != nil || len(lines) != 1 || lines[0].Text != "b says 100" {
		t.Errorf("%v (%v)", lines, err)
	}
	if r.Log("p", "nobody") != nil {
		t.Error("a step that never began has a log")
	}
	if err := r.Close(10 * time.Second); err != nil {
		t.Error(err)
	}
}

func TestOldRunsMakeRoom(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	for i := range 6 {
		id := fmt.Sprint("run", i)
		keep(t, recording(t, store, id, begin.Add(time.Duration(i)*time.Hour)), scene(id, &clock{begin}, 50))
	}
	// The oldest goes on: its program is this one.
	live := list(t, store)[5]
	live.Finished, live.Status = nil, exec.StatusRunning
	if _, err := writeJSON(filepath.Join(live.Dir(), runFile), live.Meta); err != nil {
		t.Fatal(err)
	}
	now := begin.Add(10 * time.Hour)
	ids := func() (ids []string) {
		for _, run := range list(t, store) {
			ids = append(ids, run.ID)
		}
		return ids
	}
	if err := store.prune(t.Context(), Limits{Runs: 4}, now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"run5", "run4", "run3", "run2", "run0"}, ids()); diff != "" {
		t.Error("by number:", diff)
	}
	two := list(t, store)[0].Size() + list(t, store)[1].Size()
	if err := store.prune(t.Context(), Limits{Bytes: two}, now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"run5", "run4", "run0"}, ids()); diff != "" {
		t.Error("by size:", diff)
	}
	// What a removal that was cut off has left goes, too, and what never became
	// a run.
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{goingPrefix + "run9", "stillborn", "newborn"} {
		dir := filepath.Join(store.dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if name == "stillborn" {
			if err := os.Chtimes(dir, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := store.prune(t.Context(), Limits{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, err := os.ReadDir(store.dir)
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if diff := cmp.Diff([]string{"newborn", "run0", "run4", "run5"}, left); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestWhatThereIsNoTimeToRemoveIsLeftToTheNextRun(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	if err := store.prune(t.Context(), Limits{Runs: 1}, begin); err != nil {
		t.Error("where there is nothing to remove:", err)
	}
	for i := range 4 {
		id := fmt.Sprint("run", i)
		keep(t, recording(t, store, id, begin.Add(time.Duration(i)*time.Hour)), scene(id, &clock{begin}, 2))
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for left := 3; left > 0; left-- {
		if err := store.prune(over, Limits{Runs: 1}, begin); err != nil {
			t.Fatal(err)
		}
		if n := len(list(t, store)); n != left {
			t.Errorf("%d runs are left, not %d", n, left)
		}
	}
}

func TestADamagedRunIsToldAndMakesRoom(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	for i := range 3 {
		id := fmt.Sprint("run", i)
		keep(t, recording(t, store, id, begin.Add(time.Duration(i)*time.Hour)), scene(id, &clock{begin}, 2))
	}
	dir := list(t, store)[2].Dir()
	if err := os.Truncate(filepath.Join(dir, runFile), 20); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(dir, begin, begin); err != nil {
		t.Fatal(err)
	}
	runs, damaged, err := store.List()
	if len(runs) != 2 || len(damaged) != 1 || damaged[0].ID != "run0" || damaged[0].Size() == 0 || err != nil {
		t.Fatal(runs, damaged, err)
	}
	if err := store.prune(t.Context(), Limits{Runs: 2}, begin.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if runs, damaged, err := store.List(); len(runs) != 2 || len(damaged) != 0 || err != nil {
		t.Error(runs, damaged, err)
	}
}

// Whole chunks and whole lines that are gone leave no trace of their own.
func TestWhatIsMissingIsTold(t *testing.T) {
	t.Parallel()
	for _, name := range []string{eventsFile, filepath.Join(logsDir, "1.log"), planFile} {
		store := In(t.TempDir())
		keep(t, recording(t, store, "run1", begin), scene("run1", &clock{begin}, 50))
		run := list(t, store)[0]
		if _, damage := replay(t, run, Replay{}); run.Missing() != 0 || damage != nil {
			t.Fatal(run.Missing(), damage)
		}
		if err := os.Truncate(filepath.Join(run.Dir(), name), 0); err != nil {
			t.Fatal(err)
		}
		if _, damage := replay(t, run, Replay{}); len(damage) != 1 {
			t.Errorf("%s: %v", name, damage)
		}
	}
}

func TestTheLimitsHoldWhileRunsAreKept(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			id := fmt.Sprint("run", i)
			o := recording(t, store, id, begin.Add(time.Duration(i)*time.Hour))
			o.Limits = Limits{Runs: 3}
			keep(t, o, scene(id, &clock{begin}, 20))
		})
	}
	all.Wait()
	o := recording(t, store, "last", begin.Add(99*time.Hour))
	o.Limits = Limits{Runs: 3}
	keep(t, o, scene("last", &clock{begin}, 20))
	if runs := list(t, store); len(runs) != 3 || runs[0].ID != "last" {
		t.Errorf("%d runs are left", len(runs))
	}
}

func TestWhatIsNoRunIsPassedOver(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	if runs := list(t, store); len(runs) != 0 {
		t.Error(runs)
	}
	for name, text := range map[string]string{"a": "{", "b": `{"v":1,"run":"other"}`, "c": `{"v":7,"run":"c"}`} {
		if err := os.MkdirAll(filepath.Join(store.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(store.dir, name, runFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, recording(t, store, "run1", begin), scene("run1", &clock{begin}, 2))
	runs, damaged, err := store.List()
	if len(runs) != 1 || runs[0].ID != "run1" || len(damaged) != 2 || err != nil {
		t.Error(runs, damaged, err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	all := []Run{{Meta: Meta{ID: "abc1"}}, {Meta: Meta{ID: "abd2"}}, {Meta: Meta{ID: "abd"}}, {Meta: Meta{ID: "xyz4"}}}
	recent := all[2:]
	for word, want := range map[string]string{"abc1": "abc1", "abc": "abc1", "abd": "abd", "x": "xyz4", "last": "abd", "-1": "abd", "-2": "xyz4"} {
		if run, err := Find(word, all, recent); err != nil || run.ID != want {
			t.Errorf("%s is %s (%v)", word, run.ID, err)
		}
	}
	for word, want := range map[string]string{
		"ab": `"ab" could be any of abc1, abd2, abd`, "q": `no run is called "q"`, "": `no run is called ""`,
		"-3": "there is no run -3: the history has 2", "-0": `no run is called "-0"`,
	} {
		if run, err := Find(word, all, recent); err == nil || err.Error() != want {
			t.Errorf("%q is %s (%v)", word, run.ID, err)
		}
	}
}

func TestThePlanIsTheOneThatCompilePrints(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	o := recording(t, store, "run1", begin)
	o.Plan = &exec.Plan{Version: 1, File: "<&>", Pipelines: []*exec.Pipeline{{Name: "p", Type: "docker"}}}
	keep(t, o, scene("run1", &clock{begin}, 1))
	text, err := os.ReadFile(filepath.Join(store.dir, "run1", planFile))
	if err != nil {
		t.Fatal(err)
	}
	var plan exec.Plan
	if err := json.Unmarshal(text, &plan); err != nil || plan.Pipelines[0].Name != "p" || !strings.Contains(string(text), "<&>") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestAnEventThatNobodyTakesEndsTheReplay(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	keep(t, recording(t, store, "run1", begin), scene("run1", &clock{begin}, 50))
	r, err := list(t, store)[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	enough, n := errors.New("enough"), 0
	err = Replay{Emit: func(Record) error {
		if n++; n == 30 {
			return enough
		}
		return nil
	}}.Run(context.Background(), r)
	if !errors.Is(err, enough) || n != 30 {
		t.Errorf("%v after %d events", err, n)
	}
}
