package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/drone-laptop/drone/exec"
)

// JSON writes one JSON object for each event and line (docs/output.md).
// Fields may be added; none is renamed or removed while "v" is 1.
type JSON struct {
	out     *lineWriter
	summary exec.Summary
	line    bytes.Buffer
	enc     *json.Encoder // into line
	status  func(*exec.Summary) int
	timing  *Timing // nil without an account of the time
}

// NewJSON returns a renderer that writes to out. status gives the exit status
// that the program will end with, for run_finished.
func NewJSON(out io.Writer, status func(*exec.Summary) int) *JSON {
	j := &JSON{out: newLineWriter(out), status: status}
	j.enc = json.NewEncoder(&j.line)
	j.enc.SetEscapeHTML(false) // it is read by programs, and by people
	return j
}

// WithTiming adds an account of the time to what is written.
func (j *JSON) WithTiming(t *Timing) *JSON {
	j.timing = t
	return j
}

type head struct {
	V    int    `json:"v"`
	Time string `json:"time"`
	Type string `json:"type"`
}

type runStarted struct {
	head
	Run       string   `json:"run"`
	Event     string   `json:"event"`
	File      string   `json:"file"`
	Pipelines []string `json:"pipelines"`
}

type pipelineEvent struct {
	head
	Pipeline   string      `json:"pipeline"`
	Status     exec.Status `json:"status"`
	Reason     string      `json:"reason"`
	Hint       string      `json:"hint,omitempty"`
	DurationMS *int64      `json:"duration_ms,omitempty"`
	SetupMS    *int64      `json:"setup_ms,omitempty"`
}

type stepEvent struct {
	head
	Pipeline   string      `json:"pipeline"`
	Step       string      `json:"step"`
	Image      string      `json:"image"`
	Kind       exec.Kind   `json:"kind"`
	Status     exec.Status `json:"status"`
	ExitCode   int         `json:"exit_code"`
	OOMKilled  bool        `json:"oom_killed"`
	Ignored    bool        `json:"ignored,omitempty"`
	TimedOut   bool        `json:"timed_out,omitempty"`
	Background bool        `json:"background,omitempty"`
	DurationMS int64       `json:"duration_ms"`
	Error      string      `json:"error"`
	Hint       string      `json:"hint,omitempty"`
	Phase      exec.Phase  `json:"phase"`
	Reason     string      `json:"reason"`
	Position   string      `json:"position,omitempty"`

	PhasesMS map[exec.Phase]int64 `json:"phases_ms,omitempty"`
}

type stepOutput struct {
	head
	Pipeline string `json:"pipeline"`
	Step     string `json:"step"`
	Line     int    `json:"line"`
	Text     string `json:"text"`
	// Base64 carries the exact bytes of text that is not valid UTF-8, which
	// JSON cannot.
	Base64  string `json:"base64,omitempty"`
	Partial bool   `json:"partial,omitempty"`
}

type pullProgress struct {
	head
	Pipeline string `json:"pipeline"`
	Image    string `json:"image"`
	Platform string `json:"platform,omitempty"`
	Current  int64  `json:"current"`
	Total    int64  `json:"total"`
	Done     bool   `json:"done"`
	Failed   bool   `json:"failed,omitempty"`
}

type warning struct {
	head
	Pipeline string `json:"pipeline,omitempty"`
	Step     string `json:"step,omitempty"`
	Message  string `json:"message"`
	Left     bool   `json:"left,omitempty"`
}

type runFinished struct {
	head
	Status     exec.Status         `json:"status"`
	ExitCode   int                 `json:"exit_code"`
	DurationMS int64               `json:"duration_ms"`
	Counts     map[exec.Status]int `json:"counts"`
	Timing     *timing             `json:"timing,omitempty"`

	Unreachable bool `json:"unreachable,omitempty"`
	Broken      bool `json:"broken,omitempty"`
}

// Handle implements Renderer.
func (j *JSON) Handle(e exec.Event) error {
	j.summary.Apply(e)
	j.line.Reset()
	if err := j.enc.Encode(j.record(e)); err != nil {
		return err
	}
	return j.out.write(j.line.String())
}

// Raw writes a line that a JSON has written before, with its newline.
func (j *JSON) Raw(line []byte) error { return j.out.write(string(line)) }

// Close implements Renderer.
func (j *JSON) Close() error { return j.out.flush() }

func (j *JSON) record(e exec.Event) any {
	h := func(kind string) head {
		return head{exec.Version, e.When().UTC().Format(time.RFC3339Nano), kind}
	}
	switch e := e.(type) {
	case exec.RunStarted:
		return runStarted{h("run_started"), e.Run, e.Event, e.File, orEmpty(e.Pipelines)}
	case exec.PipelineStarted:
		return pipelineEvent{head: h("pipeline_started"), Pipeline: e.Pipeline, Status: exec.StatusRunning}
	case exec.PipelineFinished:
		ms := e.Duration.Milliseconds()
		return pipelineEvent{h("pipeline_finished"), e.Pipeline, e.Status, e.Reason, e.Hint, &ms, j.timing.setupMS(e.Setup)}
	case exec.PipelineSkipped:
		return pipelineEvent{head: h("pipeline_skipped"), Pipeline: e.Pipeline, Status: exec.StatusSkipped, Reason: e.Reason}
	case exec.StepStarted:
		return stepEvent{head: h("step_started"), Pipeline: e.Pipeline, Step: e.Step, Image: e.Image, Kind: e.Kind, Status: exec.StatusRunning}
	case exec.StepFinished:
		return stepEvent{
			head: h("step_finished"), Pipeline: e.Pipeline, Step: e.Step, Image: e.Image, Kind: e.Kind,
			Status: e.Status, ExitCode: e.ExitCode, OOMKilled: e.OOMKilled, Ignored: e.Ignored,
			TimedOut: e.TimedOut, Background: e.Background, DurationMS: e.Duration.Milliseconds(), Error: e.Error, Hint: e.Hint, Phase: e.Phase, Position: e.Position,
			PhasesMS: j.timing.phasesMS(e.Spent),
		}
	case exec.StepSkipped:
		return stepEvent{head: h("step_skipped"), Pipeline: e.Pipeline, Step: e.Step, Image: e.Image, Kind: e.Kind, Status: exec.StatusSkipped, Reason: e.Reason}
	case exec.StepOutput:
		out := stepOutput{h("step_output"), e.Pipeline, e.Step, e.Line, e.Text, "", e.Partial}
		if !utf8.ValidString(e.Text) {
			out.Base64 = base64.StdEncoding.EncodeToString([]byte(e.Text))
		}
		return out
	case exec.PullProgress:
		return pullProgress{h("pull_progress"), e.Pipeline, e.Image, e.Platform, e.Current, e.Total, e.Done, e.Failed}
	case exec.Warning:
		return warning{h("warning"), e.Pipeline, e.Step, e.Message, e.Left}
	case exec.RunFinished:
		return runFinished{
			h("run_finished"), e.Status, j.status(&j.summary), e.Duration.Milliseconds(), j.summary.Counts(), j.timing.record(&j.summary, e.Cleanup),
			e.Unreachable, e.Broken,
		}
	}
	return h("unknown")
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
