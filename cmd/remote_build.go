package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
		b.ls(), b.last(), b.info(), b.create(), b.restart(), b.stop(), b.approve(), b.decline(),
		b.deploy("promote", "deploy a build to an environment", (*remote.Client).BuildPromote),
		b.deploy("rollback", "take an environment back to a build", (*remote.Client).BuildRollback),
		b.queue(), b.queueStages(), b.purge(), b.card(), newBuildWait(b.asker),
	)
}

func buildColumns(now time.Time) []column[*remote.Build] {
	return []column[*remote.Build]{
		{name: "Number", text: func(b *remote.Build) string { return decimal(b.Number) }},
		{name: "Status", text: func(b *remote.Build) string { return b.Status }, paint: func(b *remote.Build) (int, bool) { return statusColour(b.Status) }},
		{name: "Event", text: func(b *remote.Build) string { return b.Event }},
		{name: "Commit", text: func(b *remote.Build) string { return b.After }},
		{name: "Branch", text: func(b *remote.Build) string { return b.Target }},
		{name: "Ref", text: func(b *remote.Build) string { return b.Ref }},
		{name: "Author", text: buildAuthor},
		{name: "Message", text: func(b *remote.Build) string { return b.Message }},
		{name: "Error", text: func(b *remote.Build) string { return b.Error }, optional: true, paint: func(*remote.Build) (int, bool) { return report.Red, true }},
		{name: "Deploy to", text: func(b *remote.Build) string { return b.Deploy }, optional: true},
		{name: "Cron", text: func(b *remote.Build) string { return b.Cron }, optional: true},
		{name: "Parent", text: func(b *remote.Build) string { return nonZero(b.Parent) }, optional: true},
		{name: "Created", text: func(b *remote.Build) string { return clock(b.Created) }, optional: true},
		{name: "Took", text: func(b *remote.Build) string { return took(b.Started, b.Finished, now) }, optional: true},
		{name: "Link", text: func(b *remote.Build) string { return b.Link }, optional: true},
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
func listColumns(now time.Time) []column[remote.Build] {
	return []column[remote.Build]{
		{name: "Build", text: func(b remote.Build) string { return decimal(b.Number) }},
		{name: "Status", text: func(b remote.Build) string { return b.Status }, paint: func(b remote.Build) (int, bool) { return statusColour(b.Status) }},
		{name: "Event", text: func(b remote.Build) string { return b.Event }},
		{name: "Branch", text: func(b remote.Build) string { return ansi.Truncate(b.Target, branchWidth, "…") }},
		{name: "Commit", text: func(b remote.Build) string { return b.After[:min(len(b.After), commitWidth)] }},
		{name: "Author", text: func(b remote.Build) string { return b.Author }},
		{name: "Created", text: func(b remote.Build) string { return ago(b.Created, now) }},
		{name: "Took", text: func(b remote.Build) string { return took(b.Started, b.Finished, now) }},
		{name: "Message", text: func(b remote.Build) string {
			if b.Error != "" {
				return b.Error
			}
			return b.Message
		}},
	}
}

type buildFilter struct {
	branch, tag, event, status string
	limit, page                int
}

func (o *buildFilter) accepts(b *remote.Build) bool {
	return (o.event == "" || b.Event == o.event) && (o.status == "" || b.Status == o.status) && (o.branch == "" || b.Target == o.branch)
}

func (b buildCommands) ls() *cobra.Command {
	var o buildFilter
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
	flags.StringVar(&o.branch, "branch", "", "only builds of this branch")
	flags.StringVar(&o.tag, "tag", "", "only builds of this tag")
	flags.StringVar(&o.event, "event", "", "only builds of this event: push, pull_request, tag, promote, rollback, cron, custom")
	flags.StringVar(&o.status, "status", "", "only builds with this status, for example failure")
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
func (o *buildFilter) find(ctx context.Context, q *session, repo remote.Slug) ([]remote.Build, error) {
	switch {
	case o.limit < 1 || o.page < 1:
		return nil, usage(errors.New("--limit and --page count from 1"), "")
	case o.branch != "" && o.tag != "":
		return nil, usage(errors.New("--branch and --tag contradict each other"), "leave out one of the two")
	}
	var found []remote.Build
	skip := (o.page - 1) * o.limit
	for b, err := range q.BuildAll(ctx, repo, remote.BuildFilter{Branch: o.branch, Tag: o.tag}) {
		if err != nil {
			return nil, err
		}
		if !o.accepts(&b) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if found = append(found, b); len(found) == o.limit {
			break
		}
	}
	return found, nil
}

// show prints a build that was asked for.
func (b buildCommands) show(r *resultFlags, build *remote.Build) error {
	now := time.Now()
	if done, err := r.write(b.s, build, func(each func(any) error) error { return each(build) }); done {
		return err
	}
	if err := writeThing(b.s, build, buildColumns(now)); err != nil {
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
	return writeTable(s, rows, []column[stageRow]{
		{name: "Stage", text: func(r stageRow) string { return r.stage }},
		{name: "Step", text: func(r stageRow) string { return r.step }},
		{name: "Name", text: func(r stageRow) string { return r.name }},
		{name: "Status", text: func(r stageRow) string { return r.status }, paint: func(r stageRow) (int, bool) { return statusColour(r.status) }},
		{name: "Took", text: func(r stageRow) string { return took(r.started, r.stopped, now) }},
		{name: "Exit", text: func(r stageRow) string {
			if r.stopped == 0 {
				return ""
			}
			return strconv.Itoa(r.exit)
		}},
		{name: "Error", text: func(r stageRow) string { return r.error }},
	})
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

// startFlags are those of commands that start a build.
type startFlags struct {
	params []string
	follow bool
	resultFlags
}

func (o *startFlags) register(b buildCommands, flags *pflag.FlagSet) {
	flags.StringArrayVarP(&o.params, "param", "p", nil, "parameter of the build, which its steps have as a variable: `K=V` (repeatable)")
	if b.follow != nil {
		flags.BoolVarP(&o.follow, "follow", "f", false, "show what it prints until it ends, and fail when it fails")
	}
	o.resultFlags.register(flags)
}

// started prints a build that was just started, or follows it.
func (b buildCommands) started(ctx context.Context, q *session, repo remote.Slug, o *startFlags, build *remote.Build) error {
	if o.follow {
		return b.follow(ctx, b.s, q, repo, build)
	}
	if err := b.show(&o.resultFlags, build); err != nil {
		return err
	}
	if build.Status == remote.StateError {
		return &failure{status: StatusFailed, err: fmt.Errorf("build %d cannot run: %s", build.Number, build.Error), hint: "`drone lint` checks the file here"}
	}
	return nil
}

func (b buildCommands) create() *cobra.Command {
	var o startFlags
	var what remote.NewBuild
	c := &cobra.Command{
		Use:   "create [OWNER/NAME]",
		Short: "start a build of a branch or a commit",
		Long: "create starts a build with the event custom, of the default branch, or of what --branch and\n" +
			"--commit name. A server that starts nothing is an error (status 1), and so is one that\n" +
			"cannot read the file of the build.",
		Example: "  drone build create\n  drone build create octo/hello --branch develop --param TARGET=staging",
	}
	flags := c.Flags()
	flags.StringVar(&what.Branch, "branch", "", "branch to build (default: the default branch of the repository)")
	flags.StringVar(&what.Commit, "commit", "", "`SHA` to build (default: the last commit of the branch)")
	flags.StringVar(&what.Message, "message", "", "message that the build shows, on servers from 2.25 on")
	flags.StringVar(&what.Action, "action", "", "action that the build shows, on servers from 2.25 on")
	o.register(b, flags)
	return b.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) (err error) {
		if what.Params, err = parameters(o.params); err != nil {
			return err
		}
		for _, name := range []string{"branch", "commit", "message", "action"} {
			if _, ok := what.Params[name]; ok {
				return usage(fmt.Errorf("--param %s=… is not for parameters: the server reads %s itself", name, name), "write --"+name)
			}
		}
		build, err := q.BuildCreate(ctx, repo, what)
		if errors.Is(err, remote.ErrNotFound) { // maybe what is to be built, and not the repository
			return q.fail(err, sourceOf(what, repo))
		}
		if err != nil {
			return err
		}
		return b.started(ctx, q, repo, &o, build)
	})
}

// sourceOf is what is to be built, in words.
func sourceOf(b remote.NewBuild, repo remote.Slug) string {
	text := repo.String()
	if b.Branch != "" {
		text = "branch " + b.Branch + " of " + text
	}
	if b.Commit != "" {
		text = "commit " + b.Commit + " of " + text
	}
	return text
}

func (b buildCommands) restart() *cobra.Command {
	var o startFlags
	var debug bool
	c := &cobra.Command{
		Use:   "restart [OWNER/NAME] BUILD",
		Short: "start a build again",
		Long: "restart starts a build of the same commit with the same event and parameters. For a\n" +
			"parameter that the first build had, a server takes the value of then, so one that --param\n" +
			"would change is refused.",
		Example: "  drone build restart 42\n  drone build restart octo/hello last --debug",
	}
	c.Flags().BoolVar(&debug, "debug", false, "have the runner keep a step that fails, where it can")
	o.register(b, c.Flags())
	return b.askRepo(c, 1, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		params, err := parameters(o.params)
		if err != nil {
			return err
		}
		n, err := q.buildNumber(ctx, repo, args[0])
		if err != nil {
			return err
		}
		if len(params) > 0 {
			before, err := q.Build(ctx, repo, n)
			if err != nil {
				return q.failBuild(err, repo, n)
			}
			for name, value := range params {
				if old, ok := before.Params[name]; ok && old != value {
					return usage(fmt.Errorf("build %d has the parameter %s already, and a restart keeps its value", n, name), "start another one with `drone build create`")
				}
			}
		}
		build, err := q.BuildRestart(ctx, repo, n, params, debug)
		if err != nil {
			return q.failBuild(err, repo, n)
		}
		return b.started(ctx, q, repo, &o, build)
	})
}

func (b buildCommands) deploy(verb, short string, call func(*remote.Client, context.Context, remote.Slug, int64, string, map[string]string) (*remote.Build, error)) *cobra.Command {
	var o startFlags
	c := &cobra.Command{
		Use:     verb + " [OWNER/NAME] BUILD ENVIRONMENT",
		Short:   short,
		Long:    verb + " starts a build of the commit of BUILD with the event " + verb + ", for the pipelines whose trigger\nhas it and the target ENVIRONMENT.",
		Example: "  drone build " + verb + " 42 production\n  drone build " + verb + " octo/hello 42 staging --param REGION=eu",
	}
	o.register(b, c.Flags())
	return b.askRepo(c, 2, 2, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		params, err := parameters(o.params)
		if err != nil {
			return err
		}
		if _, ok := params["target"]; ok {
			return usage(errors.New("--param target=… is not for parameters: the server takes it for the environment"), "name the environment behind the build")
		}
		n, err := q.buildNumber(ctx, repo, args[0])
		if err != nil {
			return err
		}
		build, err := call(q.Client, ctx, repo, n, args[1], params)
		if err != nil {
			return q.failBuild(err, repo, n)
		}
		return b.started(ctx, q, repo, &o, build)
	})
}

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

// done says that something was done, or prints what the server answers in the
// form that was asked for.
func (a asker) done(r *resultFlags, answer any, text string) error {
	if done, err := r.write(a.s, answer, func(each func(any) error) error { return each(answer) }); done {
		return err
	}
	_, err := fmt.Fprintln(a.s.Out, report.Visible(text))
	return err
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

func (b buildCommands) approve() *cobra.Command {
	c := &cobra.Command{
		Use:   "approve [OWNER/NAME] BUILD [STAGE…]",
		Short: "let a blocked build run",
		Long: "approve lets stages of a protected repository run that are blocked, for want of a valid\n" +
			"signature: those that are named, by number or name, else all that are blocked.",
		Example: "  drone build approve 42\n  drone build approve octo/hello 42 1",
	}
	return b.askRepo(c, 1, 1000, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		return b.decide(ctx, q, repo, args, "approved", q.BuildApprove)
	})
}

func (b buildCommands) decline() *cobra.Command {
	c := &cobra.Command{
		Use:   "decline [OWNER/NAME] BUILD [STAGE…]",
		Short: "refuse a blocked build",
		Long: "decline ends stages that are blocked: those that are named, by number or name, else all\n" +
			"that are blocked. The build is then declined.",
		Example: "  drone build decline 42\n  drone build decline octo/hello 42 1",
	}
	return b.askRepo(c, 1, 1000, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		return b.decide(ctx, q, repo, args, "declined", q.BuildDecline)
	})
}

