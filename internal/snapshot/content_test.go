package snapshot

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// stopped is a context that is ended when it has been asked often enough.
type stopped struct {
	context.Context
	left int
	end  func()
}

func (s *stopped) Err() error {
	if s.left--; s.left < 0 {
		s.end()
	}
	return s.Context.Err()
}

// TestCopyFileEnds ends within a file, not only between two.
func TestCopyFileEnds(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	if err := os.WriteFile(from, bytes.Repeat([]byte("x"), 3*piece), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by the test")
	err := copyFile(&stopped{ctx, 2, func() { cancel(stop) }}, from, to)
	info, statErr := os.Stat(to)
	if !errors.Is(err, stop) || statErr != nil || info.Size() != 2*piece {
		t.Errorf("error %v, the copy is %v, %v", err, info, statErr)
	}
}
