package watch

import (
	"context"
	"time"

	"github.com/drone-laptop/drone/remote"
)

// List keeps a list of builds up to date: it is fetched now and then, and when an
// event tells of a change. It is made with NewList and used once.
type List struct {
	opts ListOptions
	wake chan struct{}
}

// ListOptions say what is listed. All but Pace must be set.
type ListOptions struct {
	Server Server
	Repo   remote.Slug
	// Fetch gives the list as it is now.
	Fetch func(context.Context) ([]remote.Build, error)
	// Show gets each list, from the goroutine of Run. With an error the list is the
	// one before: the server does not answer at the moment.
	Show func([]remote.Build, error)
	Pace Pace
}

// NewList makes a List.
func NewList(o ListOptions) *List {
	o.Pace = o.Pace.orDefaults()
	return &List{opts: o, wake: make(chan struct{}, 1)}
}

// LookAgain has the list fetched soon. It may be called from any goroutine.
func (l *List) LookAgain() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run goes on until ctx is done, which is no error, or the server refuses.
func (l *List) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	f := &Follower{opts: Options{Server: l.opts.Server, Repo: l.opts.Repo, Pace: l.opts.Pace}, wake: l.wake, inbox: make(chan func())}
	defer f.done.Wait()
	defer cancel()
	f.start(ctx, f.hear)
	var list []remote.Build
	for tries := 0; ; {
		fresh, err := l.opts.Fetch(ctx)
		wait := l.opts.Pace.Poll
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			list, tries = fresh, 0
		case !passing(err):
			return err
		default:
			tries++
			wait = max(wait, f.backoff(tries))
		}
		l.opts.Show(list, err)
		if !sleep(ctx, l.opts.Pace.Reopen) { // events come in crowds
			return nil
		}
		select {
		case <-time.After(wait):
		case <-l.wake:
		case <-ctx.Done():
			return nil
		case act := <-f.inbox:
			act()
			return f.failed
		}
	}
}

// hear has the list fetched again after each event.
func (f *Follower) hear(ctx context.Context) {
	f.listenTo(ctx, func(*remote.Repo) error { f.LookAgain(); return nil })
}
