package consent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
	for name, spoil := range map[string]func(file string) error{
		"writable by others": func(file string) error { return os.Chmod(file, 0o666) },
		"no JSON":            func(file string) error { return os.WriteFile(file, []byte("{"), 0o600) },
		"another version":    func(file string) error { return os.WriteFile(file, []byte(`{"version": 2}`), 0o600) },
		"a link": func(file string) error {
			return errors.Join(os.Rename(file, file+"2"), os.Symlink(file+"2", file))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && name == "writable by others" {
				t.Skip("SKIPPED: Windows has no such modes")
			}
			s := In(t.TempDir())
			must(t, s.Add("/tree", []byte("one")))
			must(t, spoil(s.file))
			got, err := s.Has("/tree", []byte("one"))
			failed, ok := errors.AsType[*Error](err)
			if got || !ok || failed.Hint == "" || failed.File != s.file {
				t.Errorf("got %v, error %#v", got, err)
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
