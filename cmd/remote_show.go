package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/remote"
	builds "github.com/drone-laptop/drone/remote/watch"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/tui/viewer"
)

// buildShow shows a build of a server, on the whole screen or as lines.
type buildShow struct {
	s      Streams
	q      *session
	repo   remote.Slug
	number int64

	output     *outputFlag // nil is auto
	timestamps bool
	// once shows what there is, and does not wait for more.
	once bool
	// steps are those whose lines are shown, nil for all; alone says that it is one,
	// of which nothing but the lines is shown.
	steps func(*remote.Stage, *remote.Step) bool
	alone bool
	// stay has the whole screen stay until somebody leaves it, and silent leaves
	// nothing in the terminal.
	stay, silent bool
}

// leaving is what is said about signals: a build goes on without who looks.
var leaving = ending{first: "leaving the build, which goes on"}

// form is what is shown: what was asked for, as far as the streams allow.
func (b *buildShow) form() (string, error) {
	form := outputAuto
	if b.output != nil {
		form = b.output.value
	}
	switch {
	case form == outputAuto && b.steps == nil && !b.timestamps && b.s.mayView():
		return outputView, nil
	case form != outputView:
		return form, nil
	case b.steps != nil || b.timestamps:
		return "", usage(errors.New("--output tui shows a whole build"), "leave out the step and the other flags; the keys of the view choose")
	}
	if why := b.s.whyNoView(); why != "" {
		return "", usage(errors.New("--output tui cannot be shown: "+why), "leave it out")
	}
	return form, nil
}

// show shows the build, and gives what it has come to as far as it was seen.
func (b *buildShow) show(ctx context.Context) (*exec.Summary, error) {
	form, err := b.form()
	if err != nil {
		return nil, err
	}
	ctx, signals := untilSignal(ctx, leaving, b.s.note)
	defer signals.stop()
	var summary *exec.Summary
	if form == outputView {
		summary, err = b.onScreen(ctx, b.stay)
	} else {
		summary, err = b.lines(ctx, form)
	}
	switch signal, ended := interruption(ctx); {
	case ended && err != nil:
		return summary, &failure{status: signal.status()}
	case unread(err):
		return summary, &failure{status: StatusFailed} // nobody reads any more
	case err != nil:
		return summary, b.q.failBuild(err, b.repo, b.number)
	}
	if form != outputJSON && b.steps == nil && summary.Status != "" && summary.Status != exec.StatusRunning {
		err = report.WriteSummary(b.s.Err, summary, report.SummaryOptions{Style: b.s.errStyle(), Width: b.s.width()})
	}
	return summary, err
}

func (b *buildShow) options() builds.Options {
	return builds.Options{
		Server: builds.ServerOf(b.q.Client), Repo: b.repo, Build: b.number, Note: b.s.note, Logs: b.steps, Once: b.once,
	}
}

// lines shows the build line by line.
func (b *buildShow) lines(ctx context.Context, form string) (*exec.Summary, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	renderer := b.renderer(form)
	summary := &exec.Summary{}
	o := b.options()
	var names map[stepName]bool // of the steps that are shown
	o.Changed = func(f *builds.Fold) { names = b.shown(f) }
	printed := false
	o.Emit = func(e exec.Event) {
		summary.Apply(e)
		if b.steps != nil && !about(e, names) {
			return
		}
		if _, ok := e.(exec.StepOutput); ok {
			printed = true
		}
		if err := renderer.Handle(e); err != nil {
			cancel(err)
		}
	}
	err := errors.Join(builds.New(o).Run(ctx), renderer.Close())
	if err == nil && !printed && form != outputJSON {
		b.tellSilence(summary.Status)
	}
	return summary, err
}

// tellSilence says that nothing was printed, since no lines at all could as well
// be a mistake.
func (b *buildShow) tellSilence(status exec.Status) {
	what, when := fmt.Sprintf("build %d has", b.number), ""
	switch {
	case b.alone:
		what = "the step has"
	case b.steps != nil:
		what = "the steps have"
	}
	if status == "" || status == exec.StatusRunning {
		when = " so far"
	}
	b.s.note(what + " printed nothing" + when)
}

type stepName struct{ pipeline, step string }

// shown are the names of the steps whose lines are wanted.
func (b *buildShow) shown(f *builds.Fold) map[stepName]bool {
	if b.steps == nil {
		return nil
	}
	names := map[stepName]bool{}
	for _, at := range f.Places() {
		if f.Wanted(at, b.steps) {
			pipeline, step := f.Names(at)
			names[stepName{pipeline, step}] = true
		}
	}
	return names
}

// about reports an event of one of the steps, or of the run.
func about(e exec.Event, steps map[stepName]bool) bool {
	switch e := e.(type) {
	case exec.RunStarted, exec.RunFinished:
		return true
	case exec.StepOutput:
		return true // of no others
	case exec.StepStarted:
		return steps[stepName{e.Pipeline, e.Step}]
	case exec.StepFinished:
		return steps[stepName{e.Pipeline, e.Step}]
	case exec.StepSkipped:
		return steps[stepName{e.Pipeline, e.Step}]
	case exec.Warning:
		return e.Step == "" && e.Pipeline == "" || steps[stepName{e.Pipeline, e.Step}]
	}
	return false
}

func (b *buildShow) renderer(form string) report.Renderer {
	s := b.s
	if form == outputJSON {
		return report.NewJSON(s.Out, func(*exec.Summary) int { return 0 })
	}
	var renderer report.Renderer
	if b.alone {
		renderer = &told{report.NewText(s.Out, s.outStyle()), s}
	} else {
		renderer = report.NewPlain(s.Out, s.Err, s.outStyle(), s.errStyle())
	}
	if b.timestamps {
		renderer = report.Stamped(renderer)
	}
	return renderer
}

