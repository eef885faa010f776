//go:build unix

package vigil

import "syscall"

// mostFiles is more than a caller ever hands down.
const mostFiles = 1024

// letGo closes the files that the caller of the run has handed down beside the
// standard ones: whoever waits for the other end of a pipe must not wait for the
// guard. They are those that are not closed by the start of a program; the Go
// runtime opens none of that kind.
func letGo() {
	for file := uintptr(3); file < mostFiles; file++ {
		flags, _, failed := syscall.Syscall(syscall.SYS_FCNTL, file, syscall.F_GETFD, 0)
		if failed == 0 && flags&syscall.FD_CLOEXEC == 0 {
			_ = syscall.Close(int(file))
		}
	}
}
