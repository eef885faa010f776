// Package testenv is for tests that need something which not every machine has,
// such as a container engine or a program.
//
// It says what happens without that, and on Linux makes places apart from the
// machine for what tests start. It installs nothing.
package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Lack ends a test that cannot be made on this machine, with the reason. It is
// skipped aloud, but fails where CI is set: there everything is installed, and a
// test that is not made proves nothing.
func Lack(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skip("SKIPPED: " + fmt.Sprintf(format, args...))
}

// Missing says which of the programs is not in PATH first, as a sentence, "" when
// all are.
func Missing(programs ...string) string {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed"
		}
	}
	return ""
}
