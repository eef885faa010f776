package history

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// TestAFullDiskIsOneWarning keeps a run on a file system of 64 KiB.
func TestAFullDiskIsOneWarning(t *testing.T) {
	state := t.TempDir()
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("SKIPPED: cannot mount here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(state, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	var warnings []string
	o := recording(t, In(state), "run1", begin)
	o.Warn = func(text string) { warnings = append(warnings, text) }
	begun := time.Now()
	r := record(t, o, scene("run1", &clock{begin}, 50_000))
	if err := r.Close(10 * time.Second); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("it says %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "no space left") {
		t.Errorf("warnings: %q", warnings)
	}
	// What fits is there, and in order. Of which step that is depends on whose lines
	// were packed first.
	runs := list(t, In(state))
	if len(runs) != 1 || runs[0].Status != exec.StatusFailure || runs[0].Incomplete == "" {
		t.Fatalf("%+v", runs)
	}
	events, damage := replay(t, runs[0], Replay{})
	lines := map[string]int{}
	for _, e := range events {
		if e, ok := e.(exec.StepOutput); ok {
			if lines[e.Step]++; e.Line != lines[e.Step] {
				t.Fatalf("line %d of step %s where %d should be", e.Line, e.Step, lines[e.Step])
			}
		}
	}
	if lines["a"]+lines["b"] < 100 || damage != nil {
		t.Errorf("%v lines are left, damage %v", lines, damage)
	}
	// Those who watch miss nothing of what fits in memory.
	l := r.Log("p", "a")
	defer l.Close()
	if last, err := l.Lines(99_999, 1); err != nil || len(last) != 1 || last[0].Text != "a says 100000" {
		t.Errorf("%v (%v)", last, err)
	}
}
