package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

type pullOptions struct {
	execOptions
}

func newPull(s Streams) *cobra.Command {
	o := &pullOptions{}
	c := &cobra.Command{
		Use:     "pull [FILE]",
		Short:   "fetch the images that exec would need",
		Long:    "pull fetches every image that the pipelines of FILE (default .drone.yml) would use for the\nevent, several at a time, so that a later exec can run without a network.",
		Example: "  drone pull\n  drone pull --event tag --tag v1.2.3",
		RunE:    func(c *cobra.Command, args []string) error { return runPull(orBackground(c.Context()), s, o, args) },
	}
	o.planFlags.register(c)
	o.engine.register(c.Flags())
	o.secrets.register(c.Flags())
	return c
}

func runPull(ctx context.Context, s Streams, o *pullOptions, args []string) error {
	p, err := o.load(ctx, s, args)
	if err != nil {
		return err
	}
	if err := p.showProblems(s); err != nil {
		return err
	}
	supplied, err := o.supplied(s, p.plan)
	if err != nil {
		return err
	}
	warnLogins(s, p.plan, supplied)
	var wanted []*exec.Pipeline
	for _, pipe := range p.plan.Pipelines {
		if pipe.Runs && pipe.Type != "exec" {
			wanted = append(wanted, pipe)
		}
	}
	if len(wanted) == 0 {
		s.note("no pipeline of " + p.name + " would run in containers, so there is no image to fetch")
		return nil
	}
	ctx, stop := untilSignal(ctx, endingPull(), s.note)
	defer stop()
	engine, err := o.engine.open(ctx, s.note)
	if err != nil {
		return engineFailure(ctx, err)
	}
	defer engine.Close()
	failed, err := engine.Pull(ctx, wanted, exec.Setting{Secret: supplied.lookup, Notify: pullNotes(s)})
	if err != nil {
		return engineFailure(ctx, err)
	}
	if signal, ok := interruption(ctx); ok {
		return &failure{status: signal.status()}
	}
	return pullFailures(s, wanted, failed)
}

// pullNotes shows notices of an engine through the renderer of runs.
func pullNotes(s Streams) func(exec.Notice) {
	var mu sync.Mutex
	plain := report.NewPlain(s.Out, s.Err, s.outStyle(), s.errStyle())
	return func(n exec.Notice) {
		mu.Lock()
		defer mu.Unlock()
		// A terminal that is gone cannot be told so.
		if n.Pull != nil {
			progress := *n.Pull
			progress.Time = time.Now()
			_ = plain.Handle(progress)
			return
		}
		_ = plain.Handle(exec.Warning{Message: n.Warning})
	}
}

// pullFailures prints why images could not be had, and which steps they are for.
func pullFailures(s Streams, wanted []*exec.Pipeline, failed map[string]error) error {
	if len(failed) == 0 {
		return nil
	}
	for _, image := range slices.Sorted(maps.Keys(failed)) {
		text, users := failed[image].Error(), usersOf(image, wanted)
		if len(users) > 0 {
			text, users = users[0]+": "+text, users[1:]
		}
		fmt.Fprintf(s.Err, "drone: %s %s\n", s.errStyle().Paint(red, "error:"), report.Visible(text))
		for _, user := range users {
			fmt.Fprintf(s.Err, "  %s needs it too\n", report.Visible(user))
		}
		var step *exec.StepError
		if errors.As(failed[image], &step) && step.Hint != "" {
			fmt.Fprintf(s.Err, "drone: hint: %s\n", step.Hint)
		}
	}
	return &failure{status: StatusFailed, err: fmt.Errorf("%s could not be pulled", report.Plural(len(failed), "image"))}
}

// usersOf names the steps that need an image, with the place where they say so.
func usersOf(image string, pipelines []*exec.Pipeline) (users []string) {
	for _, p := range pipelines {
		for _, step := range p.Steps {
			if step.Image != image || step.Policy == exec.Never {
				continue
			}
			user := fmt.Sprintf("pipeline %s, step %s", p.Name, step.Name)
			if step.ImagePosition != "" {
				user = step.ImagePosition + ": " + user
			}
			users = append(users, user)
		}
	}
	return users
}
