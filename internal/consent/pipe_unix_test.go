//go:build unix

package consent

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestPipe: nobody is waited for who might write to a pipe.
func TestPipe(t *testing.T) {
	s := In(t.TempDir())
	must(t, s.agree("/tree", "one"))
	must(t, os.Remove(s.file))
	must(t, syscall.Mkfifo(s.file, 0o600))
	if missing, err := s.Missing("/tree", []Answer{Commands("", []byte("one"))}); len(missing) == 0 || err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("missing %v, error %v", missing, err)
	}
}
