package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/schema"
)

func newSchema(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema of a .drone.yml",
		Long: "schema prints a JSON Schema (draft 2020-12) of one document of a .drone.yml, with which\n" +
			"editors complete, explain and check keys while you write. It accepts what the server\n" +
			"and its runners read, and nothing that has no effect; with --loose it also accepts keys\n" +
			"and words that nobody reads. As markdown it is the reference of all keys.",
		Example: "  drone schema > ~/.config/drone.schema.json\n  drone schema --output markdown",
		Args:    maxArgs(0),
	}
	output := addOutput(c.Flags(), "output", "json", "markdown")
	loose := c.Flags().Bool("loose", false, "accept keys and words that have no effect")
	c.RunE = func(*cobra.Command, []string) error { return runSchema(s, output.value, *loose) }
	return c
}

func runSchema(s Streams, form string, loose bool) error {
	if form == "markdown" {
		if loose {
			return usage(errors.New("--loose has no meaning for --output markdown"), "leave one of them out")
		}
		_, err := s.Out.Write(schema.Reference())
		return err
	}
	text, err := schema.JSON(loose)
	if err != nil {
		return err
	}
	_, err = s.Out.Write(text)
	return err
}
