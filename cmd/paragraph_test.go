package cmd

import (
	"strings"
	"testing"
)

func TestParagraph(t *testing.T) {
	for _, tc := range []struct {
		name, line, want string
		width            int
	}{
		{name: "fits", line: "  a short line", width: 20, want: "  a short line"},
		{name: "no terminal", line: "  a line that is somewhat longer", want: "  a line that is somewhat longer"},
		{name: "too narrow to help", line: "  a line that is longer", width: 8, want: "  a line that is longer"},
		{name: "between words", line: "  a line that is somewhat longer", width: 20, want: "  a line that is\n    somewhat longer"},
		{name: "several times", line: "one two three four five six seven", width: 12, want: "one two\n    three\n    four\n    five six\n    seven"},
		{name: "just so", line: "one two", width: 9, want: "one two"},
		{name: "at a space", line: "123456789 1", width: 9, want: "123456789\n    1"},
		{name: "a long word", line: "  " + strings.Repeat("x", 12), width: 10, want: "  xxxxxxxx\n    xxxx"},
		{name: "wide characters", line: "日本語日本語", width: 9, want: "日本語日\n    本語"},
		{name: "spaces stay", line: "echo  a    b", width: 10, want: "echo  a   \n    b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Streams{Columns: func() int { return tc.width }}
			if got := s.paragraph(tc.line); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
