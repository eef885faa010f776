package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/remote"
)

// logShow are the flags of commands that show logs of a server.
type logShow struct {
	asker
	output     *outputFlag
	timestamps bool
}

func (l *logShow) command(c *cobra.Command, least, most int, do func(ctx context.Context, q *session, repo remote.Slug, args []string) error) *cobra.Command {
	flags := c.Flags()
	l.output = &outputFlag{choice{value: outputAuto, kind: "form", of: []string{outputAuto, outputView, outputPlain, outputJSON}}}
	flags.Var(l.output, "output", "`form` of the output: auto (tui on a terminal for a whole build, otherwise plain), tui (the whole screen), plain (lines), json")
	flags.BoolVar(&l.timestamps, "timestamps", false, "put the time in front of each line")
	l.server.register(flags)
	return l.askRepo(c, least, most, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		if l.timestamps && l.output.value == outputJSON {
			return usage(fmt.Errorf("--timestamps has no effect on JSON, which has the time of each line"), "leave it out")
		}
		return do(ctx, q, repo, args)
	})
}

// show shows a build, or the steps of it that args name: BUILD STAGE STEP.
func (l *logShow) show(ctx context.Context, q *session, repo remote.Slug, args []string, once bool) error {
	word := ""
	if len(args) > 0 {
		word = args[0]
	}
	number, err := q.buildOf(ctx, l.s, repo, word)
	if err != nil {
		return err
	}
	b := &buildShow{s: l.s, q: q, repo: repo, number: number, output: l.output, timestamps: l.timestamps, once: once, stay: true}
	if len(args) > 1 {
		build, err := q.Build(ctx, repo, number)
		if err != nil {
			return q.failBuild(err, repo, number)
		}
		if b.steps, err = selection.Steps(build, args[1:]); err != nil {
			return err
		}
		b.alone = len(args) == 3
	}
	_, err = b.show(ctx)
	return err
}

// newLogView shows what a build has printed.
func newLogView(s Streams) *cobra.Command {
	l := &logShow{asker: asker{s, &serverFlags{}}}
	c := &cobra.Command{
		Use:   "view [OWNER/NAME] [BUILD [STAGE [STEP]]]",
		Short: "show what a build on a server has printed",
		Long: "view shows the log of a build on a server: of a step nothing but its lines, as they are\n" +
			"stored; of a whole build on a terminal on the whole screen, as `drone log` does with runs\n" +
			"of this machine. STAGE and STEP are numbers or names, as `drone build info` lists them.\n" +
			"BUILD is a number, or last; without it, it is the newest build of the commit that is\n" +
			"checked out. Of a step that still runs there is what it has printed so far.",
		Example: "  drone log view octo/hello 42 1 3\n  drone log view 42 build test\n  drone log view last --output plain\n" +
			"  drone log view 42 --output json | jq .text",
	}
	return l.command(c, 0, 3, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		return l.show(ctx, q, repo, args, true)
	})
}

// newLogFollow is newLogView that goes on while the build does.
func newLogFollow(s Streams) *cobra.Command {
	l := &logShow{asker: asker{s, &serverFlags{}}}
	c := &cobra.Command{
		Use:   "follow [OWNER/NAME] [BUILD [STAGE [STEP]]]",
		Short: "show what a build on a server prints, until it ends",
		Long: "follow is `drone log view` that goes on while the build does. Lost connections are made\n" +
			"again, and nothing is shown twice. Its status does not tell how the build went:\n" +
			"`drone build wait` does.",
		Example: "  drone log follow\n  drone log follow octo/hello 42\n  drone log follow 42 build test | grep -i error",
	}
	return l.command(c, 0, 3, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		return l.show(ctx, q, repo, args, false)
	})
}

// newLogFailed shows why a build has failed.
func newLogFailed(s Streams) *cobra.Command {
	l := &logShow{asker: asker{s, &serverFlags{}}}
	c := &cobra.Command{
		Use:   "failed [OWNER/NAME] [BUILD]",
		Short: "show what the failed steps of a build on a server have printed",
		Long: "failed shows the logs of those steps of a build whose failure counts. BUILD is a number,\n" +
			"or last; without it, it is the newest build of the commit that is checked out.",
		Example: "  drone log failed\n  drone log failed octo/hello 42",
	}
	return l.command(c, 0, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		word := ""
		if len(args) > 0 {
			word = args[0]
		}
		number, err := q.buildOf(ctx, s, repo, word)
		if err != nil {
			return err
		}
		build, err := q.Build(ctx, repo, number)
		if err != nil {
			return q.failBuild(err, repo, number)
		}
		if n := l.tellFailed(build); n == 0 {
			return nil
		}
		b := &buildShow{s: s, q: q, repo: repo, number: number, output: l.output, timestamps: l.timestamps, once: true, steps: selection.Failed}
		_, err = b.show(ctx)
		return err
	})
}

// tellFailed says what cannot be seen from the logs of failed steps, and gives
// how many there are.
func (l *logShow) tellFailed(build *remote.Build) (n int) {
	for _, stage := range build.Stages {
		if stage.Error != "" {
			l.s.note(fmt.Sprintf("stage %s: %s", stage.Name, stage.Error))
		}
		for _, step := range stage.Steps {
			if selection.Failed(&stage, &step) {
				n++
				if step.Error != "" {
					l.s.note(fmt.Sprintf("step %s/%s: %s", stage.Name, step.Name, step.Error))
				}
			}
		}
	}
	switch {
	case build.Error != "":
		l.s.note(fmt.Sprintf("build %d: %s", build.Number, build.Error))
	case n == 0 && remote.Finished(build.Status):
		l.s.note(fmt.Sprintf("no step of build %d has failed: it is %s", build.Number, build.Status))
	case n == 0:
		l.s.note(fmt.Sprintf("no step of build %d has failed so far: it is %s", build.Number, build.Status))
	}
	return n
}
