package exec

import (
	"context"
	"errors"
	"io"
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
			Hurry:  r.opts.Hurry, Inherited: r.inherited,
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
	return context.WithTimeout(context.WithoutCancel(p.r.ctx), p.r.cleanup())
}

func (p *pipeline) stepJob(s *step, m moment) {
	r := p.r
	answer := ended{p: p, s: s, err: errVanished}
	out := &lineWriter{mask: p.mask, max: maxLine, send: func(batch []stretch) error {
		if !r.post(output{p, s, batch}) {
			return errLate
		}
		return nil
	}}
	defer func() {
		answer.cause = context.Cause(s.ctx)
		// It only fails when the run is over, and then nothing is told, or by a
		// defect.
		if err, ok := errors.AsType[*PanicError](Guard(out.end)); ok && answer.err == nil {
			answer.err = err
		}
		r.post(answer)
	}()
	var once sync.Once
	to, quiet := io.Writer(out), (*silence)(nil)
	if limit := r.opts.IdleTimeout; limit > 0 && !s.background {
		cause := &TimeoutError{Limit: LimitIdle, After: limit}
		quiet = newSilence(out, limit, func() { p.exceed(s, cause) })
		defer quiet.end()
		to = quiet
	}
	answer.err = guard(func() (err error) {
		answer.exit, err = p.session.Run(s.ctx, s.Step, IO{
			Env:    p.environ(s, m),
			Output: to,
			Started: func() {
				r.post(noticed{p, s, Notice{Phase: PhaseRun}})
				if s.background || p.ahead != nil {
					once.Do(func() { r.post(launched{p, s}) })
				}
				if quiet != nil {
					quiet.start()
				}
			},
			Notify: func(n Notice) { r.post(noticed{p, s, n}) },
		})
		return err
	})
}

// environ is the environment of a step whose turn is at m.
func (p *pipeline) environ(s *step, m moment) map[string]string {
	if e, ok := p.session.(Environer); ok {
		m.session = e.Env()
	}
	return environ(p.plan, s.Step, m, p.values)
}

func (p *pipeline) closeJob(ctx context.Context, session Session) {
	answer := closed{p, errVanished}
	defer func() { p.r.post(answer) }()
	answer.err = guard(func() error { return session.Close(ctx) })
}
