package format_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/format"
	"github.com/drone-laptop/drone/internal/testenv"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden formats each testdata/NAME.yml to testdata/NAME.golden.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := formatted(t, source)
			golden := strings.TrimSuffix(file, ".yml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
				t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
			}
			if again := formatted(t, got); !bytes.Equal(again, got) {
				t.Errorf("formatting again changes it:\n%s", cmp.Diff(string(got), string(again)))
			}
		})
	}
}

// formatted formats a text that can be formatted.
func formatted(t *testing.T, source []byte) []byte {
	t.Helper()
	result, err := format.Source("test.yml", source)
	if err != nil {
		t.Fatal(err)
	}
	return result.Text
}

func TestLineEnds(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"Windows", "a:   1\r\nb: |\r\n   x\r\n", "a: 1\r\nb: |\r\n  x\r\n"},
		{"mostly Windows", "a:   1\r\nb: 2\n# c\r\n", "a: 1\r\nb: 2\r\n# c\r\n"},
		{"mostly not", "a:   1\r\nb: 2\n# c\n", "a: 1\nb: 2\n# c\n"},
		{"byte order mark", "\ufeff  a:   1", "\ufeffa: 1\n"},
		{"no end of line", "a: 1", "a: 1\n"},
		{"blank lines at the end", "a: 1\n\n  \n", "a: 1\n"},
		{"a line end that would be part of the value", "a: |\n   b", "a: |\n  b"},
		{"one that is", "a: |+\n   b\n\n\n", "a: |+\n  b\n\n\n"},
		{"one that cannot be", "a: |-\n   b", "a: |-\n  b\n"},
		{"blanks are no line", "a: |\n   b\n ", "a: |\n  b\n"},
		{"a block that keeps line ends before a separator", "a: |+\n   b\n---\nb: 1\n", "a: |+\n  b\n---\nb: 1\n"},
		{"empty", "", ""},
		{"blank", "\n \n", ""},
		{"comments alone", "  # a\n\n\n# b", "# a\n\n# b\n"},
		{"a comment before the first separator", "# a\n---\nb: 1", "# a\n---\nb: 1\n"},
		{"text on a separator", "a: 1\n---  b  # c  \nd: 1\n", "a: 1\n\n---  b  # c\nd: 1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(formatted(t, []byte(test.source))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := string(formatted(t, []byte(test.want))); got != test.want {
				t.Errorf("formatting again gives %q, want %q", got, test.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"not YAML", "a: 1\nb: [1\n", "f.yml:2:4: the `[` is not closed with `]`, or a comma is missing in it"},
		{"not YAML in a later document", "a: 1\n---\na: b: c\n", "f.yml:3:"},
		{"not YAML beside an expression", "a: [${X}]\nb: 'c\n", "f.yml:2:"},
		{"not text", "a: \xff\n", "f.yml:1:4: the file is not UTF-8 text"},
		{"a list", "# c\n- a\n", "f.yml:2:1: a document must be a map"},
		{"text", "a: 1\n---\nhello\n", "f.yml:3:1: a document must be a map"},
		{"a key of its own", "a: 1\n? b\n: c\n", "f.yml:2:1: the key of a map begins with `? `"},
		{"a carriage return", "a: 1\nb: x\ry\n", "f.yml:2:5: a carriage return"},
		{"a line separator", "a: 1\nb: é\u2028y\n", "f.yml:2:5: the character U+2028 ends a line"},
		{"a mark within", "a: 1\n---\n\ufeffb: 1\n", "f.yml:3:1: a byte order mark"},
		{"an expression of several lines", "a:\n    - ${A:-b\n        c}\n", "f.yml:1: an expression ${…} reaches over several lines"},
		{"a separator at the margin", "  ...: 1\n", "f.yml:1: the file could not be formatted without changing it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := format.Source("f.yml", []byte(test.source))
			var wrong *format.Error
			if !errors.As(err, &wrong) {
				t.Fatalf("got %v, %v, want an *Error", result, err)
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %q, want %q", err, test.want)
			}
			if wrong.Hint == "" {
				t.Error("nothing says what to do")
			}
		})
	}
}

