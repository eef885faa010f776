package tui

import "testing"

func TestClean(t *testing.T) {
	for name, want := range map[string]string{
		"build":                    "build",
		"日本 👩‍👩‍👧 e\u0301":         "日本 👩‍👩‍👧 e\u0301",
		"\x1b[31mred\x1b[0m":       "red",
		"\x1b[2J\x1b[Hclear":       "clear",
		"\x1b]0;title\x07title":    "title",
		"two\nlines":               "two\ufffdlines",
		"back\rward\b":             "back\ufffdward\ufffd",
		"c1 \u009b31m":             "c1 \ufffd31m",
		"right \u202eto left":      "right \ufffdto left",
		"an unfinished \x1b]0;one": "an unfinished ",
	} {
		if got := clean(name); got != want {
			t.Errorf("clean(%q) = %q, want %q", name, got, want)
		}
	}
}
