package cmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/compile"
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
			"place and remedy. It exits 1 when a finding is an error, and 2 when a file cannot be read.",
		Example: "  drone lint\n  drone lint --trusted --format json",
	}
	o.register(c)
	c.Args = cobra.ArbitraryArgs
	o.format = addOutput(c.Flags(), "format", "text", "json")
	c.Flags().BoolVar(&o.strict, "strict", false, "warnings count as errors")
	c.RunE = func(c *cobra.Command, args []string) error { return runLint(orBackground(c.Context()), s, o, args) }
	return c
}

// runLint checks every file, also after one that cannot be read: whoever names
// many wants to know of all.
func runLint(ctx context.Context, s Streams, o *lintOptions, args []string) error {
	planner, err := o.planner(s)
	if err != nil {
		return err
	}
	// Nothing runs, so whatever the machine and the consent, all is looked at.
	planner.opts.Host = compile.Host{Consent: true}
	planner.forgetful = true
	var all []manifest.Problem
	unread := 0
	for _, file := range files(args) {
		p, err := planner.load(ctx, file)
		if err != nil {
			s.fail(err)
			unread++
			continue
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
	err = lintStatus(s, all, o.strict)
	if unread > 0 {
		return &failure{status: StatusUsage}
	}
	return err
}

// files gives each argument by itself, and no argument for the default file.
func files(args []string) [][]string {
	if len(args) == 0 {
		return [][]string{nil}
	}
	return slices.Collect(slices.Chunk(args, 1))
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
