package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/report"
)

type lintOptions struct {
	planFlags
	format *outputFlag
	strict bool
}

func newLint(s Streams) *cobra.Command {
	o := &lintOptions{}
	c := &cobra.Command{
		Use:   "lint [FILE…]",
		Short: "report everything that is wrong with a file",
		Long: "lint reads each FILE (default .drone.yml) as exec does and reports all it finds, with\n" +
			"place and remedy. It exits 1 when a finding is an error.",
		Example: "  drone lint\n  drone lint --trusted --format json",
	}
	o.register(c)
	c.Args = cobra.ArbitraryArgs
	o.format = addOutput(c.Flags(), "format", "text", "json")
	c.Flags().BoolVar(&o.strict, "strict", false, "warnings count as errors")
	c.RunE = func(c *cobra.Command, args []string) error { return runLint(orBackground(c.Context()), s, o, args) }
	return c
}

func runLint(ctx context.Context, s Streams, o *lintOptions, args []string) error {
	if len(args) == 0 {
		args = []string{defaultFile}
	}
	var all []manifest.Problem
	for _, name := range args {
		p, err := o.load(ctx, s, []string{name})
		if err != nil {
			return err
		}
		all = append(all, p.problems...)
		if o.format.value == "text" {
			if err := lint.Text(s.Out, p.problems, p.sourceOf, painter(s.outStyle())); err != nil {
				return err
			}
		}
	}
	if o.format.value == "json" {
		if err := lint.JSON(s.Out, all); err != nil {
			return err
		}
	}
	return lintStatus(s, all, o.strict)
}

func lintStatus(s Streams, all []manifest.Problem, strict bool) error {
	failures, warnings := lint.Count(all)
	if failures+warnings > 0 {
		fmt.Fprintf(s.Err, "drone: %s, %s\n", report.Plural(failures, "error"), report.Plural(warnings, "warning"))
	}
	if failures > 0 || strict && warnings > 0 {
		return &failure{status: StatusFailed}
	}
	return nil
}
