package origin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/internal/origin"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

// told is a problem in one line.
func told(p manifest.Problem) string {
	text := fmt.Sprintf("%d %s %s", p.Span.Start.Line, p.Severity, p.Rule)
	for _, r := range p.Related {
		text += "; " + r.Message
	}
	return text
}

func has(t *testing.T, problems []manifest.Problem, want string) {
	t.Helper()
	var all []string
	for _, p := range problems {
		if told(p) == want {
			return
		}
		all = append(all, told(p))
	}
	t.Errorf("there is no %q among\n%s", want, strings.Join(all, "\n"))
}

func lacks(t *testing.T, problems []manifest.Problem, rule string) {
	t.Helper()
	for _, p := range problems {
		if p.Rule == rule {
			t.Errorf("there is %q", told(p))
		}
	}
}

func legacy(t *testing.T, source string) *convert.Converted {
	t.Helper()
	old, err := convert.Legacy(".drone.yml", []byte(source), convert.LegacyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return old
}

// TestInSource tells what is wrong in everything that one place makes once.
func TestInSource(t *testing.T) {
	at := manifest.Span{Start: manifest.Pos{File: ".drone.yml", Line: 2, Column: 1}}
	problems := []manifest.Problem{
		{Span: at, Rule: "a", Message: "x"}, {Span: at, Rule: "a", Message: "x"}, {Span: at, Rule: "a", Message: "x"}, {Span: at, Rule: "b", Message: "x"},
		{Rule: "file", Message: "y"}, {Rule: "file", Message: "y"},
	}
	got := origin.InSource(origin.Made(convert.Plain(".drone.yml", []byte("kind: pipeline\nname: a\n"))), problems)
	if len(got) != 4 {
		t.Errorf("there are %d problems", len(got))
	}
	has(t, got, "2  a; and in 2 other places of what it makes")
	has(t, got, "2  b")
	has(t, got, "0  file")
}

// TestLegacyFindings: the place is that of the old file, and the rule about old
// files has the level that is wanted.
func TestLegacyFindings(t *testing.T) {
	const v08 = "pipeline:\n  build:\n    image: golang:1.26\n    commands: [make]\n    when: {status: [failure]}\n"
	const v04 = "build:\n  image: golang\n  commands: [make]\n"
	for _, tc := range []struct {
		source string
		level  lint.Level
		want   string // "" is none
	}{
		{v08, "", "1 warning legacy"}, {v08, "error", "1 error legacy"}, {v08, "info", "1 info legacy"}, {v08, lint.Off, ""},
		{v04, "", "1 error legacy"}, {v04, "warning", "1 warning legacy"},
	} {
		found := origin.LegacyFindings(legacy(t, tc.source), ".drone.yml", []byte(tc.source), lint.Options{Levels: map[string]lint.Level{manifest.RuleLegacy: tc.level}})
		if tc.want == "" {
			lacks(t, found, manifest.RuleLegacy)
		} else {
			has(t, found, tc.want)
		}
		lacks(t, found, "never-together")
		for _, p := range found {
			if p.Span.Start.File != ".drone.yml" || p.Span.Start.Line > strings.Count(tc.source, "\n") {
				t.Errorf("%q is at %v", told(p), p.Span.Start)
			}
		}
	}
}

// TestFailedFindings tells the way to a mistake, and the level of its rule.
func TestFailedFindings(t *testing.T) {
	pos := func(line int) manifest.Pos { return manifest.Pos{File: "a.star", Line: line, Column: 1} }
	e := &convert.Error{Pos: pos(9), Message: "fail: no", Stack: []convert.Frame{{Pos: pos(4), Name: "step"}, {Pos: pos(2)}}}
	has(t, origin.FailedFindings(e, ""), "9 error program; from here, in step; from here")
	has(t, origin.FailedFindings(e, "warning"), "9 warning program; from here, in step; from here")
	if found := origin.FailedFindings(e, lint.Off); len(found) > 0 {
		t.Errorf("there is %q", told(found[0]))
	}
	deep := &convert.Error{Pos: pos(9), Message: "too deep"}
	for line := range 1000 {
		deep.Stack = append(deep.Stack, convert.Frame{Pos: pos(line + 10)})
	}
	found := origin.FailedFindings(deep, "")
	if n := len(found[0].Related); n > 100 || !strings.Contains(told(found[0]), " more") {
		t.Errorf("of 1000 places %d are told, %s", n, told(found[0]))
	}
}

// TestFailed: the texts of what has made nothing are those that are read.
func TestFailed(t *testing.T) {
	o := origin.Failed(func(file string) []byte { return []byte("text of " + file) })
	p := manifest.Problem{Message: "x"}
	if got := string(o.SourceOf("a.star")); got != "text of a.star" || o.Problem(p).Message != "x" || o.Notes() != nil || o.LeftOut() != nil {
		t.Errorf("the text is %q, the problem %v", got, o.Problem(p))
	}
}

func ExampleMadeFindings() {
	source := []byte("kind: pipeline\nname: a\nsteps:\n- name: test\n  image: golang:1.26\n  comands: [go test]\n")
	for _, p := range origin.MadeFindings(convert.Plain(".drone.yml", source), ".drone.yml", source, lint.Options{}) {
		if p.Severity == manifest.Error {
			fmt.Printf("%d: %s\n", p.Span.Start.Line, p.Message)
		}
	}
	// Output: 6: the key "comands" in step "test" is unknown and has no effect
}
