package tui

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/charmbracelet/x/ansi"
)

// tape keeps each write to a terminal.
type tape struct {
	mu     sync.Mutex
	writes [][]byte
}

func (t *tape) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes = append(t.writes, bytes.Clone(b))
	return len(b), nil
}

func (t *tape) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.Join(t.writes, nil))
}

// openingWritten is what a frame with an opening has before the lines.
var openingWritten = regexp.MustCompile(`^\r(\x1b\[[0-9]*A)?\x1b\[K(\x1b\[B\x1b\[J\x1b\[A)?`)

// lines returns the bytes that are not part of frames. Lines that were written
// by themselves must not begin with a carriage return, as all frames do.
func (t *tape) lines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []byte
	for _, w := range t.writes {
		if w[0] != '\r' {
			lines = append(lines, w...)
			continue
		}
		before := openingWritten.FindIndex(w)
		if end := bytes.LastIndex(w, []byte(ansi.ResetStyle)); before != nil && end >= 0 {
			lines = append(lines, w[before[1]:end]...)
		}
	}
	return string(lines)
}

// open is a frame that has lines written above it.
const open = opening + "BOARD\r"

// drawing draws frames on demand until the returned function is called.
func drawing(t *testing.T, s *screen) (stop func()) {
	t.Helper()
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-quit:
				return
			case <-s.changed:
			case <-s.full:
			}
			if s.ask() {
				if err := s.draw([]byte(open)); err != nil {
					t.Errorf("draw: %v", err)
				}
			}
		}
	}()
	return func() { close(quit); <-ended }
}

func mustWrite(t *testing.T, s *screen, text string) {
	t.Helper()
	n, err := s.Write([]byte(text))
	if n != len(text) || err != nil {
		t.Fatalf("wrote %d bytes of %d: %v", n, len(text), err)
	}
}

// TestScreenKeepsEveryByte writes text in pieces of any size while frames are
// drawn, and wants it back in order.
func TestScreenKeepsEveryByte(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	garbage := make([]byte, 1<<20)
	for i := range garbage {
		garbage[i] = byte(random.Uint32())
	}
	for name, text := range map[string]string{
		"nothing":          "",
		"a line":           "one\n",
		"no final newline": "one\ntwo",
		"empty lines":      "\n\n\n",
		"many lines":       strings.Repeat("a line of a usual length, more or less\n", 300_000),
		"a long line":      strings.Repeat("x", 5*maxText) + "\nshort\n",
		"a long last line": "short\n" + strings.Repeat("x", 5*maxText),
		"any bytes":        string(garbage),
		"frames as text":   strings.Repeat(open+"\x1b[m\n", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			out := &tape{}
			s := newScreen(out)
			s.attach()
			stop := drawing(t, s)
			for rest := text; rest != ""; {
				n := min(len(rest), 1+random.IntN(100_000))
				mustWrite(t, s, rest[:n])
				rest = rest[n:]
			}
			stop()
			s.detach()
			if got := out.lines(); got != text {
				t.Errorf("%d bytes were written, %d came out, the same up to %d", len(text), len(got), common(got, text))
			}
		})
	}
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// TestScreenFrames shows what reaches the terminal for each kind of frame.
func TestScreenFrames(t *testing.T) {
	type testCase struct{ lines, frame, want string }
	run := func(t *testing.T, tc testCase) {
		out := &tape{}
		s := newScreen(out)
		s.attach()
		mustWrite(t, s, tc.lines)
		if n, err := (frames{s}).Write([]byte(tc.frame)); n != len(tc.frame) || err != nil {
			t.Fatalf("wrote %d bytes of %d: %v", n, len(tc.frame), err)
		}
		if got := out.String(); got != tc.want {
			t.Errorf("got  %q\nwant %q", got, tc.want)
		}
	}
	for name, tc := range map[string]testCase{
		"lines wait for an opening":       {"one\n", "BOARD\r", "\rBOARD\r"},
		"lines stand above the board":     {"one\ntwo\n", open, "\r\x1b[Kone\ntwo\n\x1b[mBOARD\r"},
		"a board of three lines":          {"one\n", "\x1b[2A" + open, "\r\x1b[2A\x1b[K\x1b[B\x1b[J\x1b[Aone\n\x1b[mBOARD\r"},
		"a line without its end is kept":  {"one\ntw", open, "\r\x1b[Kone\n\x1b[mBOARD\r"},
		"the cursor is shown":             {"", ansi.ShowCursor, "\r" + ansi.ShowCursor},
		"the cursor is not hidden":        {"", ansi.HideCursor, ""},
		"the mouse is not asked for":      {"", ansi.SetAnyEventMouseMode, ""},
		"pasting is not changed":          {"", ansi.ResetBracketedPasteMode, ""},
		"erasing at the end is passed on": {"", ansi.EraseEntireLine, "\r" + ansi.EraseEntireLine},
	} {
		t.Run(name, func(t *testing.T) { run(t, tc) })
	}
}

