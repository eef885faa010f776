package tui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/tui/termtest"
)

// untilDrawn is how long to sleep on the clock of a synctest bubble until all
// is drawn that there is to draw: that clock stands still while anything
// happens. It also does while a writer is held back, since others then wait
// for a mutex, so tests of much output run outside.
const untilDrawn = time.Second + 100*time.Millisecond

func eighty() (width, height int) { return 80, 24 }

func handle(t *testing.T, r report.Renderer, events ...exec.Event) {
	t.Helper()
	for _, e := range events {
		if err := r.Handle(e); err != nil {
			t.Fatalf("%T: %v", e, err)
		}
	}
}

func closeIt(t *testing.T, r report.Renderer) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func now() exec.At { return exec.At{Time: time.Now()} }

// begin are the events up to a step that runs.
func begin() []exec.Event {
	return []exec.Event{
		exec.RunStarted{At: now(), Pipelines: []string{"default"}},
		exec.PipelineStarted{At: now(), Pipeline: "default"},
		exec.StepStarted{At: now(), Pipeline: "default", Step: "build", Kind: exec.KindStep, Image: image},
	}
}

func output(number int, text string) exec.Event {
	return exec.StepOutput{At: now(), Pipeline: "default", Step: "build", Line: number, Text: text}
}

// wholeRun has every kind of event, and more output than is kept.
func wholeRun() []exec.Event {
	events := begin()
	for i := range 30_000 {
		events = append(events, output(i+1, strings.Repeat("output ", i%20)))
	}
	return append(events,
		output(30_001, strings.Repeat("long ", 500_000)),
		output(30_002, "bad \xff bytes \x00\x9b"),
		output(30_003, "\x1b[31mred without an end"),
		output(30_004, "10%\r20%"),
		exec.PullProgress{At: now(), Pipeline: "default", Image: "a:1", Current: 1, Total: 2},
		exec.PullProgress{At: now(), Pipeline: "default", Image: "a:1", Current: 2, Total: 2, Done: true},
		exec.Warning{At: now(), Pipeline: "default", Step: "build", Message: "look out"},
		exec.StepOutput{At: now(), Pipeline: "default", Step: "build", Line: 30_005, Text: "no newline", Partial: true},
		exec.StepFinished{At: now(), Pipeline: "default", Step: "build", Status: exec.StatusFailure, ExitCode: 2, Duration: time.Second},
		exec.StepSkipped{At: now(), Pipeline: "default", Step: "publish", Reason: "step build failed"},
		exec.PipelineFinished{At: now(), Pipeline: "default", Status: exec.StatusFailure},
		exec.RunFinished{At: now(), Status: exec.StatusFailure},
	)
}

// TestLiveWritesThePlainLines compares what is not the board with what a file
// gets.
func TestLiveWritesThePlainLines(t *testing.T) {
	for name, style := range map[string]report.Style{"plain": {}, "colour": report.NewStyle(true)} {
		t.Run(name, func(t *testing.T) {
			events, want, out := wholeRun(), &bytes.Buffer{}, &tape{}
			for _, r := range []report.Renderer{
				report.NewPlain(want, want, style, style),
				NewLive(out, Options{Style: style, Size: eighty}),
			} {
				handle(t, r, events...)
				closeIt(t, r)
			}
			if got := out.lines(); got != want.String() {
				n := common(got, want.String())
				t.Errorf("%d bytes of lines, want %d, the same up to %d", len(got), want.Len(), n)
			}
		})
	}
}

// TestLiveOnAScreen plays everything back: above the board stand the lines, at
// each moment once, and in the end nothing else.
func TestLiveOnAScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &tape{}
		steps := pipeline("default", "build", "test", "publish")
		l := NewLive(out, Options{Plan: &exec.Plan{Pipelines: []*exec.Pipeline{steps}}, Size: eighty})
		expect := func(want ...string) {
			t.Helper()
			want = append([]string{}, want...)
			time.Sleep(untilDrawn)
			s := termtest.Play(80, 24, out.String())
			got := append([]string{}, s.Lines()...)
			for i := range got {
				got[i] = strings.TrimLeft(got[i], strings.Join(spinner[:], ""))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the terminal (-want +got):\n%s", diff)
			}
			if s.CursorHidden || len(s.Unknown) > 0 {
				t.Errorf("the cursor is hidden: %v, unknown sequences: %q", s.CursorHidden, s.Unknown)
			}
		}
		expect()
		handle(t, l, begin()...)
		expect(" build   1s", "● 1 running  ○ 2 waiting  1s  ctrl-c stops")
		handle(t, l, output(1, "one"))
		expect("[build:1] one", " build   2s", "● 1 running  ○ 2 waiting  2s  ctrl-c stops")
		handle(t, l, exec.StepStarted{At: now(), Pipeline: "default", Step: "test"}, output(2, "two"))
		l.Note("drone: noted")
		expect("[build:1] one", "drone: noted", "[build:2] two",
			" build   3s", " test    1s", "● 2 running  ○ 1 waiting  3s  ctrl-c stops")
		handle(t, l,
			exec.StepFinished{At: now(), Pipeline: "default", Step: "build", Status: exec.StatusSuccess},
			exec.StepFinished{At: now(), Pipeline: "default", Step: "test", Status: exec.StatusSuccess})
		expect("[build:1] one", "drone: noted", "[build:2] two", "✔ 2  ○ 1 waiting  4s  ctrl-c stops")
		closeIt(t, l)
		expect("[build:1] one", "drone: noted", "[build:2] two")
		l.Note("drone: noted after the end")
		closeIt(t, l)
		expect("[build:1] one", "drone: noted", "[build:2] two", "drone: noted after the end")
	})
}

