package keystore_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/drone-laptop/drone/internal/keystore"
)

const key = "0123456789abcdefghijklmnopqrstuv"

// TestSystem is with the keyring of the system, which has a memory of its own
// here.
func TestSystem(t *testing.T) {
	keyring.MockInit()
	dir := t.TempDir()
	s := keystore.In(dir, keystore.System{})
	entry, why, err := s.Set("octo/hello", key, false)
	if err != nil || why != nil || entry.Place != keystore.InKeyring {
		t.Fatalf("set: %v, %v, %v", entry, why, err)
	}
	if holds(t, dir, key) {
		t.Error("a file has the key that is in the keyring")
	}
	if got, entry, err := s.Get("octo/hello"); got != key || err != nil || entry.Place != keystore.InKeyring {
		t.Errorf("get: %v, %v", entry, err)
	}
	if err := s.Remove("octo/hello"); err != nil {
		t.Error(err)
	}
	if _, err := (keystore.System{}).Get("octo/hello"); !errors.Is(err, keystore.ErrUnknown) {
		t.Errorf("the keyring still has it: %v", err)
	}
	if _, _, err := s.Get("octo/hello"); !errors.Is(err, keystore.ErrUnknown) {
		t.Errorf("get: %v", err)
	}
	if err := s.Remove("octo/hello"); !errors.Is(err, keystore.ErrUnknown) {
		t.Errorf("remove: %v", err)
	}
}

// TestNoKeyring keeps the key in a file where there is no keyring, and says so.
func TestNoKeyring(t *testing.T) {
	none := errors.New("no bus")
	keyring.MockInitWithError(none)
	dir := t.TempDir()
	s := keystore.In(dir, keystore.System{})
	entry, why, err := s.Set("octo/hello", key, false)
	if err != nil || !errors.Is(why, none) || entry.Place != keystore.InFile {
		t.Fatalf("set: %v, %v, %v", entry, why, err)
	}
	if info, err := os.Stat(entry.File); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if got, _, err := s.Get("octo/hello"); got != key || err != nil {
		t.Errorf("get: %v", err)
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(entry.File, 0o640); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.Get("octo/hello")
		if wrong, ok := errors.AsType[*keystore.Error](err); !ok || !strings.Contains(wrong.Error(), "others can read it") || strings.Contains(wrong.Error(), key) {
			t.Errorf("a key that others can read: %v", err)
		}
	}
	if list, err := s.List(); err != nil || len(list) != 1 {
		t.Errorf("a file that others can read is not listed: %v, %v", list, err)
	}
	if err := s.Remove("octo/hello"); err != nil {
		t.Error(err)
	}
	if holds(t, dir, key) {
		t.Error("a file still has the key")
	}
}

// TestKeyringIsGone is when a key was put into a keyring that is not there now,
// as in a session over ssh.
func TestKeyringIsGone(t *testing.T) {
	keyring.MockInit()
	dir := t.TempDir()
	if _, _, err := keystore.In(dir, keystore.System{}).Set("octo/hello", key, false); err != nil {
		t.Fatal(err)
	}
	s := keystore.In(dir, nil)
	if _, entry, err := s.Get("octo/hello"); err == nil || errors.Is(err, keystore.ErrUnknown) || entry.Place != keystore.InKeyring {
		t.Errorf("get: %v, %v", entry, err)
	}
	if err := s.Remove("octo/hello"); err == nil || !s.Has("octo/hello") {
		t.Errorf("the entry was removed without the key: %v", err)
	}
	entry, why, err := s.Set("octo/world", key, false)
	if entry.Place != keystore.InFile || why == nil || err != nil {
		t.Errorf("set: %v, %v, %v", entry, why, err)
	}
}

func TestList(t *testing.T) {
	keyring.MockInit()
	dir := t.TempDir()
	s := keystore.In(dir, keystore.System{})
	if list, err := s.List(); len(list) > 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	for _, repository := range []string{"octo/world", "octo/hello", "group/sub group/x"} {
		if _, _, err := s.Set(repository, key, repository == "octo/world"); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "drone", "keys", "x.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := s.List()
	if err == nil || !strings.Contains(err.Error(), "x.json") {
		t.Errorf("a wrong file: %v", err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Repository+" "+string(e.Place))
	}
	if want := []string{"group/sub group/x keyring", "octo/hello keyring", "octo/world file"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

// holds reports whether a file below dir has a text.
func holds(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found = found || strings.Contains(string(content), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
