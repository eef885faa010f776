package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// ErrTimeout is what every *TimeoutError is. A context with it as its cause
// ended because the time of the run was over.
var ErrTimeout = errors.New("time limit of the run exceeded")

// Limit is what bounds a time, by the name of the flag that sets it.
type Limit string

// The limits.
const (
	LimitRun  Limit = "--timeout"      // of the whole run
	LimitStep Limit = "--step-timeout" // of a step, from its turn to its end
	LimitIdle Limit = "--idle-timeout" // of the silence of a step that runs
)

// TimeoutError is a limit that was exceeded. For LimitRun it is the cause that
// the caller gives the context of the run.
type TimeoutError struct {
	Limit Limit
	After time.Duration
}

func (e *TimeoutError) Error() string {
	switch e.Limit {
	case LimitRun:
		return fmt.Sprintf("the run was ended by its time limit of %s (%s)", e.After, e.Limit)
	case LimitIdle:
		return fmt.Sprintf("killed after %s without output (%s)", e.After, e.Limit)
	default:
		return fmt.Sprintf("killed after %s (%s)", e.After, e.Limit)
	}
}

// Is makes every TimeoutError an ErrTimeout.
func (e *TimeoutError) Is(target error) bool { return target == ErrTimeout }

// timedOut reports whether cause is a time limit.
func timedOut(cause error) bool {
	return errors.Is(cause, ErrTimeout) || errors.Is(cause, context.DeadlineExceeded)
}

// exceed ends a step alone, such as one that has exceeded a limit of its own, from
// any goroutine: the owner of the run may be waiting for who reads the output.
func (p *pipeline) exceed(s *step, cause error) {
	s.cancel(cause)
	p.r.post(exceeded{p, s, cause})
}

// exceeded says that a step was ended alone.
type exceeded struct {
	p     *pipeline
	s     *step
	cause error
}

func (m exceeded) apply(r *runner) {
	p, s := m.p, m.s
	if s.status != StatusRunning || !errors.Is(context.Cause(s.ctx), m.cause) {
		return
	}
	s.overdue = time.AfterFunc(r.cleanup(), func() { r.post(stuck{p, s}) })
}

// stuck says that an engine was given time enough to end one step.
type stuck struct {
	p *pipeline
	s *step
}

func (m stuck) apply(*runner) {
	if m.s.status == StatusRunning {
		m.p.abandon(m.s)
		m.p.advance()
	}
}

// silence watches the output of one step, on its way to another writer. It
// costs a write little: the time is noted, and a timer that runs out looks
// whether it was right. While a write is under way the step is not silent: who
// reads the output makes it wait.
type silence struct {
	to      io.Writer
	limit   time.Duration
	exceed  func() // called once at most, from a goroutine of its own
	born    time.Time
	last    atomic.Int64 // end of the last write, in nanoseconds since born
	writing atomic.Int32 // writes under way

	mu    sync.Mutex
	timer *time.Timer // nil before start
	ended bool
}

func newSilence(to io.Writer, limit time.Duration, exceed func()) *silence {
	return &silence{to: to, limit: limit, exceed: exceed, born: time.Now()}
}

// Write implements io.Writer.
func (w *silence) Write(p []byte) (int, error) {
	w.writing.Add(1)
	n, err := w.to.Write(p)
	w.last.Store(int64(time.Since(w.born)))
	w.writing.Add(-1)
	return n, err
}

// start begins to count, when the process of the step runs.
func (w *silence) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil || w.ended {
		return
	}
	w.last.Store(int64(time.Since(w.born)))
	w.timer = time.AfterFunc(w.limit, w.look)
}

// end stops counting.
func (w *silence) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *silence) look() {
	w.mu.Lock()
	if w.ended {
		w.mu.Unlock()
		return
	}
	left := w.limit
	if w.writing.Load() == 0 {
		left -= time.Since(w.born) - time.Duration(w.last.Load())
	}
	if left > 0 {
		w.timer.Reset(left)
		w.mu.Unlock()
		return
	}
	w.ended = true
	w.mu.Unlock()
	w.exceed()
}
