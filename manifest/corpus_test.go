package manifest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCorpus reads real files of other people. Only those for Drone 0.4 and
// 0.8 may have an Error.
func TestCorpus(t *testing.T) {
	folder := filepath.Join("..", "..", "shared", "corpus")
	files, err := filepath.Glob(filepath.Join(folder, "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no corpus in %s: real files are not checked", folder)
	}
	legacy := []string{"01", "43", "02", "09", "13", "15", "17", "53", "67", "78", "79"}
	lookup := func(name string) (string, bool) { return "v1", strings.HasPrefix(name, "DRONE_") }
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			number, _, _ := strings.Cut(name, "-")
			old := slices.Contains(legacy, number)
			for _, l := range []Lookup{nil, lookup} {
				file, problems := Parse(name, source, l)
				checkCorpusFile(t, file, problems, old)
			}
		})
	}
}

func checkCorpusFile(t *testing.T, file *File, problems []Problem, old bool) {
	t.Helper()
	errors := 0
	for _, p := range problems {
		t.Logf("%s:%d:%d: %s: %s [%s] %s", p.Span.Start.File, p.Span.Start.Line, p.Span.Start.Column, p.Severity, p.Message, p.Rule, p.Hint)
		if p.Severity != Error {
			continue
		}
		errors++
		if p.Rule != RuleLegacy {
			t.Errorf("unexpected error: %s", p.Message)
		}
	}
	if old && errors != 1 {
		t.Errorf("%d errors in a legacy file, want one", errors)
	}
	if !old && len(file.Documents) == 0 {
		t.Error("no documents")
	}
}
