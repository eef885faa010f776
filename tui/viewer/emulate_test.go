package viewer

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/tui/termtest"
)

func TestEmulate(t *testing.T) {
	for name, tc := range map[string]struct{ output, want string }{
		"text":                        {"hello", "hello"},
		"a bar":                       {"  1%\r 50%\r100%", "100%"},
		"a shorter text over a line":  {"abcdef\rxy", "xycdef"},
		"erased before":               {"abcdef\r\x1b[Kxy", "xy"},
		"erased whole":                {"abcdef\x1b[2K\rxy", "xy"},
		"erased to the left":          {"abcdef\x1b[3D\x1b[1Kx", "   xef"},
		"a newline of Windows":        {"abc\r", "abc"},
		"backspaces":                  {"abc\b\bx", "axc"},
		"more backspaces than text":   {"a\b\b\bx", "x"},
		"tabs":                        {"a\tb\t\tc", "a       b               c"},
		"colours":                     {"\x1b[31mred\x1b[0m and \x1b[38;5;200mpink\x1b[m", "red and pink"},
		"the cursor to a column":      {"abc\x1b[2Gx", "axc"},
		"the cursor to the right":     {"a\x1b[3Cb", "a   b"},
		"other sequences":             {"a\x1b[2J\x1b[H\x1b[5;5H\x1b[?25lb\x1b[6n", "ab"},
		"a title":                     {"a\x1b]0;a ✔ title\x07b\x1b]8;;http://x\x1b\\link", "ablink"},
		"a title without an end":      {"a\x1b]0;title", "a"},
		"C1 controls":                 {"a\u009b31mb\u0085c", "abc"},
		"a lone escape":               {"a\x1b", "a"},
		"bells":                       {"a\a\x00\x7fb", "ab"},
		"wide characters":             {"日本語\rx", "x 本語"},
		"half of a wide character":    {"日本\x1b[2Gx", " x本"},
		"a joined emoji":              {"👩‍👩‍👧!", "👩‍👩‍👧!"},
		"no text at all":              {"a\xff\xc3b", "a\ufffd\ufffdb"},
		"writing to the left":         {"a\u202eb", "a\ufffdb"},
		"a space that does not break": {"a\u00a0b", "a b"},
		"far to the right":            {"\x1b[999999999Cx", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := emulate(tc.output)
			if strings.TrimRight(got.text(), " ") != tc.want {
				t.Errorf("%q shows %q, want %q", tc.output, got.text(), tc.want)
			}
		})
	}
}

func TestEmulateKeepsStyles(t *testing.T) {
	got := emulate("\x1b[1;31ma\x1b[22;92;44mb\x1b[38;2;1;2;3;7mc\x1b[0;38;5;200md\x1b[39;49me")
	want := line{
		{"a", style{fg: palette(1), attr: bold}},
		{"b", style{fg: palette(10), bg: palette(4)}},
		{"c", style{fg: anyColour | 0x010203, bg: palette(4), attr: reverse}},
		{"d", style{fg: palette(200)}},
		{"e", style{}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(span{}, style{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var b strings.Builder
	got.paint(&b, true)
	if want := "\x1b[0;1;31ma\x1b[0;92;44mb\x1b[0;7;38;2;1;2;3;44mc\x1b[0;38;5;200md\x1b[0me"; b.String() != want {
		t.Errorf("painted %q, want %q", b.String(), want)
	}
}

// TestLongLines bounds what one line costs.
func TestLongLines(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 16<<20), strings.Repeat("日", 1<<20), strings.Repeat("\x1b[31mx", 1<<20)} {
		if n := emulate(text).width(); n > maxColumns {
			t.Errorf("%d columns are shown of a line of %d bytes", n, len(text))
		}
	}
}

// FuzzEmulate shows that whatever a step prints, nothing of it is obeyed by the
// terminal, and that it is cut and wrapped to every width.
func FuzzEmulate(f *testing.F) {
	for _, seed := range []string{"a\rb", "\x1b[31mx\x1b[K", "日本\b\bx", "👩‍👩‍👧\x1b[2D!", "\t\xff\u202e", "\x1b]0;x\x07y", "\u009b5Cx", "e\u0301\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := emulate(text)
		shown := l.text()
		if !utf8.ValidString(shown) || strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' }) {
			t.Fatalf("%q shows %q", text, shown)
		}
		if w := l.width(); w != ansi.StringWidth(shown) && len(l) == 1 {
			t.Errorf("%q is %d wide, and %d by another count", shown, w, ansi.StringWidth(shown))
		}
		for _, width := range []int{1, 2, 7, 40} {
			joined := ""
			for _, row := range l.rows(width) {
				if w := row.width(); w > width && w > 2 {
					t.Errorf("a row of %q is %d wide, more than %d", shown, w, width)
				}
				joined += row.text()
			}
			if joined != shown {
				t.Errorf("wrapped, %q is %q", shown, joined)
			}
			if cut := l.cut(0, width); cut.width() > width {
				t.Errorf("%q cut to %d is %q", shown, width, cut.text())
			}
			if got := l.fit(width, "…").width(); got != width {
				t.Errorf("%q made %d wide is %d wide", shown, width, got)
			}
		}
	})
}

// TestEmulateLikeATerminal compares with another terminal.
func TestEmulateLikeATerminal(t *testing.T) {
	for _, text := range []string{"abc\rx", "abcdef\r\x1b[Kx", "a\x1b[31mb\x1b[0mc\rX", "x"} {
		want := termtest.Play(80, 5, text).String()
		if got := strings.TrimRight(emulate(text).text(), " "); got != strings.TrimRight(want, " ") {
			t.Errorf("%q shows %q, and %q on a terminal", text, got, want)
		}
	}
}
