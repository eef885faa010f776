//go:build unix

package snapshot_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/snapshot"
)

// commit copies the committed state of a tree as the program does.
func (s sandbox) commit(ctx context.Context, from string, environ ...string) (warnings []string, err error) {
	s.Helper()
	source := snapshot.Source{
		Dir:  s.path(from),
		Warn: func(text string) { warnings = append(warnings, text) },
		Files: func(func(string, fs.DirEntry) error) error {
			s.Error("the files of the tree were asked for")
			return nil
		},
	}
	source.GitDir, source.CommonDir, err = facts.GitDir(s.path(from))
	s.must(err)
	_, err = snapshot.Commit(ctx, source, s.path("copy"), append(os.Environ(), environ...))
	return warnings, err
}

// TestCommit has everything in the tree that is not committed.
func TestCommit(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	s.write("tree/bin/run", "#!/bin/sh\n")
	s.must(os.Chmod(s.path("tree/bin/run"), 0o755))
	s.must(os.Symlink("bin/run", s.path("tree/link")))
	s.write("tree/lines.txt", "a\nb\n")
	s.write("tree/filtered.txt", "committed\n")
	s.write("tree/.gitattributes", "lines.txt eol=crlf\nfiltered.txt filter=loud\n")
	s.git("tree", "add", ".")
	s.git("tree", "commit", "-q", "-m", "more")
	s.git("tree", "config", "filter.loud.smudge", "tr a-z A-Z")
	s.git("tree", "config", "filter.loud.clean", "tr A-Z a-z")
	for _, hook := range []string{"post-checkout", "post-index-change", "reference-transaction"} {
		s.write("tree/.git/hooks/"+hook, "#!/bin/sh\ntouch "+s.path("hooked")+"\n")
		s.must(os.Chmod(s.path("tree/.git/hooks/"+hook), 0o755))
	}
	s.write("tree/a.txt", "changed\n")
	s.write("tree/staged.txt", "staged\n")
	s.git("tree", "-c", "core.hooksPath=/dev/null", "add", "staged.txt")
	s.git("tree", "-c", "core.hooksPath=/dev/null", "rm", "-q", "--cached", "bin/run")
	s.git("tree", "-c", "core.hooksPath=/dev/null", "update-index", "--assume-unchanged", "lines.txt")
	s.write("tree/untracked.txt", "untracked\n")
	_ = os.Remove(s.path("hooked"))
	before := s.state("tree")
	warnings, err := s.commit(t.Context(), "tree", "GIT_DIR=/nowhere", "GIT_INDEX_FILE=/nowhere/index", "GIT_WORK_TREE=/nowhere")
	s.must(err)
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	if diff := cmp.Diff(before, s.state("tree")); diff != "" {
		t.Errorf("the tree was changed: -before +after:\n%s", diff)
	}
	if _, err := os.Lstat(s.path("hooked")); err == nil {
		t.Error("a hook was run")
	}
	if status := s.git("copy", "-c", "core.hooksPath=/dev/null", "status", "--short"); status != "" {
		t.Errorf("git status in the copy: %s", status)
	}
	var got []string
	for _, line := range s.contents("copy") {
		if !strings.HasPrefix(line, ".git/") && !strings.HasPrefix(line, ".git ") {
			got = append(got, line)
		}
	}
	want := []string{
		".gitattributes -rw-r--r-- lines.txt eol=crlf\nfiltered.txt filter=loud\n", "a.txt -rw-r--r-- one\n",
		"bin drwxr-xr-x", "bin/run -rwxr-xr-x #!/bin/sh\n", "filtered.txt -rw-r--r-- COMMITTED\n",
		"lines.txt -rw-r--r-- a\r\nb\r\n", "link -> bin/run",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCommitOf copies trees whose repository is not simply in them.
func TestCommitOf(t *testing.T) {
	for name, test := range map[string]struct {
		prepare  func(s sandbox) (tree string)
		file     string // that is in the copy
		warnings string
	}{
		"linked worktree": {func(s sandbox) string {
			s.git("tree", "worktree", "add", "-q", "-b", "side", "../linked")
			return "linked"
		}, "a.txt", ""},
		"with a submodule": {func(s sandbox) string {
			s.submodule()
			s.git("super", "commit", "-q", "-m", "sub")
			s.write("super/sub/a.txt", "changed\n")
			// What a step may have put there does not run.
			s.git("super", "config", "submodule.sub.update", "!echo changed >a.txt; true")
			return "super"
		}, "sub/a.txt", ""},
		"with a submodule that is not here": {func(s sandbox) string {
			s.submodule()
			s.git("super", "commit", "-q", "-m", "sub")
			s.git("super", "submodule", "deinit", "-q", "-f", "--all")
			return "super"
		}, ".gitmodules", "submodule sub is not in the copy, because it is not initialized here"},
		"with a submodule without its commit": {func(s sandbox) string {
			s.submodule()
			s.git("super", "commit", "-q", "-m", "sub")
			s.git("super", "update-index", "--cacheinfo", "160000,1234567890123456789012345678901234567890,sub")
			s.git("super", "commit", "-q", "-m", "nowhere")
			return "super"
		}, ".gitmodules", "submodule sub is not in the copy, because its commit is not in the repository here"},
		"in the middle of a merge": {func(s sandbox) string {
			s.git("tree", "checkout", "-q", "-b", "side")
			s.git("tree", "commit", "-q", "--allow-empty", "-m", "side")
			s.git("tree", "checkout", "-q", "main")
			s.git("tree", "merge", "-q", "--no-commit", "--no-ff", "side")
			return "tree"
		}, "a.txt", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.repository()
			tree := test.prepare(s)
			warnings, err := s.commit(t.Context(), tree, "GIT_ALLOW_PROTOCOL=file")
			s.must(err)
			if got := strings.Join(warnings, "\n"); got != test.warnings {
				t.Errorf("warnings are %q, want %q", got, test.warnings)
			}
			if content, err := os.ReadFile(s.path("copy/" + test.file)); err != nil || strings.Contains(string(content), "changed") {
				t.Errorf("%s has %q, error %v", test.file, content, err)
			}
			if status := s.git("copy", "status"); test.warnings == "" && !strings.HasSuffix(status, "nothing to commit, working tree clean") {
				t.Errorf("git status in the copy: %s", status)
			}
			if head := s.git("copy", "rev-parse", "HEAD"); head != s.git(tree, "rev-parse", "HEAD") {
				t.Errorf("HEAD is %s", head)
			}
		})
	}
}

func TestNoCommit(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	s.git(".", "init", "-q", "unborn")
	s.write("tree/sub/x", "")
	for tree, want := range map[string]string{
		"unborn":   "the branch of " + s.path("unborn") + " has no commit yet",
		"tree/sub": s.path("tree/sub") + " is not the top of a git checkout",
	} {
		_, err := s.commit(t.Context(), tree)
		var none *snapshot.CommitError
		if !errors.As(err, &none) || !strings.HasPrefix(none.Error(), want) || none.Hint == "" {
			t.Errorf("%s: error is %v, want %s", tree, err, want)
		}
	}
	t.Setenv("PATH", "/nowhere")
	var none *snapshot.CommitError
	if _, err := s.commit(t.Context(), "tree"); !errors.As(err, &none) || !strings.Contains(none.Error(), "git is not installed") {
		t.Errorf("without git the error is %v", err)
	}
}

func TestCommitEnds(t *testing.T) {
	s := newSandbox(t)
	s.repository()
	stop := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := s.commit(ctx, "tree"); !errors.Is(err, stop) {
		t.Errorf("error is %v, want the cause", err)
	}
}
