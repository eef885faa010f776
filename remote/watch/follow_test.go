package watch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/watch"
)

var (
	errGone    = &remote.UnreachableError{Server: "http://drone.test", Err: errors.New("it is gone")}
	errNone    = &remote.StatusError{Request: "GET", Status: 404}
	errRefused = &remote.StatusError{Request: "GET", Status: 401}
	errBusy    = &remote.StatusError{Request: "GET", Status: 500}
)

// fake is a server with one build. All of it is guarded by the mutex.
type fake struct {
	mu     sync.Mutex
	build  remote.Build
	refuse func(call string) error // may refuse a call
	calls  map[string]int
	events chan remote.Repo
	live   func(ctx context.Context, take func(remote.Line) error) error // the stream of each log
	stored []remote.Line
	has    bool // there is a stored log
	slow   func(step int)
}

func newFake() *fake {
	return &fake{
		build: remote.Build{Number: 7, Event: "push", Status: remote.StateRunning, Started: 100, Version: 1, Stages: []remote.Stage{{
			Number: 1, Name: "build", Status: remote.StateRunning, Started: 100, Version: 1,
			Steps: []remote.Step{{Number: 1, Name: "clone", Status: remote.StateRunning, Started: 100, Version: 1}},
		}}},
		calls: map[string]int{}, events: make(chan remote.Repo),
		live: func(ctx context.Context, take func(remote.Line) error) error { <-ctx.Done(); return ctx.Err() },
	}
}

// ends finishes the build, and says it to nobody.
func (f *fake) ends(status string) remote.Build {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := copied(f.build)
	b.Status, b.Finished, b.Version = status, 110, 2
	b.Stages[0].Status, b.Stages[0].Stopped, b.Stages[0].Version = status, 110, 2
	b.Stages[0].Steps[0].Status, b.Stages[0].Steps[0].Stopped, b.Stages[0].Steps[0].Version = status, time.Now().Unix(), 2
	f.build = b
	return copied(b)
}

func (f *fake) store(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stored, f.has = logLines(0, n), true
}

func logLines(from, to int) (lines []remote.Line) {
	for n := from; n < to; n++ {
		lines = append(lines, remote.Line{Number: n, Message: fmt.Sprintf("line %d\n", n)})
	}
	return lines
}

func (f *fake) called(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[call]++
	if f.refuse != nil {
		return f.refuse(call)
	}
	return nil
}

func (f *fake) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[call]
}

