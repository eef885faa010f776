package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/remote"
)

// Options say what is followed, and who is told.
type Options struct {
	Server Server
	Repo   remote.Slug
	Build  int64
	// Emit gets the events, from the goroutine of Run.
	Emit func(exec.Event)
	// Logs says of which steps the lines are wanted as events; nil is all.
	Logs func(*remote.Stage, *remote.Step) bool
	// Book keeps the lines instead, of those steps only that somebody looks at;
	// no event has lines then, and none waits for them.
	Book *Book
	// Once shows what there is and does not wait for more: Run returns when the
	// logs are told, also of a build that goes on.
	Once bool
	// Changed is told, from the goroutine of Run, when more is known of the
	// build. Note gets what is good to know: a connection that is lost, or back.
	// Both may be nil.
	Changed func(*Fold)
	Note    func(string)
	// Pace are the times that are waited.
	Pace Pace
	// Now is the clock for what the server gives no time of, time.Now when nil.
	Now func() time.Time
}

// storing is how many stored logs are fetched at the same time, and storeTries
// how often one is asked for.
const (
	storing    = 4
	storeTries = 5
	// fresh is for how long after its end the log of a step may yet be stored.
	fresh = time.Minute
)

// Follower follows one build. It is made with New and used once.
type Follower struct {
	opts  Options
	fold  Fold
	inbox chan func() // for the goroutine of Run, which owns all below
	wake  signal
	done  sync.WaitGroup

	tails  map[Place]*tail
	queue  []Place // of logs that are only to be fetched, those that are not yet
	order  []Place // those that are, up to storing, in the order of the build
	ends   map[Place]stored
	asked  map[pageName]bool // of a Book
	failed error
}

// tail is the following of a log.
type tail struct {
	stopped chan struct{} // closed when the step prints no more
	closed  bool
	ended   bool
}

