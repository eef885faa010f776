package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/convert"
)

type renderOptions struct {
	build   buildFlags
	progs   programFlags
	trusted bool
}

func newRender(s Streams) *cobra.Command {
	o := &renderOptions{}
	c := &cobra.Command{
		Use:   "render [FILE]",
		Short: "print what a template or a program makes",
		Long: "render prints the text that exec, plan and lint read in place of FILE (default\n" +
			".drone.yml): what a template makes that FILE names (kind: template), or what FILE makes\n" +
			"if it is a Jsonnet or Starlark program, for the event that flags say. Templates are\n" +
			"looked for in the folders of --template-dir, then in " + templateFolder + ".",
		Example: "  drone render --template-dir ../templates\n  drone render --event tag --tag v1 .drone.star",
		Args:    maxArgs(1),
	}
	o.build.register(c)
	o.progs.register(c.Flags())
	c.Flags().BoolVar(&o.trusted, "trusted", false, "let programs read files outside of the working tree")
	c.RunE = func(c *cobra.Command, args []string) error { return runRender(orBackground(c.Context()), s, o, args) }
	return c
}

func runRender(ctx context.Context, s Streams, o *renderOptions, args []string) error {
	name, source, err := readSource(s, args)
	if err != nil {
		return err
	}
	build, _, err := o.build.resolveBuild(s)
	if err != nil {
		return err
	}
	given, err := o.progs.options(s, name, source, build, o.trusted)
	if err != nil {
		return err
	}
	made, err := convert.Run(ctx, name, source, given)
	if err != nil {
		return conversionFailure(err)
	}
	_, err = s.Out.Write(made.Text)
	return err
}
