package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/document"
)

func newCompile(s Streams) *cobra.Command {
	f := &planFlags{}
	c := &cobra.Command{
		Use:   "compile [FILE]",
		Short: "print the plan, resolved, as JSON or YAML",
		Long: "compile prints everything exec would do with FILE (default .drone.yml): images,\n" +
			"scripts, variables, mounts, and the graph. Secrets appear by name only.",
		Example: "  drone compile\n  drone compile --event tag --tag v1.2.3 --output yaml",
	}
	f.register(c)
	output := addOutput(c.Flags(), "output", "json", "yaml")
	c.RunE = func(c *cobra.Command, args []string) error {
		return runCompile(c.Context(), s, f, output.value, args)
	}
	return c
}

func runCompile(ctx context.Context, s Streams, f *planFlags, form string, args []string) error {
	growHeap(s) // to the end, which is near
	p, err := f.load(orBackground(ctx), s, args)
	if err != nil {
		return err
	}
	if err := p.showProblems(s); err != nil {
		return err
	}
	if form == "yaml" {
		return document.YAML(s.Out, p.plan)
	}
	return document.JSON(s.Out, p.plan)
}
