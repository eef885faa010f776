package watch

import (
	"context"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/remote"
)

// List keeps a list of builds up to date: it is fetched now and then, and when an
// event tells of a change. It is made with NewList and used once.
type List struct {
	opts ListOptions
	wake signal
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
	return &List{opts: o, wake: newSignal()}
}

// LookAgain has the list fetched soon. It may be called from any goroutine.
func (l *List) LookAgain() { l.wake.give() }

// Run goes on until ctx is done, which is no error, or the server refuses.
func (l *List) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var hearing sync.WaitGroup
	defer hearing.Wait()
	defer cancel()
	broken := make(chan error, 1)
	hearing.Go(func() {
		if err := exec.Guard(func() error { l.hear(ctx); return nil }); err != nil {
			broken <- err
		}
	})
	var list []remote.Build
	backoff := l.opts.Pace.backoff()
	for {
		fresh, err := l.opts.Fetch(ctx)
		wait := l.opts.Pace.Poll
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			list = fresh
			backoff.Reset()
		case !passing(err):
			return err
		default:
			wait = max(wait, backoff.Next())
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
		case err := <-broken:
			return err
		}
	}
}

// hear has the list fetched again after each event.
func (l *List) hear(ctx context.Context) {
	events := listener{server: l.opts.Server, repo: l.opts.Repo, pace: l.opts.Pace, missed: l.LookAgain}
	events.listen(ctx, func(*remote.Repo) error { l.LookAgain(); return nil })
}
