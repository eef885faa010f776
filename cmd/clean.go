package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/leftover"
	"github.com/drone-laptop/drone/internal/owner"
	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/report"
)

type cleanOptions struct {
	engine      engineFlags
	output      *outputFlag
	dryRun, all bool
	olderThan   age
}

func newClean(s Streams) *cobra.Command {
	o := &cleanOptions{}
	c := &cobra.Command{
		Use:   "clean",
		Short: "remove what dead runs left",
		Long: "clean lists and removes what runs have left whose drone is gone, as after a power cut:\n" +
			"containers, networks and volumes of the engine, and directories below TMPDIR and\n" +
			"in the user's cache. What belongs to a run that is alive, or that was started on\n" +
			"another machine or in a container, is left alone.",
		Example: "  drone clean --dry-run\n  drone clean --older-than 7d\n  drone clean --all",
		Args:    maxArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return runClean(orBackground(c.Context()), s, o, time.Now())
		},
	}
	flags := c.Flags()
	flags.BoolVar(&o.dryRun, "dry-run", false, "only list it")
	flags.BoolVar(&o.all, "all", false, "also what belongs to runs that are alive, which ends them, or that nobody can tell to be")
	flags.Var(&o.olderThan, "older-than", "only what is older than this: `90m`, 24h or 7d")
	flags.StringVarP(&o.engine.host, "docker-host", "H", "", "`address` of the engine (default: as docker finds it)")
	o.output = addOutput(flags, "output", "text", "json")
	return c
}

// age is a duration that may be written in days.
type age time.Duration

func (a *age) String() string {
	if *a == 0 {
		return ""
	}
	return time.Duration(*a).String()
}

func (a *age) Type() string { return "duration" }

func (a *age) Set(text string) error {
	days, isDays := strings.CutSuffix(text, "d")
	n, err := strconv.ParseUint(days, 10, 16)
	if isDays && err == nil {
		*a = age(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("is not a duration")
	}
	*a = age(d)
	return nil
}

// cleanView is one thing in what `drone clean --output json` prints.
type cleanView struct {
	Kind     string    `json:"kind"` // container, network, volume, directory
	Name     string    `json:"name"` // a path for a directory
	Run      string    `json:"run"`
	Pipeline string    `json:"pipeline"` // "" for a directory
	Step     string    `json:"step"`     // of a container
	Made     time.Time `json:"made"`
	Size     *int64    `json:"size"`  // bytes, null where there is none or it is not known
	Owner    string    `json:"owner"` // dead, alive, unknown
	Removed  bool      `json:"removed"`
	Error    string    `json:"error"` // why it could not be removed
}

func runClean(ctx context.Context, s Streams, o *cleanOptions, now time.Time) error {
	engine, unreachable := o.engine.open(ctx, s, s.note)
	if engine != nil {
		defer engine.Close()
	}
	// Directories are removed whatever the engine says.
	found, unlisted := leftover.Find(ctx, engine, runDirs(), true)
	found = slices.DeleteFunc(found, func(i leftover.Item) bool { return now.Sub(i.Made()) < time.Duration(o.olderThan) })
	wanted, others := found, []leftover.Item(nil)
	if !o.all {
		wanted, others = nil, nil
		for _, item := range found {
			if item.Owner == owner.Dead {
				wanted = append(wanted, item)
			} else {
				others = append(others, item)
			}
		}
	}
	views := make([]cleanView, len(wanted))
	for i, item := range wanted { // the size of what is removed is not known afterwards
		views[i] = newCleanView(item)
	}
	var failed []error
	if !o.dryRun {
		failed, _ = leftover.Remove(ctx, nil, engine, wanted)
		for i, err := range failed {
			if err != nil {
				views[i].Error = err.Error()
			}
			views[i].Removed = err == nil
		}
	}
	if err := o.show(s, views, now); err != nil {
		return err
	}
	if len(views) > 0 || unreachable == nil && unlisted == nil {
		o.tell(s, views, runsIn(wanted, owner.Alive), others)
	}
	if unreachable != nil {
		return engineFailure(ctx, unreachable)
	}
	if unlisted != nil {
		return &failure{status: StatusUnreachable, err: unlisted}
	}
	return cleanFailures(s, failed)
}

// cleanFailures prints why things could not be removed.
func cleanFailures(s Streams, failed []error) error {
	failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil })
	if len(failed) == 0 {
		return nil
	}
	f := &failure{status: StatusFailed, err: errors.New("not everything could be removed")}
	for _, err := range failed {
		fmt.Fprintf(s.Err, "drone: %s %s\n", s.errStyle().Paint(red, "error:"), report.Visible(strings.Join(strings.Fields(err.Error()), " ")))
		if errors.Is(err, fs.ErrPermission) {
			f.hint = "files that a step has made as root are for root to remove: sudo drone clean, with the same TMPDIR"
		}
		if held, ok := errors.AsType[*docker.HeldError](err); ok && held.Hint() != "" {
			f.hint = held.Hint()
		}
	}
	return f
}

