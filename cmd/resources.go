package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/isolate"
)

// resources are what a run holds while it lasts. Those of a run that makes
// nothing hold none: only copies is never nil.
type resources struct {
	copies  *isolate.Copies
	guard   *runGuard
	engines engines
	sweep   *sweep
}

// acquire makes ready what the run of plan needs. The caller closes the
// resources, also after an error, which is the one to end the program with.
func (r *resources) acquire(ctx context.Context, s Streams, o *execOptions, run string, plan *exec.Plan, notices *notices) error {
	copies, err := newCopies(ctx, s, o.isolate, plan, notices.note)
	if err != nil {
		return err
	}
	r.copies = copies
	if o.isolate.isolate {
		o.clock.lap("copying")
	}
	r.guard = startGuard(s, run, plan, &o.engine, copies)
	r.engines, err = openEngines(ctx, s, &o.engine, plan, copies, notices.note)
	if err != nil && errors.Is(context.Cause(ctx), exec.ErrTimeout) {
		return o.limits.failure(ctx, nil)
	}
	if err != nil {
		return engineFailure(ctx, err)
	}
	if err := r.engines.reachCopies(); err != nil { // it makes nothing
		return err
	}
	o.warnMissing(r.engines, notices.warn)
	r.guard.await(notices.warn)
	r.engines.guarded(r.guard.identity())
	r.sweep = startSweep(ctx, r.engines.docker, notices.note, notices.warn)
	o.clock.lap("connecting")
	return nil
}

// heir is who removes what the run leaves, if somebody is to; nil is nobody.
func (r *resources) heir(behind bool) func() bool {
	if r.guard == nil || !behind {
		return nil
	}
	return r.guard.inherit
}

// guardedHaste is how long an engine is given in a hurry where a guard goes on with
// what it has not done: so that the prompt is back two seconds after the second
// signal.
const guardedHaste = 600 * time.Millisecond

// haste is exec.Options.Haste.
func (r *resources) haste() time.Duration {
	if r.guard.works() {
		return guardedHaste
	}
	return 0
}

// heeded lets the guard and the copies see each event before next does.
func (r *resources) heeded(next func(exec.Event)) func(exec.Event) {
	return func(e exec.Event) {
		r.guard.heed(e)
		if _, last := e.(exec.RunFinished); last {
			r.copies.Wait()
		}
		next(e)
	}
}

// Close releases them, the last one first, also after a panic.
func (r *resources) Close() {
	defer r.copies.Close()
	defer r.guard.end()
	defer r.engines.Close()
	r.sweep.end()
}
