package report_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// onTerminal is what a terminal without colours gets of a line.
func onTerminal(t *testing.T, text string) string {
	t.Helper()
	return shown(t, report.Style{}.OnTerminal(true), line("s", 1, text))
}

// TestTerminalGetsOnlyText and colours: nothing that a step prints changes the
// state of the terminal.
func TestTerminalGetsOnlyText(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"a\tb größe 日本 👩\u200d💻 \ufffd":         "a\tb größe 日本 👩\u200d💻 \ufffd",
		"bad \xff\x9b\xc2 bytes":                "bad \xff\x9b\xc2 bytes",
		"\x1b[31mred":                           "\x1b[31mred\x1b[0m",
		"\x1b[1;38:2::1:2:3mx\x1b[m y":          "\x1b[1;38:2::1:2:3mx\x1b[m y\x1b[0m",
		"\x1b[?1049hx":                          "x", // the alternate screen
		"\x1b[2J\x1b[1;1Hx\x1b[K":               "x",
		"\x1b[>4;2mx\x1b[?4my\x1b[1 mz":         "xyz", // end with m, and are no colours
		"\x1b]0;a ✔ title\ax":                   "x",
		"\x1b]8;;http://a\x1b\\x\x1b]8;;\x1b\\": "x",
		"\x1bP1$r0m\x1b\\x\x1b_y\u009cz":        "xz",
		"\x1b]0;a\x1b[31mx":                     "\x1b[31mx\x1b[0m", // ended by the next one
		"\x1b]0;a\x18x":                         "x",
		"\x1bc\x1b7\x1b(0\x1b#8x\x1b=":          "x",
		"\u009b2Jx\u009d0;y\az\u0085":           "xz",
		"\u009b31mx":                            "x",
		"a\x00b\ac\bd\ve\ff\x0eg\x7fh":          "abcdefgh",
		"\x1b\x1b[2Jx\x1b\x1b":                  "x",
		"\x1bé":                                 "é",
		"\x1b[31\x00mx":                         "mx",
		"\xc2\x1b\x9b2Jx":                       "\xc22Jx", // not put together again
		// Cut off at the end of the line.
		"x\x1b":            "x",
		"x\x1b[":           "x",
		"x\x1b[3":          "x",
		"x\x1b[?25":        "x",
		"x\x1b[1 ":         "x",
		"x\x1b(":           "x",
		"x\x1b]0;title":    "x",
		"x\x1b]0;t\x1b":    "x",
		"x\u009b":          "x",
		"x\x1bP\u009b\xc2": "x",
	} {
		if got, want := onTerminal(t, text), "[s:1] "+want+"\n"; got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestTextWrittenOverALine stands behind the prefix of that line.
func TestTextWrittenOverALine(t *testing.T) {
	for text, want := range map[string]string{
		"10%\r20%\r":              "[s:1] 10%\r[s:1] 20%",
		"windows\r":               "[s:1] windows",
		"\r":                      "[s:1] ",
		"a\r\rb\r\r":              "[s:1] a\r[s:1] b",
		"\rx":                     "[s:1] \r[s:1] x",
		"a\x1b[?25l\r\x1b[1Gb":    "[s:1] a\r[s:1] b",
		"\x1b[31ma\rb":            "[s:1] \x1b[31ma\x1b[0m\r[s:1] b",
		"a\r\x1b[31mb\r":          "[s:1] a\r[s:1] \x1b[31mb\x1b[0m",
		"longer\r\x1b[Kb":         "[s:1] longer\r\x1b[K[s:1] b",
		"longer\x1b[2K\rb\rc":     "[s:1] longer\r\x1b[K[s:1] b\r[s:1] c",
		"a\x1b[Kb\rc":             "[s:1] ab\r[s:1] c",
		"remote: done\x1b[K":      "[s:1] remote: done",
		"remote: done\r\x1b[0K\r": "[s:1] remote: done",
	} {
		if got := onTerminal(t, text); got != want+"\n" {
			t.Errorf("%q became %q, want %q", text, got, want+"\n")
		}
	}
	const prefix = "\x1b[33m[s:1]\x1b[0m "
	got := shown(t, report.NewStyle(true), line("s", 1, "10%\r20%"))
	if want := prefix + "10%\r" + prefix + "20%\n"; got != want {
		t.Errorf("in colour: %q, want %q", got, want)
	}
}

// hostile is a line with something of everything.
const hostile = "\x1b[31mred\x1b[2J\x1b]0;title\a\x1bc\x00\u009b1K\r\x1b[?1049h"

// TestOnlyATerminalIsSpared shows that everything else gets each byte, also
// where it gets colours.
func TestOnlyATerminalIsSpared(t *testing.T) {
	type testCase struct {
		style report.Style
		whole bool
	}
	run := func(t *testing.T, tc testCase) {
		got := shown(t, tc.style, line("s", 1, hostile))
		if whole := strings.HasSuffix(got, " "+hostile+"\n"); whole != tc.whole {
			t.Errorf("byte by byte: %v, want %v: %q", whole, tc.whole, got)
		}
	}
	t.Run("a file", func(t *testing.T) { run(t, testCase{report.Style{}, true}) })
	t.Run("a file with colours", func(t *testing.T) { run(t, testCase{report.NewStyle(true).OnTerminal(false), true}) })
	t.Run("a terminal", func(t *testing.T) { run(t, testCase{report.NewStyle(true), false}) })
	t.Run("a terminal without colours", func(t *testing.T) { run(t, testCase{report.NewStyle(false).OnTerminal(true), false}) })
}

// TestSummarySparesTheTerminal when it repeats the lines of a failed step.
func TestSummarySparesTheTerminal(t *testing.T) {
	var s exec.Summary
	for _, e := range []exec.Event{
		exec.RunStarted{Pipelines: []string{"p"}},
		line("s", 1, "10%\r\x1b[31mred\x1b[2J\r"),
		exec.StepFinished{Pipeline: "p", Step: "s", Status: exec.StatusFailure, ExitCode: 1},
		exec.RunFinished{Status: exec.StatusFailure},
	} {
		s.Apply(e)
	}
	for terminal, want := range map[bool]string{true: "\n  \x1b[31mred\x1b[0m\n", false: "\n  10%\r\x1b[31mred\x1b[2J\n"} {
		var out bytes.Buffer
		if err := report.WriteSummary(&out, &s, report.SummaryOptions{Style: report.Style{}.OnTerminal(terminal)}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("on a terminal %v: %q lacks %q", terminal, out.String(), want)
		}
	}
}

// FuzzTerminal looks for a way around: whatever is printed, what is left beside
// colours is text.
func FuzzTerminal(f *testing.F) {
	f.Add("plain")
	f.Add(hostile)
	f.Add("\xc2\xc2\x1b\x9b2J")
	sgr := regexp.MustCompile("\x1b\\[[0-9;:]*m")
	overwritten := regexp.MustCompile("\r(\x1b\\[K)?\\[s:1\\] ")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "\n") {
			t.Skip("not within a line")
		}
		got, ok := strings.CutSuffix(onTerminal(t, text), "\n")
		if !ok {
			t.Fatalf("%q has no newline", got)
		}
		for _, part := range overwritten.Split(got, -1) {
			rest := sgr.ReplaceAllString(part, "")
			if strings.ContainsFunc(rest, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
				t.Errorf("%q became %q", text, got)
			}
			if rest != part && !strings.HasSuffix(part, "\x1b[0m") {
				t.Errorf("%q became %q, in which colours do not end", text, got)
			}
		}
		if utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) && got != "[s:1] "+text {
			t.Errorf("%q became %q, and needed no change", text, got)
		}
	})
}

// TestTamed: of text of several lines a terminal gets no more than of a line.
func TestTamed(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"a\n\tb\n":                       "a\n\tb\n",
		"a\x1b[2J\n\x1b]0;title\ab":      "a\nb",
		"\x1b[31mred\nplain\u009b2J\r\n": "\x1b[31mred\x1b[0m\nplain\n",
		"10%\r20%\nb":                    "20%\nb",
	} {
		if got := report.Tamed(text); got != want {
			t.Errorf("Tamed(%q) = %q, want %q", text, got, want)
		}
	}
}
