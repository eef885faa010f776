//go:build unix

package dirlock

import (
	"errors"
	"os"
	"syscall"
)

// Hold waits until no other process holds the lock of a directory, and holds it
// until release is called, or the process ends. Where a file system knows no
// locks it holds none: the last of two writers wins.
func Hold(dir string) (release func(), err error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil && !errors.Is(err, syscall.ENOLCK) && !errors.Is(err, errors.ErrUnsupported) {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil
}
