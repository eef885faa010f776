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

// TestCopyEndsWithinAFile ends there, not only between two.
func TestCopyEndsWithinAFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "from"), bytes.Repeat([]byte("x"), 3*piece), 0o600); err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(filepath.Join(dir, "from"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(filepath.Join(dir, "to"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by the test")
	err = copyPieces(&stopped{ctx, 2, func() { cancel(stop) }}, to, from, 3*piece, false)
	info, statErr := to.Stat()
	if !errors.Is(err, stop) || statErr != nil || info.Size() != 2*piece {
		t.Errorf("error %v, the copy is %v, %v", err, info, statErr)
	}
}

// TestIsGit: what git would obey is not brought under a name that only looks
// like another one.
func TestIsGit(t *testing.T) {
	for name, want := range map[string]bool{
		".git": true, ".GIT": true, ".git.": true, ".git ..": true, ".git::$INDEX_ALLOCATION": true, "git~1": true, "GIT~1": true,
		".g\u200cit": true, "\ufeff.git": true,
		"git": false, ".gitignore": false, ".github": false, "git~10": false, "x.git": false, ".gi": false, "": false,
	} {
		if got := isGit(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
