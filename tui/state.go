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
	pulls    []*pull // under way
	fetched  fetched
	failed   string // the step that failed last
	stopping bool
}

// pull is the fetching of an image.
type pull struct {
	pipeline, image string
	platform        string // other than that of the engine
	since           time.Time
	current, total  int64
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
		s.pulling(e)
	case exec.StepFinished:
		if !e.Ignored && e.Status != exec.StatusSuccess {
			s.failed = s.name(e.Pipeline, e.Step)
		}
		if e.Phase == exec.PhasePull {
			s.pulls = slices.DeleteFunc(s.pulls, func(p *pull) bool { return p.of(e.Pipeline, e.Image) })
		}
	case exec.PipelineFinished:
		s.pulls = slices.DeleteFunc(s.pulls, func(p *pull) bool { return p.pipeline == e.Pipeline })
	}
	s.summary.Apply(e)
}

func (s *state) pulling(e exec.PullProgress) {
	same := func(p *pull) bool { return p.platform == e.Platform && p.of(e.Pipeline, e.Image) }
	if e.Done {
		s.pulls = slices.DeleteFunc(s.pulls, same)
		s.fetched.current += e.Current
		s.fetched.total += e.Total
		if e.Failed {
			s.fetched.failed++
		} else {
			s.fetched.images++
		}
		return
	}
	i := slices.IndexFunc(s.pulls, same)
	if i < 0 {
		i = len(s.pulls)
		s.pulls = append(s.pulls, &pull{pipeline: e.Pipeline, image: e.Image, platform: e.Platform, since: e.Time})
	}
	s.pulls[i].current, s.pulls[i].total = e.Current, e.Total
}

// of compares images as people write them: a step and a report of progress may
// write the same one differently.
func (p *pull) of(pipeline, image string) bool {
	return p.pipeline == pipeline && report.ShortImage(p.image) == report.ShortImage(image)
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
	claimed := map[*pull]bool{}
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
		b.fetched.current += p.current
		b.fetched.total += p.total
		if !claimed[p] {
			b.rows = append(b.rows, row{name: p.name(), detail: "pulling" + p.progress(), since: p.since})
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

func (s *state) row(pipeline string, step *exec.StepSummary, claimed map[*pull]bool) row {
	r := row{name: s.name(pipeline, step.Name), since: step.Started, service: step.Kind == exec.KindService}
	if r.service {
		r.detail = "service"
	}
	for _, p := range s.pulls {
		if p.of(pipeline, step.Image) {
			claimed[p] = true
			r.detail = "pulling " + p.name() + p.progress()
		}
	}
	return r
}

func (p *pull) name() string {
	name := clean(report.ShortImage(p.image))
	if p.platform != "" {
		name += " for " + clean(p.platform)
	}
	return name
}

func (p *pull) progress() string {
	switch {
	case p.total > 0:
		return " " + report.Bytes(p.current) + " of " + report.Bytes(p.total)
	case p.current > 0:
		return " " + report.Bytes(p.current)
	}
	return ""
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
