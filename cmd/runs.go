package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/history"
	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/report"
)

type runsOptions struct {
	output *outputFlag
	all    bool
	limit  int
}

func newRuns(s Streams) *cobra.Command {
	o := &runsOptions{}
	c := &cobra.Command{
		Use:   "runs",
		Short: "list the runs that were kept",
		Long: "runs lists the runs of this working tree that `drone exec` has kept, the newest first.\n" +
			"One that still runs in another terminal is running; one whose drone was killed is\n" +
			"interrupted. `drone log` shows what they printed.",
		Example: "  drone runs\n  drone runs --all --output json\n  drone runs rm --older-than 7d",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usage(fmt.Errorf("no command named %q", "runs "+args[0]), "there is `drone runs` and `drone runs rm`; `drone log "+args[0]+"` shows a run")
		},
		RunE: func(*cobra.Command, []string) error { return runRuns(s, o, time.Now()) },
	}
	c.Flags().BoolVar(&o.all, "all", false, "also those of other working trees")
	c.Flags().IntVarP(&o.limit, "limit", "n", 0, "only the newest `N`")
	o.output = addOutput(c.Flags(), "output", "text", "json")
	c.AddCommand(newRunsRm(s))
	return c
}

// runView is a run as `drone runs --output json` prints it.
type runView struct {
	Run        string              `json:"run"`
	Status     exec.Status         `json:"status"`
	Started    time.Time           `json:"started"`
	Finished   *time.Time          `json:"finished"` // null while that is not known
	DurationMS int64               `json:"duration_ms"`
	ExitCode   *int                `json:"exit_code"` // null while that is not known
	Event      string              `json:"event"`
	Branch     string              `json:"branch"`
	Ref        string              `json:"ref"`
	Commit     string              `json:"commit"`
	Repository string              `json:"repository"`
	File       string              `json:"file"`
	Directory  string              `json:"directory"`
	Tree       string              `json:"tree"`
	Counts     map[exec.Status]int `json:"counts"`
	Failed     []history.Step      `json:"failed"`
	Size       int64               `json:"size"`
	Incomplete string              `json:"incomplete"`
	Path       string              `json:"path"`
}

func viewRun(r history.Run, now time.Time) runView {
	v := runView{
		Run: r.ID, Status: r.State(), Started: r.Started, Finished: r.Finished, DurationMS: r.Duration(now).Milliseconds(),
		Event: r.Event, Branch: r.Branch, Ref: r.Ref, Commit: r.Commit, Repository: r.Repository, File: r.File,
		Directory: r.Directory, Tree: r.Tree, Counts: r.Counts, Failed: r.Failed, Size: r.Size(), Incomplete: r.Incomplete, Path: r.Dir(),
	}
	if r.Finished != nil {
		v.ExitCode = &r.ExitCode
	}
	if v.Counts == nil {
		v.Counts = map[exec.Status]int{}
	}
	if v.Failed == nil {
		v.Failed = []history.Step{}
	}
	return v
}

func runRuns(s Streams, o *runsOptions, now time.Time) error {
	if o.limit < 0 {
		return usage(fmt.Errorf("--limit %d is negative", o.limit), "write how many runs to list, or 0 for all")
	}
	k, err := findKept(s)
	if err != nil {
		return err
	}
	k.tellDamage(s)
	list := k.tree
	if o.all {
		list = k.all
	}
	if o.limit > 0 && len(list) > o.limit {
		list = list[:o.limit]
	}
	if o.output.value == "json" {
		views := []runView{}
		for _, run := range list {
			views = append(views, viewRun(run, now))
		}
		return document.JSON(s.Out, views)
	}
	switch {
	case len(list) > 0:
		return table.Write(s.Out, list, runColumns(o.all, now), s.outForm())
	case len(k.all) > 0:
		s.note("no run of this working tree is kept; `drone runs --all` lists " + report.Plural(len(k.all), "run") + " of others")
	default:
		s.note("no run is kept yet: `drone exec` keeps each one")
	}
	return nil
}

const (
	branchWidth = 24
	commitWidth = 8
)

