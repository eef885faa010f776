//go:build unix

package viewer_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/tui/termtest"
	"github.com/drone-laptop/drone/tui/viewer"
)

// patience is how long to wait for what must come.
const patience = 20 * time.Second

// terminal is a pseudo-terminal with a view in it.
type terminal struct {
	t           *testing.T
	master, tty *os.File
	modes       *term.State
	view        *viewer.View
	stopping    chan struct{}
	asked       chan string // what the view has asked for
	width       int
	height      int
	done        chan error // of Close

	mu     sync.Mutex
	output bytes.Buffer
	notes  []string
	writes int
}

func open(t *testing.T, width, height int, change ...func(*viewer.Options)) *terminal {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	s := &terminal{t: t, master: master, tty: tty, stopping: make(chan struct{}), asked: make(chan string, 10), width: width, height: height}
	t.Cleanup(func() { master.Close(); tty.Close() })
	s.resize(width, height)
	if s.modes, err = term.GetState(int(tty.Fd())); err != nil {
		t.Fatal(err)
	}
	go s.drain()
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{{Name: "default", Runs: true, Steps: []*exec.Step{
		{Name: "compile", Image: "golang:1.26"}, {Name: "test", Image: "golang:1.26", DependsOn: []string{"compile"}},
	}}}}
	o := viewer.Options{
		Input: tty, Terminal: tty, Plan: plan, Stopping: s.stopping, Dismissed: s.stopping, Folder: t.TempDir(),
		Interrupt:  func() { s.asked <- "interrupt" },
		CancelStep: func(pipeline, step string) bool { s.asked <- "cancel " + pipeline + "/" + step; return true },
		Plain:      report.NewPlain(tty, tty, report.Style{}, report.Style{}),
		Note: func(text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.notes = append(s.notes, text)
		},
	}
	for _, f := range change {
		f(&o)
	}
	s.view = viewer.New(o)
	return s
}

func (s *terminal) resize(width, height int) {
	s.t.Helper()
	s.mu.Lock()
	s.width, s.height = width, height
	s.mu.Unlock()
	if err := pty.Setsize(s.master, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
		s.t.Fatal(err)
	}
}

func (s *terminal) drain() {
	chunk := make([]byte, 64<<10)
	for {
		n, err := s.master.Read(chunk)
		s.mu.Lock()
		s.output.Write(chunk[:n])
		s.writes++
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *terminal) screen() *termtest.Screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return termtest.PlayFull(s.width, s.height, s.output.String())
}

func (s *terminal) until(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		for end := time.Now().Add(patience); !strings.Contains(s.screen().String(), text); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				s.t.Fatalf("the terminal never showed %q but\n%s", text, s.screen())
			}
		}
	}
}

func (s *terminal) press(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *terminal) handle(events ...exec.Event) {
	s.t.Helper()
	for _, e := range events {
		if err := s.view.Handle(e); err != nil {
			s.t.Fatal(err)
		}
	}
}

func now() exec.At { return exec.At{Time: time.Now()} }

func (s *terminal) begin() {
	s.t.Helper()
	s.handle(exec.RunStarted{At: now(), Pipelines: []string{"default"}}, exec.PipelineStarted{At: now(), Pipeline: "default"},
		exec.StepStarted{At: now(), Pipeline: "default", Step: "compile", Image: "golang:1.26"})
}

func (s *terminal) print(from, to int) {
	s.t.Helper()
	for i := from; i <= to; i++ {
		s.handle(exec.StepOutput{At: now(), Pipeline: "default", Step: "compile", Line: i, Text: fmt.Sprint("line ", i)})
	}
}

func (s *terminal) finish(status exec.Status) {
	s.t.Helper()
	s.handle(exec.StepFinished{At: now(), Pipeline: "default", Step: "compile", Image: "golang:1.26", Status: status, ExitCode: 1},
		exec.PipelineFinished{At: now(), Pipeline: "default", Status: status}, exec.RunFinished{At: now(), Status: status})
}

// close begins to.
func (s *terminal) close() {
	s.done = make(chan error, 1)
	go func() { s.done <- s.view.Close() }()
}

// closed waits for Close, and looks how the terminal was left.
func (s *terminal) closed() {
	s.t.Helper()
	if s.done == nil {
		s.close()
	}
	select {
	case err := <-s.done:
		if err != nil {
			s.t.Error(err)
		}
	case <-time.After(patience):
		s.t.Fatalf("the view does not close, the terminal shows\n%s", s.screen())
	}
	s.restored()
}

