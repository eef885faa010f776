package host

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// systemFindsStrays: processes are found that have left their session.
const systemFindsStrays = true

// processesWith lists the processes that have text in their environment or
// arguments, other than by the means of the engine.
func processesWith(t *testing.T, text string) []string {
	t.Helper()
	var found []string
	for _, name := range []string{"environ", "cmdline"} {
		files, err := filepath.Glob("/proc/[0-9]*/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			content, err := os.ReadFile(file)
			if err == nil && pid != os.Getpid() && bytes.Contains(content, []byte(text)) {
				found = append(found, filepath.Dir(file)+" "+text)
			}
		}
	}
	return found
}
