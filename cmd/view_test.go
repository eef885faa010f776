//go:build unix

package cmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drone-laptop/drone/tui/termtest"
)

// keeps has the history on, from which the view reads what the steps print.
const keeps = "DRONE_HISTORY=on"

// inView starts a run that has the whole terminal, and waits until its first
// step runs.
func inView(t *testing.T, dir, command string) *session {
	t.Helper()
	s := inTerminal(t, dir, command, keeps)
	s.mu.Lock()
	s.full = true
	s.mu.Unlock()
	s.until("● wait  running for")
	s.until("  2 one")
	if !s.screen().Modes[termtest.AlternateScreen] {
		t.Error("the view is not on a screen of its own")
	}
	return s
}

func (s *session) goOn(dir string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// TestView looks at a run on the whole screen, and at what is left of it.
func TestView(t *testing.T) {
	t.Parallel()
	needEngine(t)
	dir := project(t, waiting)
	s := inView(t, dir, "drone exec")
	s.press("3")
	s.until("[○ after]")
	s.press("2/on\r")
	s.until("1/3")
	s.press("G")
	s.until("follow")
	s.press("\x1b") // nobody reads any more
	s.goOn(dir)
	s.end(0)
	s.noQuestion()
	text := s.screen().String()
	for _, want := range []string{"  ✔ wait   success", "✔ success in"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not left in the terminal:\n%s", want, text)
		}
	}
	for _, no := range []string{"follow", "echo one", "waiting"} {
		if strings.Contains(text, no) {
			t.Errorf("%q of the view is left in the terminal:\n%s", no, text)
		}
	}
}

// TestViewStaysOnFailure until somebody leaves it.
func TestViewStaysOnFailure(t *testing.T) {
	t.Parallel()
	engine := needEngine(t)
	dir := project(t, strings.Replace(waiting, "echo two", "exit 3", 1))
	s := inView(t, dir, "drone exec --output tui --bell")
	s.goOn(dir)
	s.until("q leaves the view")
	s.until("✘ wait  exit code 3")
	for end := time.Now().Add(patience); len(held(t, engine, dir)) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("while somebody reads the engine holds %s", strings.Join(held(t, engine, dir), "; "))
		}
	}
	s.press("q")
	s.end(1)
	s.noQuestion()
	if rung := s.screen().Rung; rung != 2 {
		t.Errorf("the bell was rung %d times, want once for the step and once for the end", rung)
	}
	if text := s.screen().String(); !strings.Contains(text, "step wait failed with exit code 3") {
		t.Errorf("the failure is not left in the terminal:\n%s", text)
	}
}

// TestViewInterrupted: a key does what a signal does, and so does a signal.
func TestViewInterrupted(t *testing.T) {
	t.Parallel()
	engine := needEngine(t)
	type testCase struct {
		end    func(*session)
		status int
	}
	run := func(t *testing.T, tc testCase) {
		dir := project(t, waiting)
		s := inView(t, dir, "exec drone exec --output tui")
		tc.end(s)
		s.end(tc.status)
		s.noQuestion()
		text := s.screen().String()
		for _, want := range []string{": stopping the steps and removing their containers\n", "○ after  skipped", "✘ killed in"} {
			if strings.Count(text, want) != 1 {
				t.Errorf("%q is not in the terminal, or more than once:\n%s", want, text)
			}
		}
		if left := held(t, engine, dir); len(left) > 0 {
			t.Errorf("left behind: %s", strings.Join(left, "; "))
		}
	}
	for name, tc := range map[string]testCase{
		"ctrl-c":  {func(s *session) { s.press("\x03") }, 130},
		"q and c": {func(s *session) { s.press("q"); s.until("the run goes on"); s.press("c") }, 130},
		"SIGTERM": {func(s *session) { _ = s.command.Process.Signal(syscall.SIGTERM) }, 143},
		"SIGHUP":  {func(s *session) { _ = s.command.Process.Signal(syscall.SIGHUP) }, 143},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, tc)
		})
	}
}

// TestViewCancelsAStep ends one step; the run goes on as after a failure.
func TestViewCancelsAStep(t *testing.T) {
	t.Parallel()
	needEngine(t)
	dir := project(t, waiting)
	s := inView(t, dir, "drone exec --output tui")
	s.press("x")
	s.until("cancel step wait?")
	s.press("y")
	s.until("q leaves the view")
	s.press("q")
	s.end(1)
	if text := s.screen().String(); !strings.Contains(text, "step wait was killed") || !strings.Contains(text, "cancelled by hand") {
		t.Errorf("it is not said that the step was cancelled:\n%s", text)
	}
}

