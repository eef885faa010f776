package exec

import "time"

// Status is the state of a run, pipeline or step, in the words of the server.
type Status string

// The statuses.
const (
	StatusPending Status = "pending"
	StatusRunning Status = "running"
	StatusSuccess Status = "success"
	StatusFailure Status = "failure"
	StatusError   Status = "error"
	StatusKilled  Status = "killed"
	StatusSkipped Status = "skipped"
)

// Event is something that happened in a run. The set is closed: RunStarted,
// PipelineStarted, PipelineFinished, PipelineSkipped, StepStarted, StepOutput,
// StepFinished, StepSkipped, PullProgress, Warning, RunFinished.
//
// Events are plain values that the receiver may keep. They come from one
// goroutine, in order. Every step of a started pipeline whose policy is not
// Never gets exactly one StepFinished or StepSkipped, also when the run is
// cancelled; a pipeline gets exactly one PipelineFinished or PipelineSkipped,
// after those of its steps. Output and errors are masked: they contain no line
// of three characters or more of a secret that the pipeline refers to.
type Event interface {
	// When is the time of the event.
	When() time.Time
	event()
}

// At is the time of an event.
type At struct{ Time time.Time }

// When implements Event.
func (a At) When() time.Time { return a.Time }
func (a At) event()          {}

// RunStarted is the first event.
type RunStarted struct {
	At
	Run       string
	Event     string
	File      string
	Pipelines []string // the ones that run, in order of the plan
}

// PipelineStarted says that a pipeline is being set up.
type PipelineStarted struct {
	At
	Pipeline string
}

// PipelineFinished ends a pipeline that was started.
type PipelineFinished struct {
	At
	Pipeline string
	Status   Status // success, failure, error, killed
	Reason   string // one sentence for error and killed
	Hint     string
	Duration time.Duration
	Setup    time.Duration // until its first step could start
}

// PipelineSkipped is the only event of a pipeline that does not run.
type PipelineSkipped struct {
	At
	Pipeline string
	Reason   string
}

// StepStarted says that a step's turn has come. Preparing its image belongs to
// the step.
type StepStarted struct {
	At
	Pipeline string
	Step     string
	Kind     Kind
	Image    string
}

// StepOutput is one line of a step, without its newline.
type StepOutput struct {
	At
	Pipeline string
	Step     string
	Line     int // 1-based, for each step
	Text     string
	// Partial reports text without a newline: the last line of a step, or a
	// piece of a line longer than 16 MiB, whose further pieces follow with
	// the same number.
	Partial bool
}

// StepFinished ends a step that was started.
type StepFinished struct {
	At
	Pipeline  string
	Step      string
	Kind      Kind
	Image     string
	Status    Status // success, failure, error, killed
	ExitCode  int
	OOMKilled bool
	// Ignored reports a failure that does not count (failure: ignore), or
	// that of a service or detached step.
	Ignored bool
	// TimedOut reports that a time limit, of the step or of the run, ended it.
	TimedOut bool
	// Background reports a service or detached step that was not ended by the
	// end of its pipeline.
	Background bool
	Duration   time.Duration
	// Spent are the phases that Duration consists of.
	Spent []Spent
	// Error, Hint, Phase and Position are set for status error, Error also
	// for killed. For failure Error and Hint say what the exit code does not,
	// where that is known.
	Error    string
	Hint     string
	Phase    Phase
	Position string
}

// Spent is the time that a step was in a phase.
type Spent struct {
	Phase    Phase
	Duration time.Duration
}

// StepSkipped is the only event of a step that does not run.
type StepSkipped struct {
	At
	Pipeline string
	Step     string
	Kind     Kind
	Image    string
	Reason   string
}

// PullProgress reports the fetching of an image. Total is 0 while unknown;
// Done is set in the last report of an image, Failed too when the image was not
// fetched; an error or a warning of the step then says why.
type PullProgress struct {
	At
	Pipeline string
	Image    string
	// Platform is what the image is fetched for, such as linux/arm64, when the
	// pipeline asks for another one than that of the engine.
	Platform       string
	Current, Total int64 // bytes
	Done           bool
	Failed         bool
}

// Warning is something the user should know that changes no status. Pipeline
// and Step may be empty.
type Warning struct {
	At
	Pipeline string
	Step     string
	Message  string
	// Left reports that something of the run could not be removed, or not for
	// certain; Message names it.
	Left bool
}

// RunFinished is the last event.
type RunFinished struct {
	At
	Status   Status // success, failure, error, killed
	Duration time.Duration
	// Cleanup is the part of it after the end of the last pipeline, when the
	// run only waited for what it made to be removed.
	Cleanup time.Duration
	// Unreachable reports that the engine could not be used, or was lost.
	Unreachable bool
	// Broken reports that something panicked, also while the run was removed
	// and Status was decided. Run returns a *PanicError then.
	Broken bool
}
