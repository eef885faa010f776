package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/history"
	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/tui/viewer"
)

// lookEvery is how often a run that goes on is looked at.
const lookEvery = 100 * time.Millisecond

// onScreen shows a kept run on the whole screen, until somebody leaves it. One
// that goes on is followed.
func (o *logOptions) onScreen(ctx context.Context, s Streams, run history.Run, word string) error {
	switch why := s.whyNoView(); {
	case word != "" || o.failed || o.timestamps:
		return usage(errors.New("--output tui shows a whole run"), "leave out the step and the other flags; the keys of the view choose")
	case why != "":
		return usage(errors.New("--output tui cannot be shown: "+why), "leave it out")
	}
	reader, err := run.Open()
	if err != nil {
		return unreadable(run, err)
	}
	defer reader.Close()
	f := &followed{run: run, reader: reader}
	ctx, signals := untilSignal(ctx, ending{first: "leaving the view"}, func(string) {})
	defer signals.stop()
	f.view = viewer.New(viewer.Options{
		Input: s.In, Terminal: s.Terminal, Plan: keptPlan(run), Look: s.look(), Log: f.log, Stay: true,
		Dismissed: ctx.Done(), Note: s.note,
	})
	err = f.show(ctx)
	if closeErr := f.view.Close(); err == nil {
		err = closeErr
	}
	if signal, ok := interruption(ctx); ok && err == nil {
		return &failure{status: signal.status()}
	}
	if err != nil {
		return unreadable(run, err)
	}
	f.tell(s)
	return nil
}

// tell says what of the run could not be seen.
func (f *followed) tell(s Streams) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch n := f.reader.Damaged(); {
	case n > 0:
		s.warn("of this run " + report.Plural(n, "event") + " cannot be read")
	case f.run.Incomplete != "":
		s.warn("not all of this run was kept: " + f.run.Incomplete)
	case f.run.Missing() > 0:
		s.warn(report.Bytes(f.run.Missing()) + " of what was kept of this run are missing")
	}
}

// keptPlan is the plan of a run, nil where there is none that can be read: its
// events then tell what there was.
func keptPlan(run history.Run) *exec.Plan {
	plan := &exec.Plan{}
	text, err := os.ReadFile(filepath.Join(run.Dir(), "plan.json"))
	if err != nil || json.Unmarshal(text, plan) != nil || len(plan.Pipelines) == 0 {
		return nil
	}
	for _, p := range plan.Pipelines {
		if p == nil || slices.Contains(p.Steps, nil) {
			return nil // nobody has written it like that
		}
	}
	return plan
}

// followed is a kept run in a view.
type followed struct {
	run  history.Run
	view *viewer.View
	last time.Time // when something is known to have happened

	mu     sync.Mutex // the view asks for logs from a goroutine of its own
	reader *history.Reader
	open   []*logs.Log
}

// log opens the log of a step, when there is one.
func (f *followed) log(pipeline, step string) viewer.Log {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, err := f.reader.Log(history.Step{Pipeline: pipeline, Step: step})
	if err != nil {
		return nil
	}
	f.open = append(f.open, l)
	return l
}

// show gives the view the events of the run until it is over, or was left.
func (f *followed) show(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		goes := f.run.State() == exec.StatusRunning
		over, err := f.look()
		if err != nil || over {
			return err
		}
		if !goes {
			// Whatever ended it could not say so any more.
			f.hearLogs()
			return f.view.Handle(exec.RunFinished{At: exec.At{Time: f.last}, Status: f.run.State(), Duration: max(0, f.last.Sub(f.run.Started))})
		}
		select {
		case <-tick.C:
		case <-f.view.Left():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// hearLogs looks when the last line was printed.
func (f *followed) hearLogs() {
	f.mu.Lock()
	steps := f.reader.Steps()
	f.mu.Unlock()
	for _, step := range steps {
		if l := f.log(step.Pipeline, step.Step); l != nil {
			if lines, err := l.Lines(l.Len()-1, 1); err == nil && len(lines) == 1 {
				f.heard(lines[0].Time)
			}
		}
	}
}

func (f *followed) heard(t time.Time) {
	if t.After(f.last) {
		f.last = t
	}
}

// look passes on what is new, and reports whether the run has finished.
func (f *followed) look() (over bool, err error) {
	f.mu.Lock()
	records, err := f.reader.Read()
	grown := false
	for _, l := range f.open {
		more, refreshErr := l.Refresh()
		grown = grown || more || refreshErr != nil // which the view shows
	}
	f.mu.Unlock()
	if err != nil {
		return false, err
	}
	for _, r := range records {
		f.heard(r.Event.When())
		if err := f.view.Handle(r.Event); err != nil {
			return false, err
		}
		if _, last := r.Event.(exec.RunFinished); last {
			over = true
		}
	}
	if grown {
		f.view.Refresh()
	}
	return over, nil
}
