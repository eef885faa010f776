package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/cronspec"
	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/report"
)

type cronCommands struct{ asker }

func newCron(s Streams) *cobra.Command {
	x := cronCommands{asker{s, &serverFlags{}}}
	return x.group("cron", "list and set the scheduled builds of a repository on a server",
		"cron asks a server about the scheduled builds of a repository, OWNER/NAME; without it that is the\n"+
			"one of the git remote.",
		x.ls(), x.info(), x.add(), x.rm(), x.update(),
		x.able("enable", "have a scheduled build run again", false), x.able("disable", "suspend a scheduled build", true),
		x.exec(),
	)
}

func cronColumns(now time.Time) []table.Column[remote.Cron] {
	return []table.Column[remote.Cron]{
		{Name: "Name", Text: func(c *remote.Cron) string { return c.Name }},
		{Name: "Expr", Text: func(c *remote.Cron) string { return c.Expr }},
		{Name: "Branch", Text: func(c *remote.Cron) string { return c.Branch }},
		{Name: "Target", Text: func(c *remote.Cron) string { return c.Target }, Single: true, Optional: true},
		{Name: "Next", Text: func(c *remote.Cron) string {
			if c.Disabled {
				return "disabled"
			}
			return clock(c.Next)
		}, Paint: func(c *remote.Cron) (int, bool) { return report.Yellow, c.Disabled }},
		{Name: "Last", Text: func(c *remote.Cron) string { return ago(c.Prev, now) }},
	}
}

func (x cronCommands) ls() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "ls [OWNER/NAME]",
		Short:   "list scheduled builds",
		Example: "  drone cron ls\n  drone cron ls octo/hello --output json",
	}
	f.register(c.Flags())
	return x.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		list, err := q.CronList(ctx, repo)
		if err != nil {
			return err
		}
		return writeList(x.s, &f, list, cronColumns(time.Now()), repo.String()+" has no scheduled builds")
	})
}

// failCron is fail for calls about a scheduled build.
func (q *session) failCron(err error, repo remote.Slug, name string) error {
	return q.fail(err, "scheduled build "+name+" of "+repo.String())
}

func (x cronCommands) show(f *resultFlags, cron *remote.Cron) error {
	return writeOne(x.s, f, cron, cronColumns(time.Now()))
}

func (x cronCommands) info() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "info [OWNER/NAME] NAME",
		Short:   "show a scheduled build",
		Example: "  drone cron info nightly",
	}
	f.register(c.Flags())
	return x.askRepo(c, 1, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		cron, err := q.Cron(ctx, repo, args[0])
		if err != nil {
			return q.failCron(err, repo, args[0])
		}
		return x.show(&f, cron)
	})
}

// checkExpr reads an expression as a server does, and says what is wrong with
// it, or likely not meant.
func checkExpr(s Streams, expr string, now time.Time) error {
	schedule, err := cronspec.Parse(expr)
	if crontab, ok := errors.AsType[*cronspec.CrontabError](err); ok {
		return usage(crontab, fmt.Sprintf("write %q for what a crontab means by it, or %q for what a server would read", crontab.Crontab, crontab.Shifted))
	}
	if err != nil {
		return usage(err, "write seconds, minutes, hours, day of the month, month and day of the week, such as \"0 30 4 * * 1-5\", or @daily, @every 12h")
	}
	switch gap := schedule.Gap(now); {
	case schedule.Next(now).IsZero():
		return usage(fmt.Errorf("%q is never due", expr), "check the day and the month")
	case gap < usualInterval:
		s.note(fmt.Sprintf("builds are due every %s, and a server usually looks every %s only", shortDuration(gap), shortDuration(usualInterval)))
	}
	return nil
}

// usualInterval is how often a server looks for builds that are due, unless it is
// set up otherwise.
const usualInterval = 30 * time.Minute

func shortDuration(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return d.String()
}

