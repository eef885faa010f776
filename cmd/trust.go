package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/consent"
	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/report"
)

func newTrust(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "trust",
		Short: "list and forget what you have agreed to",
		Long: "On a terminal exec asks before it gives a file what the server gives trusted\n" +
			"repositories only, and before it runs commands on this machine. What was answered with\n" +
			"always is remembered for the working tree; trust lists it and forgets it.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usage(fmt.Errorf("no command named %q", "trust "+args[0]), "there is `drone trust ls` and `drone trust rm`")
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTrustLs(s), newTrustRm(s))
	return c
}

func newTrustLs(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:     "ls",
		Short:   "list what is remembered, by working tree",
		Example: "  drone trust ls\n  drone trust ls --output json",
		Args:    maxArgs(0),
	}
	output := addOutput(c.Flags(), "output", "text", "json")
	c.RunE = func(*cobra.Command, []string) error { return runTrustLs(s, output.value) }
	return c
}

func newTrustRm(s Streams) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:     "rm [PATH…]",
		Short:   "forget what was agreed to in the working trees of PATH",
		Long:    "rm forgets all that was agreed to in the working tree of each PATH (default: the\ncurrent directory). exec asks again there.",
		Example: "  drone trust rm\n  drone trust rm ~/src/hello\n  drone trust rm --all",
		Args:    cobra.ArbitraryArgs,

		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
	}
	c.Flags().BoolVar(&all, "all", false, "forget what was agreed to in all working trees")
	c.RunE = func(_ *cobra.Command, args []string) error { return runTrustRm(s, args, all) }
	return c
}

// trustView is an answer as `drone trust ls --output json` prints it.
type trustView struct {
	Tree string `json:"tree"`
	// Kind is commands for those of a text, which may run on this machine, and
	// privilege for what a pipeline or step gets.
	Kind     string     `json:"kind"`
	File     string     `json:"file"`
	Pipeline string     `json:"pipeline"`
	Step     string     `json:"step"`
	What     string     `json:"what"`
	SHA256   string     `json:"sha256"` // of the text, with the kind commands
	Since    *time.Time `json:"since"`  // null when that was not noted
}

func viewAnswer(tree string, a consent.Answer) trustView {
	v := trustView{Tree: tree, Kind: "privilege", File: a.File, Pipeline: a.Pipeline, Step: a.Step, What: a.What, SHA256: a.Text, Since: a.Since}
	if a.Text != "" {
		v.Kind, v.What = "commands", "commands of type exec on this machine"
	}
	return v
}

// text says in one line what was agreed to.
func (v trustView) text() string {
	file := v.File
	if file == "" {
		file = "a file"
	}
	switch {
	case v.Kind == "commands":
		return fmt.Sprintf("%s: %s, while its text has the sum %s", file, v.What, v.SHA256[:min(12, len(v.SHA256))])
	case v.Step != "":
		return fmt.Sprintf("%s: step %q of pipeline %q: %s", file, v.Step, v.Pipeline, v.What)
	}
	return fmt.Sprintf("%s: pipeline %q: %s", file, v.Pipeline, v.What)
}

func (v trustView) since() string {
	if v.Since == nil {
		return ""
	}
	return v.Since.Local().Format("2006-01-02 15:04")
}

func runTrustLs(s Streams, form string) error {
	store, err := answers(s)
	if err != nil {
		return err
	}
	trees, err := store.Trees()
	if err != nil {
		return mistake(err, "")
	}
	views := []trustView{}
	for _, tree := range trees {
		for _, answer := range tree.Answers {
			views = append(views, viewAnswer(tree.Path, answer))
		}
	}
	if form == "json" {
		return document.JSON(s.Out, views)
	}
	if len(views) == 0 {
		s.note("nothing is remembered yet: answer a question of `drone exec` with always to have it remembered")
		return nil
	}
	// Nothing is cut: what was agreed to is to be seen as a whole.
	return table.Write(s.Out, views, []table.Column[trustView]{
		{Name: "Working tree", Text: func(v *trustView) string { return v.Tree }},
		{Name: "Since", Text: func(v *trustView) string { return v.since() }},
		{Name: "What", Text: func(v *trustView) string { return v.text() }},
	}, table.Form{Style: s.outStyle()})
}

func runTrustRm(s Streams, paths []string, all bool) error {
	if all && len(paths) > 0 {
		return usage(errors.New("--all and a path contradict each other"), "leave one of them out")
	}
	store, err := answers(s)
	if err != nil {
		return err
	}
	wanted, err := trees(paths)
	if err != nil {
		return err
	}
	gone, err := store.Forget(func(tree string) bool { return all || slices.Contains(wanted, tree) })
	if err != nil {
		return mistake(err, "")
	}
	for _, tree := range gone {
		fmt.Fprintf(s.Out, "forgot %s in %s\n", report.Plural(len(tree.Answers), "answer"), report.Visible(tree.Path))
		for _, answer := range tree.Answers {
			fmt.Fprintf(s.Out, "  %s\n", report.Visible(viewAnswer(tree.Path, answer).text()))
		}
	}
	switch {
	case len(gone) > 0:
	case all:
		s.note("nothing was remembered, so nothing was forgotten")
	default:
		s.note("nothing was remembered for " + strings.Join(wanted, ", ") + ", so nothing was forgotten; `drone trust ls` lists what is")
	}
	return nil
}

// trees are the working trees of paths, of the current directory without one. A
// path that is gone, as a tree that was removed, is taken as it is.
func trees(paths []string) (list []string, err error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, path := range paths {
		tree, err := workingTree(path)
		if errors.Is(err, os.ErrNotExist) {
			tree, err = filepath.Abs(path)
		}
		if err != nil {
			return nil, usage(fmt.Errorf("cannot tell the working tree of %s: %w", path, cause(err)), "")
		}
		list = append(list, tree)
	}
	return list, nil
}

// answers is the store of this user.
func answers(s Streams) (consent.Store, error) {
	state, err := stateDir(s)
	if err != nil {
		return consent.Store{}, usage(errors.New("neither XDG_STATE_HOME nor a home directory is known, so nothing is remembered"), "set XDG_STATE_HOME to a directory of yours")
	}
	return consent.In(state), nil
}
