//go:build unix

package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestHiddenPrompt: a value that is asked for is not shown, and whatever ends
// the question leaves the terminal as it was.
func TestHiddenPrompt(t *testing.T) {
	t.Parallel()
	const question, value = "Value of the secret (not shown): ", "hunter2 pässwörd"
	start := func(t *testing.T, dir string) *session {
		if err := os.WriteFile(filepath.Join(dir, "key"), []byte("0123456789abcdefghijklmnopqrstuv"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := inTerminal(t, dir, "exec drone encrypt --key-file key --name token >doc")
		s.until(strings.TrimSpace(question))
		return s
	}
	t.Run("answered", func(t *testing.T) {
		dir := t.TempDir()
		s := start(t, dir)
		s.press("x\x7f" + value + "\r")
		s.end(0)
		if got := s.bytes(); strings.Contains(got, "hunter") || strings.TrimSpace(got) != strings.TrimSpace(question) {
			t.Errorf("the terminal shows %q", got)
		}
		c := exec.Command(filepath.Join(binary, "drone"), "decrypt", "--key-file", "key", "--name", "token", "doc")
		c.Dir = dir
		if got, err := c.Output(); err != nil || string(got) != value {
			t.Errorf("encrypted as %q, %v", got, err)
		}
	})
	for name, end := range map[string]struct {
		do     func(*session)
		status int
	}{
		"ctrl-C":   {func(s *session) { s.press("hunt\x03") }, 130},
		"ctrl-D":   {func(s *session) { s.press("\x04") }, 130},
		"SIGTERM":  {func(s *session) { _ = s.command.Process.Signal(syscall.SIGTERM) }, 143},
		"nothing":  {func(s *session) { s.press("\r") }, 2},
		"too long": {func(s *session) { s.press(strings.Repeat("hunter22", 520) + "\r") }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := start(t, dir)
			end.do(s)
			s.end(end.status)
			if strings.Contains(s.bytes(), "hunt") {
				t.Errorf("the terminal shows %q", s.bytes())
			}
			if doc, err := os.ReadFile(filepath.Join(dir, "doc")); err != nil || len(doc) > 0 {
				t.Errorf("printed %q, %v", doc, err)
			}
		})
	}
	t.Run("of a key", func(t *testing.T) {
		s := inTerminal(t, t.TempDir(), "exec drone key set --file octo/hello")
		s.until("Key of octo/hello (not shown):")
		s.press("0123456789abcdefghijklmno\x03")
		s.end(130)
		if strings.Contains(s.bytes(), "0123") {
			t.Errorf("the terminal shows %q", s.bytes())
		}
	})
}