func (f *fake) Build(ctx context.Context, _ remote.Slug, _ int64) (*remote.Build, error) {
	if err := f.called("build"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b := copied(f.build)
	return &b, ctx.Err()
}

func (f *fake) Logs(_ context.Context, _ remote.Slug, step remote.StepRef) ([]remote.Line, error) {
	if f.slow != nil {
		f.slow(step.Step)
	}
	if err := f.called("logs"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.has {
		return nil, errNone
	}
	return f.stored, nil
}

func (f *fake) Events(ctx context.Context, _ remote.Slug, take func(*remote.Repo) error) error {
	if err := f.called("events"); err != nil {
		return err
	}
	for {
		select {
		case r := <-f.events:
			if err := take(&r); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fake) LogStream(ctx context.Context, _ remote.Slug, _ remote.StepRef, take func(remote.Line) error) error {
	if err := f.called("stream"); err != nil {
		return err
	}
	return f.live(ctx, take)
}

// gives sends lines, and ends the stream as said.
func gives(lines []remote.Line, end error) func(context.Context, func(remote.Line) error) error {
	return func(_ context.Context, take func(remote.Line) error) error {
		for _, l := range lines {
			if err := take(l); err != nil {
				return err
			}
		}
		return end
	}
}

// followed is what was told of a build.
type followed struct {
	*audience
	events []exec.Event
	notes  []string
	err    error
	took   time.Duration
}

// texts are the lines of the only step.
func (f *followed) texts() []string { return f.lines["build/clone"] }

func (f *followed) warnings() (texts []string) {
	for _, w := range f.summary.Warnings {
		texts = append(texts, w.Message)
	}
	return texts
}

func follow(ctx context.Context, t *testing.T, server *fake, change func(*watch.Options)) *followed {
	t.Helper()
	f := &followed{audience: newAudience(t)}
	var notes sync.Mutex
	o := watch.Options{
		Server: server, Repo: remote.Slug{Owner: "octo", Name: "cat"}, Build: 7,
		Emit: func(e exec.Event) { f.events = append(f.events, e); f.hear(e) },
		Note: func(text string) { notes.Lock(); defer notes.Unlock(); f.notes = append(f.notes, text) },
	}
	if change != nil {
		change(&o)
	}
	began := time.Now()
	f.err = watch.New(o).Run(ctx)
	f.took = time.Since(began)
	return f
}

func want(n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("%d line %d", i+1, i))
	}
	return texts
}

// TestFollow: every test runs on a clock of its own, and fails when a goroutine is
// left behind.
func TestFollow(t *testing.T) {
	tests := []struct {
		name string // with the section that says so
		// script runs beside the following.
		script func(*fake)
		server func(*fake)
		check  func(*testing.T, *fake, *followed)
	}{{
		name:   "all lines, though the stream gives none of the last (§3.3)",
		server: func(f *fake) { f.live = gives(logLines(0, 3), nil); f.store(9) },
		script: func(f *fake) { time.Sleep(3 * time.Second); f.ends(remote.StateSuccess) },
		check: func(t *testing.T, f *fake, got *followed) {
			if diff := cmp.Diff(want(9), got.texts()); diff != "" {
				t.Error(diff)
			}
			if got.summary.Status != exec.StatusSuccess {
				t.Errorf("status %s", got.summary.Status)
			}
		},
	}, {
		name:   "no event tells of the end (§3.2)",
		script: func(f *fake) { time.Sleep(30 * time.Second); f.store(1); f.ends(remote.StateKilled) },
		check: func(t *testing.T, f *fake, got *followed) {
			if got.took > 40*time.Second || got.summary.Status != exec.StatusKilled {
				t.Errorf("%s after %s", got.summary.Status, got.took)
			}
		},
	}, {
		name: "an event tells of it at once",
		script: func(f *fake) {
			time.Sleep(7 * time.Second)
			f.store(1)
			b := f.ends(remote.StateSuccess)
			f.events <- remote.Repo{Build: &remote.Build{Number: 8}}
			f.events <- remote.Repo{}
			f.events <- remote.Repo{Build: &b}
		},
		check: func(t *testing.T, f *fake, got *followed) {
			if got.took > 9*time.Second+time.Millisecond {
				t.Errorf("after %s", got.took)
			}
		},
	}, {
		name:   "the stream of a killed step never ends (§3.3)",
		script: func(f *fake) { time.Sleep(time.Second); f.store(2); f.ends(remote.StateKilled) },
		check: func(t *testing.T, f *fake, got *followed) {
			if diff := cmp.Diff(want(2), got.texts()); diff != "" {
				t.Error(diff)
			}
		},
	}, {
		name:   "streams that are cut are opened again, and say the same again (§3.3)",
		server: func(f *fake) { f.live = gives(logLines(0, 4), errGone) },
		script: func(f *fake) { time.Sleep(time.Minute); f.store(5); f.ends(remote.StateFailure) },
		check: func(t *testing.T, f *fake, got *followed) {
			if diff := cmp.Diff(want(5), got.texts()); diff != "" {
				t.Error(diff)
			}
			if n := f.calls["stream"]; n < 3 || n > 10 {
				t.Errorf("the stream was opened %d times in a minute", n)
			}
		},
	}, {
		name:   "the first lines are gone (§3.3)",
		server: func(f *fake) { f.live = gives(logLines(1000, 1002), nil) },
		script: func(f *fake) { time.Sleep(2 * time.Second); f.store(1002); f.ends(remote.StateSuccess) },
		check: func(t *testing.T, f *fake, got *followed) {
			if diff := cmp.Diff([]string{"1001 line 1000", "1002 line 1001"}, got.texts()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"lines 1 to 1000 are missing: the server has let go of them"}, got.warnings()); diff != "" {
				t.Error(diff)
			}
		},
	}, {
		name:   "a log that is never stored (§3.3)",
		server: func(f *fake) { f.live = gives(logLines(0, 2), nil) },
		script: func(f *fake) { time.Sleep(2 * time.Second); f.ends(remote.StateError) },
		check: func(t *testing.T, f *fake, got *followed) {
			if diff := cmp.Diff([]string{"the server has stored no log of it"}, got.warnings()); diff != "" {
				t.Error(diff)
			}
			if n := f.calls["logs"]; n != 5 {
				t.Errorf("it was asked for %d times", n)
			}
		},
	}, {
		name: "a server that is away for a while",
		server: func(f *fake) {
			f.store(1)
			began := time.Now()
			f.refuse = func(string) error {
				if s := time.Since(began); s > 10*time.Second && s < time.Minute {
					return errBusy
				}
				return nil
			}
		},
		script: func(f *fake) { time.Sleep(2 * time.Minute); f.ends(remote.StateSuccess) },
		check: func(t *testing.T, f *fake, got *followed) {
			if diff := cmp.Diff([]string{errBusy.Error() + "; trying again", "the server answers again"}, got.notes); diff != "" {
				t.Error(diff)
			}
			if got.err != nil || got.summary.Status != exec.StatusSuccess {
				t.Errorf("%s, error %v", got.summary.Status, got.err)
			}
		},
	}, {
		name: "a server that is gone",
		server: func(f *fake) {
			began := time.Now()
			f.refuse = func(string) error {
				if time.Since(began) > 10*time.Second {
					return errGone
				}
				return nil
			}
		},
		check: func(t *testing.T, f *fake, got *followed) {
			if !errors.Is(got.err, errGone) || got.took < 5*time.Minute || got.took > 6*time.Minute {
				t.Errorf("error %v after %s", got.err, got.took)
			}
		},
	}, {
		name: "a build that is purged",
		server: func(f *fake) {
			began := time.Now()
			f.refuse = func(string) error {
				if time.Since(began) > 10*time.Second {
					return errNone
				}
				return nil
			}
		},
		check: func(t *testing.T, f *fake, got *followed) {
			if !errors.Is(got.err, remote.ErrNotFound) || got.took > 20*time.Second {
				t.Errorf("error %v after %s", got.err, got.took)
			}
		},
	}, {
		name: "no streams for this user (§3.2)",
		server: func(f *fake) {
			f.store(3)
			f.refuse = func(call string) error {
				if call == "events" || call == "stream" {
					return errRefused
				}
				return nil
			}
		},
		script: func(f *fake) { time.Sleep(time.Minute); f.ends(remote.StateSuccess) },
		check: func(t *testing.T, f *fake, got *followed) {
			if diff := cmp.Diff(want(3), got.texts()); diff != "" || got.err != nil {
				t.Error(got.err, diff)
			}
			if f.calls["events"] != 1 {
				t.Errorf("events were asked for %d times", f.calls["events"])
			}
		},
	}, {
		name:   "a build that is over",
		server: func(f *fake) { f.store(3); f.ends(remote.StateFailure) },
		check: func(t *testing.T, f *fake, got *followed) {
			if diff := cmp.Diff(map[string]int{"build": 1, "logs": 1}, f.calls); diff != "" {
				t.Error(diff)
			}
			if got.took != 0 {
				t.Errorf("it took %s", got.took)
			}
		},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				if tt.server != nil {
					tt.server(f)
				}
				var beside sync.WaitGroup
				if tt.script != nil {
					beside.Go(func() { tt.script(f) })
				}
				got := follow(t.Context(), t, f, nil)
				beside.Wait()
				tt.check(t, f, got)
				if got.err == nil && !got.over {
					t.Error("the run has no end")
				}
			})
		})
	}
}

