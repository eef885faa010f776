package termtest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/tui/termtest"
)

func TestPlay(t *testing.T) {
	type testCase struct {
		output  string
		lines   []string
		unknown []string
	}
	run := func(t *testing.T, tc testCase) {
		s := termtest.Play(6, 3, tc.output)
		if diff := cmp.Diff(tc.lines, s.Lines()); diff != "" {
			t.Errorf("lines of %q (-want +got):\n%s", tc.output, diff)
		}
		if diff := cmp.Diff(tc.unknown, s.Unknown); diff != "" {
			t.Errorf("unknown sequences of %q (-want +got):\n%s", tc.output, diff)
		}
	}
	for name, tc := range map[string]testCase{
		"lines":                  {"a\nb\r\n\n", []string{"a", "b"}, nil},
		"over again":             {"abc\rx", []string{"xbc"}, nil},
		"a full line":            {"abcdef\ng", []string{"abcdef", "g"}, nil},
		"a line that is longer":  {"abcdefg\nh", []string{"abcdef", "g", "h"}, nil},
		"wide characters":        {"日本語日\r\x1b[Ax", []string{"x本語", "日"}, nil},
		"a joined emoji":         {"a👩‍👩‍👧b", []string{"a👩‍👩‍👧b"}, nil},
		"colours":                {"\x1b[31ma\x1b[m", []string{"a"}, nil},
		"up stops at the top":    {"1\n2\n3\n4\n5\x1b[9A\rx", []string{"1", "2", "x", "4", "5"}, nil},
		"down stops at the end":  {"1\x1b[9Bx", []string{"1", "", " x"}, nil},
		"erase below":            {"11\n2\n3\x1b[2A\x1b[J", []string{"1"}, nil},
		"erase the line's rest":  {"123\n4\r\x1b[A\x1b[K", []string{"", "4"}, nil},
		"erase the line":         {"1\n234\x1b[2Kx", []string{"1", "   x"}, nil},
		"a question":             {"a\x1b[6nb", []string{"ab"}, []string{"\x1b[6n"}},
		"a question with a text": {"\x1b]11;?\x07b", []string{"b"}, []string{"\x1b]11;?\x07"}},
		"cut within a sequence":  {"a\x1b[3", []string{"a"}, nil},
	} {
		t.Run(name, func(t *testing.T) { run(t, tc) })
	}
}

func TestPlayKnowsTheCursor(t *testing.T) {
	for output, hidden := range map[string]bool{"": false, "\x1b[?25l": true, "\x1b[?25l\x1b[?25h": false} {
		if s := termtest.Play(6, 3, output); s.CursorHidden != hidden || len(s.Unknown) > 0 {
			t.Errorf("%q: hidden is %v, want %v; unknown: %q", output, s.CursorHidden, hidden, s.Unknown)
		}
	}
}

// TestPlayFull shows what a view of the whole screen needs.
func TestPlayFull(t *testing.T) {
	for name, tc := range map[string]struct{ output, want string }{
		"the screen before comes back": {"before\n\x1b[?1049h\x1b[2J\x1b[Hview\x1b[?1049lafter", "before\nafter"},
		"anywhere":                     {"\x1b[2;3Hx\x1b[Hy", "y\n  x"},
		"beyond the end":               {"\x1b[99;99Hx", "\n\n     x"},
		"erased":                       {"a\nb\x1b[2Jc", "\n c"},
	} {
		if got := termtest.PlayFull(6, 3, tc.output); got.String() != tc.want || len(got.Unknown) > 0 {
			t.Errorf("%s: got %q, want %q; unknown: %q", name, got.String(), tc.want, got.Unknown)
		}
	}
	s := termtest.PlayFull(6, 3, "\x1b[?1049h\x1b[?2004h\x1b[?2004l\x1b]52;c;aGk=\x07\x1b[6n")
	if diff := cmp.Diff(map[int]bool{termtest.AlternateScreen: true}, s.Modes); diff != "" || s.Copied != "hi" {
		t.Errorf("copied %q, modes (-want +got):\n%s", s.Copied, diff)
	}
	if diff := cmp.Diff([]string{"\x1b[6n"}, s.Unknown); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
}

// TestCells tells how characters look.
func TestCells(t *testing.T) {
	s := termtest.Play(9, 3, "a\x1b[1;31mb\x1b[22;92;44mc\x1b[7;4md\x1b[27;24;39;49me\x1b[2;38;5;100mf\x1b[m日")
	want := [][]termtest.Cell{{
		{Text: "a"}, {Text: "b", Look: termtest.Look{Bold: true, Foreground: 2}}, {Text: "c", Look: termtest.Look{Foreground: 11, Background: 5}},
		{Text: "d", Look: termtest.Look{Foreground: 11, Background: 5, Reverse: true, Underline: true}},
		{Text: "e"}, {Text: "f", Look: termtest.Look{Faint: true}}, {Text: "日"}, {},
	}}
	if diff := cmp.Diff(want, s.Cells()); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}
