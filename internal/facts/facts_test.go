package facts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/compile"
	"github.com/google/go-cmp/cmp"
)

var testTime = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func resolve(t *testing.T, dir string, o Overrides) (compile.Build, []string) {
	t.Helper()
	b, warnings, err := Resolve(Read(dir), o, testTime)
	if err != nil {
		t.Fatal(err)
	}
	return b, warnings
}

func TestReadCheckout(t *testing.T) {
	s := newSandbox(t)
	first, second := s.checkout()
	want := compile.Build{
		Event: "push", Trigger: "@hook",
		Repo: compile.Repo{
			Slug: "octocat/hello", Namespace: "octocat", Name: "hello", SCM: "git",
			Link: "https://github.com/octocat/hello", HTTPURL: "https://github.com/octocat/hello.git",
			SSHURL: "git@github.com:octocat/hello.git", DefaultBranch: "main",
		},
		System: compile.System{Proto: "https", Host: "localhost", Hostname: "localhost", Version: "2.25.0"},
		Branch: "main", Source: "main", Ref: "refs/heads/main", Before: first, After: second,
		Message: "second\n\nwith a body",
		Author:  compile.Author{Login: "Ada Lovelace", Name: "Ada Lovelace", Email: "ada@example.com"},
		Link:    "https://github.com/octocat/hello/compare/" + first + "..." + second,
		Number:  1, Created: testTime, Started: testTime,
		Origin: map[string]string{
			"event": "default", "branch": "git HEAD", "source": "git HEAD", "ref": "git HEAD",
			"before": "git parent of the commit", "after": "git HEAD", "message": "git commit",
			"author.name": "git commit", "author.email": "git commit",
			"author.login": "name in the git commit; only the server knows the login",
			"repo.slug":    "git remote origin", "repo.namespace": "git remote origin", "repo.name": "git remote origin",
			"repo.link": "git remote origin", "repo.httpurl": "git remote origin", "repo.sshurl": "git remote origin",
			"repo.defaultbranch": "git branch main", "repo.scm": "git",
			"system.host": "default", "system.hostname": "default", "system.proto": "default", "system.version": "default",
			"trigger": "event push", "action": "event push", "link": "event push", "number": "default", "dirty": "git index",
		},
		Unknown: map[string]string{
			"author.avatar": "only the server knows it", "repo.visibility": "only the server knows it",
		},
	}
	for _, dir := range []string{"hello", "hello/sub"} {
		got, warnings := resolve(t, s.path(dir), Overrides{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("facts of %s (-want +got):\n%s", dir, diff)
		}
		if len(warnings) > 0 {
			t.Errorf("warnings for %s: %q", dir, warnings)
		}
	}
}

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

// field reads a field by the key Origin and Unknown use.
func field(b compile.Build, key string) string {
	if reason, ok := strings.CutPrefix(key, "?"); ok {
		return b.Unknown[reason]
	}
	switch key {
	case "event":
		return b.Event
	case "branch":
		return b.Branch
	case "source":
		return b.Source
	case "ref":
		return b.Ref
	case "before":
		return b.Before
	case "after":
		return b.After
	case "message":
		return b.Message
	case "title":
		return b.Title
	case "action":
		return b.Action
	case "trigger":
		return b.Trigger
	case "link":
		return b.Link
	case "deploy":
		return b.Deploy
	case "cron":
		return b.Cron
	case "fork":
		return b.SourceRepo
	case "number":
		return fmt.Sprintf("%d/%d", b.Number, b.Parent)
	case "dirty":
		return fmt.Sprint(b.Dirty)
	case "repo.slug":
		return b.Repo.Slug
	case "repo.name":
		return b.Repo.Name
	case "repo.namespace":
		return b.Repo.Namespace
	case "repo.link":
		return b.Repo.Link
	case "repo.default":
		return b.Repo.DefaultBranch
	case "host":
		return b.System.Proto + "://" + b.System.Host
	case "login":
		return b.Author.Login
	}
	panic("no field " + key)
}

func TestDirty(t *testing.T) {
	type testCase struct {
		name   string
		change func(s sandbox)
		want   bool
	}
	run := func(t *testing.T, tc testCase) {
		s := newSandbox(t)
		s.checkout()
		tc.change(s)
		b, warnings := resolve(t, s.path("hello"), Overrides{})
		if b.Dirty != tc.want || len(warnings) > 0 {
			t.Errorf("dirty is %v, want %v; warnings %q", b.Dirty, tc.want, warnings)
		}
	}
	chtimes := func(s sandbox, name string) {
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(s.path(name), later, later); err != nil {
			s.t.Fatal(err)
		}
	}
	cases := []testCase{
		{"nothing", func(s sandbox) {}, false},
		{"other size", func(s sandbox) { s.write("hello/a.txt", "longer than before\n") }, true},
		{"same size", func(s sandbox) { s.write("hello/a.txt", "two\n") }, true},
		{"touched only", func(s sandbox) { chtimes(s, "hello/a.txt") }, false},
		{"untracked", func(s sandbox) { s.write("hello/new.txt", "x") }, false},
		{"removed", func(s sandbox) { os.Remove(s.path("hello/a.txt")) }, true},
		{"replaced by a folder", func(s sandbox) { os.Remove(s.path("hello/a.txt")); s.write("hello/a.txt/x", "") }, true},
		{"made executable", func(s sandbox) { os.Chmod(s.path("hello/a.txt"), 0o755) }, true},
		{"executable does not count", func(s sandbox) {
			s.git("hello", "config", "core.fileMode", "false")
			os.Chmod(s.path("hello/a.txt"), 0o755)
		}, false},
		{"staged", func(s sandbox) { s.write("hello/a.txt", "changed\n"); s.git("hello", "add", "a.txt") }, true},
		{"staged and put back", func(s sandbox) {
			s.write("hello/a.txt", "changed\n")
			s.git("hello", "add", "a.txt")
			s.write("hello/a.txt", "one\n")
			s.git("hello", "add", "a.txt")
		}, false},
		{"staged new file", func(s sandbox) { s.write("hello/n.txt", "x"); s.git("hello", "add", "n.txt") }, true},
		{"staged removal", func(s sandbox) { s.git("hello", "rm", "-q", "--cached", "a.txt") }, true},
		{"intent to add", func(s sandbox) { s.write("hello/n.txt", "x"); s.git("hello", "add", "-N", "n.txt") }, true},
		{"line ends converted", func(s sandbox) {
			s.git("hello", "config", "core.autocrlf", "true")
			os.Remove(s.path("hello/a.txt"))
			s.git("hello", "checkout", "-q", "--", "a.txt")
			chtimes(s, "hello/a.txt")
		}, false},
		{"link to another target", func(s sandbox) {
			os.Symlink("a.txt", s.path("hello/link"))
			s.commit("hello", "link")
			os.Remove(s.path("hello/link"))
			os.Symlink("b.txt", s.path("hello/link"))
		}, true},
		{"link to the same target", func(s sandbox) {
			os.Symlink("a.txt", s.path("hello/link"))
			s.commit("hello", "link")
		}, false},
		{"conflict", func(s sandbox) {
			s.git("hello", "checkout", "-q", "-b", "side", "HEAD~1")
			s.write("hello/a.txt", "side\n")
			s.commit("hello", "side")
			s.git("hello", "checkout", "-q", "main")
			s.write("hello/a.txt", "main\n")
			s.commit("hello", "main")
			s.git("hello", "read-tree", "-m", "HEAD~1", "HEAD", "side")
		}, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestReadFolderThatIsGone shows that even then there is no panic or error.
func TestReadFolderThatIsGone(t *testing.T) {
	tree := Read(filepath.Join(newSandbox(t).dir, "no", "such", "folder"))
	if tree.Root != "" || tree.Unknown["branch"] == "" {
		t.Errorf("got root %q, reason %q", tree.Root, tree.Unknown["branch"])
	}
}
