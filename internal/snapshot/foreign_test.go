//go:build unix

package snapshot_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/snapshot"
)

// TestForeign tells the forms of a repository of one's own from ways to that of
// somebody else.
func TestForeign(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(s sandbox)
		foreign bool
	}{
		"plain":           {func(s sandbox) { s.git(".", "init", "-q", "mine") }, false},
		"linked worktree": {func(s sandbox) { s.git("tree", "worktree", "add", "-q", "-b", "side", "../mine") }, false},
		"separate": {func(s sandbox) {
			s.git(".", "init", "-q", "--separate-git-dir", s.path("apart"), "mine")
		}, false},
		"file to another checkout": {func(s sandbox) { s.write("mine/.git", "gitdir: "+s.path("tree/.git")+"\n") }, true},
		"file to the worktree of another": {func(s sandbox) {
			s.git("tree", "worktree", "add", "-q", "-b", "side", "../side")
			s.write("mine/.git", "gitdir: "+s.path("tree/.git/worktrees/side")+"\n")
		}, true},
		"link to another checkout": {func(s sandbox) {
			s.must(os.Mkdir(s.path("mine"), 0o755))
			s.must(os.Symlink(s.path("tree/.git"), s.path("mine/.git")))
		}, true},
		"common directory of another": {func(s sandbox) {
			s.write("mine/.git/HEAD", "ref: refs/heads/main\n")
			s.write("mine/.git/gitdir", s.path("mine/.git")+"\n")
			s.write("mine/.git/commondir", s.path("tree/.git")+"\n")
		}, true},
		"made up worktree": {func(s sandbox) {
			s.write("mine/fake/HEAD", "ref: refs/heads/main\n")
			s.write("mine/fake/gitdir", s.path("mine/.git")+"\n")
			s.write("mine/fake/commondir", s.path("tree/.git")+"\n")
			s.write("mine/.git", "gitdir: fake\n")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.repository()
			test.prepare(s)
			own, common, err := facts.GitDir(s.path("mine"))
			if err != nil || own == "" {
				t.Fatalf("no repository: %q, %v", own, err)
			}
			if got := snapshot.Foreign(s.path("mine"), own, common); got != test.foreign {
				t.Errorf("foreign is %v of %s and %s", got, own, common)
			}
		})
	}
	s := newSandbox(t)
	s.repository()
	s.submodule()
	if own, common, err := facts.GitDir(s.path("super/sub")); err != nil || snapshot.Foreign(s.path("super/sub"), own, common) {
		t.Errorf("a submodule is foreign: %s, %v", own, err)
	}
}

// TestObjectsOfAnotherCheckout: a link to the same part of the repository of
// another checkout is not followed, as a .git that is one is refused.
func TestObjectsOfAnotherCheckout(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	s.git(".", "init", "-q", "-b", "main", "mine")
	s.write("mine/a.txt", "mine\n")
	for _, name := range []string{"objects", "refs/heads"} {
		at := s.path("mine/.git/" + name)
		s.must(os.RemoveAll(at))
		s.must(os.Symlink(s.path("tree/.git/"+name), at))
	}
	s.must(s.copy(t.Context(), "mine"))
	for _, name := range []string{"objects/pack", "refs/heads/main"} {
		if _, err := os.Lstat(s.path("copy/.git/" + name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is in the copy: %v", name, err)
		}
	}
	if text, err := os.ReadFile(s.path("copy/a.txt")); err != nil || string(text) != "mine\n" {
		t.Errorf("the file is %q, %v", text, err)
	}
	if said := strings.Join(*s.warnings, "\n"); !strings.Contains(said, "objects of the git repository is not copied: it is a link to "+s.path("tree/.git/objects")) {
		t.Errorf("warned %q", said)
	}
}

// TestLinksInRepository: what links in a repository lead to outside of the tree
// is not in the copy.
func TestLinksInRepository(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	s.write("key", "private\n")
	s.write("keys/key", "private\n")
	s.write("tree/hook", "public\n")
	for link, to := range map[string]string{
		"x": "key", "description": "key", "refs/heads/x": "key", "objects/pack/x": "key", "config.worktree": "key",
		"objects/info/alternates": "key", "dir": "keys", "refs/dir": "keys", "hooks/pre-push": "tree/hook",
	} {
		at := s.path("tree/.git/" + link)
		s.must(os.MkdirAll(filepath.Dir(at), 0o755))
		_ = os.Remove(at)
		s.must(os.Symlink(s.path(to), at))
	}
	s.must(s.copy(t.Context(), "tree"))
	found := 0
	s.must(filepath.WalkDir(s.path("copy/.git"), func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if strings.Contains(string(text), "private") {
			t.Errorf("%s has what it should not", name)
		}
		found++
		return err
	}))
	if text, err := os.ReadFile(s.path("copy/.git/hooks/pre-push")); err != nil || string(text) != "public\n" || found < 5 {
		t.Errorf("a link into the tree became %q, %v; %d files", text, err, found)
	}
}