// decide approves or declines stages.
func (b buildCommands) decide(ctx context.Context, q *session, repo remote.Slug, args []string, done string, call func(context.Context, remote.Slug, int64, int) error) error {
	build, err := q.build(ctx, repo, args[:1])
	if err != nil {
		return err
	}
	stages, err := stagesOf(build, args[1:])
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if err := call(ctx, repo, build.Number, stage.Number); err != nil {
			return q.failBuild(err, repo, build.Number)
		}
		if _, err := fmt.Fprintf(b.s.Out, "%s stage %d (%s) of build %d of %s\n", done, stage.Number, report.Visible(stage.Name), build.Number, repo); err != nil {
			return err
		}
	}
	return nil
}

func (b buildCommands) queue() *cobra.Command {
	var o buildFilter
	var repo string
	var r resultFlags
	c := &cobra.Command{
		Use:     "queue",
		Short:   "list the builds of a server that have not ended, as an administrator",
		Example: "  drone build queue\n  drone build queue --repo octo/hello --status running",
	}
	flags := c.Flags()
	flags.StringVar(&repo, "repo", "", "only builds of this repository, `OWNER/NAME`")
	flags.StringVar(&o.branch, "branch", "", "only builds of this branch")
	flags.StringVar(&o.event, "event", "", "only builds of this event")
	flags.StringVar(&o.status, "status", "", "only builds with this status: pending, running")
	r.register(flags)
	now := time.Now()
	return b.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		all, err := q.BuildIncomplete(ctx)
		if err != nil {
			return err
		}
		var list []remote.Repo
		for _, item := range all {
			if item.Build != nil && (repo == "" || item.Slug == repo) && o.accepts(item.Build) {
				list = append(list, item)
			}
		}
		return writeList(b.s, &r, list, []column[remote.Repo]{
			{name: "Build", text: func(i remote.Repo) string { return i.Slug + "#" + decimal(i.Build.Number) }},
			{name: "Status", text: func(i remote.Repo) string { return i.Build.Status }, paint: func(i remote.Repo) (int, bool) { return statusColour(i.Build.Status) }},
			{name: "Event", text: func(i remote.Repo) string { return i.Build.Event }},
			{name: "Branch", text: func(i remote.Repo) string { return i.Build.Target }},
			{name: "Author", text: func(i remote.Repo) string { return i.Build.Author }},
			{name: "Created", text: func(i remote.Repo) string { return ago(i.Build.Created, now) }},
			{name: "Took", text: func(i remote.Repo) string { return took(i.Build.Started, 0, now) }},
			{name: "Message", text: func(i remote.Repo) string { return i.Build.Message }},
		}, "no build is pending or running")
	})
}