// TestLiveClosedEarly takes the board away while steps run, as after a panic.
func TestLiveClosedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &tape{}
		l := NewLive(out, Options{Size: eighty})
		handle(t, l, begin()...)
		handle(t, l, exec.StepStarted{At: now(), Pipeline: "default", Step: "test"}, output(1, "one"))
		time.Sleep(untilDrawn)
		handle(t, l, output(2, "two"))
		closeIt(t, l)
		if got, want := termtest.Play(80, 24, out.String()).String(), "[build:1] one\n[build:2] two"; got != want {
			t.Errorf("the terminal shows\n%s\nwant\n%s", got, want)
		}
	})
}

// TestLiveScrolls has more lines than the screen, and a board that grows and
// shrinks beneath them.
func TestLiveScrolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, want := &tape{}, []string(nil)
		l := NewLive(out, Options{Size: eighty})
		handle(t, l, begin()...)
		for i := range 200 {
			step := fmt.Sprintf("step %d", i/10)
			if i%10 < 5 {
				handle(t, l, exec.StepStarted{At: now(), Pipeline: "default", Step: fmt.Sprint(step, i%5)})
			} else {
				handle(t, l, exec.StepFinished{At: now(), Pipeline: "default", Step: fmt.Sprint(step, i%5), Status: exec.StatusSuccess})
			}
			text := strings.Repeat("x", i)
			handle(t, l, output(i+1, text))
			want = append(want, wrap(fmt.Sprintf("[build:%d] %s", i+1, text), 80)...)
			time.Sleep(time.Duration(i%4) * frameEvery)
		}
		closeIt(t, l)
		if diff := cmp.Diff(want, termtest.Play(80, 24, out.String()).Lines()); diff != "" {
			t.Errorf("the terminal (-want +got):\n%s", diff)
		}
	})
}

// wrap cuts a line as a terminal does.
func wrap(line string, width int) (rows []string) {
	for len(line) > width {
		rows, line = append(rows, line[:width]), line[width:]
	}
	return append(rows, strings.TrimRight(line, " "))
}

// TestLiveFollowsTheSize draws for another size as soon as the terminal has it.
func TestLiveFollowsTheSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &tape{}
		sizes := make(chan [2]int, 1)
		sizes <- [2]int{80, 24}
		l := NewLive(out, Options{Size: func() (int, int) {
			size := <-sizes
			sizes <- size
			return size[0], size[1]
		}})
		handle(t, l, begin()...)
		time.Sleep(untilDrawn)
		if text := termtest.Play(80, 24, out.String()).String(); !strings.Contains(text, "ctrl-c stops") {
			t.Errorf("80 columns have room for all, the terminal shows\n%s", text)
		}
		<-sizes
		sizes <- [2]int{14, 24}
		time.Sleep(untilDrawn)
		if text := termtest.Play(80, 24, out.String()).String(); !strings.Contains(text, "● 1  2s") || strings.Contains(text, "ctrl-c") {
			t.Errorf("14 columns have room for little, the terminal shows\n%s", text)
		}
		closeIt(t, l)
	})
}

// TestLiveSaysStopping also when nothing else happens.
func TestLiveSaysStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, stopping := &tape{}, make(chan struct{})
		l := NewLive(out, Options{Size: eighty, Stopping: stopping})
		handle(t, l, begin()...)
		time.Sleep(untilDrawn)
		close(stopping)
		time.Sleep(untilDrawn)
		if text := termtest.Play(80, 24, out.String()).String(); !strings.HasSuffix(text, "stopping") {
			t.Errorf("the terminal shows\n%s", text)
		}
		closeIt(t, l)
	})
}

// TestLiveSurvivesItsPacing has the goroutine panic that decides on frames:
// without it no line would be written any more.
func TestLiveSurvivesItsPacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, asked := &tape{}, 0
		l := NewLive(out, Options{Size: func() (int, int) {
			if asked++; asked > 3 {
				panic("no size")
			}
			return 80, 24
		}})
		handle(t, l, begin()...)
		for i := range 20 {
			handle(t, l, output(i+1, "line"))
			time.Sleep(untilDrawn)
		}
		closeIt(t, l)
		text := termtest.Play(80, 24, out.String()).String()
		if !strings.Contains(text, "warning: the live view has ended: internal error") || !strings.HasSuffix(text, "[build:20] line") {
			t.Errorf("the terminal shows\n%s", text)
		}
	})
}

