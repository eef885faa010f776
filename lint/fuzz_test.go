package lint_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/testenv"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

// FuzzCheck looks at any bytes: every finding is of a known rule and lies in
// the text, and so does all it refers to and would change.
func FuzzCheck(f *testing.F) {
	for _, r := range lint.Rules() {
		f.Add([]byte(r.Bad))
		f.Add([]byte(r.Good))
	}
	files, err := filepath.Glob(filepath.Join("testdata", "rules", "*", "*.yml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		findings := check("fuzz.yml", string(source))
		for _, found := range findings {
			known(t, found)
			allInText(t, source, found)
			if found.Message == "" {
				t.Errorf("%s: no message", found.Rule)
			}
		}
		text(t, string(source), findings)
		lint.Apply(source, findings)
	})
}

// allInText holds the places of a finding to the text, with those of what it
// refers to and would change.
func allInText(t *testing.T, source []byte, found manifest.Problem) {
	t.Helper()
	inText(t, source, found.Rule, found.Span)
	for _, r := range found.Related {
		inText(t, source, found.Rule, r.Span)
	}
	if found.Fix != nil {
		inText(t, source, found.Rule, found.Fix.Span)
	}
}

// inText holds the places of a span to the text.
func inText(t *testing.T, source []byte, rule string, s manifest.Span) {
	t.Helper()
	if s.Start.Offset < 0 || s.Start.Offset > s.End.Offset || s.End.Offset > len(source) {
		t.Fatalf("%s: offsets %d to %d in a text of %d bytes", rule, s.Start.Offset, s.End.Offset, len(source))
	}
	for _, pos := range []manifest.Pos{s.Start, s.End} {
		if line := 1 + bytes.Count(source[:pos.Offset], []byte("\n")); pos.Line != line || pos.Column < 1 {
			t.Errorf("%s: %d:%d is not the place of offset %d, which is in line %d", rule, pos.Line, pos.Column, pos.Offset, line)
		}
	}
}

// TestLargeFiles looks at files that are made to take long or much memory. The
// bound says that the time grows with the size only.
func TestLargeFiles(t *testing.T) {
	const head = "kind: pipeline\nname: default\nsteps:\n- name: test\n  image: alpine:3\n  commands: [make]\n"
	steps := func(n int, format string) string {
		return "kind: pipeline\nname: default\nsteps:\n" + strings.Repeat(format, n)
	}
	tests := map[string]struct{ source, rule string }{
		"nested lists":      {head + "x: " + strings.Repeat("[", 100_000), "yaml-syntax"},
		"nested maps":       {head + "x: " + strings.Repeat("{a: ", 100_000), "yaml-syntax"},
		"nested, closed":    {head + "x: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + "\n", "unknown-key"},
		"nested dashes":     {head + "x:\n" + strings.Repeat("- ", 30_000) + "a\n", "yaml-syntax"},
		"deep indentation":  {head + "x:\n" + deep(1_000), "unknown-key"},
		"long line":         {head + "x: " + strings.Repeat("a", 1_000_000) + "\n", "long-line"},
		"long lines":        {head + strings.Repeat("# "+strings.Repeat("x", 70_000)+"\n", 100), "long-line"},
		"open quote":        {head + strings.Repeat("# comment\n", 100_000) + "x: \"\n" + strings.Repeat("a: b\n", 100_000), "yaml-syntax"},
		"error at the end":  {steps(10_000, "- {name: a, image: alpine, commands: [make]}\n") + "  x\n", "yaml-syntax"},
		"error at the top":  {"a: b: c\n" + steps(30_000, "- {name: a, image: alpine, commands: [make]}\n"), "yaml-syntax"},
		"unknown alias":     {steps(10_000, "- {name: a, image: alpine, commands: [make]}\n") + "x: *no\n", "yaml-alias"},
		"many unknown keys": {steps(5_000, "- {name: a, image: alpine, comands: [make], whatever: 1}\n"), "unknown-key"},
		"many duplicates":   {head + strings.Repeat("name: x\n", 5_000), "duplicate-key"},
		"many documents":    {strings.Repeat("---\nkind: pipeline\nname: a\nsteps: []\n", 3_000), "duplicate-pipeline"},
		"empty documents":   {head + strings.Repeat("---\n", 20_000), "empty-document"},
		"aliases":           {bomb(12), "yaml-alias"},
		"merges":            {head + merges(16), "yaml-alias"},
		"many wrong shapes": {steps(5_000, "- {name: a, image: [x], commands: make}\n"), "wrong-shape"},
		"many signatures":   {head + strings.Repeat("---\nkind: signature\nhmac: x\n", 5_000), "several-signatures"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			testenv.Within(t, 20*time.Second, func() {
				if found := check("large.yml", test.source); !has(found, test.rule) {
					t.Errorf("rule %s finds nothing", test.rule)
				}
			})
		})
	}
}

// deep is a map in a map, and so on.
func deep(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

// bomb has lists of aliases of lists of aliases.
func bomb(levels int) string {
	b := "kind: pipeline\nname: default\na: &a [x]\n"
	for i := range levels {
		b += string(rune('b'+i)) + ": &" + string(rune('b'+i)) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(rune('a'+i))+", ", 20), ", ") + "]\n"
	}
	return b
}

// merges has maps that each merge the one above many times.
func merges(levels int) string {
	b := "x-a: &a {name: x}\n"
	for i := range levels {
		c := string(rune('b' + i))
		b += "x-" + c + ": &" + c + " {<<: [" + strings.TrimSuffix(strings.Repeat("*"+string(rune('a'+i))+", ", 20), ", ") + "]}\n"
	}
	return b
}
