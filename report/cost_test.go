package report_test

import (
	"io"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// TestPlainLinesCostNothing says that a line is written without anything being
// allocated for it, with colours or without.
func TestPlainLinesCostNothing(t *testing.T) {
	for name, style := range map[string]report.Style{"plain": {}, "coloured": report.NewStyle(true)} {
		r := report.NewPlain(io.Discard, io.Discard, style, style)
		var e exec.Event = exec.StepOutput{Pipeline: "p", Step: "s", Line: 123456, Text: strings.Repeat("x", 80)}
		if n := testing.AllocsPerRun(1000, func() { _ = r.Handle(e) }); n > 0 {
			t.Errorf("%s: a line costs %.1f objects", name, n)
		}
	}
}
