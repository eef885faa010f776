package snapshot

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// mayHaveHoles reports a file that takes less room than it has bytes.
func mayHaveHoles(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Blocks*512 < info.Size()
}

// nextData is where the next data of a file begins from at on, and where they
// end. There are none when they begin at size.
func nextData(file *os.File, at, size int64) (begin, end int64) {
	begin, err := file.Seek(at, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return size, size
	}
	if err != nil {
		return at, size // the file system does not know
	}
	end, err = file.Seek(begin, unix.SEEK_HOLE)
	if err != nil {
		end = size
	}
	return begin, min(end, size)
}
