package cmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/cmd"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/history"
)

// TestRunsFitTheTerminal lists runs with long names on terminals of any width.
func TestRunsFitTheTerminal(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	tree, err := filepath.EvalSymlinks("..")
	if err != nil {
		t.Fatal(err)
	}
	if tree, err = filepath.Abs(tree); err != nil {
		t.Fatal(err)
	}
	for i, status := range []exec.Status{exec.StatusSuccess, exec.StatusFailure} {
		id := []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb"}[i]
		r := history.Start(history.Recording{
			Store: history.In(state), Plan: &exec.Plan{}, ExitStatus: (*exec.Summary).ExitCode, Warn: func(text string) { t.Error(text) },
			Meta: history.Meta{
				ID: id, Started: time.Now().Add(-time.Duration(i) * time.Hour), Event: "pull_request", Tree: tree,
				Branch: "feature/a-name-of-a-branch-that-is-much-too-long", Commit: strings.Repeat("0123456789", 4),
			},
		})
		pipeline, step := "a-pipeline-with-a-name", "a-step-with-a-name-that-is-längst-zu-lang"
		r.Handle(exec.RunStarted{Run: id, Pipelines: []string{pipeline}})
		r.Handle(exec.StepStarted{Pipeline: pipeline, Step: step})
		r.Handle(exec.StepFinished{Pipeline: pipeline, Step: step, Status: status})
		r.Handle(exec.RunFinished{Status: status, Duration: 83 * time.Second})
		if err := r.Close(10 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
	list := func(width int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		s := cmd.Streams{
			Out: &out, Err: &errs, OutTerminal: width > 0, Columns: func() int { return width },
			LookupEnv: func(name string) (string, bool) {
				if name == "XDG_STATE_HOME" {
					return state, true
				}
				return "", false
			},
			Environ: os.Environ,
		}
		if status := cmd.Main(append([]string{"runs"}, args...), s, cmd.Build{}); status != cmd.StatusOK || errs.Len() > 0 {
			t.Fatalf("status %d: %s", status, errs.String())
		}
		return out.String()
	}
	for _, width := range []int{200, 120, 80, 40, 20} {
		lines := strings.Split(strings.TrimSpace(list(width, "--all")), "\n")
		if len(lines) != 3 {
			t.Fatalf("at %d columns: %q", width, lines)
		}
		for _, line := range lines {
			if wide := ansi.StringWidth(line); wide > width {
				t.Errorf("at %d columns a line has %d: %q", width, wide, line)
			}
		}
		if !strings.HasPrefix(lines[1], "aaaaaaaaaaaa") || !strings.HasPrefix(lines[2], "bbbbbbbbbbbb") {
			t.Errorf("at %d columns the newest is not the first: %q", width, lines)
		}
	}
	whole := list(0)
	for _, text := range []string{"success", "1m23s", "failure", "pull_request", "feature/a-name-of-a-bra…", "01234567 ", "a-pipeline-with-a-name/a-step-with-a-name-that-is-längst-zu-lang"} {
		if !strings.Contains(whole, text) {
			t.Errorf("%q is missing: %s", text, whole)
		}
	}
}
