package cmd

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/remote"
)

func (b buildCommands) stop() *cobra.Command {
	var r resultFlags
	c := &cobra.Command{
		Use:     "stop [OWNER/NAME] BUILD",
		Aliases: []string{"cancel", "kill"},
		Short:   "stop a build",
		Long:    "stop ends a build that is pending or running. One that has ended already stays as it is.",
		Example: "  drone build stop 42\n  drone build stop octo/hello last",
	}
	r.register(c.Flags())
	return b.askRepo(c, 1, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		n, err := q.buildNumber(ctx, repo, args[0])
		if err != nil {
			return err
		}
		before, err := q.Build(ctx, repo, n)
		if err != nil {
			return q.failBuild(err, repo, n)
		}
		build, err := q.cancel(ctx, repo, n)
		if err != nil {
			return q.failBuild(err, repo, n)
		}
		text := fmt.Sprintf("build %d of %s is stopped", n, repo)
		if remote.Finished(before.Status) {
			text = fmt.Sprintf("build %d of %s had ended already: %s", n, repo, before.Status)
		}
		return b.done(&r, build, text)
	})
}

// cancel stops a build.
func (q *session) cancel(ctx context.Context, repo remote.Slug, number int64) (*remote.Build, error) {
	build, err := q.BuildCancel(ctx, repo, number)
	if errors.Is(err, remote.ErrConflict) { // somebody, such as a runner, has changed it in between
		build, err = q.BuildCancel(ctx, repo, number)
	}
	return build, err
}

// decision is a command that decides about stages that are blocked.
func (b buildCommands) decision(verb, short, long, done string, call decider) *cobra.Command {
	c := &cobra.Command{
		Use:     verb + " [OWNER/NAME] BUILD [STAGE…]",
		Short:   short,
		Long:    long,
		Example: "  drone build " + verb + " 42\n  drone build " + verb + " octo/hello 42 1",
	}
	return b.askRepo(c, 1, math.MaxInt, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		build, err := q.build(ctx, repo, args[:1])
		if err != nil {
			return err
		}
		return q.decide(ctx, repo, build, args[1:], call, func(stage remote.Stage) error {
			return b.say("%s stage %d (%s) of build %d of %s", done, stage.Number, stage.Name, build.Number, repo)
		})
	})
}

// decider approves or declines a stage of a build.
type decider func(*remote.Client, context.Context, remote.Slug, int64, int) error

// decide decides about the blocked stages that words name, all of them without
// words. decided is told of each one.
func (q *session) decide(ctx context.Context, repo remote.Slug, build *remote.Build, words []string, call decider, decided func(remote.Stage) error) error {
	stages, err := selection.Blocked(build, words)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if err := call(q.Client, ctx, repo, build.Number, stage.Number); err != nil {
			return q.failBuild(err, repo, build.Number)
		}
		if err := decided(stage); err != nil {
			return err
		}
	}
	return nil
}

func (b buildCommands) purge() *cobra.Command {
	var before int64
	var yes yesFlag
	c := &cobra.Command{
		Use:     "purge [OWNER/NAME] --before BUILD",
		Short:   "delete old builds with their logs",
		Long:    "purge deletes the builds of a repository whose number is smaller than that of --before, with\ntheir logs, for ever.",
		Example: "  drone build purge octo/hello --before 1000",
	}
	c.Flags().Int64Var(&before, "before", 0, "delete the builds with smaller numbers than `BUILD`")
	yes.register(c.Flags())
	return b.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		if before < 1 {
			return usage(errors.New("--before says which builds to delete, and has no number"), "write --before 100 to delete those up to 99")
		}
		if err := yes.confirm(b.s, fmt.Sprintf("delete the builds of %s before %d, with their logs", repo, before)); err != nil {
			return err
		}
		if err := q.BuildPurge(ctx, repo, before); err != nil {
			return err
		}
		_, err := fmt.Fprintf(b.s.Out, "deleted the builds of %s before %d\n", repo, before)
		return err
	})
}
