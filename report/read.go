package report

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// record has the fields of every kind of line.
type record struct {
	V           int                  `json:"v"`
	Time        time.Time            `json:"time"`
	Type        string               `json:"type"`
	Run         string               `json:"run"`
	Event       string               `json:"event"`
	File        string               `json:"file"`
	Pipelines   []string             `json:"pipelines"`
	Pipeline    string               `json:"pipeline"`
	Step        string               `json:"step"`
	Image       string               `json:"image"`
	Platform    string               `json:"platform"`
	Kind        exec.Kind            `json:"kind"`
	Status      exec.Status          `json:"status"`
	ExitCode    int                  `json:"exit_code"`
	OOMKilled   bool                 `json:"oom_killed"`
	Ignored     bool                 `json:"ignored"`
	TimedOut    bool                 `json:"timed_out"`
	Background  bool                 `json:"background"`
	DurationMS  int64                `json:"duration_ms"`
	SetupMS     int64                `json:"setup_ms"`
	PhasesMS    map[exec.Phase]int64 `json:"phases_ms"`
	Error       string               `json:"error"`
	Hint        string               `json:"hint"`
	Phase       exec.Phase           `json:"phase"`
	Reason      string               `json:"reason"`
	Position    string               `json:"position"`
	Line        int                  `json:"line"`
	Text        string               `json:"text"`
	Base64      string               `json:"base64"`
	Partial     bool                 `json:"partial"`
	Current     int64                `json:"current"`
	Total       int64                `json:"total"`
	Done        bool                 `json:"done"`
	Failed      bool                 `json:"failed"`
	Message     string               `json:"message"`
	Left        bool                 `json:"left"`
	Unreachable bool                 `json:"unreachable"`
	Broken      bool                 `json:"broken"`
	Timing      struct {
		CleanupMS int64 `json:"cleanup_ms"`
	} `json:"timing"`
}

// ReadEvent reads a line that JSON has written, without what such lines do not
// tell: durations are whole milliseconds. A line of a kind that is not known, as
// of a later version, gives nil.
func ReadEvent(line []byte) (exec.Event, error) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("it is no event: %w", err)
	}
	if r.V != exec.Version {
		return nil, fmt.Errorf("it is an event of version %d", r.V)
	}
	at := exec.At{Time: r.Time}
	switch r.Type {
	case "run_started":
		return exec.RunStarted{At: at, Run: r.Run, Event: r.Event, File: r.File, Pipelines: r.Pipelines}, nil
	case "pipeline_started":
		return exec.PipelineStarted{At: at, Pipeline: r.Pipeline}, nil
	case "pipeline_finished":
		return exec.PipelineFinished{
			At: at, Pipeline: r.Pipeline, Status: r.Status, Reason: r.Reason, Hint: r.Hint,
			Duration: ms(r.DurationMS), Setup: ms(r.SetupMS),
		}, nil
	case "pipeline_skipped":
		return exec.PipelineSkipped{At: at, Pipeline: r.Pipeline, Reason: r.Reason}, nil
	case "step_started":
		return exec.StepStarted{At: at, Pipeline: r.Pipeline, Step: r.Step, Kind: r.Kind, Image: r.Image}, nil
	case "step_output":
		if r.Base64 != "" {
			text, err := base64.StdEncoding.DecodeString(r.Base64)
			if err != nil {
				return nil, fmt.Errorf("its text is no base64: %w", err)
			}
			r.Text = string(text)
		}
		return exec.StepOutput{At: at, Pipeline: r.Pipeline, Step: r.Step, Line: r.Line, Text: r.Text, Partial: r.Partial}, nil
	case "step_finished":
		return exec.StepFinished{
			At: at, Pipeline: r.Pipeline, Step: r.Step, Kind: r.Kind, Image: r.Image, Status: r.Status,
			ExitCode: r.ExitCode, OOMKilled: r.OOMKilled, Ignored: r.Ignored, TimedOut: r.TimedOut, Background: r.Background,
			Duration: ms(r.DurationMS), Spent: r.spent(), Error: r.Error, Hint: r.Hint, Phase: r.Phase, Position: r.Position,
		}, nil
	case "step_skipped":
		return exec.StepSkipped{At: at, Pipeline: r.Pipeline, Step: r.Step, Kind: r.Kind, Image: r.Image, Reason: r.Reason}, nil
	case "pull_progress":
		return exec.PullProgress{
			At: at, Pipeline: r.Pipeline, Image: r.Image, Platform: r.Platform,
			Current: r.Current, Total: r.Total, Done: r.Done, Failed: r.Failed,
		}, nil
	case "warning":
		return exec.Warning{At: at, Pipeline: r.Pipeline, Step: r.Step, Message: r.Message, Left: r.Left}, nil
	case "run_finished":
		return exec.RunFinished{
			At: at, Status: r.Status, Duration: ms(r.DurationMS), Cleanup: ms(r.Timing.CleanupMS),
			Unreachable: r.Unreachable, Broken: r.Broken,
		}, nil
	}
	return nil, nil // as it says
}

// spent are the phases in the order in which a step goes through them.
func (r *record) spent() (all []exec.Spent) {
	for _, phase := range phases {
		if n, known := r.PhasesMS[phase]; known {
			all = append(all, exec.Spent{Phase: phase, Duration: ms(n)})
		}
	}
	return all
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
