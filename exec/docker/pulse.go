package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// patience says how long an engine that does not answer is borne with. A
// process that hangs cuts no connection, so a run would wait for ever.
type patience struct {
	every   time.Duration // how often it is greeted while a pipeline is open
	running time.Duration // how long it may be silent meanwhile
	closing time.Duration // the same while a pipeline is removed
	back    time.Duration // how long one that is gone may take to come back for removals
}

func defaultPatience() patience {
	return patience{every: 5 * time.Second, running: 30 * time.Second, closing: 20 * time.Second, back: 20 * time.Second}
}

// silentError is an engine that has not answered for a while.
type silentError struct{ time.Duration }

func (e silentError) Error() string { return fmt.Sprintf("it has not answered for %s", e.Duration) }

// watchPulse greets the engine until ctx ends and calls lose, once, when it has
// not answered for limit. The clock stands still while the machine sleeps.
func (e *Engine) watchPulse(ctx context.Context, every, limit time.Duration, lose func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		for silent := time.Now(); ; {
			bounded, cancel := context.WithTimeout(ctx, limit)
			_, err := e.client.Ping(bounded)
			cancel()
			if err == nil || ctx.Err() != nil {
				break
			}
			if time.Since(silent) >= limit {
				lose(silentError{limit})
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(min(every, time.Second)):
			}
		}
	}
}

// feelPulse begins to watch the engine for a session; pulse ends with its
// cause when the engine is given up, or when the returned function is called.
func (s *session) feelPulse() {
	ctx, cancel := context.WithCancelCause(context.Background())
	s.pulse = ctx
	s.watching.Go(func() {
		s.engine.watchPulse(ctx, s.engine.patience.every, s.engine.patience.running, func(why error) {
			gone := s.engine.lostConnection()
			gone.Err = fmt.Errorf("%w: %w", gone.Err, why)
			gone.Hint = "the engine hangs or is out of reach; restart it, then run again"
			cancel(gone)
		})
	})
	s.leavePulse = func() {
		cancel(errClosed)
		s.watching.Wait()
	}
}

// givenUp reports whether the engine was given up.
func (s *session) givenUp() bool {
	return s.pulse.Err() != nil && !errors.Is(context.Cause(s.pulse), errClosed)
}

// whileAlive gives a context that also ends when the engine is given up.
func (s *session) whileAlive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.pulse, func() {
		if s.givenUp() {
			cancel(&exec.StepError{Phase: exec.PhaseRun, Err: context.Cause(s.pulse)})
		}
	})
	return ctx, func() { stop(); cancel(nil) }
}
