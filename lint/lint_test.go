package lint_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

const source = "kind: pipeline\n\tstep: \"日本\" # wrong\r\nlong\x1b[31m: x\n"

// at returns the span of words in source.
func at(t *testing.T, words string) manifest.Span {
	t.Helper()
	offset := strings.Index(source, words)
	if offset < 0 {
		t.Fatalf("%q is not in the source", words)
	}
	pos := func(offset int) manifest.Pos {
		before := source[:offset]
		start := strings.LastIndex(before, "\n") + 1
		return manifest.Pos{
			File: "a.yml", Line: strings.Count(before, "\n") + 1,
			Column: len([]rune(before[start:])) + 1, Offset: offset,
		}
	}
	return manifest.Span{Start: pos(offset), End: pos(offset + len(words))}
}

func TestText(t *testing.T) {
	type testCase struct {
		finding manifest.Problem
		want    string
	}
	run := func(t *testing.T, tc testCase) {
		var out bytes.Buffer
		read := func(file string) []byte { return map[string][]byte{"a.yml": []byte(source)}[file] }
		if err := lint.Text(&out, []manifest.Problem{tc.finding}, read, lint.Painter{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, out.String()); diff != "" {
			t.Error(diff)
		}
	}
	t.Run("marker, related place and hint", func(t *testing.T) {
		run(t, testCase{
			manifest.Problem{
				Severity: manifest.Error, Rule: "some-rule", Span: at(t, "pipeline"), Message: "is wrong", Hint: "write it right",
				Related: []manifest.Related{{Span: at(t, "wrong"), Message: "as here"}},
			},
			"a.yml:1:7: error: is wrong [some-rule]\n" +
				"    1 | kind: pipeline\n" +
				"      |       ^~~~~~~~\n" +
				"  a.yml:2:15: as here\n" +
				"  hint: write it right\n",
		})
	})
	t.Run("after a tab and under wide characters", func(t *testing.T) {
		run(t, testCase{
			manifest.Problem{Severity: manifest.Warning, Span: at(t, "日本"), Message: "m"},
			"a.yml:2:9: warning: m\n" +
				"    2 | \tstep: \"日本\" # wrong\n" +
				"      | \t       ^~~~\n",
		})
	})
	t.Run("control characters are not printed", func(t *testing.T) {
		run(t, testCase{
			manifest.Problem{Severity: manifest.Error, Span: at(t, "long"), Message: "m"},
			"a.yml:3:1: error: m\n" +
				"    3 | long·[31m: x\n" +
				"      | ^~~~\n",
		})
	})
	t.Run("no place", func(t *testing.T) {
		run(t, testCase{
			manifest.Problem{Severity: manifest.Error, Span: manifest.Span{Start: manifest.Pos{File: "b.yml"}}, Message: "is empty"},
			"b.yml: error: is empty\n",
		})
	})
	t.Run("a file that is not at hand", func(t *testing.T) {
		p := at(t, "kind")
		p.Start.File = "b.yml"
		run(t, testCase{manifest.Problem{Severity: manifest.Error, Span: p, Message: "m"}, "b.yml:1:1: error: m\n"})
	})
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := lint.JSON(&out, nil); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "[]\n" {
		t.Errorf("no findings: got %q", got)
	}
	out.Reset()
	err := lint.JSON(&out, []manifest.Problem{{
		Severity: manifest.Error, Rule: "r", Span: at(t, "日本"), Message: "a <b>", Hint: "h", Pipeline: "p", Step: "s",
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `[
  {
    "file": "a.yml",
    "line": 2,
    "column": 9,
    "end_line": 2,
    "end_column": 11,
    "rule": "r",
    "severity": "error",
    "message": "a <b>",
    "detail": "h",
    "pipeline": "p",
    "step": "s",
    "fix": ""
  }
]
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSortAndCount(t *testing.T) {
	second, first := at(t, "wrong"), at(t, "kind")
	findings := []manifest.Problem{
		{Severity: manifest.Warning, Rule: "b", Span: second},
		{Severity: manifest.Error, Rule: "a", Span: second},
		{Severity: manifest.Error, Rule: "z", Span: first},
	}
	lint.Sort(findings)
	var got []string
	for _, f := range findings {
		got = append(got, f.Rule)
	}
	if diff := cmp.Diff([]string{"z", "a", "b"}, got); diff != "" {
		t.Error(diff)
	}
	third := manifest.Problem{Severity: manifest.Warning, Rule: "b", Span: first, Message: "again"}
	if kept, left := lint.Brief(append(findings, third)); left != 1 || len(kept) != 3 {
		t.Errorf("Brief kept %d and left %d, want 3 and 1", len(kept), left)
	}
	if errors, warnings, infos := lint.Count(append(findings, manifest.Problem{Severity: manifest.Info})); errors != 2 || warnings != 1 || infos != 1 {
		t.Errorf("got %d errors, %d warnings and %d others, want 2, 1 and 1", errors, warnings, infos)
	}
}
