//go:build unix

package docker

import "golang.org/x/sys/unix"

// full reports whether the file system of a directory has no room to speak of:
// less than 1 MiB, or no file more. It is false where that is not known.
func full(dir string) bool {
	var at unix.Statfs_t
	if err := unix.Statfs(dir, &at); err != nil {
		return false
	}
	const little = 1 << 20
	free := uint64(at.Bavail) * uint64(at.Bsize) // the types differ between systems
	return free < little || at.Files > 0 && at.Ffree == 0
}
