package rundir

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

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