func (b buildCommands) queueStages() *cobra.Command {
	var repo string
	var r resultFlags
	c := &cobra.Command{
		Use:     "queue-v2",
		Short:   "list the stages of a server that have not ended, as an administrator",
		Example: "  drone build queue-v2 --output json",
	}
	c.Flags().StringVar(&repo, "repo", "", "only stages of this repository, `OWNER/NAME`")
	r.register(c.Flags())
	now := time.Now()
	return b.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		all, err := q.BuildIncompleteStages(ctx)
		if err != nil {
			return err
		}
		var list []remote.RepoBuildStage
		for _, item := range all {
			if repo == "" || item.RepoSlug == repo {
				list = append(list, item)
			}
		}
		return writeList(b.s, &r, list, []column[remote.RepoBuildStage]{
			{name: "Build", text: func(i remote.RepoBuildStage) string { return i.RepoSlug + "#" + decimal(i.BuildNumber) }},
			{name: "Stage", text: func(i remote.RepoBuildStage) string { return i.StageName }},
			{name: "Status", text: func(i remote.RepoBuildStage) string { return i.StageStatus }, paint: func(i remote.RepoBuildStage) (int, bool) { return statusColour(i.StageStatus) }},
			{name: "Type", text: func(i remote.RepoBuildStage) string { return i.StageType }},
			{name: "Platform", text: func(i remote.RepoBuildStage) string {
				return strings.Trim(i.StageOS+"/"+i.StageArch+"/"+i.StageVariant, "/")
			}},
			{name: "Machine", text: func(i remote.RepoBuildStage) string { return i.StageMachine }},
			{name: "Author", text: func(i remote.RepoBuildStage) string { return i.BuildAuthor }},
			{name: "Created", text: func(i remote.RepoBuildStage) string { return ago(i.BuildCreated, now) }},
			{name: "Took", text: func(i remote.RepoBuildStage) string { return took(i.StageStarted, i.StageStopped, now) }},
		}, "no stage is pending or running")
	})
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
		return writeJSON(b.s.Out, card)
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