// TestFollowEnded: whoever does not want more of it gets the cause back.
func TestFollowEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errEnough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer time.AfterFunc(time.Minute, func() { cancel(errEnough) }).Stop()
		f := newFake()
		f.live = func(ctx context.Context, take func(remote.Line) error) error {
			for n := 0; ; n++ {
				if err := take(remote.Line{Number: n, Message: "x\n"}); err != nil {
					return err
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		got := follow(ctx, t, f, nil)
		if !errors.Is(got.err, errEnough) || len(got.texts()) < 5000 {
			t.Errorf("error %v after %d lines", got.err, len(got.texts()))
		}
	})
}

// TestFollowOnce: of a build that goes on, what there is, without waiting for
// more.
func TestFollowOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.live = func(ctx context.Context, take func(remote.Line) error) error {
			if err := gives(logLines(0, 3), nil)(ctx, take); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}
		got := follow(t.Context(), t, f, func(o *watch.Options) { o.Once = true })
		if diff := cmp.Diff(want(3), got.texts()); diff != "" || got.err != nil {
			t.Error(got.err, diff)
		}
		if diff := cmp.Diff([]string{"the step goes on"}, got.warnings()); diff != "" {
			t.Error(diff)
		}
		if got.over || got.took > 5*time.Second {
			t.Errorf("over %v, after %s", got.over, got.took)
		}
	})
}

// TestFollowOnceInOrder: what runs comes behind what has ended.
func TestFollowOnceInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.live = gives(logLines(0, 2), nil)
		f.store(2)
		f.slow = func(int) { time.Sleep(time.Second) }
		steps := &f.build.Stages[0].Steps
		*steps = append(*steps, remote.Step{Number: 2, Name: "test", Status: remote.StateRunning, Started: 100, Version: 1})
		(*steps)[0].Status = remote.StateSuccess
		got := follow(t.Context(), t, f, func(o *watch.Options) { o.Once = true })
		var order []string
		for _, e := range got.events {
			if out, ok := e.(exec.StepOutput); ok {
				order = append(order, fmt.Sprint(out.Step, " ", out.Line))
			}
		}
		if want := []string{"clone 1", "clone 2", "test 1", "test 2"}; !slices.Equal(order, want) {
			t.Errorf("lines %q, want %q", order, want)
		}
	})
}

