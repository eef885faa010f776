package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/report"
)

// follower shows a build as it goes on, until it ends, and returns an error unless
// it has succeeded.
type follower func(ctx context.Context, s Streams, q *session, repo remote.Slug, build *remote.Build) error

// buildCommands are the commands of builds. Without a follower they have no
// --follow.
type buildCommands struct {
	asker
	follow follower
}

func newBuild(s Streams, follow follower) *cobra.Command {
	b := buildCommands{asker{s, &serverFlags{}}, follow}
	return b.group("build", "list, start, stop and approve builds on a server",
		"build asks a server about the builds of a repository, OWNER/NAME; without it that is the one\n"+
			"of the git remote. BUILD is a number, or last: the newest one of any branch.",
		b.ls(), b.last(), b.info(), b.create(), b.restart(), b.stop(),
		b.decision("approve", "let a blocked build run",
			"approve lets stages of a protected repository run that are blocked, for want of a valid\n"+
				"signature: those that are named, by number or name, else all that are blocked.",
			"approved", (*remote.Client).BuildApprove),
		b.decision("decline", "refuse a blocked build",
			"decline ends stages that are blocked: those that are named, by number or name, else all\n"+
				"that are blocked. The build is then declined.",
			"declined", (*remote.Client).BuildDecline),
		b.deploy("promote", "deploy a build to an environment", (*remote.Client).BuildPromote),
		b.deploy("rollback", "take an environment back to a build", (*remote.Client).BuildRollback),
		b.queue(), b.queueStages(), b.purge(), b.card(), newBuildWait(b.asker),
	)
}

func buildColumns(now time.Time) []table.Column[remote.Build] {
	return []table.Column[remote.Build]{
		{Name: "Number", Text: func(b *remote.Build) string { return decimal(b.Number) }},
		{Name: "Status", Text: func(b *remote.Build) string { return b.Status }, Paint: func(b *remote.Build) (int, bool) { return statusColour(b.Status) }},
		{Name: "Event", Text: func(b *remote.Build) string { return b.Event }},
		{Name: "Commit", Text: func(b *remote.Build) string { return b.After }},
		{Name: "Branch", Text: func(b *remote.Build) string { return b.Target }},
		{Name: "Ref", Text: func(b *remote.Build) string { return b.Ref }},
		{Name: "Author", Text: buildAuthor},
		{Name: "Message", Text: func(b *remote.Build) string { return b.Message }},
		{Name: "Error", Text: func(b *remote.Build) string { return b.Error }, Optional: true, Paint: func(*remote.Build) (int, bool) { return report.Red, true }},
		{Name: "Deploy to", Text: func(b *remote.Build) string { return b.Deploy }, Optional: true},
		{Name: "Cron", Text: func(b *remote.Build) string { return b.Cron }, Optional: true},
		{Name: "Parent", Text: func(b *remote.Build) string { return nonZero(b.Parent) }, Optional: true},
		{Name: "Created", Text: func(b *remote.Build) string { return clock(b.Created) }, Optional: true},
		{Name: "Took", Text: func(b *remote.Build) string { return took(b.Started, b.Finished, now) }, Optional: true},
		{Name: "Link", Text: func(b *remote.Build) string { return b.Link }, Optional: true},
	}
}

