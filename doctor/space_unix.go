//go:build linux || darwin

package doctor

import "syscall"

// freeSpace is how many bytes the user can still write where path is.
func freeSpace(path string) (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return 0, err
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
