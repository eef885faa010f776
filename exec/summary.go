package exec

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Summary is the fold of a run's events: Apply is the only way it changes, so
// every renderer and the exit status see the same. It is not safe for
// concurrent use.
type Summary struct {
	Run       string
	Event     string
	File      string
	Selected  []string // the names of the pipelines that run
	Status    Status
	Started   time.Time
	Duration  time.Duration
	Cleanup   time.Duration      // see RunFinished
	Pipelines []*PipelineSummary // in order of their first event
	Warnings  []Warning
	// Unreachable reports that the engine could not be used, or was lost, and
	// Broken that something panicked.
	Unreachable, Broken bool

	// known finds what Apply made by name; ten thousand steps may print.
	known map[string]*knownPipeline
	// last is the step of the last event: most lines follow one of the same.
	last struct {
		pipeline, name string
		step           *knownStep
	}
}

type knownPipeline struct {
	summary *PipelineSummary
	gone    []*StepSummary // in the background, ended by themselves
	steps   map[string]*knownStep
}

type knownStep struct {
	*StepSummary
	kept []string // ends with Tail, which moves on within it
}

// PipelineSummary is what is known of one pipeline.
type PipelineSummary struct {
	Name     string
	Status   Status
	Reason   string
	Hint     string
	Started  time.Time
	Duration time.Duration
	Setup    time.Duration
	Steps    []*StepSummary // in order of their first event
}

// StepSummary is what is known of one step.
type StepSummary struct {
	Name      string
	Kind      Kind
	Image     string
	Status    Status
	ExitCode  int
	OOMKilled bool
	Ignored   bool
	TimedOut  bool
	Started   time.Time
	Duration  time.Duration
	Spent     []Spent
	Reason    string // of a skipped step
	Error     string
	Hint      string
	Phase     Phase
	Position  string
	Lines     int      // lines of output so far
	Tail      []string // the last lines, at most TailLines
	// Gone are the services and detached steps of the pipeline that had ended
	// by themselves before this step failed, in order of their end.
	Gone []*StepSummary
}

// TailLines is how many lines of a step a Summary keeps.
const TailLines = 20

// tailText is the length in bytes to which a line in a Tail is cut.
const tailText = 4 << 10

// Apply adds an event. Events must come in order; those of a step or pipeline
// that was never started make it known all the same.
func (s *Summary) Apply(e Event) {
	switch e := e.(type) {
	case RunStarted:
		s.Run, s.Event, s.File, s.Selected = e.Run, e.Event, e.File, e.Pipelines
		s.Status, s.Started = StatusRunning, e.Time
	case RunFinished:
		s.Status, s.Duration, s.Unreachable = e.Status, e.Duration, e.Unreachable
		s.Cleanup, s.Broken = e.Cleanup, e.Broken
	case PipelineStarted:
		p := s.pipeline(e.Pipeline)
		p.Status, p.Started = StatusRunning, e.Time
	case PipelineFinished:
		p := s.pipeline(e.Pipeline)
		p.Status, p.Reason, p.Hint, p.Duration = e.Status, e.Reason, e.Hint, e.Duration
		p.Setup = e.Setup
	case PipelineSkipped:
		p := s.pipeline(e.Pipeline)
		p.Status, p.Reason = StatusSkipped, e.Reason
	case StepStarted:
		t := s.step(e.Pipeline, e.Step)
		t.Kind, t.Image, t.Status, t.Started = e.Kind, e.Image, StatusRunning, e.Time
	case StepOutput:
		s.step(e.Pipeline, e.Step).output(e)
	case StepFinished:
		s.finish(e)
	case StepSkipped:
		t := s.step(e.Pipeline, e.Step)
		t.Kind, t.Image, t.Status, t.Reason = e.Kind, e.Image, StatusSkipped, e.Reason
	case Warning:
		s.Warnings = append(s.Warnings, e)
	case PullProgress:
		// Progress is for those who watch; nothing of it remains.
	}
}

