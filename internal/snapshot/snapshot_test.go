//go:build unix

package snapshot_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/snapshot"
	"github.com/drone-laptop/drone/internal/testenv"
)

// sandbox is a folder for a tree "tree" and its copy "copy".
type sandbox struct {
	*testing.T
	dir      string
	warnings *[]string // of copies, in order
}

func newSandbox(t *testing.T) sandbox {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, ".config"))
	s := sandbox{t, dir, &[]string{}}
	s.must(os.Mkdir(s.path("copy"), 0o700))
	s.must(os.Mkdir(s.path("tree"), 0o700))
	return s
}

func (s sandbox) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s sandbox) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s sandbox) write(name, text string) {
	s.Helper()
	s.must(os.MkdirAll(filepath.Dir(s.path(name)), 0o755))
	s.must(os.WriteFile(s.path(name), []byte(text), 0o644))
}

func (s sandbox) git(dir string, args ...string) string {
	s.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.path(dir)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_ALLOW_PROTOCOL=file",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository makes tree a checkout with a commit.
func (s sandbox) repository() {
	s.Helper()
	if why := testenv.Missing("git"); why != "" {
		testenv.Lack(s, "%s", why)
	}
	s.git("tree", "init", "-q", "-b", "main")
	s.write("tree/a.txt", "one\n")
	s.git("tree", "add", ".")
	s.git("tree", "commit", "-q", "-m", "first")
}

// submodule makes super a checkout with the submodule sub, not committed.
func (s sandbox) submodule() {
	s.Helper()
	s.git(".", "init", "-q", "-b", "main", "super")
	s.git("super", "-c", "protocol.file.allow=always", "submodule", "add", "-q", s.path("tree"), "sub")
}

// configured adds text to the configuration of the repository of tree.
func (s sandbox) configured(text string) string {
	s.Helper()
	old, err := os.ReadFile(s.path("tree/.git/config"))
	s.must(err)
	s.write("tree/.git/config", string(old)+text)
	return "tree"
}

// copy copies a tree as the program does.
func (s sandbox) copy(ctx context.Context, from string) error { return s.copyTo(ctx, from, "copy") }

func (s sandbox) copyTo(ctx context.Context, from, to string) error {
	t := facts.Read(s.path(from))
	warn := func(text string) {
		s.Log("warning: " + text)
		*s.warnings = append(*s.warnings, text)
	}
	source := snapshot.Source{Dir: s.path(from), Warn: warn, Files: func(visit func(string, fs.DirEntry) error) error {
		return t.Files(s.path(from), visit, warn)
	}}
	var err error
	source.GitDir, source.CommonDir, err = facts.GitDir(s.path(from))
	s.must(err)
	_, err = snapshot.Copy(ctx, source, s.path(to))
	return err
}

// state describes all in a directory, but for the insides of .git.
func (s sandbox) state(dir string) []string {
	s.Helper()
	var list []string
	s.must(filepath.WalkDir(s.path(dir), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(s.path(dir), path)
		info, err := entry.Info()
		if err != nil || name == "." {
			return err
		}
		text := name + " " + info.Mode().String()
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			text = name + " -> " + target
		case info.Mode().IsRegular():
			content, _ := os.ReadFile(path)
			text += " " + info.ModTime().UTC().Format(time.RFC3339Nano) + " " + string(content)
		}
		list = append(list, text)
		if entry.Name() == ".git" && entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}))
	slices.Sort(list)
	return list
}

func TestCopy(t *testing.T) {
	s := newSandbox(t)
	s.write("tree/a.txt", "one\n")
	s.write("tree/empty", "")
	s.write("tree/bin/run", "#!/bin/sh\n")
	s.write("tree/private/deep/x", strings.Repeat("x", 1<<20))
	s.must(os.Mkdir(s.path("tree/nothing"), 0o755))
	s.must(os.Symlink("a.txt", s.path("tree/link")))
	s.must(os.Symlink("/nowhere/at all", s.path("tree/dangling")))
	s.must(os.Symlink("bin", s.path("tree/to-dir")))
	old := time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	s.must(os.Chtimes(s.path("tree/a.txt"), old, old))
	s.must(os.Chmod(s.path("tree/bin/run"), 0o755))
	s.must(os.Chmod(s.path("tree/empty"), 0o400))
	s.must(os.Chmod(s.path("tree/private"), 0o500))
	t.Cleanup(func() {
		_ = os.Chmod(s.path("tree/private"), 0o700)
		_ = os.Chmod(s.path("copy/private"), 0o700)
	})
	s.must(s.copy(t.Context(), "tree"))
	if diff := cmp.Diff(s.state("tree"), s.state("copy")); diff != "" {
		t.Errorf("-tree +copy:\n%s", diff)
	}
}

