package snapshot

import (
	"io/fs"
	"syscall"
)

// changeTime is when anything of a file was changed last, and inode which file
// it is; steps can set neither.
func changeTime(info fs.FileInfo) (nanoseconds int64, inode uint64) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return stat.Ctimespec.Nano(), stat.Ino
}
