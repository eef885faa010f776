package exec

import (
	"context"
	"io"
)

// Engine provides the places in which pipelines run.
// An Engine is safe for concurrent use.
type Engine interface {
	// Open prepares everything the steps of p share: network, volumes,
	// workspace. On an error nothing is left behind. An error that is or
	// wraps *UnreachableError means that the engine itself cannot be used.
	Open(ctx context.Context, p *Pipeline, env Setting) (Session, error)
}

// Session is one open pipeline.
// Run is safe for concurrent use; Close is called once, after every Run has
// returned but those of detached steps, which it ends.
type Session interface {
	// Run runs a step to its end and returns when every byte of its output
	// has been written to io.Output. A non-zero Exit is a result; an error
	// means that the step could not be run or watched, and is or wraps a
	// *StepError where the engine knows the phase. When ctx ends, Run ends
	// the step and returns the cause of ctx: the step is asked to end, given a
	// grace period, and killed. With ErrOver as the cause an engine may do
	// without that period.
	Run(ctx context.Context, s *Step, io IO) (Exit, error)
	// Close ends what still runs and removes all that Open and Run made. The
	// error names what could not be removed. It may tell PhaseRemove; see
	// Setting.Inherited.
	Close(ctx context.Context) error
}

// Environer is a Session that knows variables which every step of its pipeline
// gets, such as the names of what Open made.
type Environer interface {
	// Env lies between Pipeline.Env and Step.Env. It is safe for concurrent
	// use, does not change while the session is open, and is not changed by
	// the caller.
	Env() map[string]string
}

// Preparer is a Session that can do work of a step before its turn.
type Preparer interface {
	// Prepare begins to do what it can of a later Run of s, while other steps
	// run, and returns at once. env is what the environment of s would be if
	// its turn was now, and is not changed afterwards. Nothing of the step may
	// run, and the step must not be able to tell: Run uses what was prepared,
	// waits for a preparation under way, or begins anew. What goes wrong is
	// not told, since Run meets it again. When ctx ends before Run is called,
	// whatever was made is removed; later its end means nothing. Close ends
	// preparations, too.
	Prepare(ctx context.Context, s *Step, env map[string]string)
}

// Setting is what a pipeline is opened with beside its plan.
type Setting struct {
	// Run identifies the run; engines label what they make with it.
	Run string
	// Secret gives the value of a secret by name.
	Secret func(name string) (value string, ok bool)
	// Notify takes notices; it is safe for concurrent use and never blocks for
	// long.
	Notify func(Notice)
	// Hurry is closed when there is no time left; nil never is. From then on a
	// step whose context has ended, or ends, is killed without a grace period,
	// and everything is removed at once. Run and Close heed it while they wait.
	Hurry <-chan struct{}
	// Inherited is closed when somebody else, such as another process, removes
	// what carries the label of the run; nil never is. That comes about only
	// when the Close of every session has told PhaseRemove to Notify: that
	// nothing of the pipeline runs any more, everything that the user waits
	// for is done, and what is left is the removal of what carries the label.
	// Such a Close returns then, and leaves what it has not removed.
	Inherited <-chan struct{}
}

// IO is what one run of a step is given and gives back.
type IO struct {
	// Env is the complete environment, secrets included, without empty static
	// values.
	Env map[string]string
	// Output takes stdout and stderr as they come. Writes may block.
	Output io.Writer
	// Started is called at most once, when the step's own process runs.
	Started func()
	// Notify takes notices of this step.
	Notify func(Notice)
}

// Exit is how a step's process ended.
type Exit struct {
	Code      int
	OOMKilled bool
	// Reason is one lower-case sentence that says what a code other than 0
	// does not, where the engine knows it: who ended the process, or what it
	// lacked. Hint says what to do. Both may be empty.
	Reason, Hint string
}

// Notice is something an engine has to tell beside results. Exactly one of its
// fields is set.
type Notice struct {
	Warning string
	Pull    *PullProgress
	// Phase is what a step has come to, for an account of the time it took. An
	// engine need not tell: a step that has told nothing is being started until
	// IO.Started is called, and runs from then on. Of a session it is
	// PhaseRemove, told by Close.
	Phase Phase
}

// Phase is the part of a step's life in which something went wrong.
type Phase string

// The phases.
const (
	PhaseOpen   Phase = "setup"
	PhasePull   Phase = "pull"
	PhaseCreate Phase = "create"
	PhaseStart  Phase = "start"
	PhaseRun    Phase = "run"
	PhaseRemove Phase = "cleanup"
)

// StepError is a step that could not be run. Its text is one lower-case
// sentence that names the image where that matters; Hint says what to do.
type StepError struct {
	Phase Phase
	Err   error
	Hint  string
}

func (e *StepError) Error() string { return e.Err.Error() }

func (e *StepError) Unwrap() error { return e.Err }

// UnreachableError is an engine that cannot be used at all: not running, not
// permitted, or of a version that cannot be spoken to.
type UnreachableError struct {
	Address string // what was tried
	Err     error
	Hint    string
}

func (e *UnreachableError) Error() string { return e.Err.Error() }

func (e *UnreachableError) Unwrap() error { return e.Err }

// Puller is an Engine that can fetch images ahead of their steps.
type Puller interface {
	// Pull makes every image of the steps of ps that may run present, several
	// at a time, and reports failures in the order of ps; a failure does not
	// stop the others. The error is set only when nothing could be tried.
	Pull(ctx context.Context, ps []*Pipeline, env Setting) (failed []PullFailure, err error)
}

// NeededImage is an image that steps of a plan need.
type NeededImage struct {
	Image string
	// Platform is what it is needed for, such as linux/arm64. It is empty
	// where that is the platform of the engine, and needs no mention.
	Platform string
	// Pipelines are those that need it.
	Pipelines []*Pipeline
}

// PullFailure is an image that could not be had.
type PullFailure struct {
	NeededImage
	Err error
}
