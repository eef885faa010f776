package facts

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadSituations has one entry for each state a working tree can be in.
func TestReadSituations(t *testing.T) {
	type testCase struct {
		name    string
		prepare func(s sandbox) (dir string)
		want    map[string]string // field → value, "?field" → reason it is unknown
		warning string            // part of a warning, "" for none
	}
	run := func(t *testing.T, tc testCase) {
		s := newSandbox(t)
		dir := s.path(tc.prepare(s))
		b, warnings := resolve(t, dir, Overrides{})
		got := map[string]string{}
		for key := range tc.want {
			got[key] = field(b, key)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		all := strings.Join(warnings, "\n")
		if tc.warning == "" && all != "" || !strings.Contains(all, tc.warning) {
			t.Errorf("warnings are %q, want one with %q", all, tc.warning)
		}
	}
	cases := []testCase{
		{
			name: "outside of git",
			prepare: func(s sandbox) string {
				s.write("plain/a.txt", "")
				return "plain"
			},
			want: map[string]string{
				"?branch": "not in a git working tree", "?ref": "not in a git working tree", "?repo.slug": "not in a git working tree",
				"?after": "not in a git working tree", "?dirty": "not in a git working tree", "ref": "", "event": "push",
			},
		},
		{
			name:    "no commits",
			prepare: func(s sandbox) string { s.git(".", "init", "-q", "-b", "trunk", "r"); return "r" },
			want: map[string]string{
				"branch": "trunk", "ref": "refs/heads/trunk", "repo.default": "trunk", "dirty": "false",
				"?after": "branch trunk has no commit yet", "?before": "branch trunk has no commit yet", "?repo.slug": "no git remote",
			},
		},
		{
			name: "first commit",
			prepare: func(s sandbox) string {
				s.git(".", "init", "-q", "-b", "main", "r")
				s.commit("r", "first")
				return "r"
			},
			want: map[string]string{"before": zeros, "message": "first", "branch": "main"},
		},
		{
			name: "linked worktree",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "worktree", "add", "-q", "-b", "topic", "../linked")
				return "linked"
			},
			want: map[string]string{"branch": "topic", "repo.slug": "octocat/hello", "message": "second\n\nwith a body", "dirty": "false"},
		},
		{
			name: "linked worktree of a repository that is gone",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "worktree", "add", "-q", "-b", "topic", "../linked")
				if err := os.RemoveAll(s.path("hello")); err != nil {
					s.t.Fatal(err)
				}
				return "linked"
			},
			want:    map[string]string{"branch": "", "after": ""},
			warning: "is no git folder",
		},
		{
			name: "submodule",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git(".", "init", "-q", "-b", "main", "outer")
				s.git("outer", "submodule", "--quiet", "add", "../hello", "inner")
				s.commit("outer", "add inner")
				return "outer/inner"
			},
			want: map[string]string{"branch": "main", "message": "second\n\nwith a body", "repo.name": "hello", "dirty": "false"},
		},
		{
			name: "shallow clone",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git(".", "clone", "-q", "--depth", "1", "file://"+s.path("hello"), "shallow")
				return "shallow"
			},
			want: map[string]string{"branch": "main", "before": "48028de89dda26897205354b11d46a6ccf3b43d0", "dirty": "false", "repo.name": "hello"},
		},
		{
			name: "clone that shares objects",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git(".", "clone", "-q", "--shared", "hello", "shared")
				return "shared"
			},
			want: map[string]string{"branch": "main", "message": "second\n\nwith a body", "dirty": "false"},
		},
		{
			name: "detached at a branch",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "checkout", "-q", "--detach")
				return "hello"
			},
			want: map[string]string{"branch": "main", "ref": "refs/heads/main"},
		},
		{
			name: "detached elsewhere",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "checkout", "-q", "--detach", "HEAD~1")
				return "hello"
			},
			want: map[string]string{
				"branch": "", "ref": "", "message": "first",
				"?branch": "HEAD is detached and no branch points at it", "?ref": "HEAD is detached and no branch points at it",
			},
			warning: "name it with --branch",
		},
		{
			name: "detached at several branches",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "branch", "other")
				s.git("hello", "checkout", "-q", "--detach")
				return "hello"
			},
			want:    map[string]string{"?branch": "HEAD is detached and several branches point at it: main, other"},
			warning: "several branches",
		},
		{
			name: "in the middle of a rebase",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "checkout", "-q", "--detach", "HEAD~1")
				s.write("hello/.git/rebase-merge/head-name", "refs/heads/topic/x\n")
				return "hello"
			},
			want: map[string]string{"branch": "topic/x"},
		},
		{
			name: "branch with slashes, packed",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "checkout", "-q", "-b", "feature/a/b")
				s.git("hello", "pack-refs", "--all")
				s.git("hello", "gc", "-q")
				return "hello"
			},
			want: map[string]string{"branch": "feature/a/b", "repo.default": "main", "message": "second\n\nwith a body"},
		},
		{
			name: "default branch of the remote",
			prepare: func(s sandbox) string {
				s.git(".", "init", "-q", "-b", "develop", "up")
				s.commit("up", "first")
				s.git("up", "branch", "main")
				s.git(".", "clone", "-q", "up", "down")
				return "down"
			},
			want: map[string]string{"repo.default": "develop", "branch": "develop"},
		},
		{
			name: "extensions that do not matter",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "config", "core.repositoryformatversion", "1")
				s.git("hello", "config", "extensions.worktreeConfig", "true")
				s.git("hello", "config", "extensions.partialClone", "origin")
				return "hello"
			},
			want: map[string]string{"branch": "main", "repo.slug": "octocat/hello", "dirty": "false"},
		},
		{
			name: "sparse checkout",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "sparse-checkout", "set", "nothing")
				return "hello"
			},
			want: map[string]string{"branch": "main", "dirty": "false"},
		},
		{
			name:    "sha256 objects",
			prepare: func(s sandbox) string { s.git(".", "init", "-q", "--object-format=sha256", "r"); return "r" },
			want:    map[string]string{"?branch": `git object format "sha256" is not supported`},
			warning: `git object format "sha256" is not supported; facts of the build are unknown`,
		},
		{
			name: "reftable",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "config", "core.repositoryformatversion", "1")
				s.write("hello/.git/config", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n")
				return "hello"
			},
			want:    map[string]string{"?branch": `git reference storage "reftable" is not supported`},
			warning: "reftable",
		},
		{
			name: "broken configuration",
			prepare: func(s sandbox) string {
				s.checkout()
				s.write("hello/.git/config", "[core\n")
				return "hello"
			},
			want:    map[string]string{"branch": ""},
			warning: "the git configuration cannot be read",
		},
		{
			name:    "empty .git folder",
			prepare: func(s sandbox) string { s.write("r/.git/x", ""); return "r" },
			want:    map[string]string{"branch": ""},
			warning: "it has no HEAD",
		},
		{
			name:    "nonsense in a .git file",
			prepare: func(s sandbox) string { s.write("r/.git", "hello\n"); return "r" },
			want:    map[string]string{"branch": ""},
			warning: "does not name a git folder",
		},
		{
			name: "objects are missing",
			prepare: func(s sandbox) string {
				s.checkout()
				if err := os.RemoveAll(s.path("hello/.git/objects")); err != nil {
					s.t.Fatal(err)
				}
				if err := os.Mkdir(s.path("hello/.git/objects"), 0o755); err != nil {
					s.t.Fatal(err)
				}
				return "hello"
			},
			want:    map[string]string{"branch": "main", "repo.slug": "octocat/hello"},
			warning: "cannot be read",
		},
		{
			name: "bare repository",
			prepare: func(s sandbox) string {
				s.git(".", "init", "-q", "--bare", "bare.git")
				return "bare.git"
			},
			want: map[string]string{"?branch": "not in a git working tree"},
		},
		{
			name: "remote of the branch",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "remote", "rename", "origin", "alpha")
				s.git("hello", "remote", "add", "beta", "git@gitlab.com:a/b/c.git")
				s.git("hello", "config", "branch.main.remote", "beta")
				s.git("hello", "config", "branch.main.merge", "refs/heads/main")
				return "hello"
			},
			want: map[string]string{"repo.slug": "a/b/c", "repo.namespace": "a/b", "repo.name": "c"},
		},
		{
			name: "several remotes",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "remote", "rename", "origin", "alpha")
				s.git("hello", "remote", "add", "beta", "git@gitlab.com:a/b/c.git")
				return "hello"
			},
			want: map[string]string{"repo.slug": "", "?repo.slug": "several git remotes and none named origin: alpha, beta"},
		},
		{
			name: "short remote address of the user",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "remote", "set-url", "origin", "gh:octocat/other")
				s.write("home/.gitconfig", "[url \"https://github.com/\"]\n\tinsteadOf = gh:\n")
				return "hello"
			},
			want: map[string]string{"repo.slug": "octocat/other"},
		},
		{
			name: "ssh alias of the user",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "remote", "set-url", "origin", "git@work:octocat/hello.git")
				s.write("home/.ssh/config", "Host home\n\tHostName nope.example.com\nHost work\n\tHostName github.com\n\tUser git\n")
				return "hello"
			},
			want: map[string]string{"repo.slug": "octocat/hello", "repo.link": "https://github.com/octocat/hello"},
		},
		{
			name: "ssh alias of somebody else",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "remote", "set-url", "origin", "git@work:octocat/hello.git")
				return "hello"
			},
			want: map[string]string{"repo.slug": "octocat/hello", "?repo.link": "the host work of the remote looks like an ssh alias"},
		},
		{
			name: "index in version 4",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "update-index", "--index-version", "4", "--untracked-cache")
				return "hello"
			},
			want: map[string]string{"dirty": "false", "branch": "main"},
		},
		{
			name: "index without checksum",
			prepare: func(s sandbox) string {
				s.checkout()
				index, err := os.ReadFile(s.path("hello/.git/index"))
				if err != nil {
					s.t.Fatal(err)
				}
				s.write("hello/.git/index", string(index[:len(index)-20])+strings.Repeat("\x00", 20))
				return "hello"
			},
			want: map[string]string{"dirty": "false", "branch": "main"},
		},
		{
			name: "split index",
			prepare: func(s sandbox) string {
				s.checkout()
				s.git("hello", "update-index", "--split-index")
				return "hello"
			},
			want:    map[string]string{"branch": "main", "?dirty": "the git index cannot be read: unknown extension"},
			warning: "cannot tell whether the working tree is clean",
		},
		{
			name: "half an index",
			prepare: func(s sandbox) string {
				s.checkout()
				s.write("hello/.git/index", "DIRC\x00\x00\x00\x02\x00\x00\x00\x09")
				return "hello"
			},
			want:    map[string]string{"branch": "main"},
			warning: "cannot tell whether the working tree is clean",
		},
		{
			name: "long message of wide characters",
			prepare: func(s sandbox) string {
				s.git(".", "init", "-q", "r")
				s.git("r", "checkout", "-q", "-b", "main")
				s.commit("r", strings.Repeat("é", 3000))
				return "r"
			},
			want: map[string]string{"message": strings.Repeat("é", 2000)},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}