// TestViewShell goes into the container of a step that waits, and lets it go on.
func TestViewShell(t *testing.T) {
	t.Parallel()
	needEngine(t)
	s := inView(t, project(t, waiting), "drone exec")
	s.press("s")
	s.until("a shell in the container of step wait")
	s.press("until [ \"$(stty size 2>/dev/null)\" = '24 80' ]; do sleep 0.1; done; echo in $((20 + 2))\r")
	s.until("in 22")
	s.press("exit\r")
	s.until("● wait  running for")
	if !s.screen().Modes[termtest.AlternateScreen] {
		t.Error("the view has not come back")
	}
	s.press("js") // that after it
	s.until("only a step that runs has a container")
	s.press("ks")
	s.until("exit comes back")
	s.press("touch go\r") // which ends the step, and its container with the shell
	s.end(0)
}

// TestViewSuspended goes to the background and comes back.
func TestViewSuspended(t *testing.T) {
	t.Parallel()
	needEngine(t)
	dir := project(t, waiting)
	s := inView(t, dir, "set -m; drone exec --output tui; echo suspended; read line; fg")
	s.press("\x1a")
	s.until("suspended")
	if screen := s.screen(); len(screen.Modes) > 0 || screen.CursorHidden {
		t.Errorf("suspended with modes %v, the cursor hidden: %v", screen.Modes, screen.CursorHidden)
	}
	s.press("on\n")
	s.until("● wait  running for")
	s.goOn(dir)
	s.end(0)
}

// TestViewDetached leaves the view to plain lines.
func TestViewDetached(t *testing.T) {
	t.Parallel()
	needEngine(t)
	dir := project(t, waiting)
	s := inView(t, dir, "drone exec --output tui")
	s.press("d")
	for end := time.Now().Add(patience); s.screen().Modes[termtest.AlternateScreen]; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the view was not left")
		}
	}
	s.goOn(dir)
	s.until("[after:2] three")
	s.end(0)
	if text := s.screen().String(); !strings.Contains(text, "[wait:5] two") || !strings.Contains(text, "✔ success in") {
		t.Errorf("after the view there is\n%s", text)
	}
}

// TestLogOfADeadRun shows one whose program was killed, at the time of its last
// line.
func TestLogOfADeadRun(t *testing.T) {
	t.Parallel()
	dir := project(t, "kind: pipeline\ntype: exec\nname: native\nsteps:\n- {name: first, commands: [echo one, sleep 1.2, echo two, sleep 100]}\n")
	run := inTerminal(t, dir, "exec drone exec --host --output plain", keeps)
	run.until("[first:5] two")
	time.Sleep(500 * time.Millisecond) // in which it is kept
	_ = run.command.Process.Kill()
	<-run.ended
	s := inTerminal(t, dir, "drone log", keeps)
	s.mu.Lock()
	s.full = true
	s.mu.Unlock()
	s.until("drone ■ interrupted")
	s.until("■ first  killed after 1s")
	s.press("q")
	s.end(0)
}