func buildAuthor(b *remote.Build) string {
	if b.AuthorEmail == "" {
		return b.Author
	}
	return b.Author + " <" + b.AuthorEmail + ">"
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func nonZero(n int64) string {
	if n == 0 {
		return ""
	}
	return decimal(n)
}

// took is how long something has gone on, in seconds since 1970.
func took(started, finished int64, now time.Time) string {
	switch {
	case started == 0:
		return ""
	case finished < started:
		finished = now.Unix()
	}
	return report.Duration(time.Duration(max(0, finished-started)) * time.Second)
}

// listColumns are those of a table of builds.
func listColumns(now time.Time) []table.Column[remote.Build] {
	return []table.Column[remote.Build]{
		{Name: "Build", Text: func(b *remote.Build) string { return decimal(b.Number) }},
		{Name: "Status", Text: func(b *remote.Build) string { return b.Status }, Paint: func(b *remote.Build) (int, bool) { return statusColour(b.Status) }},
		{Name: "Event", Text: func(b *remote.Build) string { return b.Event }},
		{Name: "Branch", Text: func(b *remote.Build) string { return ansi.Truncate(b.Target, branchWidth, "…") }},
		{Name: "Commit", Text: func(b *remote.Build) string { return b.After[:min(len(b.After), commitWidth)] }},
		{Name: "Author", Text: func(b *remote.Build) string { return b.Author }},
		{Name: "Created", Text: func(b *remote.Build) string { return ago(b.Created, now) }},
		{Name: "Took", Text: func(b *remote.Build) string { return took(b.Started, b.Finished, now) }},
		{Name: "Message", Text: func(b *remote.Build) string {
			if b.Error != "" {
				return b.Error
			}
			return b.Message
		}},
	}
}

// buildPage is which builds are listed.
type buildPage struct {
	selection.Filter
	tag         string
	limit, page int
}

func (b buildCommands) ls() *cobra.Command {
	var o buildPage
	var r resultFlags
	c := &cobra.Command{
		Use:   "ls [OWNER/NAME]",
		Short: "list builds",
		Long: "ls lists the builds of a repository, the newest first. The filters are heeded before the\n" +
			"limit: it goes on through the builds until it has found as many as are wanted.",
		Example: "  drone build ls\n  drone build ls octo/hello --branch main --status failure --limit 5\n" +
			"  drone build ls --event tag --output json\n  drone build ls --format '{{ .Number }} {{ .Status }}'",
	}
	flags := c.Flags()
	flags.StringVar(&o.Branch, "branch", "", "only builds of this branch")
	flags.StringVar(&o.tag, "tag", "", "only builds of this tag")
	flags.StringVar(&o.Event, "event", "", "only builds of this event: push, pull_request, tag, promote, rollback, cron, custom")
	flags.StringVar(&o.Status, "status", "", "only builds with this status, for example failure")
	flags.IntVar(&o.limit, "limit", 25, "at most `N` builds")
	flags.IntVar(&o.page, "page", 1, "leave out those of the pages before this one")
	r.register(flags)
	return b.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		list, err := o.find(ctx, q, repo)
		if err != nil {
			return err
		}
		return writeList(b.s, &r, list, listColumns(time.Now()), "no such build of "+repo.String())
	})
}

// find collects builds until there are enough.
func (o *buildPage) find(ctx context.Context, q *session, repo remote.Slug) ([]remote.Build, error) {
	switch {
	case o.limit < 1 || o.page < 1:
		return nil, usage(errors.New("--limit and --page count from 1"), "")
	case o.Branch != "" && o.tag != "":
		return nil, usage(errors.New("--branch and --tag contradict each other"), "leave out one of the two")
	}
	return o.Page(q.BuildAll(ctx, repo, remote.BuildFilter{Branch: o.Branch, Tag: o.tag}), o.page, o.limit)
}

// show prints a build that was asked for.
func (b buildCommands) show(r *resultFlags, build *remote.Build) error {
	now := time.Now()
	if done, err := r.writeAs(b.s, build); done {
		return err
	}
	if err := table.WriteOne(b.s.Out, build, buildColumns(now), b.s.outForm()); err != nil {
		return err
	}
	return showStages(b.s, build, now)
}

// stageRow is a stage, or a step of it.
type stageRow struct {
	stage, step, name, status, error string
	exit                             int
	started, stopped                 int64
}

// showStages prints the stages of a build with the numbers by which commands name
// them.
func showStages(s Streams, build *remote.Build, now time.Time) error {
	var rows []stageRow
	for _, stage := range build.Stages {
		rows = append(rows, stageRow{
			stage: strconv.Itoa(stage.Number), name: stage.Name, status: stage.Status, error: stage.Error,
			exit: stage.ExitCode, started: stage.Started, stopped: stage.Stopped,
		})
		for _, step := range stage.Steps {
			rows = append(rows, stageRow{
				stage: strconv.Itoa(stage.Number), step: strconv.Itoa(step.Number), name: "  " + step.Name, status: step.Status,
				error: step.Error, exit: step.ExitCode, started: step.Started, stopped: step.Stopped,
			})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(s.Out); err != nil {
		return err
	}
	return table.Write(s.Out, rows, []table.Column[stageRow]{
		{Name: "Stage", Text: func(r *stageRow) string { return r.stage }},
		{Name: "Step", Text: func(r *stageRow) string { return r.step }},
		{Name: "Name", Text: func(r *stageRow) string { return r.name }},
		{Name: "Status", Text: func(r *stageRow) string { return r.status }, Paint: func(r *stageRow) (int, bool) { return statusColour(r.status) }},
		{Name: "Took", Text: func(r *stageRow) string { return took(r.started, r.stopped, now) }},
		{Name: "Exit", Text: func(r *stageRow) string {
			if r.stopped == 0 {
				return ""
			}
			return strconv.Itoa(r.exit)
		}},
		{Name: "Error", Text: func(r *stageRow) string { return r.error }},
	}, s.outForm())
}

func (b buildCommands) last() *cobra.Command {
	var branch string
	var r resultFlags
	c := &cobra.Command{
		Use:     "last [OWNER/NAME]",
		Short:   "show the newest build of a branch",
		Long:    "last shows the newest build of a branch (default: the default branch of the repository).",
		Example: "  drone build last\n  drone build last octo/hello --branch develop\n  drone build last --format '{{ .Status }}'",
	}
	c.Flags().StringVar(&branch, "branch", "", "branch to look at (default: the default branch)")
	r.register(c.Flags())
	return b.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		build, err := q.BuildLatest(ctx, repo, branch, "")
		if errors.Is(err, remote.ErrNotFound) {
			return q.noBuild(ctx, repo, branch, err)
		}
		if err != nil {
			return err
		}
		return b.show(&r, build)
	})
}

