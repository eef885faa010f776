package host

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/drone-laptop/drone/exec"
)

// TestRemovalOfMounts has a step mount directories that are not its own.
func TestRemovalOfMounts(t *testing.T) {
	precious := t.TempDir()
	kept := filepath.Join(precious, "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	probe := t.TempDir()
	if err := unix.Mount(precious, probe, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("SKIPPED: nothing can be mounted here, so the removal of mounts is not tested: %v", err)
	}
	if err := unix.Unmount(probe, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := osexec.LookPath("mount"); err != nil {
		t.Skip("SKIPPED: no mount on this machine, so the removal of mounts is not tested")
	}
	tr := open(t, &exec.Pipeline{}, nil)
	tr.do(map[string]string{"PRECIOUS": precious},
		`mkdir -p m/n 'with blank' '"' link`,
		`mount --bind "$PRECIOUS" m/n && mount --bind "$PRECIOUS" m/n`, // twice at one place
		`mount --bind "$PRECIOUS" 'with blank' && mount --bind m '"' && mount --bind "$PRECIOUS" '"/n'`,
	)
	root := tr.root()
	t.Cleanup(func() {
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil || strings.Contains(string(mounts), root) {
			t.Errorf("still mounted, or error %v:\n%s", err, mounts)
		}
	})
	tr.close()
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("the file in a directory that was mounted: %v", err)
	}
}
