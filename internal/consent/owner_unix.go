//go:build unix

package consent

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFile opens a file to read it. It follows no link in place of the file, and
// does not wait for who writes to a pipe.
func openFile(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if info, failed := os.Lstat(name); err != nil && failed == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, refused(name, "it is a symbolic link")
	}
	return file, err
}

// exposed says why others than the user can change a file or directory, and
// what to do. It says nothing when they cannot.
func exposed(name string, info fs.FileInfo) (why, hint string) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Sprintf("it belongs to another user (%d)", stat.Uid), "move it away, or set XDG_STATE_HOME to a directory of your own"
	}
	if info.Mode().Perm()&0o022 == 0 {
		return "", ""
	}
	return fmt.Sprintf("others can write to it (mode %04o)", info.Mode().Perm()), fmt.Sprintf("look at what is in it, then `chmod go-w %s`", name)
}
