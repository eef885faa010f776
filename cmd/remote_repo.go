package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
)

type repoCommands struct{ asker }

func newRepo(s Streams) *cobra.Command {
	r := repoCommands{asker{s, &serverFlags{}}}
	return r.group("repo", "list, enable and set up repositories on a server",
		"repo asks a server about a repository, OWNER/NAME; without it that is the one of the git remote.",
		r.ls(), r.info(), r.sync(), r.update(), r.collaborators(),
		r.simple("enable", "have a server build a repository",
			"enable has the server build a repository: it is told of pushes, and you become the owner.",
			"enabled", (*remote.Client).RepoEnable),
		r.ending("disable", "have a server build a repository no more",
			"disable ends what enable began. The builds and settings stay on the server, and the hook at the\nhost of the repository stays, too, until you remove it there.",
			"disable", "disabled", (*remote.Client).RepoDisable),
		r.ending("delete", "disable a repository and delete what the server has of it",
			"delete disables a repository, and has the server delete it with its builds, logs and secrets.",
			"delete all builds, logs and secrets of", "deleted", (*remote.Client).RepoDelete),
		r.simple("chown", "become the owner of a repository on a server",
			"chown makes you the owner: the server then uses your account to clone and to read the file.",
			"you own", (*remote.Client).RepoChown),
		r.simple("repair", "have a server read a repository anew and renew its hook",
			"repair has the server read the branch and the addresses of a repository anew, and renew the\nhook by which it is told of pushes.",
			"repaired", (*remote.Client).RepoRepair),
	)
}

func repoColumns() []table.Column[remote.Repo] {
	return []table.Column[remote.Repo]{
		{Name: "Owner", Text: func(r *remote.Repo) string { return r.Namespace }},
		{Name: "Repo", Text: func(r *remote.Repo) string { return r.Name }},
		{Name: "Active", Text: func(r *remote.Repo) string { return yesNo(r.Active) }},
		{Name: "Branch", Text: func(r *remote.Repo) string { return r.Branch }},
		{Name: "Config", Text: func(r *remote.Repo) string { return r.Config }},
		{Name: "Visibility", Text: func(r *remote.Repo) string { return r.Visibility }},
		{Name: "Private", Text: func(r *remote.Repo) string { return yesNo(r.Private) }},
		{Name: "Trusted", Text: func(r *remote.Repo) string { return yesNo(r.Trusted) }},
		{Name: "Protected", Text: func(r *remote.Repo) string { return yesNo(r.Protected) }},
		{Name: "Ignore forks", Text: func(r *remote.Repo) string { return yesNo(r.IgnoreForks) }},
		{Name: "Ignore pulls", Text: func(r *remote.Repo) string { return yesNo(r.IgnorePulls) }},
		{Name: "Cancel running", Text: func(r *remote.Repo) string { return yesNo(r.CancelRunning) }},
		{Name: "Cancel pulls", Text: func(r *remote.Repo) string { return yesNo(r.CancelPulls) }},
		{Name: "Cancel pushes", Text: func(r *remote.Repo) string { return yesNo(r.CancelPush) }},
		{Name: "Timeout", Text: func(r *remote.Repo) string { return (time.Duration(r.Timeout) * time.Minute).String() }},
		{Name: "Throttle", Text: func(r *remote.Repo) string { return nonZero(r.Throttle) }, Optional: true},
		{Name: "Builds", Text: func(r *remote.Repo) string { return decimal(r.Counter) }},
		{Name: "Remote", Text: func(r *remote.Repo) string { return r.HTTPURL }},
		{Name: "Link", Text: func(r *remote.Repo) string { return r.Link }, Optional: true},
		{Name: "You may", Text: func(r *remote.Repo) string { return permissions(r.Permissions) }, Optional: true},
	}
}

func permissions(p *remote.Permissions) string {
	var may []string
	if p != nil {
		for _, right := range []struct {
			has  bool
			name string
		}{{p.Read, "read"}, {p.Write, "write"}, {p.Admin, "admin"}} {
			if right.has {
				may = append(may, right.name)
			}
		}
	}
	return strings.Join(may, ", ")
}

