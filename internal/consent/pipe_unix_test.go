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
	must(t, s.Add("/tree", []byte("one")))
	must(t, os.Remove(s.file))
	must(t, syscall.Mkfifo(s.file, 0o600))
	if got, err := s.Has("/tree", []byte("one")); got || err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("got %v, error %v", got, err)
	}
}
