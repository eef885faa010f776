package cmd

import (
	"context"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/exec"
)

func newCompile(s Streams) *cobra.Command {
	f := &planFlags{}
	c := &cobra.Command{
		Use:   "compile [FILE]",
		Short: "print the plan, resolved, as JSON or YAML",
		Long: "compile prints everything exec would do with FILE (default .drone.yml): images,\n" +
			"scripts, variables, mounts, and the graph. Secrets appear by name only.",
		Example: "  drone compile\n  drone compile --event tag --tag v1.2.3 --output yaml",
	}
	f.register(c)
	output := addOutput(c.Flags(), "output", "json", "yaml")
	c.RunE = func(c *cobra.Command, args []string) error {
		return runCompile(c.Context(), s, f, output.value, args)
	}
	return c
}

func runCompile(ctx context.Context, s Streams, f *planFlags, form string, args []string) error {
	p, err := f.load(orBackground(ctx), s, args)
	if err != nil {
		return err
	}
	if err := p.showProblems(s); err != nil {
		return err
	}
	if form == "yaml" {
		return writePlanYAML(s.Out, p.plan)
	}
	return writeJSON(s.Out, p.plan)
}

// writePlanYAML writes the plan with the names and the order its JSON has.
func writePlanYAML(w io.Writer, plan *exec.Plan) error {
	text, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	// JSON is YAML: read as a tree it keeps the order of its keys.
	var tree yaml.Node
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return err
	}
	blockStyle(&tree)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&tree); err != nil {
		return err
	}
	return enc.Close()
}

func blockStyle(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	for _, child := range n.Content {
		blockStyle(child)
	}
}
