package exec

import "time"

// Summary is the fold of a run's events: Apply is the only way it changes, so
// every renderer and the exit status see the same. It is not safe for
// concurrent use.
type Summary struct {
	Run       string
	Event     string
	File      string
	Status    Status
	Started   time.Time
	Duration  time.Duration
	Pipelines []*PipelineSummary // in order of their first event
	Warnings  []Warning
}

// PipelineSummary is what is known of one pipeline.
type PipelineSummary struct {
	Name     string
	Status   Status
	Reason   string
	Hint     string
	Started  time.Time
	Duration time.Duration
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
	Started   time.Time
	Duration  time.Duration
	Reason    string // of a skipped step
	Error     string
	Hint      string
	Phase     Phase
	Position  string
	Lines     int      // lines of output so far
	Tail      []string // the last lines, at most TailLines
}

// TailLines is how many lines of a step a Summary keeps.
const TailLines = 20