// TestViewRunsAgain what has failed, with what comes after it, until it succeeds.
func TestViewRunsAgain(t *testing.T) {
	t.Parallel()
	dir := project(t, "")
	file := "kind: pipeline\ntype: exec\nname: native\nsteps:\n- {name: first, commands: [echo one]}\n" +
		"- {name: second step, commands: [test -e " + dir + "/go]}\n- {name: third, commands: [test -e " + dir + "/on]}\n"
	if err := os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s := inTerminal(t, dir, "drone exec --host", keeps)
	s.mu.Lock()
	s.full = true
	s.mu.Unlock()
	s.until("the run is over")
	s.until("✘ second step  exit code 1")
	s.goOn(dir)
	s.press("R")
	s.until("✘ third  exit code 1")
	if text := s.screen().String(); strings.Contains(text, "✔ first") || !strings.Contains(text, "✔ second step") {
		t.Errorf("run again was\n%s", text)
	}
	if err := os.WriteFile(filepath.Join(dir, "on"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		select {
		case <-s.ended:
		default:
			if time.Now().After(end) {
				t.Fatal("it never succeeded")
			}
			s.press("r")
			continue
		}
		break
	}
	s.end(0)
	s.noQuestion()
	for _, want := range []string{"again: drone exec --pipeline native --resume-at 'second step'\n", "again: drone exec --pipeline native --include third\n"} {
		if !strings.Contains(s.screen().String(), want) {
			t.Errorf("%q is not left in the terminal:\n%s", want, s.screen())
		}
	}
}

// TestViewAfterAQuestion: what is asked is asked before, and stays in the
// terminal.
func TestViewAfterAQuestion(t *testing.T) {
	t.Parallel()
	s := inTerminal(t, project(t, consentFile), "drone exec", keeps)
	s.until("Run them?")
	if s.screen().Modes[termtest.AlternateScreen] {
		t.Error("the view is there before the answer")
	}
	s.press("y\r")
	s.mu.Lock()
	s.full = true
	s.mu.Unlock()
	s.end(0)
	s.noQuestion()
	if !strings.Contains(s.bytes(), enterAlternateScreen) {
		t.Error("the view was not shown")
	}
	if text := s.screen().String(); !strings.Contains(text, "Run them?") || !strings.Contains(text, "✔ success in") {
		t.Errorf("in the terminal is left\n%s", text)
	}
}

const enterAlternateScreen = "\x1b[?1049h"

// TestViewGivesWay to lines where it was not asked for, and nobody could look
// at it.
func TestViewGivesWay(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]string{
		"in the background":     "set -m; drone exec --host & wait %1",
		"in a small terminal":   "stty cols 19 && drone exec --host",
		"in one of no size":     "stty cols 0 rows 0 && drone exec --host",
		"by its name":           "drone exec --host --output board --bell",
		"by its other name":     "drone exec --host --output text",
		"with the input a file": "drone exec --host </dev/null",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inTerminal(t, project(t, consentFile), command)
			s.end(0)
			s.noQuestion()
			if rings := strings.Contains(command, "--bell"); rings != (s.screen().Rung > 0) {
				t.Errorf("the bell was rung %d times", s.screen().Rung)
			}
			if text := s.bytes(); !strings.Contains(text, "hello") || strings.Contains(text, enterAlternateScreen) {
				t.Errorf("the terminal got %q", text)
			}
		})
	}
}

// TestViewIsRefused where there is nowhere to show it, with the reason.
func TestViewIsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		command string
		env     []string
		why     string
	}{
		"output in a pipe": {"drone exec --output tui | cat; exit 2", nil, "are not one terminal"},
		"input in a pipe":  {"echo | drone exec --output tui", nil, "are not one terminal"},
		"a dumb terminal":  {"drone exec --output tui", []string{"TERM=dumb"}, `TERM is "dumb"`},
		"a build server":   {"drone exec --output tui", []string{"CI=true"}, "CI is set"},
		"not pretty":       {"drone exec --output tui --pretty=false", nil, "are not one terminal"},
		"both":             {"drone exec --output tui --plain", nil, "contradict"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inTerminal(t, project(t, quick), tc.command, tc.env...)
			s.end(2)
			s.noQuestion()
			if text := s.bytes(); !strings.Contains(text, tc.why) || !strings.Contains(text, "drone: hint: ") || strings.Contains(text, "one\n") {
				t.Errorf("it says\n%s", text)
			}
		})
	}
}

// TestLogOnTheScreen opens the view on a run in another terminal, which it
// follows, and again when that is over.
func TestLogOnTheScreen(t *testing.T) {
	t.Parallel()
	needEngine(t)
	dir := project(t, waiting)
	run := inTerminal(t, dir, "drone exec --output plain", keeps)
	run.until("[wait:2] one")
	s := inView(t, dir, "drone log")
	run.goOn(dir)
	run.end(0)
	s.until("drone ✔ success")
	s.until("✔ after")
	s.press("q")
	s.end(0)
	s.noQuestion()

	s = inTerminal(t, dir, "drone log --output tui", keeps)
	s.mu.Lock()
	s.full = true
	s.mu.Unlock()
	s.until("drone ✔ success")
	s.press("2/on\r")
	s.until("1/3")
	s.press("\x03")
	s.end(0)
	s.noQuestion()
	s = inTerminal(t, dir, "drone log --output tui last wait", keeps)
	s.end(2)
	for _, command := range []string{"drone log last wait", "drone log --follow", "drone log --timestamps", "drone log --output plain", "drone log | cat", "drone log --pretty=false"} {
		s = inTerminal(t, dir, command, keeps)
		s.end(0)
		if text := s.bytes(); !strings.Contains(text, "echo two") || strings.Contains(text, enterAlternateScreen) {
			t.Errorf("%s writes %q", command, text)
		}
	}
}
