package consent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s Store) expect(t *testing.T, tree, text string, want bool) {
	t.Helper()
	missing, err := s.Missing(tree, []Answer{Commands("x.yml", []byte(text))})
	if got := len(missing) == 0; got != want || err != nil {
		t.Errorf("%s, %q: got %v, error %v; want %v", tree, text, got, err, want)
	}
}

// agree remembers the commands of a text.
func (s Store) agree(tree, text string) error {
	return s.Add(tree, []Answer{Commands("x.yml", []byte(text))}, time.Unix(1e9, 5))
}

func TestStore(t *testing.T) {
	dir := t.TempDir()
	s := In(filepath.Join(dir, "state"))
	s.expect(t, "/tree", "one", false)
	must(t, s.agree("/tree", "one"))
	must(t, s.agree("/tree", "two"))
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
	for i := range mostTexts {
		must(t, s.agree("/tree", fmt.Sprint(i)))
	}
	must(t, s.agree("/tree", "0")) // used again, so not the oldest any more
	must(t, s.agree("/tree", "new"))
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
		"another version":             {spoil: func(file string) error { return os.WriteFile(file, []byte(`{"version": 3}`), 0o600) }, says: "not a list"},
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
			must(t, s.agree("/tree", "one"))
			if err := tc.spoil(s.file); errors.Is(err, fs.ErrPermission) {
				t.Skip("SKIPPED: only root can give a file away, so its owner is not tested")
			} else if err != nil {
				t.Fatal(err)
			}
			want := s.file
			if tc.dir {
				want = filepath.Dir(s.file)
			}
			missing, err := s.Missing("/tree", []Answer{Commands("x.yml", []byte("one"))})
			failed, ok := errors.AsType[*Error](err)
			if len(missing) == 0 || !ok || failed.Hint == "" || failed.File != want || !strings.Contains(failed.Error(), tc.says) {
				t.Errorf("missing %v, error %v; want %q of %s", missing, err, tc.says, want)
			}
			if _, err := s.Forget(func(string) bool { return true }); err == nil {
				t.Error("it was forgotten, whatever it is")
			}
			before, _ := os.ReadFile(s.file)
			if err := s.agree("/tree", "two"); err == nil {
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
	if err := s.agree("/tree", "one"); err == nil {
		t.Error("it was written to")
	}
}

// TestPrivileges: each part of a privilege counts, the time does not.
func TestPrivileges(t *testing.T) {
	s := In(t.TempDir())
	agreed := Privilege(".drone.yml", "default", "build", "privileged")
	must(t, s.Add("/tree", []Answer{agreed, Commands(".drone.yml", []byte("text"))}, time.Unix(1e9, 0)))
	other := []Answer{
		Privilege("other.yml", "default", "build", "privileged"),
		Privilege(".drone.yml", "release", "build", "privileged"),
		Privilege(".drone.yml", "default", "test", "privileged"),
		Privilege(".drone.yml", "default", "", "privileged"),
		Privilege(".drone.yml", "default", "build", `network_mode "host"`),
		Commands(".drone.yml", []byte("another text")),
	}
	missing, err := s.Missing("/tree", append([]Answer{agreed, Commands("renamed.yml", []byte("text"))}, other...))
	must(t, err)
	if !slices.Equal(missing, other) {
		t.Errorf("missing is %v, want %v", missing, other)
	}
	if missing, err = s.Missing("/other", []Answer{agreed}); len(missing) != 1 || err != nil {
		t.Errorf("in another tree nothing is missing: %v, %v", missing, err)
	}
}

// TestVersion1: what was agreed to before is kept, and times come from then on.
func TestVersion1(t *testing.T) {
	s := In(t.TempDir())
	must(t, os.Mkdir(filepath.Dir(s.file), 0o700))
	sum := Commands("", []byte("one")).Text
	must(t, os.WriteFile(s.file, []byte(`{"version": 1, "trees": {"/tree": ["`+sum+`"], "/empty": null}}`), 0o600))
	s.expect(t, "/tree", "one", true)
	must(t, s.agree("/tree", "two"))
	s.expect(t, "/tree", "one", true)
	trees, err := s.Trees()
	must(t, err)
	if len(trees) != 1 || trees[0].Path != "/tree" || len(trees[0].Answers) != 2 {
		t.Fatalf("got %v", trees)
	}
	old, fresh := trees[0].Answers[0], trees[0].Answers[1]
	if old.Since != nil || fresh.Since == nil || !fresh.Since.Equal(time.Unix(1e9, 0)) {
		t.Errorf("since %v and %v", old.Since, fresh.Since)
	}
}

func TestForget(t *testing.T) {
	s := In(t.TempDir())
	for _, tree := range []string{"/a", "/b", "/c"} {
		must(t, s.agree(tree, "one"))
	}
	gone, err := s.Forget(func(tree string) bool { return tree != "/b" })
	must(t, err)
	if len(gone) != 2 || gone[0].Path != "/a" || gone[1].Path != "/c" || len(gone[0].Answers) != 1 {
		t.Errorf("forgot %v", gone)
	}
	s.expect(t, "/a", "one", false)
	s.expect(t, "/b", "one", true)
	if gone, err = s.Forget(func(tree string) bool { return tree == "/a" }); len(gone) != 0 || err != nil {
		t.Errorf("forgot %v, %v", gone, err)
	}
}

// TestAddAtOnce: of answers that come at the same time none is lost.
func TestAddAtOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: nothing is locked there")
	}
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range mostTexts {
		all.Go(func() {
			if err := In(dir).agree("/tree", fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range mostTexts {
		In(dir).expect(t, "/tree", fmt.Sprint(i), true)
	}
}