func (x cronCommands) add() *cobra.Command {
	var f resultFlags
	var branch string
	c := &cobra.Command{
		Use:   "add [OWNER/NAME] NAME EXPRESSION",
		Short: "schedule a build",
		Long: "add schedules a build. The expression has six fields, of which seconds are the first: seconds,\n" +
			"minutes, hours, day of the month, month, day of the week; or it is @hourly, @daily, @weekly,\n" +
			"@monthly, @yearly or @every with a duration. A line of a crontab, which has five fields, means\n" +
			"something else to a server, and is refused.",
		Example: "  drone cron add nightly '0 0 1 * * *'\n  drone cron add octo/hello weekly @weekly --branch develop",
	}
	c.Flags().StringVar(&branch, "branch", "", "branch to build (default: the default branch of the repository)")
	f.register(c.Flags())
	return x.askRepo(c, 2, 2, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		if err := checkExpr(x.s, args[1], time.Now()); err != nil {
			return err
		}
		if branch == "" {
			known, err := q.Repo(ctx, repo)
			if err != nil {
				return err
			}
			branch = known.Branch
		}
		cron, err := q.CronCreate(ctx, repo, remote.CronInput{Name: args[0], Expr: args[1], Branch: branch})
		if errors.Is(err, remote.ErrDuplicate) {
			return &failure{status: StatusUnreachable, err: fmt.Errorf("%s has a scheduled build called %s already", repo, args[0]), hint: "`drone cron rm " + repo.String() + " " + args[0] + "` deletes it; no server changes an expression"}
		}
		if err != nil {
			return err
		}
		if cron.Name != args[0] {
			x.s.note(fmt.Sprintf("the server calls it %s", cron.Name))
		}
		return x.show(&f, cron)
	})
}

func (x cronCommands) rm() *cobra.Command {
	var yes yesFlag
	c := &cobra.Command{
		Use:     "rm [OWNER/NAME] NAME",
		Short:   "delete a scheduled build",
		Example: "  drone cron rm nightly\n  drone cron rm octo/hello nightly --yes",
	}
	yes.register(c.Flags())
	return x.askRepo(c, 1, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		return x.delete(q, &yes, "scheduled build "+args[0]+" of "+repo.String(), func() error { return q.CronDelete(ctx, repo, args[0]) })
	})
}

func (x cronCommands) update() *cobra.Command {
	var f resultFlags
	var branch, target string
	c := &cobra.Command{
		Use:     "update [OWNER/NAME] NAME",
		Short:   "change a scheduled build",
		Long:    "update changes the branch or the target of a scheduled build. No server changes its expression:\ndelete it, and add another one.",
		Example: "  drone cron update nightly --branch develop",
	}
	c.Flags().StringVar(&branch, "branch", "", "branch to build")
	c.Flags().StringVar(&target, "target", "", "environment that the build deploys to")
	f.register(c.Flags())
	return x.askRepo(c, 1, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		patch := remote.CronPatch{Branch: changed(c.Flags(), "branch", &branch), Target: changed(c.Flags(), "target", &target)}
		if patch == (remote.CronPatch{}) {
			return usage(errors.New("nothing says what to change"), "add --branch or --target")
		}
		cron, err := q.CronUpdate(ctx, repo, args[0], patch)
		if err != nil {
			return q.failCron(err, repo, args[0])
		}
		return x.show(&f, cron)
	})
}

func (x cronCommands) able(verb, short string, disabled bool) *cobra.Command {
	c := &cobra.Command{
		Use:     verb + " [OWNER/NAME] NAME",
		Short:   short,
		Example: "  drone cron " + verb + " nightly",
	}
	return x.askRepo(c, 1, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		if _, err := q.CronUpdate(ctx, repo, args[0], remote.CronPatch{Disabled: &disabled}); err != nil {
			return q.failCron(err, repo, args[0])
		}
		return x.say("%sd the scheduled build %s of %s", verb, args[0], repo)
	})
}

func (x cronCommands) exec() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "exec [OWNER/NAME] NAME",
		Short:   "start a scheduled build now",
		Example: "  drone cron exec nightly",
	}
	f.register(c.Flags())
	return x.askRepo(c, 1, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		build, err := q.CronExec(ctx, repo, args[0])
		if err != nil {
			return q.failCron(err, repo, args[0])
		}
		b := buildCommands{asker: x.asker}
		return b.started(ctx, q, repo, &startFlags{resultFlags: f}, build)
	})
}