// writeRepos prints a list of repositories.
func (r repoCommands) writeRepos(f *resultFlags, list []remote.Repo, none string) error {
	now := time.Now()
	columns := []table.Column[remote.Repo]{
		{Name: "Repository", Text: func(r *remote.Repo) string { return r.Slug }},
		{Name: "Active", Text: func(r *remote.Repo) string { return yesNo(r.Active) }},
		{Name: "Visibility", Text: func(r *remote.Repo) string { return r.Visibility }},
		{Name: "Branch", Text: func(r *remote.Repo) string { return r.Branch }},
	}
	if slices.ContainsFunc(list, func(r remote.Repo) bool { return r.Build != nil }) {
		columns = append(columns,
			table.Column[remote.Repo]{Name: "Build", Text: func(r *remote.Repo) string {
				if r.Build == nil {
					return ""
				}
				return decimal(r.Build.Number)
			}},
			table.Column[remote.Repo]{Name: "Status", Text: func(r *remote.Repo) string {
				if r.Build == nil {
					return ""
				}
				return r.Build.Status
			}, Paint: func(r *remote.Repo) (int, bool) {
				if r.Build == nil {
					return 0, false
				}
				return statusColour(r.Build.Status)
			}},
			table.Column[remote.Repo]{Name: "Created", Text: func(r *remote.Repo) string {
				if r.Build == nil {
					return ""
				}
				return ago(r.Build.Created, now)
			}},
		)
	}
	return writeList(r.s, f, list, columns, none)
}

func (r repoCommands) ls() *cobra.Command {
	var org string
	var active, latest, all bool
	var f resultFlags
	c := &cobra.Command{
		Use:     "ls",
		Short:   "list your repositories",
		Long:    "ls lists the repositories of yours that the server knows; `drone repo sync` has it look for new ones.",
		Example: "  drone repo ls --active --latest\n  drone repo ls --org octo --format '{{ .Slug }}'",
	}
	flags := c.Flags()
	flags.StringVar(&org, "org", "", "only repositories of this owner")
	flags.BoolVar(&active, "active", false, "only repositories that the server builds")
	flags.BoolVar(&latest, "latest", false, "with the last build of each")
	flags.BoolVar(&all, "all", false, "those of all users, as an administrator")
	f.register(flags)
	return r.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		var list []remote.Repo
		var err error
		switch {
		case all && latest:
			return usage(errors.New("the server gives no last builds with --all"), "leave out one of --all and --latest")
		case all:
			for repo, err := range q.RepoAll(ctx) {
				if err != nil {
					return err
				}
				list = append(list, repo)
			}
		default:
			list, err = q.RepoList(ctx, latest)
		}
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(repo remote.Repo) bool {
			return org != "" && repo.Namespace != org || active && !repo.Active
		})
		return r.writeRepos(&f, list, "the server knows no such repository of yours; `drone repo sync` has it look for new ones")
	})
}

func (r repoCommands) sync() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "sync",
		Short:   "have a server look for your repositories",
		Long:    "sync has the server read the list of your repositories from where they are hosted, waits for it,\nand lists them.",
		Example: "  drone repo sync",
	}
	f.register(c.Flags())
	return r.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		list, err := q.sync(ctx)
		if err != nil {
			return err
		}
		return r.writeRepos(&f, list, "you have no repositories there")
	})
}

// sync waits for the server in small calls: one for hundreds of repositories may
// take longer than proxies on the way have patience.
func (q *session) sync(ctx context.Context) ([]remote.Repo, error) {
	if err := q.RepoSyncStart(ctx); err != nil {
		return nil, err
	}
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		user, err := q.Self(ctx)
		if err != nil {
			return nil, err
		}
		if !user.Syncing {
			return q.RepoList(ctx, false)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (r repoCommands) info() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "info [OWNER/NAME]",
		Short:   "show the settings of a repository",
		Example: "  drone repo info\n  drone repo info octo/hello --output json",
	}
	f.register(c.Flags())
	return r.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		info, err := q.Repo(ctx, repo)
		if err != nil {
			return err
		}
		return writeOne(r.s, &f, info, repoColumns())
	})
}

