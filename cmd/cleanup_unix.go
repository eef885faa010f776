//go:build unix

package cmd

import (
	"os"

	"golang.org/x/sys/unix"
)

// endsWithAll reports whether the end of this process may be that of all others
// around it: it is the first one of its container, or belongs to the session of
// that, as what a container is started for does.
func endsWithAll() bool {
	if os.Getpid() == 1 {
		return true
	}
	own, err := unix.Getsid(0)
	first, failed := unix.Getsid(1)
	return err == nil && failed == nil && own == first
}