func TestCopySharesNoFile(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	s.must(s.copy(t.Context(), "tree"))
	inodes := map[uint64]string{}
	for _, dir := range []string{"tree", "copy"} {
		s.must(filepath.WalkDir(s.path(dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			inode := info.Sys().(*syscall.Stat_t).Ino
			if other, ok := inodes[inode]; ok {
				t.Errorf("%s and %s are one file", path, other)
			}
			inodes[inode] = path
			return nil
		}))
	}
}

func TestCopyLeavesOutWhatIsNoFile(t *testing.T) {
	s := newSandbox(t)
	s.write("tree/a.txt", "one\n")
	s.must(syscall.Mkfifo(s.path("tree/pipe"), 0o600))
	s.must(s.copy(t.Context(), "tree"))
	if _, err := os.Lstat(s.path("copy/pipe")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the pipe: %v", err)
	}
}

// TestCopyDoesNotWait has pipes where files are read.
func TestCopyDoesNotWait(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	s.must(syscall.Mkfifo(s.path("tree/.gitignore"), 0o600))
	s.must(os.RemoveAll(s.path("tree/.git/info")))
	s.must(os.Mkdir(s.path("tree/.git/info"), 0o755))
	s.must(syscall.Mkfifo(s.path("tree/.git/info/exclude"), 0o600))
	s.must(os.Mkdir(s.path("tree/in"), 0o755))
	s.must(syscall.Mkfifo(s.path("tree/in/.git"), 0o600))
	done := make(chan error, 1)
	go func() { done <- s.copy(t.Context(), "tree") }()
	select {
	case err := <-done:
		s.must(err)
	case <-time.After(time.Minute):
		t.Fatal("the copy waits for a pipe")
	}
}

// TestCopyKeepsHoles copies a file that has more in it than there is room for.
func TestCopyKeepsHoles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: holes are kept on Linux only")
	}
	s := newSandbox(t)
	s.write("tree/big", "begin")
	file, err := os.OpenFile(s.path("tree/big"), os.O_WRONLY, 0)
	s.must(err)
	_, err = file.WriteAt([]byte("middle"), 40<<30)
	s.must(err)
	s.must(file.Truncate(60 << 30))
	s.must(file.Close())
	s.must(s.copy(t.Context(), "tree"))
	info, err := os.Stat(s.path("copy/big"))
	s.must(err)
	if blocks := info.Sys().(*syscall.Stat_t).Blocks; info.Size() != 60<<30 || blocks*512 > 1<<20 {
		t.Errorf("the copy has %d bytes and %d blocks", info.Size(), blocks)
	}
	file, err = os.Open(s.path("copy/big"))
	s.must(err)
	defer file.Close()
	for at, want := range map[int64]string{0: "begin\x00", 40 << 30: "middle"} {
		got := make([]byte, 6)
		_, err = file.ReadAt(got, at)
		s.must(err)
		if string(got) != want {
			t.Errorf("at %d is %q, want %q", at, got, want)
		}
	}
}

