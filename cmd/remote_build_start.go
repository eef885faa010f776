package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/remote"
)

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
