package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/remote"
)

// newLogPurge deletes a log on a server.
func newLogPurge(s Streams) *cobra.Command {
	a := asker{s, &serverFlags{}}
	var yes yesFlag
	c := &cobra.Command{
		Use:     "purge [OWNER/NAME] BUILD STAGE STEP",
		Short:   "delete the log of a step on a server",
		Long:    "purge deletes on a server what a step has printed, for ever. STAGE and STEP are numbers, which\n`drone build info` lists.",
		Example: "  drone log purge octo/hello 42 1 3",
	}
	yes.register(c.Flags())
	a.server.register(c.Flags())
	return a.askRepo(c, 3, 3, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		step, err := q.step(ctx, repo, args)
		if err != nil {
			return err
		}
		what := fmt.Sprintf("log of step %d of stage %d of build %d of %s", step.Step, step.Stage, step.Build, repo)
		return a.delete(q, &yes, what, func() error { return q.LogsDelete(ctx, repo, step) })
	})
}
