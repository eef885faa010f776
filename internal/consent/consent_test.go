package consent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s Store) expect(t *testing.T, tree, text string, want bool) {
	t.Helper()
	got, err := s.Has(tree, []byte(text))
	if got != want || err != nil {
		t.Errorf("%s, %q: got %v, error %v; want %v", tree, text, got, err, want)
	}
}

func TestStore(t *testing.T) {
	dir := t.TempDir()
	s := In(filepath.Join(dir, "state"))
	s.expect(t, "/tree", "one", false)
	must(t, s.Add("/tree", []byte("one")))
	must(t, s.Add("/tree", []byte("two")))
	// Another process reads what this one wrote.
	s = In(filepath.Join(dir, "state"))
	s.expect(t, "/tree", "one", true)
	s.expect(t, "/tree", "two", true)
	s.expect(t, "/tree", "one ", false)
	s.expect(t, "/other", "one", false)
	info, err := os.Stat(filepath.Join(dir, "state", "drone", "consent.json"))
	must(t, err)
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v", info.Mode())
	}
	left, err := os.ReadDir(filepath.Join(dir, "state", "drone"))
	must(t, err)
	if len(left) != 1 {
		t.Errorf("there is more than the file: %v", left)
	}
}

func TestStoreForgetsTheOldest(t *testing.T) {
	s := In(t.TempDir())
	for i := range most {
		must(t, s.Add("/tree", []byte(fmt.Sprint(i))))
	}
	must(t, s.Add("/tree", []byte("0"))) // used again, so not the oldest any more
	must(t, s.Add("/tree", []byte("new")))
	s.expect(t, "/tree", "0", true)
	s.expect(t, "/tree", "1", false)
	s.expect(t, "/tree", "2", true)
}

func TestStoreThatCannotBeTrusted(t *testing.T) {
	type testCase struct {
		spoil func(file string) error
		unix  bool   // elsewhere there is no such thing
		says  string // a part of the error
		dir   bool   // it is about the directory
	}
	for name, tc := range map[string]testCase{
		"writable by others":          {spoil: func(file string) error { return os.Chmod(file, 0o606) }, unix: true, says: "mode 0606"},
		"writable by the group":       {spoil: func(file string) error { return os.Chmod(file, 0o620) }, unix: true, says: "mode 0620"},
		"of another user":             {spoil: give, unix: true, says: "another user (4711)"},
		"a directory for all":         {spoil: func(file string) error { return os.Chmod(filepath.Dir(file), 0o777) }, unix: true, says: "mode 0777", dir: true},
		"a directory of another user": {spoil: func(file string) error { return give(filepath.Dir(file)) }, unix: true, says: "another user (4711)", dir: true},
		"no JSON":                     {spoil: func(file string) error { return os.WriteFile(file, []byte("{"), 0o600) }, says: "not a list"},
		"another version":             {spoil: func(file string) error { return os.WriteFile(file, []byte(`{"version": 2}`), 0o600) }, says: "not a list"},
		"a directory":                 {spoil: func(file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) }, unix: true, says: "no regular file"},
		"a link": {spoil: func(file string) error {
			return errors.Join(os.Rename(file, file+"2"), os.Symlink(file+"2", file))
		}, says: "a symbolic link"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.unix && runtime.GOOS == "windows" {
				t.Skip("SKIPPED: not so on Windows")
			}
			s := In(t.TempDir())
			must(t, s.Add("/tree", []byte("one")))
			if err := tc.spoil(s.file); errors.Is(err, fs.ErrPermission) {
				t.Skip("SKIPPED: only root can give a file away, so its owner is not tested")
			} else if err != nil {
				t.Fatal(err)
			}
			want := s.file
			if tc.dir {
				want = filepath.Dir(s.file)
			}
			got, err := s.Has("/tree", []byte("one"))
			failed, ok := errors.AsType[*Error](err)
			if got || !ok || failed.Hint == "" || failed.File != want || !strings.Contains(failed.Error(), tc.says) {
				t.Errorf("got %v, error %v; want %q of %s", got, err, tc.says, want)
			}
			before, _ := os.ReadFile(s.file)
			if err := s.Add("/tree", []byte("two")); err == nil {
				t.Error("it was written to")
			}
			if after, _ := os.ReadFile(s.file); string(after) != string(before) {
				t.Errorf("it was changed to %q", after)
			}
		})
	}
}

// give gives a file to a user who owns nothing else.
func give(file string) error { return os.Chown(file, 4711, -1) }

// TestStoreInADirectoryForAll: nothing is remembered where others can put a file
// of theirs, even when there is none yet.
func TestStoreInADirectoryForAll(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows has no such modes")
	}
	s := In(t.TempDir())
	dir := filepath.Dir(s.file)
	must(t, errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)))
	s.expect(t, "/tree", "one", false)
	if err := s.Add("/tree", []byte("one")); err == nil {
		t.Error("it was written to")
	}
}
