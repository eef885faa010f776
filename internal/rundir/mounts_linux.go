package rundir

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// detach unmounts what is mounted at root or below. The error names what stays
// mounted: a removal would go through it.
func detach(root string) error {
	return detachBy(root, func(at string) error { return unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) })
}

func detachBy(root string, unmount func(at string) error) error {
	mounts, err := mountsBelow(root)
	if err != nil || len(mounts) == 0 {
		return err
	}
	var failed error
	// What was mounted last may lie on another one.
	for _, at := range slices.Backward(mounts) {
		failed = errors.Join(failed, unmount(at))
	}
	// An unmount may fail for a mount that went with another one: what counts
	// is what is left.
	if mounts, err = mountsBelow(root); err != nil || len(mounts) == 0 {
		return err
	}
	return fmt.Errorf("still mounted in it: %s: %w", strings.Join(mounts, ", "), cmp.Or(failed, error(unix.EBUSY)))
}

// mountsBelow lists where something is mounted at root or below, in the order
// in which it was mounted.
func mountsBelow(root string) ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("nobody knows what is mounted in it: %w", err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line) // the fifth is the place (proc_pid_mountinfo(5))
		if len(fields) < 5 {
			continue
		}
		if at := unescape(fields[4]); at == root || strings.HasPrefix(at, root+"/") {
			found = append(found, at)
		}
	}
	return found, nil
}

// unescape undoes what the kernel makes of blanks and backslashes: \040.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