func TestStaleSignature(t *testing.T) {
	const signature = "---\nkind: signature\nhmac:   abc\n"
	for _, test := range []struct {
		name, source   string
		changed, stale bool
	}{
		{"nothing to do", "kind: pipeline\n\n---\nkind: signature\nhmac: abc\n", false, false},
		{"a signed line", "kind:   pipeline\n" + signature, true, true},
		{"signed without a blank line", "kind: pipeline\n---\nkind: signature\nhmac: abc\n\n...\n", false, false},
		{"signed without a blank line, elsewhere", "kind: pipeline\n---\nkind: secret\n---\nkind: signature\nhmac: abc\n", true, true},
		{"blank lines that are signed", "kind: pipeline\n\n \n---\nkind: signature\nhmac: abc\n", true, true},
		{"a blank line with a blank that is signed", "kind: pipeline\n  \n---\nkind: signature\nhmac: abc\n", true, true},
		{"only the signature", "kind: pipeline\n\n" + signature, true, false},
		{"the end of the file", "---\nkind: signature\nhmac: abc\n\n---\nkind: pipeline", true, false},
		{"no signature", "kind:   pipeline\n---\nkind: secret\nhmac: abc\n", true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := format.Source("f.yml", []byte(test.source))
			if err != nil {
				t.Fatal(err)
			}
			if result.Changed != test.changed || result.StaleSignature != test.stale {
				t.Errorf("got changed %t and stale %t for\n%s", result.Changed, result.StaleSignature, result.Text)
			}
		})
	}
}

// TestSize formats what could take more than its share of time or memory. The
// bound is generous: a loop in a loop takes minutes.
func TestSize(t *testing.T) {
	deep := strings.Repeat("- ", 9000)
	long := strings.Repeat("x\n", 50_000)
	tests := map[string]string{
		"many steps":                   string(largeFile(4000)),
		"a long line":                  `{"a": [` + strings.Repeat(`"b",{c: d},`, 20_000) + "e]}",
		"many expressions":             "a: " + strings.Repeat("${A} ${", 20_000),
		"lines in a deep place":        "a:\n" + deep + "\"" + long + "\"\n",
		"comments in a deep place":     "a:\n" + deep + "b\n" + strings.Repeat("# c\n", 50_000),
		"a deep flow collection":       "a: " + strings.Repeat("[", 9000) + "\n" + strings.Repeat("b,\n", 50_000) + strings.Repeat("]", 9000) + "\n",
		"deeper than a parser goes":    "a: " + strings.Repeat("[", 100_000),
		"aliases of aliases":           aliases(60),
		"a scalar of many blank lines": "a: |+\n  b\n" + strings.Repeat("\n", 1<<18),
	}
	for name, source := range tests {
		t.Run(name, func(t *testing.T) {
			var result *format.Result
			var err error
			testenv.Within(t, 20*time.Second, func() { result, err = format.Source("f.yml", []byte(source)) })
			if err == nil && len(result.Text) > 1<<20+20*len(source) {
				t.Errorf("%d bytes became %d", len(source), len(result.Text))
			}
		})
	}
}

// aliases is a document whose aliases expand to more than can be held.
func aliases(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	return b.String()
}

// TestDocumentation formats the example of docs/fmt.md, which has the two forms
// side by side.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile("../docs/fmt.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```text\n# before")
	gap, example, found := strings.Cut(example, "# after\n")
	example, _, closed := strings.Cut(example, "```")
	if !found || !closed {
		t.Fatal("the page has no example")
	}
	column := len("# before" + gap)
	var before, after strings.Builder
	for line := range strings.Lines(example) {
		line = strings.TrimSuffix(line, "\n")
		cut := min(column, len(line))
		before.WriteString(strings.TrimRight(line[:cut], " ") + "\n")
		after.WriteString(line[cut:] + "\n")
	}
	if diff := cmp.Diff(strings.TrimRight(after.String(), "\n")+"\n", string(formatted(t, []byte(before.String())))); diff != "" {
		t.Errorf("the example is not true (-page +formatted):\n%s", diff)
	}
}
