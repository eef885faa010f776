package rundir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/internal/owner"
)

func made(t *testing.T, parent, run string) string {
	t.Helper()
	dir, err := Make(parent, run)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func paths(t *testing.T, dirs []Dir, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, dir := range dirs {
		names = append(names, dir.Path)
	}
	return strings.Join(names, "\n")
}

// TestMade: what was made is found, by all of its runs and by its own, and is
// gone when it was removed.
func TestMade(t *testing.T) {
	parent, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := made(t, parent, "a Run")
	if !strings.HasPrefix(filepath.Base(dir), "drone-a-run-") {
		t.Errorf("made %s", dir)
	}
	info, err := os.Stat(filepath.Join(dir, ownerFile))
	if err != nil || info.Mode().Perm() != fileMode {
		t.Errorf("owner file: %v, error %v", info, err)
	}
	other := made(t, parent, "other")
	all, err := List(parent)
	if got := paths(t, all, err); got != dir+"\n"+other {
		t.Errorf("all are\n%s", got)
	}
	if all[0].Run != "a Run" || all[0].Owner != owner.Self() || all[0].Owner.State() != owner.Alive || all[0].Made.IsZero() {
		t.Errorf("read %+v", all[0])
	}
	mine, err := OfRun(parent, "a Run")
	if got := paths(t, mine, err); got != dir {
		t.Errorf("those of the run are\n%s", got)
	}
	for _, root := range []string{dir, other} {
		if err := Remove(root); err != nil {
			t.Error(err)
		}
		if err := Remove(root); err != nil {
			t.Errorf("removing what is gone: %v", err)
		}
	}
	all, err = List(parent)
	if got := paths(t, all, err); got != "" {
		t.Errorf("left: %s", got)
	}
}

// TestForeign: what this program has not made for this user is no directory of
// a run.
func TestForeign(t *testing.T) {
	parent := t.TempDir()
	text, err := os.ReadFile(filepath.Join(made(t, t.TempDir(), "run"), ownerFile))
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) string {
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, dirMode); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, ownerFile), []byte(text), fileMode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	put("drone-other-1", string(text))              // of another run
	put("work", string(text))                       // of another name
	put("drone-run-empty", "")                      // cut off
	put("drone-run-next", `{"v": 2, "run": "run"}`) // of a later version
	put("drone-run-array", `[]`)                    // anything else
	open := put("drone-run-open", string(text))     // others can write there
	loose := put("drone-run-loose", string(text))   // others can write the owner file
	link := put("drone-run-link", string(text))     // its owner file is a link
	if err := errors.Join(os.Chmod(open, 0o777), os.Chmod(filepath.Join(loose, ownerFile), 0o666)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(link, ownerFile)
	if err := errors.Join(os.Rename(file, file+".real"), os.Symlink(file+".real", file)); err != nil {
		t.Fatal(err)
	}
	elsewhere := made(t, t.TempDir(), "run")
	if err := os.Symlink(elsewhere, filepath.Join(parent, filepath.Base(elsewhere))); err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(parent, "drone-run-bare") // killed before the owner file was written
	if err := os.Mkdir(bare, dirMode); err != nil {
		t.Fatal(err)
	}
	all, err := List(parent)
	if got := paths(t, all, err); got != "" {
		t.Errorf("taken for directories of runs:\n%s", got)
	}
	mine, err := OfRun(parent, "run")
	if got := paths(t, mine, err); got != bare {
		t.Errorf("taken for directories of the run:\n%s\nwant only\n%s", got, bare)
	}
}

// TestRemove takes read-only directories away, and nothing that a link leads to.
func TestRemove(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := made(t, t.TempDir(), "run")
	deep := filepath.Join(dir, "a", "b")
	if err := errors.Join(
		os.MkdirAll(deep, 0o700), os.WriteFile(filepath.Join(deep, "file"), make([]byte, 1000), 0o400),
		os.Symlink(filepath.Dir(kept), filepath.Join(dir, "link")),
		os.Chmod(deep, 0o500), os.Chmod(filepath.Dir(deep), 0o500),
	); err != nil {
		t.Fatal(err)
	}
	if size := (Dir{Path: dir}).Size(); size < 1000 || size > 3000 {
		t.Errorf("size is %d", size)
	}
	if err := Remove(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("not removed: %v", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}