// TestFollowOnceEnds also of a step that prints without a pause, and of one that
// prints nothing.
func TestFollowOnceEnds(t *testing.T) {
	for _, pause := range []time.Duration{10 * time.Millisecond, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.live = func(ctx context.Context, take func(remote.Line) error) error {
				for n := 0; ; n++ {
					select {
					case <-time.After(pause):
					case <-ctx.Done():
						return ctx.Err()
					}
					if err := take(remote.Line{Number: n, Message: "x\n"}); err != nil {
						return err
					}
				}
			}
			if got := follow(t.Context(), t, f, func(o *watch.Options) { o.Once = true }); got.err != nil || got.took > 5*time.Second {
				t.Errorf("error %v after %s, with a line every %s", got.err, got.took, pause)
			}
		})
	}
}

// TestFollowInOrder: logs of a build that is over come in order, whichever is the
// first to arrive.
func TestFollowInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.build.Stages[0].Steps = nil
		for n := range 20 {
			f.build.Stages[0].Steps = append(f.build.Stages[0].Steps, remote.Step{Number: n + 1, Name: fmt.Sprint("step", n+1), Status: remote.StateRunning, Started: 100, Version: 1})
		}
		f.store(2)
		f.ends(remote.StateSuccess)
		for i := range f.build.Stages[0].Steps {
			f.build.Stages[0].Steps[i].Status = remote.StateSuccess
		}
		most, now := 0, 0
		f.slow = func(step int) {
			f.mu.Lock()
			now++
			most = max(most, now)
			f.mu.Unlock()
			time.Sleep(time.Duration(30-step) * time.Second)
			f.mu.Lock()
			now--
			f.mu.Unlock()
		}
		got := follow(t.Context(), t, f, nil)
		var order []string
		for _, e := range got.events {
			if out, ok := e.(exec.StepOutput); ok && out.Line == 1 {
				order = append(order, out.Step)
			}
		}
		if len(order) != 20 || !slices.IsSortedFunc(order, func(a, b string) int { return len(a) - len(b) }) || order[0] != "step1" || order[8] != "step9" || order[19] != "step20" {
			t.Errorf("the logs came in the order %v", order)
		}
		if most < 2 || most > 4 {
			t.Errorf("%d logs were fetched at the same time", most)
		}
	})
}

// TestFollowSome: of steps whose lines are not wanted the server is not asked for
// any.
func TestFollowSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.ends(remote.StateFailure)
		got := follow(t.Context(), t, f, func(o *watch.Options) {
			o.Logs = func(s *remote.Stage, step *remote.Step) bool { return s.Name == "build" && step.Name == "other" }
		})
		if f.calls["logs"] != 0 || !got.over {
			t.Errorf("%d logs, over %v", f.calls["logs"], got.over)
		}
	})
}

// TestBook: a log is fetched when somebody looks at it, follows, and is complete
// in the end.
func TestBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.live = func(ctx context.Context, take func(remote.Line) error) error {
			if err := gives(append(logLines(2, 4), logLines(0, 4)...), nil)(ctx, take); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}
		book := watch.NewBook(func() {})
		defer book.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got *followed
		var following sync.WaitGroup
		following.Go(func() {
			got = follow(ctx, t, f, func(o *watch.Options) { o.Book = book })
		})
		time.Sleep(20 * time.Second)
		if f.count("stream") != 0 {
			t.Error("a log is followed that nobody looks at")
		}
		page := book.Page("build", "clone")
		time.Sleep(3 * time.Second) // lines that are missing are asked for once more
		look := func(want ...string) {
			t.Helper()
			lines, err := page.Lines(0, page.Len())
			var texts []string
			for _, l := range lines {
				texts = append(texts, l.Text)
			}
			if err != nil || !slices.Equal(texts, want) {
				t.Errorf("lines %q, %v, want %q", texts, err, want)
			}
		}
		look("line 2", "line 3")
		f.store(5)
		f.ends(remote.StateSuccess)
		time.Sleep(20 * time.Second)
		look("line 0", "line 1", "line 2", "line 3", "line 4")
		cancel()
		following.Wait()
		if got.summary.Status != exec.StatusSuccess || !errors.Is(got.err, context.Canceled) {
			t.Errorf("%s, error %v", got.summary.Status, got.err)
		}
		if len(got.lines) > 0 || strings.Contains(fmt.Sprint(kinds(got.events)), "StepOutput") {
			t.Error("lines are events, too")
		}
	})
}
