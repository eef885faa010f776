package compile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/manifest"
)

// TestCorpus plans real files of other people, which lie beside the project,
// for three events: only what really keeps them from running may be an error.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../../shared/corpus/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("the folder ../shared/corpus with real configuration files is absent")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { planCorpusFile(t, file) })
	}
}

func planCorpusFile(t *testing.T, file string) {
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, branch := range []string{"main", "master"} {
		for _, b := range []Build{pushBuild(), tagBuild(), pullBuild()} {
			if b.Branch != "" {
				b.Branch = branch
			}
			_, problems, err := Compile(filepath.Base(file), source, Options{Build: b, Workspace: "/w"})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				if p.Severity == manifest.Error && !expected(filepath.Base(file), p) {
					t.Errorf("%s: %s", b.Event, lines([]manifest.Problem{p})[0])
				}
			}
		}
	}
}

// expected knows the errors that the files really have.
func expected(file string, p manifest.Problem) bool {
	switch p.Rule {
	case "untrusted", manifest.RuleLegacy:
		return true
	case "no-pipeline":
		return strings.HasPrefix(file, "71-") || strings.HasPrefix(file, "72-")
	case "unknown-pipeline":
		return strings.HasPrefix(file, "56-")
	}
	return false
}
