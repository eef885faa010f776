package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/internal/document"
)

type starlarkOptions struct {
	generateFlags
	maxSteps uint64
	paths    []string
	build    starlarkBuild
}

func newStarlark(s Streams) *cobra.Command {
	o := &starlarkOptions{}
	c := &cobra.Command{
		Use:   "starlark [FILE]",
		Short: "make a .drone.yml of a Starlark program",
		Long: "starlark runs main(ctx) of FILE (default .drone.star) and writes what it returns to\n" +
			".drone.yml. ctx has the facts that flags give and no others, so that the result is the\n" +
			"same everywhere. The other commands take the program as it is, and give it all facts.",
		Example: "  drone starlark --format\n  drone starlark --stdout --build.event tag --build.ref refs/tags/v1",
		Args:    maxArgs(1),
	}
	flags := c.Flags()
	o.register(flags, ".drone.star")
	flags.Uint64Var(&o.maxSteps, "max-execution-steps", 50_000, "steps that main may take")
	flags.StringArrayVarP(&o.paths, "jpath", "J", nil, "`folder` for load, after that of the file that loads and the current one (repeatable)")
	o.build.register(flags)
	c.RunE = func(c *cobra.Command, args []string) error {
		return runStarlark(orBackground(c.Context()), s, o, c, args)
	}
	return c
}

func runStarlark(ctx context.Context, s Streams, o *starlarkOptions, c *cobra.Command, args []string) error {
	if o.maxSteps == 0 {
		return usage(errors.New("--max-execution-steps 0 leaves main no step"), "write a number above 0")
	}
	build, err := o.build.build(c.Flags().Changed)
	if err != nil {
		return err
	}
	return o.generate(ctx, s, c, args, convert.Job{Format: convert.FormatStarlark, Build: build, Starlark: convert.StarlarkOptions{
		MaxSteps: o.maxSteps, Paths: append([]string{"."}, o.paths...),
	}}, o.join)
}

// join makes one text of what the program has made, in the form that the
// official command gives it: dicts of one line, or YAML.
func (o *starlarkOptions) join(name string, out *convert.Output) ([]byte, error) {
	return o.documents(name, out, out.IsList || !o.format, func(text string) string { return document.OneLine(text) + "\n" })
}

// starlarkBuild are the facts of the build that the official command takes.
type starlarkBuild struct {
	repo   compile.Repo
	facts  compile.Build
	target string
}

func (b *starlarkBuild) register(flags *pflag.FlagSet) {
	for _, f := range []struct {
		into               *string
		name, value, about string
	}{
		{&b.repo.Name, "repo.name", "", "ctx.repo.name"},
		{&b.repo.Namespace, "repo.namespace", "", "ctx.repo.namespace"},
		{&b.repo.Slug, "repo.slug", "", "ctx.repo.slug"},
		{&b.facts.Event, "build.event", "push", "ctx.build.event"},
		{&b.facts.Branch, "build.branch", "master", "ctx.build.branch and ctx.build.target"},
		{&b.facts.Source, "build.source", "master", "ctx.build.source"},
		{&b.facts.SourceRepo, "build.source_repo", "", "ctx.build.source_repo"},
		{&b.target, "build.target", "master", "the same as --build.branch, as on a server"},
		{&b.facts.Ref, "build.ref", "refs/heads/master", "ctx.build.ref"},
		{&b.facts.After, "build.commit", "", "ctx.build.commit"},
		{&b.facts.Message, "build.message", "", "ctx.build.message"},
		{&b.facts.Title, "build.title", "", "ctx.build.title"},
		{&b.facts.Link, "build.link", "", "ctx.build.link"},
		{&b.facts.Deploy, "build.environment", "", "ctx.build.environment"},
	} {
		flags.StringVar(f.into, f.name, f.value, f.about)
	}
	flags.BoolVar(&b.facts.Debug, "build.debug", true, "ctx.build.debug")
}

// build makes a build of the flags. Its branch is the target branch.
func (b *starlarkBuild) build(given func(flag string) bool) (compile.Build, error) {
	build := b.facts
	build.Repo = b.repo
	switch {
	case !given("build.target"):
	case given("build.branch") && b.target != build.Branch:
		return build, usage(
			fmt.Errorf("--build.target %s and --build.branch %s name different branches", b.target, build.Branch),
			"on a server both are the target branch; --build.source is the other one")
	default:
		build.Branch = b.target
	}
	return build, nil
}