// TestGit shows that git in the copy knows what it knows in the tree, and
// changes nothing there.
func TestGit(t *testing.T) {
	for name, prepare := range map[string]func(s sandbox) (tree string){
		"checkout": func(sandbox) string { return "tree" },
		"locked":   func(s sandbox) string { s.write("tree/.git/index.lock", ""); return "tree" },
		"linked worktree": func(s sandbox) string {
			s.git("tree", "worktree", "add", "-q", "-b", "side", "../linked")
			s.git("linked", "commit", "-q", "--allow-empty", "-m", "side")
			s.git("tree", "merge", "-q", "--no-commit", "--no-ff", "side")
			s.write("linked/side.txt", "x\n")
			s.git("linked", "add", ".")
			return "linked"
		},
		"worktree of a bare repository": func(s sandbox) string {
			s.git(".", "clone", "-q", "--bare", "tree", "bare.git")
			s.git("bare.git", "worktree", "add", "-q", "../linked", "main")
			return "linked"
		},
		"submodule": func(s sandbox) string {
			s.submodule()
			return "super/sub"
		},
		"with a submodule": func(s sandbox) string {
			s.submodule()
			s.git("super", "commit", "-q", "-m", "sub")
			return "super"
		},
		"shared objects": func(s sandbox) string {
			s.git(".", "clone", "-q", "--shared", "tree", "clone")
			s.write("clone/.git/objects/info/alternates", "../../../tree/.git/objects\n")
			return "clone"
		},
		"place in config.worktree": func(s sandbox) string {
			s.git("tree", "config", "extensions.worktreeConfig", "true")
			s.git("tree", "config", "--worktree", "core.worktree", s.path("tree"))
			return "tree"
		},
		"place on one line in config.worktree": func(s sandbox) string {
			s.git("tree", "config", "extensions.worktreeConfig", "true")
			s.write("tree/.git/config.worktree", "[core] worktree = "+s.path("tree")+"\n")
			return "tree"
		},
		"place on one line":  func(s sandbox) string { return s.configured("[core] worktree = " + s.path("tree") + "\n") },
		"place on two lines": func(s sandbox) string { return s.configured("[core]\n worktree = \\\n" + s.path("tree") + "\n") },
		"place included": func(s sandbox) string {
			s.write("tree/.git/extra", "[core]\n worktree = "+s.path("tree")+"\n")
			return s.configured("[include]\n path = extra\n")
		},
		"place at the very end": func(s sandbox) string { return s.configured("[core] worktree = " + s.path("tree") + "\\\n") },
		"sparse submodule": func(s sandbox) string {
			s.submodule()
			s.git("super/sub", "sparse-checkout", "init", "--cone")
			return "super/sub"
		},
		"linked worktree with another hash": func(s sandbox) string {
			s.git(".", "init", "-q", "-b", "main", "--object-format=sha256", "other")
			s.write("other/a.txt", "one\n")
			s.git("other", "add", ".")
			s.git("other", "commit", "-q", "-m", "first")
			s.git("other", "worktree", "add", "-q", "-b", "side", "../linked")
			return "linked"
		},
		"git directory of links": func(s sandbox) string {
			s.git("tree", "init", "-q", "--separate-git-dir", s.path("repository"))
			s.must(os.MkdirAll(s.path("new/.git/logs"), 0o755))
			for _, name := range []string{"config", "refs", "objects", "info", "hooks", "logs/refs"} {
				s.must(os.Symlink(s.path("repository/"+name), s.path("new/.git/"+name)))
			}
			s.write("new/.git/HEAD", "ref: refs/heads/main\n")
			s.git("new", "reset", "-q", "--hard")
			return "new"
		},
		"link as git directory": func(s sandbox) string {
			s.must(os.Rename(s.path("tree/.git"), s.path("repository")))
			s.must(os.Symlink("../repository", s.path("tree/.git")))
			return "tree"
		},
		"git directory elsewhere": func(s sandbox) string {
			s.git("tree", "init", "-q", "--separate-git-dir", s.path("repository"))
			return "tree"
		},
		"link as HEAD": func(s sandbox) string {
			s.must(os.Remove(s.path("tree/.git/HEAD")))
			s.must(os.Symlink("refs/heads/main", s.path("tree/.git/HEAD")))
			return "tree"
		},
		"sparse index": func(s sandbox) string {
			s.write("tree/d/x", "x\n")
			s.write("tree/e/x", "x\n")
			s.git("tree", "add", ".")
			s.git("tree", "commit", "-q", "-m", "directories")
			s.git("tree", "sparse-checkout", "set", "--sparse-index", "d")
			return "tree"
		},
		"split index": func(s sandbox) string {
			s.git("tree", "update-index", "--split-index")
			return "tree"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.repository()
			tree := prepare(s)
			s.write(tree+"/new.txt", "untracked\n")
			s.must(os.WriteFile(s.path(tree+"/a.txt"), []byte("changed\n"), 0o644))
			s.must(s.copy(t.Context(), tree))
			os.Remove(s.path(tree + "/.git/index.lock"))
			for _, args := range [][]string{{"status", "--short", "--branch"}, {"log", "--oneline"}, {"for-each-ref"}} {
				if diff := cmp.Diff(s.git(tree, args...), s.git("copy", args...)); diff != "" {
					t.Errorf("git %s: -tree +copy:\n%s", args, diff)
				}
			}
			state := func() string {
				return strings.Join(s.state(tree), "\n") + s.git(tree, "status", "--short", "--branch") + s.git(tree, "for-each-ref")
			}
			before := state()
			if top := s.git("copy", "rev-parse", "--show-toplevel"); top != s.path("copy") {
				t.Errorf("git in the copy works in %s", top)
			}
			s.git("copy", "add", ".")
			s.git("copy", "commit", "-q", "-m", "in the copy")
			s.git("copy", "checkout", "-q", "-f", "-b", "other")
			s.git("copy", "gc", "-q", "--prune=now")
			s.git("copy", "config", "core.bare", "false")
			s.write("copy/a.txt", "in the copy\n")
			s.git("copy", "reset", "-q", "--hard")
			s.git("copy", "clean", "-q", "-ffdx")
			if after := state(); after != before {
				t.Errorf("the tree was changed:\n%s\nwas\n%s", after, before)
			}
		})
	}
}

