package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"build & test":        "build & test",
		`back\slash "quoted"`: `back\slash "quoted"`,
		"größe 日本語\u3000全角 👩\u200d💻": "größe 日本語\u3000全角 👩\u200d💻",
		"\x1b[2Jx\ny":           `\x1b[2Jx\ny`,
		"a\r\n\tb\x00\x7f":      `a\r\n\tb\x00\x7f`,
		"a\u009b2J\u0085":       `a\u009b2J\u0085`,
		"a\u2028b\u202ec\ufeff": `a\u2028b\u202ec\ufeff`,
		"a\x9bb\xff":            `a\x9bb\xff`,
		"replaced \ufffd\n":     "replaced \ufffd" + `\n`,
	} {
		if got := report.Visible(text); got != want {
			t.Errorf("Visible(%q) = %q, want %q", text, got, want)
		}
	}
}

// named is a run in which everything that has a name has this one, and a plan
// of it.
func named(name string) ([]exec.Event, *exec.Plan) {
	c := newClock()
	reason := "step " + name + " failed"
	events := []exec.Event{
		exec.RunStarted{At: c.tick(), Pipelines: []string{name, name + "2"}},
		exec.PipelineSkipped{At: c.tick(), Pipeline: name + "0", Reason: reason},
		exec.PipelineStarted{At: c.tick(), Pipeline: name},
		exec.StepStarted{At: c.tick(), Pipeline: name, Step: name, Kind: exec.KindStep, Image: name},
		exec.PullProgress{At: c.tick(), Pipeline: name, Image: name, Total: 1},
		exec.PullProgress{At: exec.At{Time: c.at.Add(time.Hour)}, Pipeline: name, Image: name, Total: 1},
		exec.PullProgress{At: c.tick(), Pipeline: name, Image: name, Total: 1, Done: true},
		exec.Warning{At: c.tick(), Pipeline: name, Step: name, Message: name},
		exec.Warning{At: c.tick(), Pipeline: name, Message: name},
		exec.StepOutput{At: c.tick(), Pipeline: name, Step: name, Line: 1, Text: "text"},
		exec.StepFinished{At: c.tick(), Pipeline: name, Step: name, Status: exec.StatusFailure, ExitCode: 1},
		exec.StepSkipped{At: c.tick(), Pipeline: name, Step: name + "2", Reason: reason},
		exec.StepFinished{At: c.tick(), Pipeline: name, Step: name + "3", Status: exec.StatusError, Error: name, Hint: name, Position: name},
		exec.StepFinished{At: c.tick(), Pipeline: name, Step: name + "4", Status: exec.StatusKilled},
		exec.PipelineFinished{At: c.tick(), Pipeline: name, Status: exec.StatusFailure},
		exec.PipelineStarted{At: c.tick(), Pipeline: name + "2"},
		exec.PipelineFinished{At: c.tick(), Pipeline: name + "2", Status: exec.StatusError, Reason: reason, Hint: name},
		exec.RunFinished{At: c.tick(), Status: exec.StatusFailure},
	}
	step := func(policy exec.Policy) *exec.Step {
		return &exec.Step{Name: name, Image: name, DependsOn: []string{name, name}, Policy: policy, Reason: reason}
	}
	plan := &exec.Plan{File: name, Pipelines: []*exec.Pipeline{
		{Name: name, Reason: reason},
		{Name: name, Runs: true, Reason: reason, DependsOn: []string{name}, Steps: []*exec.Step{step(exec.OnSuccess), step(exec.Never)}},
	}}
	return events, plan
}

// everything is all text there is of a run and its plan.
func everything(t *testing.T, name string, style report.Style) string {
	t.Helper()
	events, plan := named(name)
	var out, notes bytes.Buffer
	var s exec.Summary
	r := report.NewPlain(&out, &notes, style, style)
	for _, e := range events {
		s.Apply(e)
		if err := r.Handle(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteSummary(&notes, &s, report.SummaryOptions{Style: style}); err != nil {
		t.Fatal(err)
	}
	if err := report.WritePlan(&notes, plan, name, style); err != nil {
		t.Fatal(err)
	}
	return out.String() + notes.String()
}

// TestNamesStayWithinTheirLines wherever they are written: a name of control
// characters makes the same lines as any other.
func TestNamesStayWithinTheirLines(t *testing.T) {
	sgr := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, colour := range []bool{false, true} {
		t.Run(fmt.Sprintf("colour %t", colour), func(t *testing.T) {
			style := report.NewStyle(colour)
			got := everything(t, "\x1b[2J\r\n\t\x00\u009b\u2028", style)
			want := everything(t, `\x1b[2J\r\n\t\x00\u009b\u2028`, style)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differs from what is written for the name in visible characters (-want +got):\n%s", diff)
			}
			if i := strings.IndexFunc(sgr.ReplaceAllString(got, ""), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); i >= 0 {
				t.Errorf("a control character is left, at %d of %q", i, got)
			}
		})
	}
}
