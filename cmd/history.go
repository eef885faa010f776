package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/history"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/report"
)

// What is kept of runs, unless the user has other wishes.
const (
	keptRuns  = 100
	keptBytes = 1 << 30
	// eachShare is the part of all that the output of one run may have.
	eachShare = 4
)

const (
	historyVariable = "DRONE_HISTORY"
	runsVariable    = "DRONE_HISTORY_RUNS"
	sizeVariable    = "DRONE_HISTORY_SIZE"
	// historyPatience is how long the end of a run waits for the last of it to
	// be written, and hurriedHistory when there is no time left.
	historyPatience = 2 * time.Second
	hurriedHistory  = 250 * time.Millisecond
)

// historyFlags say whether a run is kept.
type historyFlags struct {
	none    bool
	version string // of drone
	root    string // top of the working tree, "" outside one
}

func (f *historyFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.none, "no-history", false, "keep nothing of this run for `drone runs` and `drone log`")
}

// off reports whether nothing is to be kept.
func (f *historyFlags) off(s Streams) bool {
	return f.none || slices.Contains([]string{"off", "no", "false", "0"}, strings.ToLower(s.getenv(historyVariable)))
}

// historyLimits are those that the user has set, or the usual ones.
func historyLimits(s Streams) (history.Limits, error) {
	l := history.Limits{Runs: keptRuns, Bytes: keptBytes}
	if text := s.getenv(runsVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return l, usage(fmt.Errorf("%s is %q, which is no number of runs", runsVariable, text), "set it to 1 or more, or "+historyVariable+"=off to keep none")
		}
		l.Runs = n
	}
	if text := s.getenv(sizeVariable); text != "" {
		n, err := units.FromHumanSize(text)
		if err != nil || n < 1 {
			return l, usage(fmt.Errorf("%s is %q, which is no size", sizeVariable, text), "set it to a size such as 500MB or 2GB, or "+historyVariable+"=off to keep nothing")
		}
		l.Bytes = n
	}
	l.Each = l.Bytes / eachShare
	return l, nil
}

// recorder keeps a run; nil does nothing.
type recorder struct{ *history.Recorder }

// start begins to keep a run of p.
func (f *historyFlags) start(s Streams, id string, p *planned, limits history.Limits, clock *stopwatch, status func(*exec.Summary) int, warn func(string)) *recorder {
	if f.off(s) || runs(p.plan) == 0 {
		return nil
	}
	state, err := stateDir(s)
	if err != nil {
		warn("the run is not kept in the history: neither XDG_STATE_HOME nor a home directory is known")
		return nil
	}
	directory, err := os.Getwd()
	if err != nil {
		directory = ""
	}
	b := p.build
	return &recorder{history.Start(history.Recording{
		Store: history.In(state), Limits: limits, Plan: p.plan, ExitStatus: status, Timing: clock.timing(), Warn: warn,
		Meta: history.Meta{
			ID: id, Started: time.Now().UTC(), File: p.name, Directory: directory, Tree: treeOf(directory, f.root), Repository: b.Repo.Slug,
			Event: b.Event, Branch: b.Branch, Ref: b.Ref, Commit: b.After, Program: f.version,
		},
	})}
}

// treeOf names the working tree of a directory as workingTree does.
func treeOf(directory, root string) string {
	if root != "" {
		directory = root
	}
	if real, err := filepath.EvalSymlinks(directory); err == nil {
		return real
	}
	return directory
}

// heed keeps events before they are shown: who sees a line can look it up.
func (r *recorder) heed(next func(exec.Event)) func(exec.Event) {
	if r == nil {
		return next
	}
	return func(e exec.Event) {
		r.Handle(e)
		next(e)
	}
}

// end completes what is kept, and reports whether there is something.
func (r *recorder) end(hurried bool) bool {
	if r == nil {
		return false
	}
	patience := historyPatience
	if hurried {
		patience = hurriedHistory
	}
	return r.Close(patience) == nil
}

// noteLog says with which command the log of a run is seen: that of the first
// step that failed, if there is one.
func (s Streams) noteLog(summary *exec.Summary) {
	words := []string{"drone", "log", summary.Run}
	for _, p := range summary.Pipelines {
		if failed := p.Failed(); len(failed) > 0 {
			words = append(words, stepWord(summary, p.Name, failed[0].Name))
			break
		}
	}
	fmt.Fprintf(s.Err, "%s\n", s.errStyle().Faint("full log: "+report.Visible(strings.Join(words, " "))))
}

// stepWord is a step as it is named to `drone log` in a shell.
func stepWord(summary *exec.Summary, pipeline, step string) string {
	word := step
	if len(summary.Selected) > 1 || strings.Contains(step, "/") {
		word = pipeline + "/" + step
	}
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r)
	}
	if word != "" && word[0] != '-' && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// kept are the runs that were kept.
type kept struct {
	store   history.Store
	all     []history.Run // the newest first
	tree    []history.Run // those of this working tree
	damaged []history.Damaged
}

// findKept reads the history, of this working tree and of all.
func findKept(s Streams) (*kept, error) {
	state, err := stateDir(s)
	if err != nil {
		return nil, usage(errors.New("neither XDG_STATE_HOME nor a home directory is known, so no run is kept"), "set XDG_STATE_HOME to a directory of yours")
	}
	k := &kept{store: history.In(state)}
	if k.all, k.damaged, err = k.store.List(); err != nil {
		return nil, usage(fmt.Errorf("the history cannot be read: %w", err), "")
	}
	if tree, err := workingTree("."); err == nil {
		for _, run := range k.all {
			if run.Tree == tree {
				k.tree = append(k.tree, run)
			}
		}
	}
	return k, nil
}

// tellDamage warns of runs that are left out.
func (k *kept) tellDamage(s Streams) {
	for _, d := range k.damaged {
		s.warn(fmt.Sprintf("run %s is left out, as it is damaged: %v; `drone runs rm %s` removes it", d.ID, d.Err, d.ID))
	}
}

// find finds the run that a word names, or says what to do.
func (k *kept) find(word string) (history.Run, error) {
	run, err := history.Find(word, k.all, k.tree)
	none, ok := errors.AsType[*history.NotFoundError](err)
	if !ok {
		return run, err
	}
	hint := "`drone runs` lists the runs of this working tree, with --all those of all"
	switch {
	case len(none.Among) > 0:
		hint = "write more of it"
	case len(k.all) == 0:
		return run, usage(errors.New("no run is kept yet"), "`drone exec` keeps each run, unless "+historyVariable+" is off")
	case len(k.tree) == 0 && none.Runs == 0:
		return run, usage(errors.New("no run of this working tree is kept"), "`drone runs --all` lists those of others")
	default:
		if near := similar.Word(word, ids(k.all)); near != "" {
			hint = "did you mean " + near + "? " + hint
		}
	}
	return run, usage(none, hint)
}

func ids(runs []history.Run) (list []string) {
	for _, run := range runs {
		list = append(list, run.ID)
	}
	return list
}
