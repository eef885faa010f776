package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/exec"
)

// limitFlags bound a run, its steps, and the time they have to end.
type limitFlags struct {
	run, step, idle, grace time.Duration
	lookahead              int
}

const (
	defaultTimeout = time.Hour
	defaultGrace   = 5 * time.Second
	// defaultLookahead is where more steps ahead gain nothing.
	defaultLookahead = 4
	// removal is how long the engine has for its part, beside the grace period.
	removal = 30 * time.Second
)

func (f *limitFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&f.run, "timeout", defaultTimeout, "time limit of the run, 0 for none")
	flags.DurationVar(&f.step, "step-timeout", 0, "time limit of each step, its image included (default: none)")
	flags.DurationVar(&f.idle, "idle-timeout", 0, "how long a step that runs may print nothing (default: no limit)")
	flags.DurationVar(&f.grace, "grace", defaultGrace, "how long a step that is stopped may take to end by itself, 0 to kill it at once")
	flags.IntVar(&f.lookahead, "lookahead", defaultLookahead, "prepare the containers of up to `N` steps before their turn, 0 for none")
}

// check refuses what means nothing.
func (f *limitFlags) check() error {
	for _, flag := range []struct {
		name  string
		value time.Duration
		hint  string
	}{
		{"timeout", f.run, "write how long the run may take, or 0 for no limit"},
		{"step-timeout", f.step, "write how long a step may take, or 0 for no limit"},
		{"idle-timeout", f.idle, "write how long a step may print nothing, or 0 for no limit"},
		{"grace", f.grace, "write how long a step may take to end by itself, or 0 to kill it at once"},
	} {
		if flag.value < 0 {
			return usage(fmt.Errorf("--%s %s is negative", flag.name, flag.value), flag.hint)
		}
	}
	if f.lookahead < 0 {
		return usage(fmt.Errorf("--lookahead %d is negative", f.lookahead), "write how many steps may be prepared before their turn, or 0 for none")
	}
	return nil
}

// bound gives a context that ends with the time of the run.
func (f *limitFlags) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.run == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, f.run, f.exceeded())
}

func (f *limitFlags) exceeded() *exec.TimeoutError {
	return &exec.TimeoutError{Limit: exec.LimitRun, After: f.run}
}

// late lists the steps that a limit ended, as pipeline/step.
func late(s *exec.Summary) (names []string) {
	eachLate(s, func(name string, _ *exec.StepSummary) { names = append(names, name) })
	return names
}

func eachLate(s *exec.Summary, visit func(name string, step *exec.StepSummary)) {
	if s == nil {
		return
	}
	for _, p := range s.Pipelines {
		for _, step := range p.Steps {
			if step.TimedOut {
				visit(p.Name+"/"+step.Name, step)
			}
		}
	}
}

// failure says which limit ended what. The summary may be nil. The limit of a run
// that had ended by then, and was only looked at, has ended nothing.
func (f *limitFlags) failure(ctx context.Context, s *exec.Summary) error {
	if errors.Is(context.Cause(ctx), exec.ErrTimeout) && (s == nil || s.Status == exec.StatusKilled) {
		text := f.exceeded().Error()
		switch names := late(s); len(names) {
		case 0:
		case 1:
			text += " while step " + names[0] + " ran"
		default:
			text += " while steps " + strings.Join(names, ", ") + " ran"
		}
		return &failure{status: StatusTimeout, err: errors.New(text), hint: "give it more time with a longer --timeout, or no limit with --timeout 0"}
	}
	var texts []string
	eachLate(s, func(name string, step *exec.StepSummary) {
		if step.Status == exec.StatusKilled {
			texts = append(texts, fmt.Sprintf("step %s was %s", name, step.Error))
			return
		}
		texts = append(texts, fmt.Sprintf("step %s exceeded its time limit: %s", name, step.Error))
	})
	return &failure{
		status: StatusTimeout, err: errors.New(strings.Join(texts, "; ")),
		hint: "its last lines are in the summary; if it needs more time, raise the limit",
	}
}