// told has warnings told where otherwise nothing but lines is shown.
type told struct {
	report.Renderer
	s Streams
}

func (t *told) Handle(e exec.Event) error {
	if w, ok := e.(exec.Warning); ok {
		t.s.warn(report.Visible(w.Message))
	}
	return t.Renderer.Handle(e)
}

// onScreen shows the build on the whole screen, until somebody leaves it, or,
// unless it is to stay, until the build has succeeded.
func (b *buildShow) onScreen(ctx context.Context, stay bool) (*exec.Summary, error) {
	looking, cancel := context.WithCancel(ctx)
	defer cancel()
	var view *viewer.View
	book := builds.NewBook(func() { view.Refresh() })
	defer book.Close()
	summary, over := &exec.Summary{}, make(chan struct{})
	var gone error
	o := b.options()
	o.Book, o.Logs, o.Once = book, nil, false
	o.Emit = func(e exec.Event) {
		summary.Apply(e)
		if w, ok := e.(exec.Warning); ok && w.Step == "" {
			view.Note(report.Visible(w.Message)) // such as that somebody has to approve it
			return
		}
		if err := view.Handle(e); err != nil && gone == nil {
			gone = err
			cancel()
		}
		if _, last := e.(exec.RunFinished); last {
			close(over)
		}
	}
	o.Changed = func(f *builds.Fold) { view.Expect(f.Plan()) }
	o.Note = func(text string) { view.Note(text) }
	follower := builds.New(o)
	view = viewer.New(viewer.Options{
		Input: b.s.In, Terminal: b.s.Terminal, Look: b.s.look(), Stay: stay,
		Log:       func(pipeline, step string) viewer.Log { return book.Page(pipeline, step) },
		Dismissed: ctx.Done(), Note: b.note, Control: b.control(ctx, follower.LookAgain),
	})
	var following sync.WaitGroup
	var err error
	failed := make(chan struct{})
	following.Go(func() {
		defer close(failed)
		err = exec.Guard(func() error { return follower.Run(looking) })
	})
	select {
	case <-over:
		// The view may go on and ask for logs.
		closed := view.Close()
		cancel()
		following.Wait()
		return summary, errors.Join(gone, closed)
	case <-view.Left():
	case <-failed:
	case <-ctx.Done():
	}
	cancel()
	following.Wait()
	closed := view.Close()
	switch {
	case ctx.Err() != nil:
		return summary, context.Cause(ctx)
	case gone != nil:
		return summary, gone
	case errors.Is(err, context.Canceled):
		return summary, closed
	}
	return summary, err
}

// note tells what is good to know when the screen was left, unless something else
// has the screen then.
func (b *buildShow) note(text string) {
	if !b.silent {
		b.s.note(text)
	}
}

// control is what can be done about a build. look has what has come of it looked
// at.
func (b *buildShow) control(ctx context.Context, look func()) *viewer.Control {
	decide := func(done, pipeline string, call decider) (string, error) {
		build, err := b.q.Build(ctx, b.repo, b.number)
		if err != nil {
			return "", err
		}
		var words, names []string
		if pipeline != "" {
			words = []string{pipeline}
		}
		err = b.q.decide(ctx, b.repo, build, words, call, func(stage remote.Stage) error {
			names = append(names, stage.Name)
			return nil
		})
		if err != nil {
			return "", err
		}
		look()
		return done + " " + strings.Join(names, ", "), nil
	}
	started := func(build *remote.Build, err error) (string, error) {
		if errors.Is(err, remote.ErrNothingStarted) {
			return "", errors.New("the server has started no build: no pipeline is for that")
		}
		if err != nil {
			return "", err
		}
		look()
		return fmt.Sprintf("build %d is started", build.Number), nil
	}
	return &viewer.Control{
		Approve: func(pipeline string) (string, error) {
			return decide("approved", pipeline, (*remote.Client).BuildApprove)
		},
		Decline: func(pipeline string) (string, error) {
			return decide("declined", pipeline, (*remote.Client).BuildDecline)
		},
		Cancel: func() (string, error) {
			if _, err := b.q.cancel(ctx, b.repo, b.number); err != nil {
				return "", err
			}
			look()
			return fmt.Sprintf("build %d is cancelled", b.number), nil
		},
		Restart: func() (string, error) { return started(b.q.BuildRestart(ctx, b.repo, b.number, nil, false)) },
		Promote: func(target string) (string, error) {
			return started(b.q.BuildPromote(ctx, b.repo, b.number, target, nil))
		},
	}
}

// followBuild shows a build until it ends; unless it has succeeded that is an
// error.
func followBuild(ctx context.Context, s Streams, q *session, repo remote.Slug, build *remote.Build) error {
	s.note(fmt.Sprintf("build %d of %s: %s", build.Number, repo, q.buildLink(repo, build.Number)))
	b := &buildShow{s: s, q: q, repo: repo, number: build.Number}
	summary, err := b.show(ctx)
	if err != nil {
		return err
	}
	switch summary.Status {
	case exec.StatusSuccess, exec.StatusSkipped:
		return nil
	case "", exec.StatusRunning:
		s.note(fmt.Sprintf("build %d goes on; `drone build wait %s %d` waits for its end", build.Number, repo, build.Number))
		return &failure{status: StatusFailed}
	}
	return &failure{status: StatusFailed} // the summary has told why
}

// buildLink is the page of a build on its server.
func (q *session) buildLink(repo remote.Slug, number int64) string {
	return fmt.Sprintf("%s/%s/%d", strings.TrimRight(q.Server(), "/"), repo, number)
}