// TestRepositoriesWithin shows that git works on the copy in directories of the
// tree that have a repository of their own.
func TestRepositoriesWithin(t *testing.T) {
	for name, prepare := range map[string]func(s sandbox) (tree, inner string){
		"submodule": func(s sandbox) (string, string) {
			s.submodule()
			return "super", "sub"
		},
		"submodule with an absolute path": func(s sandbox) (string, string) {
			s.submodule()
			s.write("super/sub/.git", "gitdir: "+s.path("super/.git/modules/sub")+"\n")
			s.git("super/sub", "config", "core.worktree", s.path("super/sub"))
			return "super", "sub"
		},
		"sparse submodule": func(s sandbox) (string, string) {
			s.submodule()
			s.git("super/sub", "sparse-checkout", "init", "--cone")
			s.git("super/sub", "config", "--worktree", "core.worktree", s.path("super/sub"))
			return "super", "sub"
		},
		"submodule by another name": func(s sandbox) (string, string) {
			s.submodule()
			s.git("super", "mv", "sub", "moved")
			return "super", "moved"
		},
		"submodule of a linked worktree": func(s sandbox) (string, string) {
			s.submodule()
			s.git("super", "commit", "-q", "-m", "sub")
			s.git("super", "worktree", "add", "-q", "-b", "side", "../linked")
			s.git("linked", "-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init")
			return "linked", "sub"
		},
		"clone": func(s sandbox) (string, string) {
			s.git("tree", "clone", "-q", ".", "in")
			s.git("tree/in", "config", "core.worktree", s.path("tree/in"))
			return "tree", "in"
		},
		"checkout with a submodule": func(s sandbox) (string, string) {
			s.submodule()
			s.must(os.Mkdir(s.path("outer"), 0o755))
			s.must(os.Rename(s.path("super"), s.path("outer/super")))
			return "outer", "super/sub"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.repository()
			tree, inner := prepare(s)
			s.write(tree+"/"+inner+"/a.txt", "changed\n")
			s.must(s.copy(t.Context(), tree))
			inCopy := "copy/" + inner
			if top := s.git(inCopy, "rev-parse", "--show-toplevel"); top != s.path(inCopy) {
				t.Errorf("git in the copy works in %s", top)
			}
			state := func() string {
				return strings.Join(s.state(tree), "\n") + s.git(tree+"/"+inner, "status", "--short") + s.git(tree+"/"+inner, "for-each-ref")
			}
			before := state()
			if diff := cmp.Diff(s.git(tree+"/"+inner, "status", "--short", "--branch"), s.git(inCopy, "status", "--short", "--branch")); diff != "" {
				t.Errorf("git status: -tree +copy:\n%s", diff)
			}
			s.git(inCopy, "commit", "-q", "-a", "-m", "in the copy")
			s.write(inCopy+"/a.txt", "again\n")
			s.git(inCopy, "reset", "-q", "--hard")
			s.git(inCopy, "clean", "-q", "-ffdx")
			if after := state(); after != before {
				t.Errorf("the tree was changed:\n%s\nwas\n%s", after, before)
			}
		})
	}
}

