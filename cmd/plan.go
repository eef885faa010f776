package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/report"
)

func newPlan(s Streams) *cobra.Command {
	f := &planFlags{}
	c := &cobra.Command{
		Use:   "plan [FILE]",
		Short: "show what would run, what would not, and why",
		Long: "plan reads FILE (default .drone.yml) as exec does and shows which pipelines and\n" +
			"steps would run for the event, with the condition that decides. It needs no engine and\n" +
			"no secrets: the flags of exec for those are accepted and change nothing. Conditions on\n" +
			"`paths` are compared with the files that changed since --base, those of the working\n" +
			"tree included that are not committed.",
		Example: "  drone plan\n  drone plan --event tag --tag v1.2.3\n  drone plan --output json",
	}
	f.register(c)
	ignoreRunFlags(c.Flags())
	output := addOutput(c.Flags(), "output", "text", "json")
	addPretty(c.Flags(), "colours, on a terminal")
	c.RunE = func(c *cobra.Command, args []string) error {
		return runPlan(c.Context(), s.of(c), f, output.value, args)
	}
	return c
}

func runPlan(ctx context.Context, s Streams, f *planFlags, form string, args []string) error {
	growHeap(s) // to the end, which is near
	p, err := f.load(orBackground(ctx), s, args)
	if err != nil {
		return err
	}
	p.writeProblems(s)
	if p.plan == nil {
		return p.refuse()
	}
	p.noteSkip(s)
	if form == "json" {
		if err := document.JSON(s.Out, p.view()); err != nil {
			return err
		}
		return p.refuse()
	}
	if err := report.WritePlan(s.Out, p.plan, describeBuild(p.build), s.outStyle()); err != nil {
		return err
	}
	return p.refuse()
}

// view is the plan with the facts of the build that decided.
func (p *planned) view() report.PlanView {
	view := report.NewPlanView(p.plan)
	view.ServerSkips = p.build.SkipDirective()
	if c := p.build.Changed; c != nil {
		view.Changes = &report.ChangesView{
			Base: c.Base, Commit: c.Commit, Uncommitted: c.Uncommitted, Files: c.Files, Unknown: c.Unknown,
		}
		if c.Files == nil {
			view.Changes.Files = []string{}
		}
	}
	return view
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