// noBuild tells a branch without builds from a repository that is not there:
// servers answer both in the same way.
func (q *session) noBuild(ctx context.Context, repo remote.Slug, branch string, err error) error {
	known, lost := q.Repo(ctx, repo)
	if lost != nil {
		return err
	}
	if branch == "" {
		branch = known.Branch
	}
	return &failure{status: StatusUnreachable, err: fmt.Errorf("%s has no build of the branch %s", repo, branch), hint: "`drone build ls` lists those of all branches"}
}

func (b buildCommands) info() *cobra.Command {
	var branch string
	var r resultFlags
	c := &cobra.Command{
		Use:   "info [OWNER/NAME] [BUILD]",
		Short: "show a build",
		Long: "info shows a build with its stages and steps. Without BUILD it is the newest one of any\n" +
			"branch, or with --branch the newest one of that.",
		Example: "  drone build info\n  drone build info octo/hello 42\n  drone build info 42 --output json",
	}
	c.Flags().StringVar(&branch, "branch", "", "show the newest build of this branch")
	r.register(c.Flags())
	return b.askRepo(c, 0, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		if branch != "" && len(args) > 0 {
			return usage(errors.New("a build and --branch contradict each other"), "leave out one of the two")
		}
		if branch != "" {
			build, err := q.BuildLatest(ctx, repo, branch, "")
			if errors.Is(err, remote.ErrNotFound) {
				return q.noBuild(ctx, repo, branch, err)
			}
			if err != nil {
				return err
			}
			return b.show(&r, build)
		}
		build, err := q.build(ctx, repo, args)
		if err != nil {
			return err
		}
		return b.show(&r, build)
	})
}

// build is the one that the first argument names, else the newest.
func (q *session) build(ctx context.Context, repo remote.Slug, args []string) (*remote.Build, error) {
	word := "last"
	if len(args) > 0 {
		word = args[0]
	}
	n, err := q.buildNumber(ctx, repo, word)
	if err != nil {
		return nil, err
	}
	build, err := q.Build(ctx, repo, n)
	return build, q.failBuild(err, repo, n)
}

// failBuild is fail for calls about a build.
func (q *session) failBuild(err error, repo remote.Slug, number int64) error {
	return q.fail(err, fmt.Sprintf("build %d of %s", number, repo))
}

func (b buildCommands) card() *cobra.Command {
	c := &cobra.Command{
		Use:     "card [OWNER/NAME] BUILD STAGE STEP",
		Short:   "print the card that a plugin has made, as JSON",
		Example: "  drone build card 42 1 3",
	}
	return b.askRepo(c, 3, 3, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		step, err := q.step(ctx, repo, args)
		if err != nil {
			return err
		}
		card, err := q.Card(ctx, repo, step)
		if err != nil {
			return q.fail(err, fmt.Sprintf("card of step %d of stage %d of build %d of %s", step.Step, step.Stage, step.Build, repo))
		}
		return document.JSON(b.s.Out, card)
	})
}

// step reads BUILD STAGE STEP, the last two by number.
func (q *session) step(ctx context.Context, repo remote.Slug, args []string) (remote.StepRef, error) {
	var ref remote.StepRef
	n, err := q.buildNumber(ctx, repo, args[0])
	if err != nil {
		return ref, err
	}
	stage, err := positive("stage", args[1], "; `drone build info` lists them")
	if err != nil {
		return ref, err
	}
	step, err := positive("step", args[2], "; `drone build info` lists them")
	if err != nil {
		return ref, err
	}
	return remote.StepRef{Build: n, Stage: int(stage), Step: int(step)}, nil
}
