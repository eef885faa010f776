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

func piece(step string, line int, text string) exec.Event {
	return exec.StepOutput{Pipeline: "p", Step: step, Line: line, Text: text, Partial: true}
}

func line(step string, line int, text string) exec.Event {
	return exec.StepOutput{Pipeline: "p", Step: step, Line: line, Text: text}
}

// TestPieces of a line are one line, unless something came between them.
func TestPieces(t *testing.T) {
	type testCase struct {
		events []exec.Event
		want   string
	}
	run := func(t *testing.T, tc testCase) {
		if got := shown(t, report.Style{}, tc.events...); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
	t.Run("joined", func(t *testing.T) {
		run(t, testCase{[]exec.Event{piece("a", 1, "x"), piece("a", 1, "y"), line("a", 1, "z"), line("a", 2, "next")}, "[a:1] xyz\n[a:2] next\n"})
	})
	t.Run("ended by nothing", func(t *testing.T) {
		run(t, testCase{[]exec.Event{piece("a", 1, "x"), line("a", 1, "")}, "[a:1] x\n"})
	})
	t.Run("the last one", func(t *testing.T) {
		run(t, testCase{[]exec.Event{line("a", 1, "x"), piece("a", 2, "y")}, "[a:1] x\n[a:2] y\n"})
	})
	t.Run("another step between", func(t *testing.T) {
		run(t, testCase{[]exec.Event{piece("a", 1, "x"), line("b", 1, "y"), line("a", 1, "z")}, "[a:1] x\n[b:1] y\n[a:1] z\n"})
	})
	t.Run("pieces of two steps", func(t *testing.T) {
		run(t, testCase{[]exec.Event{piece("a", 1, "x"), piece("b", 1, "y"), line("b", 1, "y"), line("a", 1, "z")}, "[a:1] x\n[b:1] yy\n[a:1] z\n"})
	})
	t.Run("a notice between", func(t *testing.T) {
		run(t, testCase{[]exec.Event{piece("a", 1, "x"), exec.Warning{Message: "look"}, piece("a", 1, "z")}, "[a:1] x\nwarning: look\n[a:1] z\n"})
	})
	t.Run("the step ends", func(t *testing.T) {
		run(t, testCase{[]exec.Event{piece("a", 1, "x"), exec.StepFinished{Pipeline: "p", Step: "a", Status: exec.StatusSuccess}, line("b", 1, "y")}, "[a:1] x\n[b:1] y\n"})
	})
	t.Run("on a terminal", func(t *testing.T) {
		got := shown(t, report.Style{}.OnTerminal(true), piece("a", 1, "x"), piece("a", 1, "y\r"), line("a", 1, "z"))
		if want := "[a:1] x\n[a:1] y\n[a:1] z\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
