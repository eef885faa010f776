package manifest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// variables are what the fixtures are substituted with.
func variables(name string) (string, bool) {
	v, ok := map[string]string{
		"TAG": "v1", "EMPTY": "", "COLON": "a: b: c", "MULTI": "x\ny", "SECRET": "hunter2",
	}[name]
	return v, ok
}

// TestProblems compares all problems of each testdata/problems/*.yml with the
// golden file beside it.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := Parse(filepath.Base(path), source, variables)
			got := formatProblems(problems)
			if strings.Contains(got, "hunter2") && !strings.Contains(string(source), "hunter2") {
				t.Error("a problem shows the value of a variable")
			}
			golden := strings.TrimSuffix(path, ".yml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
		})
	}
}

func formatProblems(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s %s [%s]", formatSpan(p.Span), p.Severity, p.Rule)
		if p.Pipeline != "" {
			fmt.Fprintf(&b, " pipeline=%q", p.Pipeline)
		}
		if p.Step != "" {
			fmt.Fprintf(&b, " step=%q", p.Step)
		}
		fmt.Fprintf(&b, "\n\t%s\n", p.Message)
		if p.Hint != "" {
			fmt.Fprintf(&b, "\thint: %s\n", p.Hint)
		}
		for _, r := range p.Related {
			fmt.Fprintf(&b, "\t%s %s\n", formatSpan(r.Span), r.Message)
		}
	}
	return b.String()
}

func formatSpan(s Span) string {
	return fmt.Sprintf("%d:%d-%d:%d", s.Start.Line, s.Start.Column, s.End.Line, s.End.Column)
}
