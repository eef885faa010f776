package vigil

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// rename gives the process a name of its own, so that `killall drone` ends runs
// and leaves them their guards. It is a kindness: nothing depends on it.
func rename() { _ = os.WriteFile("/proc/self/comm", []byte("drone-guard"), 0) }

// forget gives back the pages of the program that its start has touched, or that
// the kernel has put beside those. They are those of files to which nobody
// writes: what is needed again is read again. Nothing depends on it.
func forget() {
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, r := range unwritten(string(text)) {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, r.from, r.to-r.from, syscall.MADV_DONTNEED)
	}
}

type region struct{ from, to uintptr }

// unwritten finds the parts of memory that are as they are in a file, and stay
// so. What can only be read may have been written to before: the linker of a
// dynamic program does that.
//
//	00400000-00c3f000 r-xp 00000000 08:01 123   /usr/bin/drone
//	Size:               8444 kB
//	Anonymous:             0 kB
func unwritten(smaps string) (regions []region) {
	current, file := region{}, false
	for line := range strings.Lines(smaps) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 5 && !strings.HasSuffix(fields[0], ":"):
			first, last, _ := strings.Cut(fields[0], "-")
			from, err := strconv.ParseUint(first, 16, strconv.IntSize)
			to, failed := strconv.ParseUint(last, 16, strconv.IntSize)
			current = region{uintptr(from), uintptr(to)}
			file = err == nil && failed == nil && len(fields) >= 6 && strings.HasPrefix(fields[5], "/") && strings.HasPrefix(fields[1], "r-")
		case file && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0":
			regions = append(regions, current)
		}
	}
	return regions
}
