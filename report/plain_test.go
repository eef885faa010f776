package report_test

import (
	"bytes"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// shown is what is written of events, notices and all.
func shown(t *testing.T, style report.Style, events ...exec.Event) string {
	t.Helper()
	var out bytes.Buffer
	r := report.NewPlain(&out, &out, style, style)
	for _, e := range events {
		if err := r.Handle(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func line(step string, line int, text string) exec.Event {
	return exec.StepOutput{Pipeline: "p", Step: step, Line: line, Text: text}
}
