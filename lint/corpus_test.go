package lint_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

// corpusErrors are the real files in which there are errors, each with the
// rules that find them.
var corpusErrors = map[string]string{
	// They name pipelines that they do not have.
	"56": "unknown-pipeline", "83": "unknown-pipeline",
	// It asks for an event that there is not.
	"61": "unknown-event",
}

// TestCorpus looks at real files of other people: no error where a server sees
// none, and findings that are what they were.
func TestCorpus(t *testing.T) {
	folder, err := filepath.Abs(filepath.Join("..", "..", "shared", "corpus"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "[0-9]*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("there are no real files in %s", folder)
	}
	var got strings.Builder
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), "-")
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		opts := options()
		converted, err := convert.Run(context.Background(), file, source, convert.Options{Build: opts.Compile.Build})
		if err != nil {
			fmt.Fprintf(&got, "%s not converted\n", number)
			continue
		}
		// Only numbers and rules are kept: the text belongs to others.
		for _, f := range lint.Check(number, converted.Text, opts) {
			fmt.Fprintf(&got, "%s:%d %s %s\n", number, f.Span.Start.Line, f.Severity, f.Rule)
			if f.Severity == manifest.Error && !strings.Contains(corpusErrors[number], f.Rule) {
				t.Errorf("%s:%d: error: %s [%s]", number, f.Span.Start.Line, f.Message, f.Rule)
			}
			known(t, f)
			allInText(t, converted.Text, f)
		}
	}
	compareGolden(t, filepath.Join("testdata", "corpus.golden"), got.String())
}

func compareGolden(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
	}
}
