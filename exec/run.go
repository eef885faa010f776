package exec

import (
	"context"
	"errors"
	"time"
)

// Options are what a run needs beside its plan. The zero value works.
type Options struct {
	// Run identifies the run; one is made when empty.
	Run string
	// Secret gives the value of a secret by name.
	Secret func(name string) (value string, ok bool)
	// Parallel is how many pipelines may run at the same time; 0 and 1 mean
	// one after another, which a shared workspace needs.
	Parallel int
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// Cleanup bounds the removal of what the run made, 30 s when 0. It is not
	// cut short by the context of the run.
	Cleanup time.Duration
}

// ErrTimeout is the cause of a context that ended because the time of the run
// was over.
var ErrTimeout = errors.New("time limit of the run exceeded")

// MaxLine is the length in bytes from which a line is reported in pieces.
const MaxLine = 16 << 20

// Run runs every pipeline of the plan that is to run, as the graph its
// dependencies make, and gives each event to emit, from one goroutine at a
// time and in order. It returns when everything has ended and has been
// removed, also after ctx ended.
//
// The Summary says how the run went. The error is for machinery: it is or
// wraps *UnreachableError when the engine could not be used, and is nil when
// steps merely failed.
func Run(ctx context.Context, plan *Plan, engine Engine, opts Options, emit func(Event)) (*Summary, error) {
	return nil, errors.New("not built")
}
