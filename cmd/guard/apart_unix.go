//go:build unix

package guard

import "syscall"

// apart puts the guard into a session of its own: what ends the terminal or the
// process group of the run does not reach it.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// rootOf is a directory that can always be left and unmounted.
func rootOf(string) string { return "/" }