// simple is a command that has the server do one thing with a repository.
func (r repoCommands) simple(verb, short, long, done string, call func(*remote.Client, context.Context, remote.Slug) (*remote.Repo, error)) *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use: verb + " [OWNER/NAME]", Short: short, Long: long,
		Example: "  drone repo " + verb + "\n  drone repo " + verb + " octo/hello",
	}
	f.register(c.Flags())
	return r.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		answer, err := call(q.Client, ctx, repo)
		if err != nil {
			return err
		}
		return r.done(&f, answer, done+" "+repo.String())
	})
}

// ending is simple for what asks first.
func (r repoCommands) ending(verb, short, long, question, done string, call func(*remote.Client, context.Context, remote.Slug) (*remote.Repo, error)) *cobra.Command {
	var f resultFlags
	var yes yesFlag
	c := &cobra.Command{
		Use: verb + " [OWNER/NAME]", Short: short, Long: long,
		Example: "  drone repo " + verb + " octo/hello\n  drone repo " + verb + " octo/hello --yes",
	}
	f.register(c.Flags())
	yes.register(c.Flags())
	return r.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		if err := yes.confirm(r.s, question+" "+repo.String()+" on "+q.Server()); err != nil {
			return err
		}
		answer, err := call(q.Client, ctx, repo)
		if err != nil {
			return err
		}
		return r.done(&f, answer, done+" "+repo.String())
	})
}

// repoSettings are the flags of update.
type repoSettings struct {
	config                                      string
	visibility                                  choice
	trusted, protected, ignoreForks, ignorePull bool
	cancelPull, cancelPush, cancelRunning       bool
	timeout                                     time.Duration
	throttle, counter                           int64
	unsafe                                      bool
}

func (r repoCommands) update() *cobra.Command {
	o := repoSettings{visibility: choice{kind: "who", of: []string{remote.VisibilityPublic, remote.VisibilityPrivate, remote.VisibilityInternal}}}
	var f resultFlags
	c := &cobra.Command{
		Use:   "update [OWNER/NAME]",
		Short: "change settings of a repository",
		Long: "update changes the settings that are named, and no others; --protected=false turns one off.\n" +
			"Only administrators of a server may set --trusted, --timeout, --throttle and --build-counter:\n" +
			"a server passes over those of others, which is told as an error.",
		Example: "  drone repo update --protected --visibility private\n  drone repo update octo/hello --timeout 90m --trusted=false",
	}
	flags := c.Flags()
	flags.StringVar(&o.config, "config", "", "`path` of the configuration, such as .drone.yml")
	flags.Var(&o.visibility, "visibility", "who sees the builds: public, private, internal")
	flags.BoolVar(&o.trusted, "trusted", false, "let the file have what could take over a machine: privileged, host volumes …")
	flags.BoolVar(&o.protected, "protected", false, "block builds whose file is not signed")
	flags.DurationVar(&o.timeout, "timeout", 0, "how long a build may take: whole minutes, such as `90m`")
	flags.Int64Var(&o.throttle, "throttle", 0, "at most `N` pipelines of the repository at a time, 0 for no limit")
	flags.BoolVar(&o.ignoreForks, "ignore-forks", false, "build no pull requests of forks")
	flags.BoolVar(&o.ignorePull, "ignore-pull-requests", false, "build no pull requests")
	flags.BoolVar(&o.cancelPull, "auto-cancel-pull-requests", false, "a newer build of a pull request cancels those that wait")
	flags.BoolVar(&o.cancelPush, "auto-cancel-pushes", false, "a newer build of a branch cancels those that wait")
	flags.BoolVar(&o.cancelRunning, "auto-cancel-running", false, "and those that run")
	flags.Int64Var(&o.counter, "build-counter", 0, "number of the last build, so that the next one has the next number; needs --unsafe")
	flags.BoolVar(&o.unsafe, "unsafe", false, "allow --build-counter: a number that was used already breaks builds")
	f.register(flags)
	return r.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		patch, err := o.patch(c)
		if err != nil {
			return err
		}
		answer, err := q.RepoUpdate(ctx, repo, patch)
		if err != nil {
			return err
		}
		if lost := ignoredSettings(patch, answer); len(lost) > 0 {
			return &failure{status: StatusUnreachable, err: fmt.Errorf("the server has passed over %s for %s", strings.Join(lost, ", "), repo),
				hint: "only an administrator of the server may set that; everything else is set"}
		}
		return r.done(&f, answer, "updated "+repo.String())
	})
}

