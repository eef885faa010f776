//go:build unix

package host

import (
	"os"
	"slices"
	"syscall"
	"time"
)

// Kill kills what the steps of a run, whose program is gone, have left running,
// and returns how many processes that were, and the numbers of those that do not
// go. It leaves everything alone where this process itself is part of such a
// step. On systems other than Linux it finds nothing.
func Kill(run string) (killed int, left []int) {
	seen := map[int]bool{}
	for end := time.Now().Add(killTime); ; time.Sleep(lookEvery) {
		left = processesOf(run)
		if len(left) == 0 || slices.Contains(left, os.Getpid()) {
			return len(seen), nil
		}
		if time.Now().After(end) {
			return len(seen), left
		}
		for _, pid := range left {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				seen[pid] = true
			}
		}
	}
}
