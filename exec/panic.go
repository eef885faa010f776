package exec

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// PanicError is a defect of this program that showed itself as a panic.
type PanicError struct {
	Value string // what was thrown, as text
	Site  string // file:line
}

func (e *PanicError) Error() string { return fmt.Sprintf("panicked at %s: %s", e.Site, e.Value) }

// Guard calls f and turns a panic in it into a *PanicError. Each goroutine in
// the path of a run lives in one: a panic outside of them would end the program
// with everything that the run has made left behind.
func Guard(f func() error) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = &PanicError{Value: fmt.Sprint(x), Site: panicSite()}
		}
	}()
	return f()
}

// guard is Guard for calls of an engine: what it gives says so.
func guard(f func() error) error {
	err := Guard(f)
	if own, ok := err.(*PanicError); ok { //nolint:errorlint // a wrapped one is explained already
		return &StepError{
			Phase: PhaseRun, Err: fmt.Errorf("the engine %w", own),
			Hint: "this is a defect of the program, not of the pipeline",
		}
	}
	return err
}

// panicSite is file:line of the innermost function outside the Go runtime that
// is panicking. It is called while recovering.
func panicSite() string {
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

// defect remembers the first panic among what went wrong, for the end of the
// run. The text of it is masked.
func (r *runner) defect(err error) {
	found, ok := errors.AsType[*PanicError](err)
	if !ok || r.broken != nil {
		return
	}
	value := found.Value
	for _, p := range r.pipelines {
		if p.mask != nil {
			value = p.text(value)
		}
	}
	r.broken = &PanicError{Value: value, Site: found.Site}
}

// rescue ends and removes everything after the owner itself has panicked. What
// it knows cannot be relied on any more, but for which sessions are open.
func (r *runner) rescue() {
	r.cancel(r.broken)
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		r.work.Wait()
	}()
	for bound, waiting := time.After(r.cleanup()), true; waiting; {
		select {
		case m := <-r.inbox:
			if late, ok := m.(opened); ok && late.session != nil {
				late.p.session = late.session
			}
		case <-idle:
			waiting = false
		case <-bound:
			waiting = false
		}
	}
	for _, p := range r.pipelines {
		if p.session != nil && !p.closed {
			r.removals.Go(func() { p.removeLate(p.session) })
		}
	}
}
