//go:build unix

package cmd_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/client"
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

// awaitNothingLeft waits until an engine holds nothing of the runs in a directory.
func awaitNothingLeft(t *testing.T, engine *client.Client, dir string) {
	t.Helper()
	await(t, patience, "all of the runs in "+dir+" is removed", func() bool {
		left, err := leftovers(engine, dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(left) == 0
	})
}

// awaitFile waits until there is a file.
func awaitFile(t *testing.T, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	await(t, patience, "there is "+name, func() bool { _, err := os.Lstat(name); return err == nil })
}