// TestScreenAttachDetach shows that lines wait only while there are frames.
func TestScreenAttachDetach(t *testing.T) {
	out := &tape{}
	s := newScreen(out)
	expect := func(want string) {
		t.Helper()
		if got := out.String(); got != want {
			t.Fatalf("the terminal has %q, want %q", got, want)
		}
	}
	mustWrite(t, s, "before\nand ")
	expect("before\nand ")
	if s.ask() {
		t.Error("a frame is asked for while there are none")
	}
	s.attach()
	mustWrite(t, s, "while\nthe rest")
	s.note("noted\n")
	expect("before\nand ")
	if !s.ask() || s.ask() {
		t.Error("a frame is to be asked for once")
	}
	s.detach()
	expect("before\nand while\nnoted\nthe rest")
	mustWrite(t, s, " after\n")
	s.note("noted again\n")
	expect("before\nand while\nnoted\nthe rest after\nnoted again\n")
}

// full returns a screen to which nobody may write for now.
func full(t *testing.T, out *tape) *screen {
	t.Helper()
	s := newScreen(out)
	s.attach()
	mustWrite(t, s, strings.Repeat("x", maxText-1)+"\n")
	return s
}

// TestScreenHoldsBackWriters shows that who writes more than is kept waits, and
// what ends the waiting.
func TestScreenHoldsBackWriters(t *testing.T) {
	type testCase struct {
		release func(*screen)
		err     error
	}
	run := func(t *testing.T, tc testCase) {
		synctest.Test(t, func(t *testing.T) {
			s := full(t, &tape{})
			errs := make(chan error, 1)
			go func() {
				_, err := s.Write([]byte("more\n"))
				errs <- err
			}()
			synctest.Wait()
			select {
			case <-errs:
				t.Fatal("more was accepted than is kept")
			case <-s.full:
			default:
				t.Fatal("nobody was told that a writer waits")
			}
			tc.release(s)
			if err := <-errs; !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
		})
	}
	for name, tc := range map[string]testCase{
		"a frame":              {func(s *screen) { _ = s.draw([]byte(open)) }, nil},
		"the end":              {func(s *screen) { s.detach() }, nil},
		"a failure":            {func(s *screen) { s.out = broken{}; _ = s.draw([]byte("BOARD\r")) }, errGone},
		"a failure at the end": {func(s *screen) { s.out = broken{}; s.detach() }, errGone},
	} {
		t.Run(name, func(t *testing.T) { run(t, tc) })
	}
}

// TestScreenNoteDoesNotWait would hang if a note waited for room. It stands
// behind the lines that are whole.
func TestScreenNoteDoesNotWait(t *testing.T) {
	out := &tape{}
	s := full(t, out)
	s.note("noted\n")
	if err := s.draw([]byte(open)); err != nil {
		t.Fatal(err)
	}
	if got := out.lines(); !strings.HasSuffix(got, "x\nnoted\n") || len(got) != maxText+len("noted\n") {
		t.Errorf("%d bytes came out, the end is %q", len(got), got[max(0, len(got)-20):])
	}
}

var errGone = errors.New("the terminal is gone")

// broken is a terminal that is gone.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errGone }

// TestScreenKeepsTheFirstError shows that a failed write is told to whoever
// comes next, and that nothing is written after it.
func TestScreenKeepsTheFirstError(t *testing.T) {
	for name, fail := range map[string]func(*screen){
		"a frame":  func(s *screen) { s.attach(); _, _ = frames{s}.Write([]byte(open)) },
		"a line":   func(s *screen) { _, _ = s.Write([]byte("one\n")) },
		"a note":   func(s *screen) { s.note("one\n") },
		"the rest": func(s *screen) { s.attach(); _, _ = s.Write([]byte("one\n")); s.detach() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(broken{})
			fail(s)
			out := &tape{}
			s.out = out
			if _, err := s.Write([]byte("two\n")); !errors.Is(err, errGone) {
				t.Errorf("Write: got %v, want %v", err, errGone)
			}
			if _, err := (frames{s}).Write([]byte(open)); !errors.Is(err, errGone) {
				t.Errorf("a frame: got %v, want %v", err, errGone)
			}
			if err := s.failure(); !errors.Is(err, errGone) {
				t.Errorf("failure: got %v, want %v", err, errGone)
			}
			s.note("three\n")
			s.detach()
			if got := out.String(); got != "" {
				t.Errorf("after the error %q was written", got)
			}
		})
	}
}
