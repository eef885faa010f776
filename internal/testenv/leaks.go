package testenv

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// RunWithoutLeaks is the body of a TestMain: it runs the tests of a package, and
// fails when goroutines or, on Linux, descriptors are left that were not there
// before. What has ended its work has ten seconds to be gone. It returns what to
// exit with.
func RunWithoutLeaks(m *testing.M) int {
	files := descriptors()
	if code := m.Run(); code != 0 {
		return code
	}
	var left []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if left = leaks(files); len(left) == 0 {
			return 0
		}
	}
	fmt.Fprintf(os.Stderr, "FAIL: the tests have left:\n%s\n", strings.Join(left, "\n"))
	return 1
}

// leaks are the stacks of goroutines beside the calling one and those that the
// runtime keeps, and descriptors that are not among files.
func leaks(files []string) (left []string) {
	stacks := make([]byte, 1<<20)
	all := strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n")
	for _, stack := range all[1:] { // the first is the calling one
		if !strings.Contains(stack, "os/signal.signal_recv") {
			left = append(left, stack)
		}
	}
	for _, file := range descriptors() {
		if i := slices.Index(files, file); i >= 0 {
			files = slices.Delete(slices.Clone(files), i, i+1)
			continue
		}
		left = append(left, "a descriptor of "+file)
	}
	return left
}

// descriptors lists what the descriptors of this process lead to, but for those
// that the runtime keeps; none where that cannot be told.
func descriptors() (files []string) {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		// The one that the directory was read through is gone by now.
		target, err := os.Readlink(dir + "/" + e.Name())
		if err == nil && !strings.HasPrefix(target, "/proc/") && !strings.HasPrefix(target, "anon_inode:") {
			files = append(files, target)
		}
	}
	return files
}
