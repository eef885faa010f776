package cmd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
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
		Long:    "pull fetches every image that the pipelines of FILE (default .drone.yml) would use for the\nevent, several at a time, so that a later `drone exec --offline` finds them. Where a pipeline\nnames another platform than that of the engine, its images are fetched for that one.",
		Example: "  drone pull\n  drone pull --event tag --tag v1.2.3",
		RunE: func(c *cobra.Command, args []string) error {
			return runPull(orBackground(c.Context()), s.of(c), o, args)
		},
	}
	o.planFlags.register(c)
	o.engine.register(c.Flags())
	o.secrets.register(c.Flags())
	c.Flags().BoolVar(&o.plain, "plain", false, "plain lines even on a terminal, without the live view")
	o.output = addOutput(c.Flags(), "output", "text", "json")
	addPretty(c.Flags(), "colours and the live view, on a terminal")
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
	warnLogins(s, supplied)
	wanted := running(p.plan, "docker")
	if len(wanted) == 0 {
		s.note("no pipeline of " + p.name + " would run in containers, so there is no image to fetch")
		return nil
	}
	for _, pipeline := range wanted {
		for _, step := range pipeline.Steps {
			if step.ImageSecret != "" && step.Policy != exec.Never {
				s.warn(fmt.Sprintf("%s: the image of step %s has a secret in it, so it is fetched when it runs", step.ImagePosition, report.Visible(step.Name)))
			}
		}
	}
	notices := &notices{streams: s}
	ctx, signals := untilSignal(ctx, endingPull(), notices.note)
	defer signals.stop()
	engine, err := o.engine.open(ctx, s, notices.note)
	if err != nil {
		return engineFailure(ctx, err)
	}
	defer engine.Close()
	failed, err := o.fetch(ctx, s, notices, engine, wanted, supplied.lookup)
	if err != nil {
		return engineFailure(ctx, err)
	}
	if signal, ok := interruption(ctx); ok {
		return &failure{status: signal.status()}
	}
	return pullFailures(s, failed)
}

// fetch pulls the images of pipelines and shows how far that is.
func (o *pullOptions) fetch(ctx context.Context, s Streams, notices *notices, engine exec.Puller, wanted []*exec.Pipeline, secret lookup) ([]exec.PullFailure, error) {
	renderer := o.renderer(ctx, s)
	// Also when something panics a terminal is left as it was found.
	defer renderer.Close()
	defer notices.hand(renderer)()
	if o.output.value == "text" {
		_ = renderer.Handle(exec.RunStarted{At: exec.At{Time: time.Now()}}) // the clock of the board
	}
	var mu sync.Mutex // renderers are for one at a time
	show := func(n exec.Notice) {
		mu.Lock()
		defer mu.Unlock()
		// A terminal that is gone cannot be told so, and what was fetched is
		// there in any case.
		if n.Pull != nil {
			progress := *n.Pull
			progress.Time = time.Now()
			_ = renderer.Handle(progress)
			return
		}
		_ = renderer.Handle(exec.Warning{At: exec.At{Time: time.Now()}, Message: n.Warning})
	}
	failed, err := engine.Pull(ctx, wanted, exec.Setting{Secret: secret, Notify: show})
	mu.Lock()
	defer mu.Unlock()
	return failed, errors.Join(err, renderer.Close())
}

func (o *pullOptions) renderer(ctx context.Context, s Streams) report.Renderer {
	switch {
	case o.output.value == "json":
		return report.NewJSON(s.Out, func(*exec.Summary) int { return StatusOK })
	case s.live() && !o.plain:
		return s.livePulls(ctx.Done(), nil)
	}
	return report.NewPlain(s.Out, s.Err, s.outStyle(), s.errStyle())
}

// pullFailures prints why images could not be had, and which steps they are for.
func pullFailures(s Streams, failed []exec.PullFailure) error {
	if len(failed) == 0 {
		return nil
	}
	for _, f := range failed {
		s.imageError(f.NeededImage, f.Err.Error())
		var step *exec.StepError
		if errors.As(f.Err, &step) && step.Hint != "" {
			fmt.Fprintf(s.Err, "drone: hint: %s\n", step.Hint)
		}
	}
	return &failure{status: StatusFailed, err: fmt.Errorf("%s could not be pulled", report.Plural(len(failed), "image"))}
}

// refuseMissing lists the images of a plan that are not on the engine, for a run
// that may fetch none.
func refuseMissing(ctx context.Context, s Streams, engine *docker.Engine, plan *exec.Plan) error {
	missing, err := engine.Missing(ctx, running(plan, "docker"))
	if err != nil || len(missing) == 0 {
		return err
	}
	for _, m := range missing {
		text := fmt.Sprintf("image %q is not on this engine", m.Image)
		switch {
		case m.Other != "":
			text = fmt.Sprintf("image %q is on this engine for %s, not for %s", m.Image, m.Other, m.Platform)
		case m.Platform != "":
			text += " for " + m.Platform
		}
		s.imageError(m.NeededImage, text)
	}
	return usage(fmt.Errorf("nothing was run, since --offline keeps %s from being fetched", report.Plural(len(missing), "image")),
		"`drone pull` fetches what is missing, where there is a network; it takes the same flags but --offline")
}

// imageError prints what is wrong with an image, and which steps need it.
func (s Streams) imageError(image exec.NeededImage, text string) {
	users := usersOf(image)
	if len(users) > 0 {
		text, users = users[0]+": "+text, users[1:]
	}
	fmt.Fprintf(s.Err, "drone: %s %s\n", s.errStyle().Paint(red, "error:"), report.Visible(text))
	for _, user := range users {
		fmt.Fprintf(s.Err, "  %s needs it too\n", report.Visible(user))
	}
}

// usersOf names the steps that need an image, with the place where they say so.
func usersOf(image exec.NeededImage) (users []string) {
	for _, p := range image.Pipelines {
		for _, step := range p.Steps {
			if step.Image != image.Image || step.Policy == exec.Never {
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