func newCleanView(i leftover.Item) cleanView {
	v := cleanView{Kind: i.Kind(), Name: i.Name(), Run: i.Run(), Made: i.Made().UTC(), Owner: i.Owner.String()}
	v.Pipeline, v.Step = i.Of()
	if size := i.Size(); size >= 0 {
		v.Size = &size
	}
	return v
}

// show prints the list, the oldest run first.
func (o *cleanOptions) show(s Streams, views []cleanView, now time.Time) error {
	first := map[string]time.Time{}
	for _, v := range views {
		if made, known := first[v.Run]; !known || v.Made.Before(made) {
			first[v.Run] = v.Made
		}
	}
	slices.SortStableFunc(views, func(a, b cleanView) int {
		return cmp.Or(first[a.Run].Compare(first[b.Run]), strings.Compare(a.Run, b.Run))
	})
	if o.output.value == "json" {
		return document.JSON(s.Out, views)
	}
	if len(views) == 0 {
		return nil
	}
	return table.Write(s.Out, views, cleanTable(s.width(), now), table.Form{Style: s.outStyle()})
}

// cleanColumns is how wide the columns beside the name are, with the gaps.
const cleanColumns = len("container  ") + len("999.9 MB  ") + len("100d  ") + len("unknown  ") + len("abcdefghijkl")

// cleanTable has the names cut, if anything: what stands behind them is of use only
// as a whole. Their end tells one thing from another.
func cleanTable(width int, now time.Time) []table.Column[cleanView] {
	room := 0
	if width > 0 {
		room = max(width-cleanColumns-2, 12)
	}
	return []table.Column[cleanView]{
		{Name: "Kind", Text: func(v *cleanView) string { return v.Kind }},
		{Name: "Name", Text: func(v *cleanView) string {
			name := report.Visible(v.Name)
			if wide := ansi.StringWidth(name); room > 0 && wide > room {
				name = "…" + ansi.TruncateLeft(name, wide-room+1, "")
			}
			return name
		}},
		{Name: "Size", Text: func(v *cleanView) string {
			if v.Size == nil {
				return ""
			}
			return report.Bytes(*v.Size)
		}},
		{Name: "Age", Text: func(v *cleanView) string { return table.Age(now.Sub(v.Made)) }},
		{Name: "Owner", Text: func(v *cleanView) string { return v.Owner }},
		{Name: "Run", Text: func(v *cleanView) string { return v.Run }},
	}
}

// tell says in words what was done, and what was left alone. alive is how many
// runs that live are among what was to go.
func (o *cleanOptions) tell(s Streams, views []cleanView, alive int, others []leftover.Item) {
	var gone leftover.Tally
	var size int64
	for _, v := range views {
		if !v.Removed && !o.dryRun {
			continue
		}
		gone.Count(v.Kind)
		if v.Size != nil {
			size += *v.Size
		}
	}
	switch {
	case len(views) == 0:
		s.note("nothing to remove")
	case gone.Any() && o.dryRun:
		s.note(fmt.Sprintf("would remove %s: %s%s", gone, report.Bytes(size), ended(", which ends %s", alive)))
	case gone.Any():
		s.note(fmt.Sprintf("removed %s: %s%s", gone, report.Bytes(size), ended(", which has ended %s", alive)))
	}
	if len(others) == 0 {
		return
	}
	guarded := slices.DeleteFunc(slices.Clone(others), func(i leftover.Item) bool { return !i.Guarded })
	others = slices.DeleteFunc(others, func(i leftover.Item) bool { return i.Guarded })
	var parts []string
	for _, part := range []struct {
		n   int
		who string
	}{
		{runsIn(others, owner.Alive), "live runs"},
		{runsIn(guarded, owner.Alive), "runs that are over, which their guards are removing"},
		{runsIn(others, owner.Unknown), "runs of other machines or containers"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%s (%d)", part.who, part.n))
		}
	}
	s.note("left alone what belongs to " + strings.Join(parts, " and ") + "; --all removes that, too")
}

// ended puts the number of runs into a text, which is empty for none.
func ended(text string, runs int) string {
	if runs == 0 {
		return ""
	}
	return fmt.Sprintf(text, report.Plural(runs, "run"))
}

// runsIn counts the runs whose owner is in a state.
func runsIn(items []leftover.Item, state owner.State) int {
	runs := map[string]bool{}
	for _, item := range items {
		if item.Owner == state {
			runs[item.Run()] = true
		}
	}
	return len(runs)
}