// New makes a Follower. Server, Repo, Build and Emit must be set.
func New(o Options) *Follower {
	o.Pace = o.Pace.orDefaults()
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Changed == nil {
		o.Changed = func(*Fold) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &Follower{
		opts: o, inbox: make(chan func()), wake: newSignal(),
		tails: map[Place]*tail{}, ends: map[Place]stored{}, asked: map[pageName]bool{},
	}
	f.fold = Fold{Name: fmt.Sprintf("%s#%d", o.Repo, o.Build), Emit: o.Emit, Now: o.Now}
	if o.Book == nil {
		f.fold.Holds = f.wanted
	}
	return f
}

// Run follows the build until its end, with all lines that are wanted. A build
// that failed is no error. The error is that of the server when it refuses or is
// gone for long, or the cause of ctx.
func (f *Follower) Run(ctx context.Context) error {
	b, err := f.opts.Server.Build(ctx, f.opts.Repo, f.opts.Build)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer f.done.Wait()
	defer cancel()
	f.snapshot(ctx, b)
	if !f.opts.Once && !f.fold.Over() && !remote.Finished(b.Status) {
		f.start(ctx, f.poll)
		f.start(ctx, f.listen)
	}
	for !f.finished() {
		select {
		case act := <-f.inbox:
			act()
		case <-f.opts.Book.woken():
			f.ask(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return f.failed
}

// finished reports that nothing is left to be told. What is on the screen may be
// asked for its logs when its build is over.
func (f *Follower) finished() bool {
	if f.failed != nil {
		return true
	}
	if f.opts.Book != nil {
		return false
	}
	if !f.opts.Once {
		return f.fold.Over()
	}
	for _, t := range f.tails {
		if !t.ended {
			return false
		}
	}
	return true
}

// start has something done until it ends by itself or ctx does. A defect ends
// the following.
func (f *Follower) start(ctx context.Context, work func(context.Context)) {
	f.done.Go(func() {
		if err := exec.Guard(func() error { work(ctx); return nil }); err != nil {
			f.tell(ctx, func() { f.failed = err })
		}
	})
}

// tell has something done by the owner.
func (f *Follower) tell(ctx context.Context, act func()) bool {
	select {
	case f.inbox <- act:
		return true
	case <-ctx.Done():
		return false
	}
}

// wanted reports a step whose log is followed.
func (f *Follower) wanted(at Place) bool {
	s, t := f.fold.find(at)
	if f.opts.Book != nil {
		return t != nil && f.asked[pageName{s.name, t.name}]
	}
	return t != nil && (f.opts.Logs == nil || f.opts.Logs(&s.Stage, &t.Step))
}

// snapshot takes what a server says of the build.
func (f *Follower) snapshot(ctx context.Context, b *remote.Build) {
	f.fold.Snapshot(b)
	f.tail(ctx)
	f.opts.Changed(&f.fold)
}

// tail follows the logs of steps that have begun.
func (f *Follower) tail(ctx context.Context) {
	for _, at := range f.fold.Places() {
		t := f.tails[at]
		if t == nil && f.fold.ran(at) && f.wanted(at) {
			t = &tail{stopped: make(chan struct{})}
			f.tails[at] = t
			if f.opts.Once || f.opts.Book == nil && f.fold.stopped(at) {
				f.queue = append(f.queue, at)
			} else {
				f.start(ctx, func(ctx context.Context) { f.follow(ctx, at, t.stopped) })
			}
		}
		if t != nil && !t.closed && f.fold.stopped(at) {
			t.closed = true
			close(t.stopped)
		}
	}
	f.fetch(ctx)
}

// fetch begins with logs that are only to be fetched, some at a time. They are
// told in order.
func (f *Follower) fetch(ctx context.Context) {
	for len(f.queue) > 0 && len(f.order) < storing {
		at := f.queue[0]
		f.queue, f.order = f.queue[1:], append(f.order, at)
		get := f.stored
		if !f.fold.stopped(at) {
			get = f.glimpse
		}
		f.start(ctx, func(ctx context.Context) {
			end := get(ctx, at)
			f.tell(ctx, func() {
				f.ends[at] = end
				for len(f.order) > 0 {
					first, ok := f.ends[f.order[0]]
					if !ok {
						break
					}
					f.end(f.order[0], first)
					delete(f.ends, f.order[0])
					f.order = f.order[1:]
				}
				f.fetch(ctx)
			})
		})
	}
}

// ask has the logs followed that somebody looks at now.
func (f *Follower) ask(ctx context.Context) {
	for _, k := range f.opts.Book.asks() {
		f.asked[k] = true
	}
	f.tail(ctx)
}

// LookAgain has the build looked at soon, such as when somebody has done something
// about it that no event tells of. It may be called from any goroutine.
func (f *Follower) LookAgain() { f.wake.give() }

// poll looks at the build now and then, until it is over.
func (f *Follower) poll(ctx context.Context) {
	var lost time.Time // since when there is no answer; zero while there is
	backoff := f.opts.Pace.backoff()
	for {
		wait := f.opts.Pace.Poll
		if !lost.IsZero() {
			wait = backoff.Next()
		}
		select {
		case <-time.After(wait):
		case <-f.wake:
			if !lost.IsZero() && !sleep(ctx, wait) {
				return
			}
		case <-ctx.Done():
			return
		}
		b, err := f.opts.Server.Build(ctx, f.opts.Repo, f.opts.Build)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if !lost.IsZero() {
				f.opts.Note("the server answers again")
			}
			lost = time.Time{}
			backoff.Reset()
			if !f.tell(ctx, func() { f.snapshot(ctx, b) }) || remote.Finished(b.Status) {
				return
			}
			continue
		case !passing(err):
			f.tell(ctx, func() { f.failed = err })
			return
		}
		now := time.Now()
		if lost.IsZero() {
			lost = now
			f.opts.Note(err.Error() + "; trying again")
		}
		if now.Sub(lost) > f.opts.Pace.GiveUp {
			f.tell(ctx, func() { f.failed = err })
			return
		}
	}
}

// listen has the build taken from each event about it.
func (f *Follower) listen(ctx context.Context) {
	l := listener{server: f.opts.Server, repo: f.opts.Repo, pace: f.opts.Pace, missed: f.LookAgain}
	l.listen(ctx, func(r *remote.Repo) error {
		if r == nil || r.Build == nil || r.Build.Number != f.opts.Build {
			return nil
		}
		if b := r.Build; !f.tell(ctx, func() { f.snapshot(ctx, b) }) {
			return context.Cause(ctx)
		}
		return nil
	})
}

var (
	// errLate ends a stream whose step has ended.
	errLate = errors.New("the step has ended")
	// errGap ends one that has left lines out: another one may have them.
	errGap = errors.New("lines are missing")
)

// position is how far a log has come.
type position struct {
	next    int // the position after the last line
	doubted int // the last next that did not come, -1 for none
}

// follow takes the log of a step, as reference §3.3 advises: what comes while it
// runs, then the rest of what was stored, which is the truth.
func (f *Follower) follow(ctx context.Context, at Place, stopped <-chan struct{}) {
	ref := remote.StepRef{Build: f.opts.Build, Stage: at.Stage, Step: at.Step}
	seen := position{doubted: -1}
	backoff := f.opts.Pace.backoff()
	for !isClosed(stopped) {
		before := seen.next
		err := f.stream(ctx, at, ref, stopped, &seen)
		if seen.next > before {
			backoff.Reset()
		}
		wait := max(f.opts.Pace.Reopen, backoff.Next())
		if errors.Is(err, errGap) {
			wait = f.opts.Pace.Reopen
		}
		f.LookAgain() // most likely the step has ended
		select {
		case <-stopped:
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
	end := f.stored(ctx, at)
	f.tell(ctx, func() { f.end(at, end) })
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// stream takes lines until the stream ends. That of a step that was killed does
// not, so it is left when its step has ended for a while.
func (f *Follower) stream(ctx context.Context, at Place, ref remote.StepRef, stopped <-chan struct{}, seen *position) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f.start(ctx, func(ctx context.Context) {
		select {
		case <-stopped:
		case <-ctx.Done():
			return
		}
		if sleep(ctx, f.opts.Pace.Linger) {
			cancel(errLate)
		}
	})
	err := f.opts.Server.LogStream(ctx, f.opts.Repo, ref, func(l remote.Line) error {
		switch {
		case l.Number < seen.next:
			return nil // it is told again
		case l.Number > seen.next && seen.doubted != seen.next:
			seen.doubted = seen.next
			return errGap
		}
		seen.next = l.Number + 1
		if !f.tell(ctx, func() { f.line(at, l) }) {
			return context.Cause(ctx)
		}
		return nil
	})
	if err != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return err
}

func (f *Follower) line(at Place, l remote.Line) {
	if f.opts.Book == nil {
		f.fold.Line(at, l)
		return
	}
	k, began := f.page(at)
	f.opts.Book.line(k, began, l)
}

// page is what a Book knows a step by, and when it began.
func (f *Follower) page(at Place) (pageName, time.Time) {
	pipeline, name := f.fold.Names(at)
	return pageName{pipeline, name}, time.Unix(f.fold.Step(at).Started, 0)
}

// stored is a log as the server has stored it, and what is to be said of it.
type stored struct {
	lines []remote.Line
	note  string
}

// stored gives the log of a step that has ended. It may take the server a moment
// to store it.
func (f *Follower) stored(ctx context.Context, at Place) stored {
	patient := false
	known := make(chan struct{})
	if !f.tell(ctx, func() {
		patient = f.opts.Now().Sub(time.Unix(f.fold.Step(at).Stopped, 0)) < fresh
		close(known)
	}) {
		return stored{}
	}
	<-known
	ref := remote.StepRef{Build: f.opts.Build, Stage: at.Stage, Step: at.Step}
	for tries := 1; ; tries++ {
		lines, err := f.opts.Server.Logs(ctx, f.opts.Repo, ref)
		switch {
		case err == nil || ctx.Err() != nil:
			return stored{lines: lines}
		case errors.Is(err, remote.ErrNotFound) && (!patient || tries >= storeTries):
			return stored{note: "the server has stored no log of it"}
		case !errors.Is(err, remote.ErrNotFound) && (!passing(err) || tries >= storeTries):
			return stored{note: "its log cannot be read: " + err.Error()}
		}
		if !sleep(ctx, f.opts.Pace.Store/(storeTries-1)) {
			return stored{}
		}
	}
}

// glimpse gives what a step that runs has printed so far: what its stream gives
// without a pause.
func (f *Follower) glimpse(ctx context.Context, at Place) stored {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now()
	quiet := time.AfterFunc(f.opts.Pace.Linger+f.opts.Pace.Reopen, func() { cancel(errLate) })
	defer quiet.Stop()
	end := stored{note: "the step goes on"}
	ref := remote.StepRef{Build: f.opts.Build, Stage: at.Stage, Step: at.Step}
	err := f.opts.Server.LogStream(within, f.opts.Repo, ref, func(l remote.Line) error {
		end.lines = append(end.lines, l)
		if !quiet.Stop() || time.Since(began) > f.opts.Pace.Linger {
			return errLate
		}
		quiet.Reset(f.opts.Pace.Linger / 8)
		return nil
	})
	if err != nil && within.Err() == nil && !errors.Is(err, errLate) {
		end.note += "; what it prints cannot be read: " + err.Error()
	}
	return end
}

// end gives the rest of a log.
func (f *Follower) end(at Place, rest stored) {
	f.tails[at].ended = true
	if f.opts.Book != nil {
		k, began := f.page(at)
		f.opts.Book.whole(k, began, rest.lines, rest.note)
		return
	}
	for _, l := range rest.lines {
		f.fold.Line(at, l)
	}
	f.fold.LogEnd(at, rest.note)
}
