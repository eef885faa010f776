package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/internal/document"
)

type jsonnetOptions struct {
	generateFlags
	jsonnetFlags
	stream, text bool
}

func newJsonnet(s Streams) *cobra.Command {
	o := &jsonnetOptions{}
	c := &cobra.Command{
		Use:   "jsonnet [FILE]",
		Short: "make a .drone.yml of a Jsonnet program",
		Long: "jsonnet evaluates FILE (default .drone.jsonnet) and writes what it makes to .drone.yml:\n" +
			"one document of an object, or with --stream one of each element of a list. It gives the\n" +
			"program no facts of a build, so that the result is the same everywhere: those that it\n" +
			"asks for come from --ext-var, as in --ext-var build.event=push. The other commands take\n" +
			"the program as it is, and give it all facts.",
		Example: "  drone jsonnet --stream --format\n  drone jsonnet --stdout --ext-var build.event=tag ci.jsonnet",
		Args:    maxArgs(1),
	}
	flags := c.Flags()
	o.generateFlags.register(flags, ".drone.jsonnet")
	flags.BoolVar(&o.stream, "stream", false, "the program makes a list, of which each element becomes a document")
	flags.BoolVar(&o.text, "string", false, "the program makes a string, which is written as it is")
	o.jsonnetFlags.register(flags)
	c.RunE = func(c *cobra.Command, args []string) error {
		return runJsonnet(orBackground(c.Context()), s, o, c, args)
	}
	return c
}

func runJsonnet(ctx context.Context, s Streams, o *jsonnetOptions, c *cobra.Command, args []string) error {
	if o.text && (o.stream || o.format) {
		return usage(errors.New("--string takes the text as it is, so --stream and --format have no meaning"), "leave them out")
	}
	given, err := o.options(s)
	if err != nil {
		return err
	}
	return o.generate(ctx, s, c, args, convert.Job{Format: convert.FormatJsonnet, Jsonnet: convert.JsonnetOptions{
		ExtVars: given.ExtVars, ExtCode: given.ExtCode, TopVars: given.TopVars, TopCode: given.TopCode,
		Paths: given.Paths, Text: o.text,
	}}, o.join)
}

// join makes one text of what the program has made.
func (o *jsonnetOptions) join(name string, out *convert.Output) ([]byte, error) {
	switch {
	case o.text:
		return []byte(out.Documents[0]), nil
	case out.IsList && !o.stream:
		return nil, usage(fmt.Errorf("%s makes a list, which is not a document", name), "add --stream: each element becomes a document")
	case !out.IsList && o.stream:
		return nil, usage(fmt.Errorf("%s makes an object, not a list of documents", name), "leave out --stream")
	}
	return o.documents(name, out, o.stream, func(text string) string { return document.SpaceEmpty(text) + "\n" })
}
