// Package testenv is for tests that need something which not every machine has,
// such as a container engine, a program, or a processor with nothing else to do.
//
// It says what happens without that, and on Linux makes places apart from the
// machine for what tests start. It installs nothing.
package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
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

// Within fails a test in which f takes longer than a bound three times in a row.
// It is for work that needs nothing but the processor, to show that it does not
// grow with the square of something: a machine that is busy with something else
// gets another chance, what is too slow does not need it.
func Within(t testing.TB, bound time.Duration, f func()) {
	t.Helper()
	var took time.Duration
	for range 3 {
		start := time.Now()
		f()
		if took = time.Since(start); took <= bound {
			return
		}
	}
	t.Errorf("it takes %v, and may take %v", took.Round(time.Millisecond), bound)
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
