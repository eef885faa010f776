//go:build unix

package cmd

import (
	"os"

	"golang.org/x/sys/unix"
)

// foreground reports whether the terminal is this process's to read from. A
// program in the background that does is stopped, as one that was started with
// & in a shell. Where that cannot be told it counts as its own.
func foreground(terminal *os.File) bool {
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
