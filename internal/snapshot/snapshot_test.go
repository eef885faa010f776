//go:build unix

package snapshot_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/snapshot"
)

// sandbox is a folder for a tree "tree" and its copy "copy".
type sandbox struct {
	*testing.T
	dir string
}

func newSandbox(t *testing.T) sandbox {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, ".config"))
	s := sandbox{t, dir}
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
	if _, err := exec.LookPath("git"); err != nil {
		s.Skip("SKIPPED: git is not installed")
	}
	s.git("tree", "init", "-q", "-b", "main")
	s.write("tree/a.txt", "one\n")
	s.git("tree", "add", ".")
	s.git("tree", "commit", "-q", "-m", "first")
}

// copy copies a tree as the program does.
func (s sandbox) copy(ctx context.Context, from string) error {
	t := facts.Read(s.path(from))
	warn := func(text string) { s.Log("warning: " + text) }
	source := snapshot.Source{Dir: s.path(from), Warn: warn, Files: func(visit func(string, fs.DirEntry) error) error {
		return t.Files(s.path(from), visit, warn)
	}}
	var err error
	source.GitDir, source.CommonDir, err = facts.GitDir(s.path(from))
	s.must(err)
	return snapshot.Copy(ctx, source, s.path("copy"))
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
		if name == ".git" {
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
			s.git(".", "init", "-q", "-b", "main", "super")
			s.git("super", "-c", "protocol.file.allow=always", "submodule", "add", "-q", s.path("tree"), "sub")
			return "super/sub"
		},
		"with a submodule": func(s sandbox) string {
			s.git(".", "init", "-q", "-b", "main", "super")
			s.git("super", "-c", "protocol.file.allow=always", "submodule", "add", "-q", s.path("tree"), "sub")
			s.git("super", "commit", "-q", "-m", "sub")
			return "super"
		},
		"shared objects": func(s sandbox) string {
			s.git(".", "clone", "-q", "--shared", "tree", "clone")
			s.write("clone/.git/objects/info/alternates", "../../../tree/.git/objects\n")
			return "clone"
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
			before := s.git(tree, "status", "--short", "--branch") + s.git(tree, "for-each-ref")
			if top := s.git("copy", "rev-parse", "--show-toplevel"); top != s.path("copy") {
				t.Errorf("git in the copy works in %s", top)
			}
			s.git("copy", "add", ".")
			s.git("copy", "commit", "-q", "-m", "in the copy")
			s.git("copy", "checkout", "-q", "-f", "-b", "other")
			s.git("copy", "gc", "-q", "--prune=now")
			if after := s.git(tree, "status", "--short", "--branch") + s.git(tree, "for-each-ref"); after != before {
				t.Errorf("the tree was changed:\n%s\nwas\n%s", after, before)
			}
		})
	}
}

func TestCopyIntoItself(t *testing.T) {
	s := newSandbox(t)
	s.write("tree/a.txt", "one\n")
	s.must(os.Remove(s.path("copy")))
	s.must(os.Symlink("tree/tmp/copy", s.path("copy")))
	s.must(os.MkdirAll(s.path("tree/tmp/copy"), 0o700))
	source := snapshot.Source{Dir: s.path("tree"), Files: func(visit func(string, fs.DirEntry) error) error {
		return facts.Read(s.path("tree")).Files(s.path("tree"), visit, func(string) {})
	}}
	s.must(snapshot.Copy(t.Context(), source, s.path("tree/tmp/copy")))
	if _, err := os.Lstat(s.path("tree/tmp/copy/tmp/copy")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the copy has a copy of itself: %v", err)
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
