//go:build unix

package fake_test

import (
	"path/filepath"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/enginetest"
	"github.com/drone-laptop/drone/exec/fake"
)

func TestShellConformance(t *testing.T) {
	var shell fake.Shell
	enginetest.Run(t, enginetest.Config{
		Engine: func(*testing.T) exec.Engine { return &shell },
		Workspace: func(t *testing.T) string {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			return dir
		},
		Path:      ".",
		Leftovers: func(_ *testing.T, run string) []string { return shell.Leftovers(run) },
		Break:     func(p *exec.Pipeline) { p.Workspace.Host += "/missing" },
	})
}