// TestLiveSurvivesItsBoard shows that a defect of the board is told once and
// costs no line.
func TestLiveSurvivesItsBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &tape{}
		l := NewLive(out, Options{Size: eighty})
		l.draw = func(f frame, style report.Style) string {
			if f.board != nil && f.board.counts.running == 0 {
				panic("no step")
			}
			return view(f, style)
		}
		handle(t, l, begin()...)
		handle(t, l, output(1, "one"))
		time.Sleep(untilDrawn)
		handle(t, l, exec.StepFinished{At: now(), Pipeline: "default", Step: "build", Status: exec.StatusSuccess})
		time.Sleep(untilDrawn)
		handle(t, l, output(2, "two"))
		time.Sleep(untilDrawn)
		handle(t, l, output(3, "three"))
		closeIt(t, l)
		want := "[build:1] one\nwarning: the live view has ended: internal error: no step\n[build:2] two\n[build:3] three"
		if diff := cmp.Diff(want, termtest.Play(80, 24, out.String()).String()); diff != "" {
			t.Errorf("the terminal (-want +got):\n%s", diff)
		}
	})
}

// TestLiveSurvivesItsProgram shows that lines are written when there will be no
// frames any more, for whatever reason.
func TestLiveSurvivesItsProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &tape{}
		l := NewLive(out, Options{Size: eighty})
		handle(t, l, begin()...)
		handle(t, l, output(1, "one"))
		time.Sleep(untilDrawn)
		l.program.Kill()
		time.Sleep(untilDrawn)
		handle(t, l, output(2, strings.Repeat("x", 2*maxText)), output(3, "three"))
		closeIt(t, l)
		want := "[build:1] one\nwarning: the live view has ended: program was killed\n[build:2] " +
			strings.Repeat("x", 2*maxText) + "\n[build:3] three\n"
		if got := out.lines(); got != want {
			t.Errorf("%d bytes of lines, want %d, the same up to %d", len(got), len(want), common(got, want))
		}
	})
}

// TestLiveWithoutEvents writes nothing, and leaves the terminal alone.
func TestLiveWithoutEvents(t *testing.T) {
	out := &tape{}
	l := NewLive(out, Options{})
	closeIt(t, l)
	closeIt(t, l)
	if got := out.String(); got != "" {
		t.Errorf("%q was written", got)
	}
}

// TestLiveReturnsTheErrorOfTheTerminal at the latest when it is closed.
func TestLiveReturnsTheErrorOfTheTerminal(t *testing.T) {
	t.Run("much output", func(t *testing.T) {
		l := NewLive(broken{}, Options{Size: eighty})
		handled := error(nil)
		for _, e := range wholeRun() {
			if err := l.Handle(e); err != nil {
				handled = err
			}
		}
		if !errors.Is(handled, errGone) {
			t.Errorf("Handle: got %v, want %v", handled, errGone)
		}
		if err := l.Close(); !errors.Is(err, errGone) {
			t.Errorf("Close: got %v, want %v", err, errGone)
		}
	})
	t.Run("no line", func(t *testing.T) {
		l := NewLive(broken{}, Options{Size: eighty})
		_ = l.Handle(begin()[0])
		if err := l.Close(); !errors.Is(err, errGone) {
			t.Errorf("Close: got %v, want %v", err, errGone)
		}
	})
}

// stuck is a terminal that takes nothing until it is released, as one does
// after ctrl-s.
type stuck struct {
	io.Writer
	released chan struct{}
}

func (s stuck) Write(b []byte) (int, error) {
	<-s.released
	return s.Writer.Write(b)
}

// TestLiveOnAStuckTerminal holds back the run, but no note.
func TestLiveOnAStuckTerminal(t *testing.T) {
	out := &tape{}
	terminal := stuck{out, make(chan struct{})}
	l := NewLive(terminal, Options{Size: eighty})
	handle(t, l, begin()...)
	const lines = 5000
	handled := make(chan error, lines)
	go func() {
		defer close(handled)
		for i := range lines {
			handled <- l.Handle(output(i+1, strings.Repeat("x", 1000)))
		}
	}()
	for !l.screen.isFull() {
		time.Sleep(time.Millisecond)
	}
	if n := len(handled); n == lines {
		t.Errorf("%d lines were taken by a terminal that is stuck", n)
	}
	l.Note("noted") // would hang
	close(terminal.released)
	for err := range handled {
		if err != nil {
			t.Fatal(err)
		}
	}
	closeIt(t, l)
	got := out.lines()
	if n := strings.Count(got, "\n"); n != lines+1 || !strings.Contains(got, "\nnoted\n") {
		t.Errorf("%d lines came out, want %d and a note", n, lines)
	}
}

func (s *screen) isFull() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whole >= maxText
}