func (s *Summary) finish(e StepFinished) {
	t := s.step(e.Pipeline, e.Step)
	t.finish(e)
	p := s.known[e.Pipeline]
	switch {
	case e.Background && (e.Kind == KindService && e.Status == StatusSuccess || e.Status == StatusFailure || e.Status == StatusError):
		// A detached step that succeeded has done its work; a service has
		// none that ends.
		p.gone = append(p.gone, t.StepSummary)
	case e.Status.bad() && (e.Status != StatusKilled || e.TimedOut) && !e.Ignored:
		t.Gone = slices.Clone(p.gone)
	}
}

func (t *knownStep) finish(e StepFinished) {
	t.Kind, t.Image, t.Status = e.Kind, e.Image, e.Status
	t.ExitCode, t.OOMKilled, t.Ignored, t.TimedOut = e.ExitCode, e.OOMKilled, e.Ignored, e.TimedOut
	t.Duration, t.Spent = e.Duration, e.Spent
	// What is kept for good keeps nothing else in memory.
	t.kept = nil
	t.Tail = slices.Clone(t.Tail)
	for i, text := range t.Tail {
		t.Tail[i] = strings.Clone(text)
	}
	t.Error, t.Hint, t.Phase, t.Position = e.Error, e.Hint, e.Phase, e.Position
}

// output counts a line and keeps it at the end of the tail. Of a line that
// comes in pieces the first is kept, which is longer than what is kept of it.
func (t *knownStep) output(e StepOutput) {
	if e.Line <= t.Lines {
		return
	}
	t.Lines = e.Line
	if len(t.kept) == cap(t.kept) && len(t.kept) >= TailLines {
		kept := make([]string, 0, 4*TailLines)
		if cap(t.kept) >= cap(kept) {
			kept = t.kept[:0]
		}
		t.kept = append(kept, t.kept[len(t.kept)-TailLines+1:]...)
	}
	t.kept = append(t.kept, shorten(e.Text))
	t.Tail = t.kept[max(0, len(t.kept)-TailLines):]
}

// shorten cuts a line. What is left may keep the other lines of its batch in
// memory: while a step runs its last lines are in few batches.
func shorten(text string) string {
	if len(text) <= tailText {
		return text
	}
	n := tailText
	for n > tailText-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

func (s *Summary) pipeline(name string) *PipelineSummary {
	if p := s.known[name]; p != nil {
		return p.summary
	}
	p := &PipelineSummary{Name: name, Status: StatusPending}
	if s.known == nil {
		s.known = make(map[string]*knownPipeline)
	}
	s.known[name] = &knownPipeline{summary: p, steps: make(map[string]*knownStep)}
	s.Pipelines = append(s.Pipelines, p)
	return p
}

func (s *Summary) step(pipeline, name string) *knownStep {
	if s.last.step != nil && s.last.name == name && s.last.pipeline == pipeline {
		return s.last.step
	}
	p := s.pipeline(pipeline)
	steps := s.known[pipeline].steps
	t := steps[name]
	if t == nil {
		t = &knownStep{StepSummary: &StepSummary{Name: name, Status: StatusPending}}
		steps[name] = t
		p.Steps = append(p.Steps, t.StepSummary)
	}
	s.last.pipeline, s.last.name, s.last.step = pipeline, name, t
	return t
}

// ExitCode is the exit status of a program that did this run: 0 for success, 1
// when anything failed or panicked or the run has not finished. Statuses for
// timeouts, signals and an unreachable engine are up to the caller, who knows of
// them.
func (s *Summary) ExitCode() int {
	if !s.Broken && (s.Status == StatusSuccess || s.Status == StatusSkipped) {
		return 0
	}
	return 1
}

// Counts says how many steps of the run have each status.
func (s *Summary) Counts() map[Status]int {
	counts := make(map[Status]int)
	for _, p := range s.Pipelines {
		for _, t := range p.Steps {
			counts[t.Status]++
		}
	}
	return counts
}

// Failed lists the steps whose failure counts, in order of their start.
func (p *PipelineSummary) Failed() []*StepSummary {
	var failed []*StepSummary
	for _, t := range p.Steps {
		if t.Status.bad() && !t.Ignored {
			failed = append(failed, t)
		}
	}
	return failed
}
