package host

import (
	"errors"
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
		if mounts, _ := mountsBelow(root); len(mounts) > 0 {
			t.Errorf("still mounted: %v", mounts)
		}
	})
	tr.close()
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("the file in a directory that was mounted: %v", err)
	}
}

// TestMountsThatStay: what cannot be unmounted is named, and in the way.
func TestMountsThatStay(t *testing.T) {
	err := detachBy("/proc", func(string) error { return unix.EPERM })
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "still mounted in it: /proc") {
		t.Errorf("error is %v", err)
	}
	if err := detachBy("/proc", func(string) error { return nil }); err == nil {
		t.Error("it is believed to be unmounted, but is not")
	}
	if err := detachBy("/pro", func(string) error { return unix.EPERM }); err != nil {
		t.Errorf("nothing is mounted there: %v", err)
	}
}

// TestMountsBelow tells what is mounted in a directory from what is beside it.
func TestMountsBelow(t *testing.T) {
	if mounts, err := mountsBelow("/pro"); err != nil || len(mounts) > 0 {
		t.Errorf("/pro: %v, error %v", mounts, err)
	}
	if mounts, err := mountsBelow("/proc"); err != nil || len(mounts) == 0 || mounts[0] != "/proc" {
		t.Errorf("/proc: %v, error %v", mounts, err)
	}
	if got := unescape(`a\040b\134c\09`); got != `a b\c\09` {
		t.Errorf("got %q", got)
	}
}
