package exec

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Options are what a run needs beside its plan. The zero value works.
type Options struct {
	// Run identifies the run; NewRun makes one when empty.
	Run string
	// Secret gives the value of a secret by name. It is called from the
	// goroutine of Run only.
	Secret func(name string) (value string, ok bool)
	// Parallel is how many pipelines may run at the same time; 0 and 1 mean
	// one after another, which a shared workspace needs.
	Parallel int
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// Cleanup bounds the removal of what the run made, 30 s when 0. It is not
	// cut short by the context of the run. It also bounds how long a step may
	// take to end once its context has ended, so it must be longer than the
	// grace period of the engine.
	Cleanup time.Duration
	// StepTimeout bounds each step, from its turn to its end, and IdleTimeout
	// the time in which a step that runs writes nothing; 0 is no limit. A step
	// that exceeds one is killed, and its pipeline goes on as after a failure.
	// Services and detached steps have no limits of their own: nobody waits
	// for their end, and most of them are silent.
	StepTimeout, IdleTimeout time.Duration
	// Hurry is closed when there is no time left to end anything in good
	// order, after the context of the run has ended; nil never is. Whatever
	// runs is then killed and removed at once, and an engine that hangs is
	// given Haste in place of Cleanup, five seconds when 0: up to three times, to
	// end what runs, to remove it, and to come back.
	Hurry <-chan struct{}
	Haste time.Duration
	// Cancel names steps that are to be ended, as they come; nil names none. A
	// step that runs is then killed, which its pipeline takes as a failure, and
	// its reason is ErrCancelled; with FailureFast it ends the pipeline. Of
	// services and detached steps it does not count. Steps that do not run are passed over.
	Cancel <-chan StepName
	// Lookahead is how many steps of each pipeline may be prepared before
	// their turn, by a session that is a Preparer; 0 prepares none.
	Lookahead int
	// Heir is asked when all that is left to do for a run which was not ended
	// before its time is the removal of what carries its label, and nil is
	// never. When it says yes somebody else does that from then on, and Run
	// returns soon. It is called once at most, from the goroutine of Run, which
	// waits for it; removal goes on meanwhile.
	Heir func() bool
}

// StepName names a step of a plan.
type StepName struct{ Pipeline, Step string }

// ErrCancelled is why a step ended that Options.Cancel has named.
var ErrCancelled = errors.New("cancelled by hand")

const (
	// maxLine is the length in bytes from which a line is reported in pieces.
	maxLine = 16 << 20

	defaultCleanup = 30 * time.Second
	defaultHaste   = 5 * time.Second
)

// NewRun makes a name for a run that no other run has.
func NewRun() string { return strings.ToLower(rand.Text())[:12] }

// Run runs every pipeline of the plan that is to run, as the graph its
// dependencies make, and gives each event to emit, from the calling goroutine
// and in order. While emit blocks, steps that print wait. It returns when
// everything has ended and has been removed, or opts.Heir removes the rest,
// also after ctx ended; an engine that ignores its context is given
// opts.Cleanup before it is left behind. What is left behind is told in
// warnings that have Left set.
//
// When ctx ends, running steps are killed, nothing else starts, and the status
// of the run is killed; context.Cause(ctx) becomes the reason of its
// pipelines, so it should be a sentence.
//
// The Summary says how the run went. The error is for machinery: it is or
// wraps *UnreachableError when the engine could not be used, it is that of
// Plan.Validate, with a nil Summary and before any event, when the plan makes
// no graph, and it is nil when steps merely failed. It is a *PanicError when
// something panicked; one in emit ends the run like the end of its context, and
// no further events are given.
func Run(ctx context.Context, plan *Plan, engine Engine, opts Options, emit func(Event)) (*Summary, error) {
	if err := plan.Validate(); err != nil {
		return nil, fmt.Errorf("plan cannot be run: %w", err)
	}
	if opts.Run == "" {
		opts.Run = NewRun()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Cleanup <= 0 {
		opts.Cleanup = defaultCleanup
	}
	if opts.Haste <= 0 {
		opts.Haste = defaultHaste
	}
	opts.Parallel = max(opts.Parallel, 1)
	r, err := newRunner(ctx, plan, engine, opts, emit)
	if err != nil {
		return nil, err
	}
	defer r.cancel(nil)
	return r.run()
}
