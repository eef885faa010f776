// Package doctor finds out whether this machine can run pipelines: whether an
// engine answers and can do what a run needs, whether there is space, and
// whether the programs that a run may call are there. Each finding comes with
// the command that mends it.
//
// It changes nothing that lasts: what it makes to try things out is labelled
// like the objects of a run and removed again. It does not print. Checks run at
// the same time; a check that gets no answer within its limit is reported, and
// what it waits for is left to end by itself.
package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/drone-laptop/drone/internal/dockerhost"
)

// Status says how serious a finding is.
type Status string

// The statuses. With Warn a run may still do all that it has to; with Fail some
// run cannot.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
)

// Check is what was found out about one thing.
type Check struct {
	Name    string `json:"name"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	// Fix says what to do, and is empty where there is nothing to do.
	Fix string `json:"fix"`
}

func ok(message string, args ...any) Check {
	return Check{Status: OK, Message: fmt.Sprintf(message, args...)}
}

func warn(fix, message string, args ...any) Check {
	return Check{Status: Warn, Message: fmt.Sprintf(message, args...), Fix: fix}
}

func fail(fix, message string, args ...any) Check {
	return Check{Status: Fail, Message: fmt.Sprintf(message, args...), Fix: fix}
}

// The names of the checks of the engine itself. When one of them fails, the
// engine cannot be used at all.
const (
	Endpoint = "endpoint"
	Engine   = "engine"
)

// Limit is how long a check may take unless Options say so.
const Limit = 5 * time.Second

// Options say what is looked at.
type Options struct {
	// Env, Host and Registry lead to the engine and the credentials, as for a
	// run.
	Env            dockerhost.Environment
	Host, Registry string
	// Dir is the working directory, Temp that for temporary files, Copies that in
	// which copies of the working tree are made. The last need not exist.
	Dir, Temp, Copies string
	// RunDirs are the directories in which runs make their own.
	RunDirs []string
	// Images are those of the plan; one of them serves for trials where it is
	// on the machine.
	Images []string
	// Name is a host name that containers should resolve.
	Name string
	// Run is the name of the trial objects.
	Run string
	// Limit bounds each check; 0 is five seconds.
	Limit time.Duration

	// Resolve looks up a name on this machine; nil asks its resolver.
	Resolve func(ctx context.Context, name string) error
}

// patient runs one check within a limit.
type patient struct {
	limit time.Duration
	late  *sync.WaitGroup // of checks that have not ended
}

// check starts a check and returns the way to its result. One that takes too
// long, or panics, is a finding too.
func (p patient) check(ctx context.Context, name string, look func(context.Context) Check) func() Check {
	result := make(chan Check, 1)
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	p.late.Go(func() {
		defer cancel()
		defer func() {
			if r := recover(); r != nil {
				result <- fail("this is a defect of drone: please report it", "internal error: %v", r)
			}
		}()
		result <- look(ctx)
	})
	return sync.OnceValue(func() Check {
		found := Check{}
		select {
		case found = <-result:
		case <-ctx.Done():
			// It has a moment to say why: most end with their context.
			select {
			case found = <-result:
			case <-time.After(p.limit / 10):
				found = Options{Limit: p.limit}.unfinished()
			}
		}
		found.Name = name
		return found
	})
}

// Run makes all checks and tells each finding, in an order that does not
// change. It returns when what was made for them is removed, or can be waited
// for no longer. When no engine answers, the checks that need one are missing.
func Run(ctx context.Context, opts Options, tell func(Check)) {
	if opts.Limit == 0 {
		opts.Limit = Limit
	}
	var late sync.WaitGroup
	p := patient{limit: opts.Limit, late: &late}
	here := []func() Check{
		p.check(ctx, "credentials", opts.credentials),
		p.check(ctx, "git", opts.git),
		p.check(ctx, "workspace", func(context.Context) Check { return directory(opts.Dir, "the workspace", "go to another one") }),
		p.check(ctx, "temporary files", func(context.Context) Check {
			return directory(opts.Temp, "the directory for temporary files", "set TMPDIR to another one")
		}),
	}
	endpoint, found := opts.endpoint()
	tell(found)
	if found.Status != Fail {
		engine, found := opts.connect(ctx, endpoint)
		tell(found)
		if engine != nil {
			defer engine.Close()
			t := &trial{Options: opts, engine: engine, endpoint: endpoint}
			for _, result := range t.start(ctx, p) {
				tell(result())
			}
			t.end()
		}
	}
	for _, result := range here {
		tell(result())
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		late.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(opts.Limit / 2):
	}
}