// patch is what is to change.
func (o *repoSettings) patch(c *cobra.Command) (remote.RepoPatch, error) {
	flags := c.Flags()
	minutes := int64(o.timeout / time.Minute)
	p := remote.RepoPatch{
		Config: changed(flags, "config", &o.config), Visibility: changed(flags, "visibility", &o.visibility.value),
		Protected: changed(flags, "protected", &o.protected), Trusted: changed(flags, "trusted", &o.trusted),
		IgnoreForks: changed(flags, "ignore-forks", &o.ignoreForks), IgnorePulls: changed(flags, "ignore-pull-requests", &o.ignorePull),
		CancelPulls: changed(flags, "auto-cancel-pull-requests", &o.cancelPull), CancelPush: changed(flags, "auto-cancel-pushes", &o.cancelPush),
		CancelRunning: changed(flags, "auto-cancel-running", &o.cancelRunning), Timeout: changed(flags, "timeout", &minutes),
		Throttle: changed(flags, "throttle", &o.throttle), Counter: changed(flags, "build-counter", &o.counter),
	}
	switch {
	case p == remote.RepoPatch{}:
		return p, usage(errors.New("nothing says what to change"), "add a setting, for example --protected; `drone repo update --help` lists them")
	case p.Timeout != nil && (o.timeout < time.Minute || o.timeout%time.Minute != 0):
		return p, usage(fmt.Errorf("--timeout %s is no whole number of minutes", o.timeout), "write it as 90m or 2h")
	case p.Counter != nil && !o.unsafe:
		return p, usage(errors.New("--build-counter can give two builds the same number, and needs --unsafe"), "add --unsafe, if the number is greater than that of all builds")
	case p.Counter != nil && o.counter < 0, p.Throttle != nil && o.throttle < 0:
		return p, usage(errors.New("--build-counter and --throttle are not negative"), "")
	case p.Config != nil && o.config == "":
		return p, usage(errors.New("--config is empty"), "name the path of the file, such as .drone.yml")
	}
	return p, nil
}

// ignoredSettings names the settings of administrators that a server has not taken.
func ignoredSettings(p remote.RepoPatch, answer *remote.Repo) (names []string) {
	if p.Trusted != nil && *p.Trusted != answer.Trusted {
		names = append(names, "--trusted")
	}
	for _, n := range []struct {
		name   string
		wanted *int64
		has    int64
	}{{"--timeout", p.Timeout, answer.Timeout}, {"--throttle", p.Throttle, answer.Throttle}, {"--build-counter", p.Counter, answer.Counter}} {
		if n.wanted != nil && *n.wanted != n.has {
			names = append(names, n.name)
		}
	}
	return names
}

func (r repoCommands) collaborators() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "collaborators [OWNER/NAME]",
		Short:   "list who may do what with a repository",
		Example: "  drone repo collaborators octo/hello",
	}
	f.register(c.Flags())
	return r.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		list, err := q.CollaboratorList(ctx, repo)
		if err != nil {
			return err
		}
		return writeList(r.s, &f, list, []table.Column[remote.Collaborator]{
			{Name: "Login", Text: func(c *remote.Collaborator) string { return c.Login }},
			{Name: "May", Text: func(c *remote.Collaborator) string {
				return permissions(&remote.Permissions{Read: c.Read, Write: c.Write, Admin: c.Admin})
			}},
		}, "the server knows nobody who may use "+repo.String())
	})
}
