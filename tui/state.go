package tui

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// state is what is known of the run: the summary, and what it does not keep.
type state struct {
	summary exec.Summary
	// planned counts, by pipeline, the steps of which there will be an event.
	planned  map[string]int
	several  bool
	pulls    report.Pulls
	fetched  fetched
	failed   string // the step that failed last
	stopping bool
}

// fetched counts the images that are done with, and the bytes of all. It is
// shown where images are all there is.
type fetched struct {
	shown          bool
	images, failed int
	current, total int64
}

func newState(plan *exec.Plan, pulls bool) *state {
	s := &state{planned: map[string]int{}, fetched: fetched{shown: pulls}}
	if plan == nil {
		return s
	}
	for _, p := range plan.Pipelines {
		for _, step := range p.Steps {
			if p.Runs && step.Policy != exec.Never {
				s.planned[p.Name]++
			}
		}
	}
	return s
}

// apply adds an event. Output and warnings, which the board does not show,
// would only take memory.
func (s *state) apply(e exec.Event) {
	switch e := e.(type) {
	case exec.StepOutput, exec.Warning:
		return
	case exec.RunStarted:
		s.several = len(e.Pipelines) > 1
	case exec.PullProgress:
		if e.Done {
			s.fetched.add(e)
		}
	case exec.StepFinished:
		if !e.Ignored && e.Status != exec.StatusSuccess {
			s.failed = s.name(e.Pipeline, e.Step)
		}
	}
	s.pulls.Apply(e)
	s.summary.Apply(e)
}

// add counts an image that is done with.
func (f *fetched) add(e exec.PullProgress) {
	f.current += e.Current
	f.total += e.Total
	if e.Failed {
		f.failed++
	} else {
		f.images++
	}
}

func (s *state) name(pipeline, step string) string {
	if s.several {
		return clean(pipeline) + "/" + clean(step)
	}
	return clean(step)
}

// board is what is to be shown of a state. It is not changed once made.
type board struct {
	rows     []row
	started  time.Time
	counts   counts
	fetched  fetched
	failed   string // the step that failed last
	stopping bool
}

// row is something that takes time at the moment.
type row struct {
	name   string
	detail string
	since  time.Time
	// service reports one that runs as long as its pipeline.
	service bool
}

// counts are numbers of steps.
type counts struct {
	succeeded, failed, ignored, running, waiting, skipped int
}

// board copies what is to be shown.
func (s *state) board() *board {
	b := &board{started: s.summary.Started, failed: s.failed, stopping: s.stopping, fetched: s.fetched}
	claimed := map[*report.Pull]bool{}
	waiting := 0
	for _, n := range s.planned {
		waiting += n
	}
	for _, p := range s.summary.Pipelines {
		if over(p.Status) {
			waiting -= s.planned[p.Name]
		} else {
			waiting -= min(len(p.Steps), s.planned[p.Name])
		}
		for _, step := range p.Steps {
			b.counts.add(step)
			if step.Status == exec.StatusRunning {
				b.rows = append(b.rows, s.row(p.Name, step, claimed))
			}
		}
	}
	b.counts.waiting = waiting
	for _, p := range s.pulls {
		b.fetched.current += p.Current
		b.fetched.total += p.Total
		if !claimed[p] {
			b.rows = append(b.rows, row{name: clean(p.Name()), detail: joined("pulling", p.Progress()), since: p.Since})
		}
	}
	slices.SortStableFunc(b.rows, func(x, y row) int {
		if x.service != y.service {
			return cmp.Compare(rank(x), rank(y))
		}
		return x.since.Compare(y.since)
	})
	return b
}

// rank puts services last: of them there is least to be seen.
func rank(r row) int {
	if r.service {
		return 1
	}
	return 0
}

func over(s exec.Status) bool { return s != exec.StatusPending && s != exec.StatusRunning }

func (s *state) row(pipeline string, step *exec.StepSummary, claimed map[*report.Pull]bool) row {
	r := row{name: s.name(pipeline, step.Name), since: step.Started, service: step.Kind == exec.KindService}
	if r.service {
		r.detail = "service"
	}
	for _, p := range s.pulls {
		if p.Of(pipeline, step.Image) {
			claimed[p] = true
			r.detail = joined("pulling", clean(p.Name()), p.Progress())
		}
	}
	return r
}

// joined puts blanks between words, of which some may be empty.
func joined(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

func (c *counts) add(step *exec.StepSummary) {
	switch {
	case step.Status == exec.StatusRunning:
		c.running++
	case step.Status == exec.StatusSkipped:
		c.skipped++
	case step.Status == exec.StatusSuccess:
		c.succeeded++
	case step.Ignored:
		c.ignored++
	default:
		c.failed++
	}
}

// clean makes a name safe to draw: one line, without sequences and characters
// that a terminal obeys.
func clean(name string) string {
	const joiner = '\u200d' // holds emoji together
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == joiner {
			return r
		}
		return unicode.ReplacementChar
	}, ansi.Strip(name))
}