// restored fails unless the terminal is as it was before.
func (s *terminal) restored() {
	s.t.Helper()
	s.press("\n") // echoed by a terminal that is in order
	modes, err := term.GetState(int(s.tty.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	if !reflect.DeepEqual(modes, s.modes) {
		s.t.Errorf("the modes of the terminal were changed from %v to %v", s.modes, modes)
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		screen := s.screen()
		if len(screen.Modes) == 0 && !screen.CursorHidden {
			break
		}
		if time.Now().After(end) {
			s.t.Fatalf("left with modes %v, the cursor hidden: %v", screen.Modes, screen.CursorHidden)
		}
	}
	if unknown := s.screen().Unknown; len(unknown) > 0 {
		s.t.Errorf("the terminal was sent %q", unknown)
	}
}

func TestViewOfARun(t *testing.T) {
	s := open(t, 80, 24)
	s.begin()
	s.until("● compile  running for", "nothing printed yet", "○ test")
	s.print(1, 500)
	s.until("line 500", "480-500/500")
	s.press("2g")
	s.until("  1 line 1", "1-21/500")
	s.press("/42\r")
	s.until("1/15", "line 42")
	s.press("n")
	s.until("2/15")
	s.press("\x1b[A?")
	s.until("Moving")
	s.press("?3")
	s.until("graph of default", "[○ test]")
	s.press("4")
	s.until("docker run --rm -it")
	s.press("Y")
	s.until("is copied")
	if got := s.screen().Copied; !strings.Contains(got, "golang:1.26") {
		t.Errorf("copied %q", got)
	}
	s.press("1xy")
	if got := <-s.asked; got != "cancel default/compile" {
		t.Errorf("asked for %q", got)
	}
	s.press("\x03")
	if got := <-s.asked; got != "interrupt" {
		t.Errorf("asked for %q", got)
	}
	s.finish(exec.StatusFailure)
	s.close()
	s.until("the run is over")
	s.press("q")
	s.closed()
	if text := s.screen().String(); strings.TrimSpace(text) != "" {
		t.Errorf("the view is left in the terminal:\n%s", text)
	}
}

func TestViewClosesByItself(t *testing.T) {
	t.Run("after a success", func(t *testing.T) {
		s := open(t, 80, 24)
		s.begin()
		s.finish(exec.StatusSuccess)
		s.closed()
	})
	t.Run("when the run is ended early", func(t *testing.T) {
		s := open(t, 80, 24)
		s.begin()
		s.until("compile")
		close(s.stopping)
		s.until("stopping")
		s.finish(exec.StatusKilled)
		s.closed()
	})
	t.Run("but not when a time limit has ended the run", func(t *testing.T) {
		s := open(t, 80, 24, func(o *viewer.Options) { o.Dismissed = nil })
		s.begin()
		close(s.stopping)
		s.finish(exec.StatusKilled)
		s.close()
		s.until("the run is over")
		s.press("q")
		s.closed()
	})
	t.Run("by a signal while somebody reads", func(t *testing.T) {
		s := open(t, 80, 24)
		s.begin()
		s.finish(exec.StatusFailure)
		s.close()
		s.until("the run is over")
		time.AfterFunc(50*time.Millisecond, func() { close(s.stopping) })
		s.closed()
	})
	t.Run("of a run that never finished", func(t *testing.T) {
		s := open(t, 80, 24)
		s.begin()
		s.until("compile")
		s.closed()
	})
	t.Run("that never began", func(t *testing.T) {
		s := open(t, 80, 24)
		s.closed()
	})
}

func TestNotesOutliveTheView(t *testing.T) {
	s := open(t, 80, 24)
	s.begin()
	s.until("compile")
	s.view.Note("drone: interrupt: stopping the steps")
	s.until("drone: interrupt: stopping the steps")
	s.handle(exec.Warning{At: now(), Pipeline: "default", Step: "compile", Message: "something is odd"})
	s.finish(exec.StatusSuccess)
	s.closed()
	want := []string{"drone: interrupt: stopping the steps", "warning: default/compile: something is odd"}
	if !reflect.DeepEqual(s.notes, want) {
		t.Errorf("noted %q, want %q", s.notes, want)
	}
}

func TestDetach(t *testing.T) {
	s := open(t, 80, 24)
	s.begin()
	s.print(1, 3)
	s.until("line 3")
	s.press("d")
	for end := time.Now().Add(patience); len(s.screen().Modes) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the view was not left")
		}
	}
	s.print(4, 5)
	s.until("[compile:4] line 4", "[compile:5] line 5")
	s.finish(exec.StatusSuccess)
	s.closed()
	if text := s.screen().String(); strings.Contains(text, "line 3") {
		t.Errorf("what was shown in the view is shown again:\n%s", text)
	}
}