// runColumns are those of a table of runs. The widest are the last, from which is cut
// what does not fit.
func runColumns(trees bool, now time.Time) []table.Column[history.Run] {
	columns := []table.Column[history.Run]{
		{Name: "Run", Text: func(r *history.Run) string { return r.ID }},
		{Name: "Status", Text: func(r *history.Run) string { return string(r.State()) }, Paint: func(r *history.Run) (int, bool) { return stateColour(r.State()), true }},
		{Name: "Started", Text: func(r *history.Run) string { return table.Age(now.Sub(r.Started)) + " ago" }},
		{Name: "Took", Text: func(r *history.Run) string {
			if d := r.Duration(now); d > 0 {
				return report.Duration(d)
			}
			return ""
		}},
		{Name: "Event", Text: func(r *history.Run) string { return r.Event }},
		{Name: "Branch", Text: func(r *history.Run) string { return ansi.Truncate(r.Branch, branchWidth, "…") }},
		{Name: "Commit", Text: func(r *history.Run) string { return r.Commit[:min(len(r.Commit), commitWidth)] }},
		{Name: "Failed", Text: failedText},
	}
	if trees {
		columns = append(columns, table.Column[history.Run]{Name: "Working tree", Text: func(r *history.Run) string { return r.Tree }})
	}
	return columns
}

// stateColour is that of the state of a run.
func stateColour(state exec.Status) int {
	switch state {
	case exec.StatusSuccess:
		return report.Green
	case exec.StatusFailure, exec.StatusError:
		return report.Red
	case exec.StatusRunning:
		return report.Cyan
	}
	return report.Yellow
}

// failedText names the steps that failed, the first ones when there are many.
func failedText(run *history.Run) string {
	var names []string
	for i, step := range run.Failed {
		if i == 2 {
			names = append(names, fmt.Sprintf("and %d more", len(run.Failed)-i))
			break
		}
		names = append(names, step.Pipeline+"/"+step.Step)
	}
	return strings.Join(names, ", ")
}

func newRunsRm(s Streams) *cobra.Command {
	var all bool
	var older age
	c := &cobra.Command{
		Use:   "rm [RUN…]",
		Short: "remove runs from the history",
		Long: "rm removes what is kept of each RUN: an id, the beginning of one, last, or -1 to -9\n" +
			"counted from the newest of this working tree. A run that goes on is not removed.",
		Example:           "  drone runs rm last\n  drone runs rm --older-than 7d\n  drone runs rm --all",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeRuns(s),
	}
	c.Flags().BoolVar(&all, "all", false, "all runs, of all working trees")
	c.Flags().Var(&older, "older-than", "all runs that were started longer ago than this: `90m`, 24h or 7d")
	back := addBack(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		return runRunsRm(s, append(back(), args...), all, older, c.Flags().Changed("older-than"), time.Now())
	}
	return c
}

func runRunsRm(s Streams, words []string, all bool, older age, byAge bool, now time.Time) error {
	switch {
	case all && byAge, (all || byAge) && len(words) > 0:
		return usage(errors.New("runs, --all and --older-than contradict each other"), "give one of them")
	case !all && !byAge && len(words) == 0:
		return usage(errors.New("nothing says which runs to remove"), "name runs, as `drone runs` lists them, or give --older-than or --all")
	}
	k, err := findKept(s)
	if err != nil {
		return err
	}
	removed, size, going := 0, int64(0), 0
	remove := func(id string, of int64, remove func() error) error {
		if err := remove(); errors.Is(err, fs.ErrNotExist) {
			return nil // named twice, or somebody else was faster
		} else if err != nil {
			return &failure{status: StatusFailed, err: fmt.Errorf("run %s cannot be removed: %w", id, err)}
		}
		removed, size = removed+1, size+of
		return nil
	}
	for _, d := range k.damaged {
		if all || slices.Contains(words, d.ID) {
			if err := remove(d.ID, d.Size(), d.Remove); err != nil {
				return err
			}
		}
	}
	var wanted []history.Run
	for _, word := range words {
		if slices.ContainsFunc(k.damaged, func(d history.Damaged) bool { return d.ID == word }) {
			continue
		}
		run, err := k.find(word)
		if err != nil {
			return err
		}
		wanted = append(wanted, run)
	}
	for _, run := range k.all {
		if all || byAge && now.Sub(run.Started) > time.Duration(older) {
			wanted = append(wanted, run)
		}
	}
	for _, run := range wanted {
		if run.State() == exec.StatusRunning {
			going++
			if len(words) > 0 {
				return usage(fmt.Errorf("run %s goes on", run.ID), "stop it first, with ctrl-c where it runs")
			}
			continue
		}
		if err := remove(run.ID, run.Size(), run.Remove); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("removed %s (%s)", report.Plural(removed, "run"), report.Bytes(size))
	if going > 0 {
		text += fmt.Sprintf("; %d that goes on stays", going)
	}
	s.note(text)
	return nil
}
