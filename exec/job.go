package exec

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// The functions in this file run in goroutines of their own. They read what
// does not change and answer with a message, also when the engine panics or
// ends the goroutine.

// errVanished is what a job reports whose goroutine was ended from inside.
var errVanished = errors.New("the engine ended its own goroutine")

// errLate is for steps that write after the run is over.
var errLate = errors.New("the run is over")

func (p *pipeline) openJob() {
	r := p.r
	answer := opened{p: p, err: errVanished}
	defer func() {
		if r.post(answer) || answer.session == nil {
			return
		}
		// The run is over and does not want it any more.
		p.removeLate(answer.session)
	}()
	answer.err = guard(func() (err error) {
		answer.session, err = r.engine.Open(p.ctx, p.plan, Setting{
			Run: r.opts.Run,
			Secret: func(name string) (string, bool) {
				v, ok := p.values[name]
				return v, ok
			},
			Notify: func(n Notice) { r.post(noticed{p: p, notice: n}) },
		})
		return err
	})
	if answer.err == nil && answer.session == nil {
		answer.err = errors.New("the engine opened no session")
	}
}

// removeLate closes a session nobody waits for. There is nobody left to tell
// what could not be removed.
func (p *pipeline) removeLate(s Session) {
	ctx, cancel := p.cleanupContext()
	defer cancel()
	_ = guard(func() error { return s.Close(ctx) })
}

func (p *pipeline) cleanupContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(p.r.ctx), p.r.opts.Cleanup)
}

func (p *pipeline) stepJob(s *step, m moment) {
	r := p.r
	answer := ended{p: p, s: s, err: errVanished}
	out := &lineWriter{mask: p.mask, max: MaxLine, send: func(lines []line) error {
		if !r.post(output{p, s, lines}) {
			return errLate
		}
		return nil
	}}
	defer func() {
		answer.cause = context.Cause(p.ctx)
		// It only fails when the run is over, and then nothing is told.
		_ = out.end()
		r.post(answer)
	}()
	var once sync.Once
	answer.err = guard(func() (err error) {
		if e, ok := p.session.(Environer); ok {
			m.session = e.Env()
		}
		answer.exit, err = p.session.Run(p.ctx, s.Step, IO{
			Env:    environ(p.plan, s.Step, m, p.values),
			Output: out,
			Started: func() {
				if s.background {
					once.Do(func() { r.post(launched{p, s}) })
				}
			},
			Notify: func(n Notice) { r.post(noticed{p, s, n}) },
		})
		return err
	})
}

func (p *pipeline) closeJob() {
	answer := closed{p, errVanished}
	defer func() { p.r.post(answer) }()
	ctx, cancel := p.cleanupContext()
	defer cancel()
	answer.err = guard(func() error { return p.session.Close(ctx) })
}

// guard turns a panic of f into an error that says where it came from.
func guard(f func() error) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = &StepError{
				Phase: PhaseRun,
				Err:   fmt.Errorf("the engine panicked at %s: %v", panicSite(), x),
				Hint:  "this is a defect of the program, not of the pipeline",
			}
		}
	}()
	return f()
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
