//go:build unix

package cmd_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// await waits until something is done, and ends the test when it is not within
// limit. what completes "it has not happened that …".
func await(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("within %v it has not happened that %s", limit, what)
		}
	}
}

// awaitFile waits until there is a file.
func awaitFile(t *testing.T, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	await(t, patience, "there is "+name, func() bool { _, err := os.Lstat(name); return err == nil })
}
