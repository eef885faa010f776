//go:build linux || darwin

package owner

import (
	"errors"
	"syscall"
)

func lookUp(pid int) (existence, string) {
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return absent, ""
	}
	start, dead := startOf(pid)
	switch {
	case dead:
		return absent, ""
	case start == "":
		return hidden, ""
	}
	return present, start
}