// TestResizeStorm ends with the whole view at the last size.
func TestResizeStorm(t *testing.T) {
	s := open(t, 120, 40)
	s.begin()
	s.print(1, 200)
	s.until("line 200")
	for i := range 60 {
		s.resize(20+i*2, 6+i%30)
		time.Sleep(time.Millisecond)
	}
	s.resize(91, 20)
	s.until("184-200/200")
	time.Sleep(200 * time.Millisecond) // in which a frame of before may still come
	s.mu.Lock()
	s.output.Reset() // of other sizes
	s.mu.Unlock()
	s.resize(90, 20)
	s.until("drone ", "● compile  running for", "184-200/200", "? help")
	s.press("1") // nothing is left of other sizes after the next frames, either
	if lines := s.screen().Lines(); len(lines) != 20 {
		t.Errorf("%d lines:\n%s", len(lines), s.screen())
	}
	s.finish(exec.StatusSuccess)
	s.closed()
}

// TestIdle: nothing is drawn while nothing changes, and with a clock that stands
// still nothing does.
func TestIdle(t *testing.T) {
	still := time.Now()
	s := open(t, 80, 24, func(o *viewer.Options) { o.Now = func() time.Time { return still } })
	s.begin()
	s.print(1, 10)
	s.until("line 10")
	time.Sleep(200 * time.Millisecond)
	s.mu.Lock()
	before := s.output.Len()
	s.mu.Unlock()
	time.Sleep(2500 * time.Millisecond)
	s.mu.Lock()
	drawn := s.output.Len() - before
	s.mu.Unlock()
	if drawn > 0 {
		t.Errorf("%d bytes were drawn while nothing happened", drawn)
	}
	s.finish(exec.StatusSuccess)
	s.closed()
}

// TestFrames bounds how often is drawn, and that a terminal that takes nothing
// does not hold up the run.
func TestFrames(t *testing.T) {
	var slow slowWriter
	s := open(t, 80, 24, func(o *viewer.Options) { slow.to = o.Terminal; o.Output = &slow })
	s.begin()
	began := time.Now()
	for i := 1; time.Since(began) < time.Second; i++ {
		s.print(i, i)
	}
	if n := slow.count(); n > 60 { // twice what is promised, with all that surrounds frames
		t.Errorf("%d writes in a second", n)
	}
	slow.mu.Lock() // from here on the terminal takes nothing
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100_000 {
			_ = s.view.Handle(exec.StepOutput{At: now(), Pipeline: "default", Step: "test", Line: i + 1, Text: "more"})
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Error("the run waits for the terminal")
	}
	slow.mu.Unlock()
	s.finish(exec.StatusSuccess)
	s.closed()
}

type slowWriter struct {
	mu     sync.Mutex
	to     io.Writer
	writes int
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	return w.to.Write(p)
}

func (w *slowWriter) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

// TestDefect: a view that panics gives the terminal back, and the run goes on in
// plain lines.
func TestDefect(t *testing.T) {
	s := open(t, 80, 24, func(o *viewer.Options) {
		o.Log = func(string, string) viewer.Log { panic("a defect") }
	})
	s.begin()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		noted := strings.Join(s.notes, "\n")
		s.mu.Unlock()
		if strings.Contains(noted, "the view has ended: internal error: a defect") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is not said that the view has ended, but %q", noted)
		}
	}
	s.print(1, 2)
	s.until("[compile:1] line 1")
	s.finish(exec.StatusSuccess)
	s.closed()
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		s := open(t, 80, 24)
		s.begin()
		s.print(1, 100)
		s.finish(exec.StatusSuccess)
		s.closed()
		s.master.Close()
		s.tty.Close()
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			stack := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stack[:runtime.Stack(stack, true)])
		}
	}
}
