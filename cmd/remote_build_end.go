package cmd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

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
		build, err := q.BuildCancel(ctx, repo, n)
		if errors.Is(err, remote.ErrConflict) { // somebody, such as a runner, has changed it in between
			build, err = q.BuildCancel(ctx, repo, n)
		}
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
	stages, err := stagesOf(build, words)
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

// stagesOf finds the blocked stages that words name, by number or name; all of
// them where there are no words.
func stagesOf(build *remote.Build, words []string) ([]remote.Stage, error) {
	var blocked, chosen []remote.Stage
	var names []string
	for _, stage := range build.Stages {
		if stage.Status == remote.StateBlocked {
			blocked = append(blocked, stage)
			names = append(names, fmt.Sprintf("%d (%s)", stage.Number, stage.Name))
		}
	}
	for _, word := range words {
		found := false
		for _, stage := range build.Stages {
			if word != strconv.Itoa(stage.Number) && word != stage.Name {
				continue
			}
			if stage.Status != remote.StateBlocked {
				return nil, usage(fmt.Errorf("stage %d (%s) of build %d is not blocked, it is %s", stage.Number, stage.Name, build.Number, stage.Status), "")
			}
			chosen, found = append(chosen, stage), true
			break
		}
		if !found {
			return nil, usage(fmt.Errorf("build %d has no stage %q", build.Number, word), "blocked there: "+orNone(names))
		}
	}
	if len(words) > 0 {
		return chosen, nil
	}
	if len(blocked) == 0 {
		return nil, usage(fmt.Errorf("no stage of build %d is blocked", build.Number), "")
	}
	return blocked, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
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