// TestWorktreesWithin leaves out what would lead to the original.
func TestWorktreesWithin(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	s.git("tree", "worktree", "add", "-q", "-b", "side", "in")
	s.git(".", "clone", "-q", "tree", "elsewhere")
	s.write("tree/out/.git", "gitdir: "+s.path("elsewhere/.git")+"\n")
	s.write("tree/link/x", "")
	s.must(os.Symlink("../../elsewhere/.git", s.path("tree/link/.git")))
	s.must(s.copy(t.Context(), "tree"))
	var warnings []string
	for _, text := range *s.warnings {
		warnings = append(warnings, strings.Fields(text)[0])
	}
	if diff := cmp.Diff([]string{"in/.git", "link/.git", "out/.git"}, warnings); diff != "" {
		t.Errorf("warnings: -want +got:\n%s", diff)
	}
	for _, name := range warnings {
		if _, err := os.Lstat(s.path("copy/" + name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is in the copy: %v", name, err)
		}
	}
}

// TestCopyIntoItself enters the tree by a link, so that paths do not tell.
func TestCopyIntoItself(t *testing.T) {
	s := newSandbox(t)
	s.write("tree/a.txt", "one\n")
	s.write("tree/tmp/run/home/x", "")
	s.must(os.MkdirAll(s.path("tree/tmp/run/copy"), 0o700))
	s.must(os.Symlink("tree", s.path("way")))
	for around, left := range map[string]string{"": "tmp/run/copy/tmp/run/copy", s.path("tree/tmp/run"): "tmp/run/copy/tmp/run"} {
		s.must(os.RemoveAll(s.path("tree/tmp/run/copy")))
		s.must(os.Mkdir(s.path("tree/tmp/run/copy"), 0o700))
		source := snapshot.Source{Dir: s.path("way"), Around: around, Files: func(visit func(string, fs.DirEntry) error) error {
			return facts.Read(s.path("way")).Files(s.path("way"), visit, func(string) {})
		}}
		_, err := snapshot.Copy(t.Context(), source, s.path("tree/tmp/run/copy"))
		s.must(err)
		if _, err := os.Lstat(s.path("tree/" + left)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("around %q: the copy has a copy of itself: %v", around, err)
		}
		if _, err := os.Lstat(s.path("tree/tmp/run/copy/a.txt")); err != nil {
			t.Error(err)
		}
	}
}

func TestLinksIntoTheTree(t *testing.T) {
	s := newSandbox(t)
	s.write("tree/d/f", "one\n")
	s.write("other/f", "other\n")
	s.must(os.Symlink("tree", s.path("way")))
	up := strings.Repeat("../", 40) // ends at the root
	for name, link := range map[string][2]string{
		"absolute":       {s.path("tree/d/f"), s.path("copy/d/f")},
		"by another way": {s.path("way/d/f"), s.path("copy/d/f")},
		"to nothing":     {s.path("tree/nothing"), s.path("copy/nothing")},
		"top":            {s.path("tree"), s.path("copy")},
		"d/out and back": {up + s.path("tree/d/f")[1:], s.path("copy/d/f")},
		"d/relative":     {"../d/f", "../d/f"},
		"outside":        {s.path("other/f"), s.path("other/f")},
		"beside":         {"../other/f", "../other/f"},
		"similar":        {s.path("tree2"), s.path("tree2")},
	} {
		s.must(os.Symlink(link[0], s.path("tree/"+name)))
		s.must(os.RemoveAll(s.path("copy")))
		s.must(os.Mkdir(s.path("copy"), 0o700))
		s.must(s.copy(t.Context(), "tree"))
		if got, err := os.Readlink(s.path("copy/" + name)); got != link[1] || err != nil {
			t.Errorf("%s: the link leads to %q, want %q, error %v", name, got, link[1], err)
		}
	}
}

// TestCopySeenElsewhere is used at another place than the one it was made at,
// as in a container.
func TestCopySeenElsewhere(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	s.submodule()
	s.must(os.Symlink(s.path("super/.gitmodules"), s.path("super/link")))
	own, common, err := facts.GitDir(s.path("super"))
	s.must(err)
	_, err = snapshot.Copy(t.Context(), snapshot.Source{
		Dir: s.path("super"), GitDir: own, CommonDir: common, Seen: s.path("elsewhere"),
		Files: func(visit func(string, fs.DirEntry) error) error {
			return facts.Read(s.path("super")).Files(s.path("super"), visit, func(string) {})
		},
	}, s.path("copy"))
	s.must(err)
	s.must(os.Rename(s.path("copy"), s.path("elsewhere")))
	for _, dir := range []string{"elsewhere", "elsewhere/sub"} {
		if top := s.git(dir, "rev-parse", "--show-toplevel"); top != s.path(dir) {
			t.Errorf("git in %s works in %s", dir, top)
		}
	}
	if target, err := os.Readlink(s.path("elsewhere/link")); err != nil || target != s.path("elsewhere/.gitmodules") {
		t.Errorf("the link leads to %s, error %v", target, err)
	}
}

func TestCopyEnds(t *testing.T) {
	s := newSandbox(t)
	s.write("tree/a.txt", "one\n")
	stop := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := s.copy(ctx, "tree"); !errors.Is(err, stop) {
		t.Errorf("error is %v, want the cause", err)
	}
}

func TestCopyNamesWhatCannotBeRead(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("SKIPPED: root can read everything")
	}
	s := newSandbox(t)
	s.write("tree/closed", "")
	s.must(os.Chmod(s.path("tree/closed"), 0))
	if err := s.copy(t.Context(), "tree"); !errors.Is(err, fs.ErrPermission) || strings.Count(err.Error(), s.path("tree/closed")) != 1 {
		t.Errorf("error is %v", err)
	}
}
