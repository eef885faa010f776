package cmd

import (
	"bytes"
	"testing"

	"github.com/drone-laptop/drone/remote"
)

// TestForeignText prints a build whose message steers terminals. On one it must not.
func TestForeignText(t *testing.T) {
	build := &remote.Build{Number: 7, Message: "a \x1b]0;title\a\x1b[2Jb \u009b31mc \x1b[31mred\x1b[0m\nsecond"}
	print := func(terminal bool) string {
		var out bytes.Buffer
		s := Streams{Out: &out, OutTerminal: terminal}
		format, err := parseFormat(s, "\x1b[33m{{ .Number }}\x1b[0m {{ .Message }}")
		if err != nil {
			t.Fatal(err)
		}
		if err := writeFormat(s, format, build); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got, want := print(true), "\x1b[33m7\x1b[0m a b c \x1b[31mred\x1b[0m\x1b[0m\nsecond\n"; got != want {
		t.Errorf("a terminal gets %q, want %q", got, want)
	}
	if got, want := print(false), "\x1b[33m7\x1b[0m "+build.Message+"\n"; got != want {
		t.Errorf("a file gets %q, want %q", got, want)
	}
}
