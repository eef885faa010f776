//go:build unix

package cmd_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/docker/docker/client"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/term"

	"github.com/drone-laptop/drone/tui/termtest"
)

const (
	columns, lines = 80, 24
	// patience is how long to wait for what must come: the machine may have
	// much else to do.
	patience = 2 * time.Minute
)

// session is the real program in a terminal of its own.
type session struct {
	t       *testing.T
	command *exec.Cmd
	master  *os.File
	tty     *os.File      // the program's side, held open to look at its modes
	modes   *term.State   // before the program began
	ended   chan struct{} // closed after the command, and waitErr is set
	waitErr error
	read    chan struct{} // closed when no more output comes
	full    bool          // it has the screen to itself

	mu     sync.Mutex
	output bytes.Buffer
}

// inTerminal starts a shell command in dir, with further variables. CI is not
// set unless they say so.
func inTerminal(t *testing.T, dir, command string, env ...string) *session {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = master.Close()
		_ = tty.Close()
	})
	if err := pty.Setsize(master, &pty.Winsize{Rows: lines, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	modes, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, master: master, tty: tty, modes: modes, ended: make(chan struct{}), read: make(chan struct{})}
	s.command = exec.Command("sh", "-c", command)
	s.command.Dir = dir
	s.command.Env = append(environment(), "HOME="+dir, "TERM=xterm-256color", "GIT_CONFIG_NOSYSTEM=1",
		"PATH="+binary+string(os.PathListSeparator)+os.Getenv("PATH"))
	s.command.Env = append(s.command.Env, env...)
	s.command.Stdin, s.command.Stdout, s.command.Stderr = tty, tty, tty
	s.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		s.waitErr = s.command.Wait()
	}()
	go s.drain()
	t.Cleanup(s.giveUp)
	return s
}

// giveUp ends a command that a test that failed has left. It is asked to, so
// that it removes its containers.
func (s *session) giveUp() {
	select {
	case <-s.ended:
		return
	default:
	}
	_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL)
	}
}

// environment is that of the test without what decides about colours and the
// live view.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"CI", "NO_COLOR", "CLICOLOR_FORCE", "TMUX", "STY"}, name)
	})
}

func (s *session) drain() {
	defer close(s.read)
	chunk := make([]byte, 64<<10)
	for {
		n, err := s.master.Read(chunk)
		s.mu.Lock()
		s.output.Write(chunk[:n])
		s.mu.Unlock()
		if err != nil {
			return // the other side is closed
		}
	}
}

// bytes is all that came so far.
func (s *session) bytes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.String()
}

func (s *session) screen() *termtest.Screen {
	if s.full {
		return termtest.PlayFull(columns, lines, s.bytes())
	}
	return termtest.Play(columns, lines, s.bytes())
}

// until waits for a text on the screen.
func (s *session) until(text string) {
	s.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(s.screen().String(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("the terminal never showed %q but\n%s", text, s.screen())
		}
	}
}

