package cmd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/internal/document"
)

func newEnv(s Streams) *cobra.Command {
	f := &buildFlags{}
	c := &cobra.Command{
		Use:   "env",
		Short: "print the variables of the build and where each comes from",
		Long: "env prints the DRONE_* and CI_* variables that steps get for the event, with the\n" +
			"origin of each, and names what could not be found out.",
		Example: "  drone env\n  drone env --event pull_request --pr 12 --target main",
		Args:    maxArgs(0),
	}
	f.register(c)
	output := addOutput(c.Flags(), "output", "text", "json")
	c.RunE = func(*cobra.Command, []string) error { return runEnv(s, f, output.value) }
	return c
}

// envView is what `drone env --output json` prints.
type envView struct {
	Variables []envVariable     `json:"variables"`
	Unknown   map[string]string `json:"unknown"` // fact → why it is not known
	// Dirty tells that the working tree, which steps see, is not as the commit
	// of the build has it. When that is unknown it is false.
	Dirty bool `json:"dirty"`
}

type envVariable struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// exampleStage stands for the pipeline that the variables of the stage are for.
var exampleStage = compile.Stage{
	Name: "default", Kind: "pipeline", Type: "docker", Number: 1, OS: "linux", Arch: "amd64",
}

func runEnv(s Streams, f *buildFlags, form string) error {
	build, _, err := f.resolveBuild(s)
	if err != nil {
		return err
	}
	view := envView{Variables: []envVariable{}, Unknown: map[string]string{}, Dirty: build.Dirty}
	stage := exampleStage
	stage.Machine = machine()
	for _, v := range compile.Variables(build, stage) {
		view.Variables = append(view.Variables, envVariable(v))
	}
	maps.Copy(view.Unknown, build.Unknown)
	if form == "json" {
		return document.JSON(s.Out, view)
	}
	return writeEnv(s, view)
}

func writeEnv(s Streams, view envView) error {
	table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, v := range view.Variables {
		if v.Value == "" {
			continue // an empty variable is not set in a step
		}
		fmt.Fprintf(table, "%s=%s\t# %s\n", v.Name, oneLine(v.Value), v.Origin)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	facts := make([]string, 0, len(view.Unknown))
	for fact, reason := range view.Unknown {
		facts = append(facts, fmt.Sprintf("unknown: %s: %s", fact, reason))
	}
	slices.Sort(facts)
	if view.Dirty {
		s.note("the working tree has changes that are not in the commit of the build")
	}
	for _, text := range facts {
		s.note(text)
	}
	return nil
}

// oneLine quotes a value that would break the table.
func oneLine(value string) string {
	if strings.ContainsAny(value, "\n\t\r") {
		return fmt.Sprintf("%q", value)
	}
	return value
}
