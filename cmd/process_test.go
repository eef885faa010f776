package cmd_test

import (
	"bytes"
	"testing"

	"github.com/drone-laptop/drone/cmd"
)

// TestMainInProcess calls the program as a function. All other tests run it as
// a process, and this one alone links its code into the test: otherwise `go
// test` would not see that they depend on it, and would repeat a result from
// before a change.
func TestMainInProcess(t *testing.T) {
	var out, err bytes.Buffer
	if status := cmd.Main([]string{"--version"}, cmd.Streams{Out: &out, Err: &err}, cmd.Build{Version: "v1.2.3"}); status != cmd.StatusOK || out.String() != "drone v1.2.3\n" {
		t.Errorf("status %d, output %q, errors %q", status, out.String(), err.String())
	}
}
