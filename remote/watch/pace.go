package watch

import (
	"context"
	"time"

	"github.com/drone-laptop/drone/remote"
)

// Pace are times to wait. Those that are 0 are as the reference advises (§3.2,
// §3.3).
type Pace struct {
	Poll    time.Duration // between two looks at the build: 5 s
	Reopen  time.Duration // before a stream that has ended is opened again: 1 s
	Backoff time.Duration // the most between two tries of what fails: 30 s
	Linger  time.Duration // for a stream to end when its step has: 2 s
	Store   time.Duration // for the log of a step that has ended to be stored: 5 s
	GiveUp  time.Duration // for a server that does not answer any more: 5 min
}

func (p Pace) orDefaults() Pace {
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{
		{&p.Poll, 5 * time.Second}, {&p.Reopen, time.Second}, {&p.Backoff, 30 * time.Second},
		{&p.Linger, 2 * time.Second}, {&p.Store, 5 * time.Second}, {&p.GiveUp, 5 * time.Minute},
	} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	return p
}

// backoff is how long to wait before each of several tries of what fails.
func (p Pace) backoff() *remote.Backoff { return &remote.Backoff{Min: p.Reopen, Max: p.Backoff} }

// sleep reports whether the time went by before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// signal has somebody who waits do something once, however often it is given
// meanwhile. Nil is never given.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

// give may be called from any goroutine, and does not wait.
func (s signal) give() {
	select {
	case s <- struct{}{}:
	default:
	}
}
