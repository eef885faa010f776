package cmd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/leftover"
	"github.com/drone-laptop/drone/internal/owner"
)

// sweepTime is how long a run that is over waits for a removal beside it that the
// engine is at. The next run goes on with the rest, and with what is held up.
const sweepTime = 2 * time.Second

// sweep removes, beside a run, what runs have left whose process is gone and
// that had no guard, as after a power cut.
type sweep struct {
	ctx      context.Context
	cancel   context.CancelFunc
	removing atomic.Bool
	enough   chan struct{} // closed when the run is over
	over     chan struct{}
}

// startSweep begins a sweep. It tells note in one line what it has removed, and
// warn in one what it could not. Whatever might belong to a run that lives is
// left alone.
func startSweep(ctx context.Context, engine *docker.Engine, note, warn func(string)) *sweep {
	ctx, cancel := context.WithCancel(ctx)
	s := &sweep{ctx: ctx, cancel: cancel, enough: make(chan struct{}), over: make(chan struct{})}
	go func() {
		defer close(s.over)
		err := exec.Guard(func() error { s.run(ctx, engine, note, warn); return nil })
		if err != nil {
			// The run is none the worse for it.
			_ = exec.Guard(func() error {
				warn("what earlier runs left was not removed: internal error: " + err.Error())
				return nil
			})
		}
	}()
	return s
}

func (s *sweep) run(ctx context.Context, engine *docker.Engine, note, warn func(string)) {
	found, err := leftover.Find(ctx, engine, runDirs(), false)
	found = slices.DeleteFunc(found, func(i leftover.Item) bool { return i.Owner != owner.Dead })
	if len(found) > 0 {
		s.removing.Store(true)
		failed, processes := leftover.Remove(ctx, s.enough, engine, found)
		var removed leftover.Tally
		removed.Processes(processes)
		for n, item := range found {
			if failed[n] == nil {
				removed.Count(item.Kind())
			}
		}
		err = errors.Join(append(s.told(failed), err)...)
		if removed.Any() {
			note("removed what an earlier run left: " + removed.String())
		}
	}
	if err != nil && ctx.Err() == nil {
		warn("not all that an earlier run left could be removed, see `drone clean`: " + strings.Join(strings.Fields(err.Error()), " "))
	}
}

// told leaves out of why things were not removed what says nothing: when the run
// is over before the sweep has tried for long, another one may be at work on them.
func (s *sweep) told(failed []error) []error {
	select {
	case <-s.enough:
	default:
		return failed
	}
	return slices.DeleteFunc(slices.Clone(failed), func(err error) bool {
		held, ok := errors.AsType[*docker.HeldError](err)
		return errdefs.IsConflict(err) || ok && held.ByOwn()
	})
}

// end ends the sweep with the run: it tries nothing again. What it is at and
// cannot leave, such as the removal of a large directory, ends with the program. A
// nil sweep never began.
func (s *sweep) end() {
	if s == nil {
		return
	}
	defer s.cancel()
	close(s.enough)
	if !s.removing.Load() {
		return
	}
	select {
	case <-s.over:
	case <-s.ctx.Done(): // somebody is in a hurry
	case <-time.After(sweepTime):
	}
}