func (s *session) press(key string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, key); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for the command, and checks its status and how the terminal was
// left.
func (s *session) end(status int) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("the command does not end, the terminal shows\n%s", s.screen())
	}
	var exit *exec.ExitError
	if s.waitErr != nil && !errors.As(s.waitErr, &exit) {
		s.t.Fatal(s.waitErr)
	}
	if got := s.command.ProcessState.ExitCode(); got != status {
		s.t.Errorf("exit status %d, want %d", got, status)
	}
	modes, err := term.GetState(int(s.tty.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	if !reflect.DeepEqual(modes, s.modes) {
		s.t.Errorf("the modes of the terminal were changed from %v to %v", s.modes, modes)
	}
	_ = s.tty.Close()
	<-s.read
	if screen := s.screen(); screen.CursorHidden || len(screen.Modes) > 0 {
		s.t.Errorf("left with modes %v, the cursor hidden: %v", screen.Modes, screen.CursorHidden)
	}
}

// noQuestion fails when the terminal was told anything but text, colours and
// how to draw lines: a question for its colours or its cursor would be answered
// into whatever reads the keyboard next.
func (s *session) noQuestion() {
	s.t.Helper()
	if unknown := s.screen().Unknown; len(unknown) > 0 {
		s.t.Errorf("the terminal was sent %q", unknown)
	}
}

// noBoard fails when anything on the screen looks like the board.
func (s *session) noBoard() {
	s.t.Helper()
	if text := s.screen().String(); board.MatchString(text) {
		s.t.Errorf("the board is left in the terminal:\n%s", text)
	}
}

var (
	board = regexp.MustCompile(`[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏●]|ctrl-c stops|stopping$`)
	// drawing is what moves the cursor, erases or changes a mode.
	drawing = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Zhl]`)
	// took is a duration, with the spaces before it.
	took = regexp.MustCompile(` +[0-9][0-9.ms]*s\b`)
)

// project makes a directory with a configuration file.
func project(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// waiting has a step that ends when the file go is there.
const waiting = `kind: pipeline
name: default
steps:
- name: wait
  image: drone-laptop/busybox:test
  commands: [echo one, 'until [ -e go ]; do sleep 0.1; done', echo two]
- name: after
  image: drone-laptop/busybox:test
  commands: [echo three]
`

const quick = `kind: pipeline
name: default
steps:
- name: quick
  image: drone-laptop/busybox:test
  commands: [echo one]
`

// TestTheTerminalIsAskedNothing needs no engine: the question would come
// before the program does anything.
func TestTheTerminalIsAskedNothing(t *testing.T) {
	t.Parallel()
	s := inTerminal(t, t.TempDir(), "drone --version")
	s.end(0)
	s.noQuestion()
	if got, want := s.bytes(), "v0.0.0-test"; !strings.Contains(got, want) || strings.Contains(got, "\x1b") {
		t.Errorf("got %q, want %q and no sequence", got, want)
	}
}

// TestLive looks at a run while a step waits, and when it is over. It is alone: a
// run tells when it has removed what another test has left, and here that would be
// a line too many.
func TestLive(t *testing.T) {
	needEngine(t)
	dir := project(t, waiting)
	s := inTerminal(t, dir, "drone exec --output board")
	s.until("[wait:2] one")
	s.until("● 1 running  ○ 1 waiting")
	s.until("ctrl-c stops")
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.end(0)
	s.noQuestion()
	want := []string{
		"[wait:1] + echo one", "[wait:2] one", "[wait:3] + until [ -e go ]; do sleep 0.1; done",
		"[wait:4] + echo two", "[wait:5] two", "[after:1] + echo three", "[after:2] three", "",
		"  ✔ wait   success TIME", "  ✔ after  success TIME", "✔ success in TIME (2 success)",
	}
	var got []string
	for _, line := range s.screen().Lines() {
		got = append(got, took.ReplaceAllString(line, " TIME"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the terminal in the end (-want +got):\n%s", diff)
	}
}

// TestLiveIsAbsent where lines cannot be drawn again, or are not to be.
func TestLiveIsAbsent(t *testing.T) {
	t.Parallel()
	needEngine(t)
	type testCase struct {
		command string
		env     []string
	}
	run := func(t *testing.T, tc testCase) {
		dir := project(t, quick)
		s := inTerminal(t, dir, tc.command, tc.env...)
		s.end(0)
		s.noQuestion()
		s.noBoard()
		got := s.bytes()
		for _, name := range []string{"out.txt", "err.txt"} {
			redirected, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			got += string(redirected)
		}
		if !strings.Contains(got, "one") {
			t.Errorf("the step's output is missing in %q", got)
		}
		if sequence := drawing.FindString(got); sequence != "" {
			t.Errorf("something is drawn, with %q:\n%s", sequence, got)
		}
	}
	for name, tc := range map[string]testCase{
		"asked for":             {"drone exec --plain", nil},
		"not pretty":            {"drone exec --pretty=false", nil},
		"a dumb terminal":       {"drone exec", []string{"TERM=dumb"}},
		"an unknown terminal":   {"drone exec", []string{"TERM="}},
		"a build server":        {"drone exec", []string{"CI=true"}},
		"json":                  {"drone exec --output json", nil},
		"output in a pipe":      {"drone exec | cat", nil},
		"output in a file":      {"drone exec > out.txt", nil},
		"errors in a pipe":      {"{ drone exec 2>&1 >&3 | cat; } 3>&1", nil},
		"errors in a file":      {"drone exec 2> err.txt", nil},
		"both in a pipe":        {"drone exec 2>&1 | cat", nil},
		"both in the same file": {"drone exec > out.txt 2>&1", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, tc)
		})
	}
}

// TestLiveInterrupted presses ctrl-c while a step runs.
func TestLiveInterrupted(t *testing.T) {
	t.Parallel()
	engine := needEngine(t)
	dir := project(t, waiting)
	s := inTerminal(t, dir, "exec drone exec --output board")
	s.until("[wait:2] one")
	s.until("ctrl-c stops")
	if len(held(t, engine, dir)) == 0 {
		t.Error("the engine holds nothing of a run that goes on, so the test cannot tell what is left behind")
	}
	s.press("\x03")
	s.end(130)
	s.noQuestion()
	s.noBoard()
	text := s.screen().String()
	for _, want := range []string{
		"drone: interrupt: stopping the steps and removing their containers\n", "wait: killed after", "○ after  skipped", "✘ killed in",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not in the terminal, or more than once:\n%s", want, text)
		}
	}
	if left := held(t, engine, dir); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "; "))
	}
}

func held(t *testing.T, engine *client.Client, dir string) []string {
	t.Helper()
	left, err := leftovers(engine, dir)
	if err != nil {
		t.Fatal(err)
	}
	return left
}
