package docker

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/drone-laptop/drone/exec"
)

// TestWorkspaceFull has a workspace on a disk of its own.
func TestWorkspaceFull(t *testing.T) {
	e := newEngine(t)
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root may mount a small disk")
	}
	// Above the mount is a directory that both this process and the engine
	// know, and below it the workspace.
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(disk, "src")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tr := open(t, e, func(p *exec.Pipeline) { p.Workspace.Host = dir })
	out, exit, err := tr.do(t.Context(), commands("df . | tail -n 1; dd if=/dev/zero of=big bs=1M count=100"), nil)
	if err == nil && !strings.HasPrefix(out, "tmpfs") {
		t.Skip("SKIPPED: the engine does not see what is mounted here")
	}
	if err != nil || exit.Code != 1 || exit.Hint != "the disk of the workspace "+dir+" is full" {
		t.Errorf("got %+v, %v, output %q", exit, err, out)
	}
	// A step that fails for another reason while there is room says nothing.
	if err := os.Remove(filepath.Join(dir, "big")); err != nil {
		t.Fatal(err)
	}
	if _, exit, err := tr.do(t.Context(), commands("exit 1"), nil); err != nil || exit.Hint != "" || exit.Reason != "" {
		t.Errorf("got %+v, %v", exit, err)
	}
}
