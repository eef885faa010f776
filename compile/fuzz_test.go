package compile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// FuzzCompile looks for a panic, and for a plan that has no error but cannot
// be run as a graph.
func FuzzCompile(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds in testdata", err)
	}
	for _, file := range seeds {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source, true)
	}
	f.Add([]byte("kind: pipeline\nsteps: [~, {name: ${A:-b}}]\n---\nkind: pipeline\ndepends_on: [default]"), false)
	f.Fuzz(func(t *testing.T, source []byte, mounted bool) {
		opts := Options{Build: pushBuild(), Trusted: true}
		if mounted {
			opts.Workspace = "/w"
		}
		plan, problems, err := Compile("x.yml", source, opts)
		if err != nil {
			t.Fatalf("an error without a name to look for: %v", err)
		}
		if plan == nil {
			if !failed(problems) {
				t.Error("neither a plan nor an error")
			}
			return
		}
		if err := plan.Validate(); err != nil && !failed(problems) {
			t.Errorf("no error, but %v", err)
		}
		if failed(problems) {
			return
		}
		if _, err := exec.Run(t.Context(), plan, &fake.Engine{}, exec.Options{}, func(exec.Event) {}); err != nil {
			t.Errorf("no error, but a run says %v", err)
		}
	})
}
