package facts

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/compile"
)

// changes finds the changed files of a folder.
func changes(t *testing.T, dir string, o Overrides, c Comparison) (*compile.ChangedFiles, error) {
	t.Helper()
	tree := Read(dir)
	b, _, err := Resolve(tree, o, testTime)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Changes(b, c)
}

// branched is the checkout with a branch topic of two commits, and one more
// commit on main since it began. It returns the commit where they part.
func (s sandbox) branched() (fork string) {
	_, fork = s.checkout()
	s.git("hello", "checkout", "-q", "-b", "topic")
	s.write("hello/one.txt", "1\n")
	s.commit("hello", "one")
	s.write("hello/a.txt", "changed\n")
	s.commit("hello", "two")
	s.git("hello", "checkout", "-q", "main")
	s.write("hello/other.txt", "x\n")
	s.commit("hello", "other")
	s.git("hello", "checkout", "-q", "topic")
	return fork
}

// TestChangesBase is about the commit that is compared with.
func TestChangesBase(t *testing.T) {
	type testCase struct {
		name   string
		change func(s sandbox)
		o      Overrides
		c      Comparison
		base   string // with FORK for the commit where topic left main
		want   []string
	}
	revision := regexp.MustCompile(`(?:@|commit )(\S+)`) // in the name of a base
	topic := []string{"a.txt", "one.txt"}
	onMain := func(s sandbox) { s.git("hello", "checkout", "-q", "main") }
	cases := []testCase{
		{name: "branch", base: "main@FORK", want: topic},
		{name: "pull request", o: Overrides{Event: "pull_request"}, base: "main@FORK", want: topic},
		{
			name: "pull request to another branch", change: func(s sandbox) { s.git("hello", "branch", "release", "HEAD~1") },
			o: Overrides{Target: "release"}, base: "release@HEAD~1", want: []string{"a.txt"},
		},
		{name: "default branch", change: onMain, base: "HEAD~1@HEAD~1", want: []string{"other.txt"}},
		{name: "as if on the default branch", o: Overrides{Branch: "main"}, base: "HEAD~1@HEAD~1", want: []string{"a.txt"}},
		{name: "tag", o: Overrides{Tag: "v1"}, base: "HEAD~1@HEAD~1", want: []string{"a.txt"}},
		{name: "cron", o: Overrides{Cron: "nightly"}, base: "HEAD~1@HEAD~1", want: []string{"a.txt"}},
		{name: "promotion", o: Overrides{DeployTo: "x"}, base: "main@FORK", want: topic},
		{name: "promotion of a tag", o: Overrides{DeployTo: "x", Tag: "v1"}, base: "HEAD~1@HEAD~1", want: []string{"a.txt"}},
		{name: "before", o: Overrides{Before: "HEAD~1"}, base: "commit HEAD~1 (--before)", want: []string{"a.txt"}},
		{name: "no commit before", o: Overrides{Before: zeros}, base: "main@FORK", want: topic},
		{name: "base", c: Comparison{Base: "HEAD~1"}, base: "HEAD~1@HEAD~1", want: []string{"a.txt"}},
		{name: "base that went on", c: Comparison{Base: "main"}, base: "main@FORK", want: topic},
		{name: "base before before", o: Overrides{Before: "HEAD~1"}, c: Comparison{Base: "main"}, base: "main@FORK", want: topic},
		{
			name: "remote branch before the local one", base: "main@HEAD~1", want: []string{"a.txt"},
			change: func(s sandbox) { s.git("hello", "update-ref", "refs/remotes/origin/main", "HEAD~1") },
		},
		{
			name: "branch without commits of its own", o: Overrides{SHA: "main~2"}, base: "main@main~2",
		},
		{
			name: "first commit of the default branch", o: Overrides{SHA: "main~2", Branch: "main"}, base: "the empty tree", want: []string{"a.txt"},
		},
		{
			name: "detached in the default branch", base: "HEAD~1@HEAD~1", want: []string{"sub/b.txt"},
			change: func(s sandbox) { s.git("hello", "checkout", "-q", "--detach", "main~1") },
		},
		{
			name: "detached elsewhere", base: "main@FORK", want: []string{"one.txt"},
			change: func(s sandbox) { s.git("hello", "checkout", "-q", "--detach", "HEAD~1") },
		},
		{
			name: "histories without a common commit", base: "main@main", want: []string{"a.txt", "new.txt", "other.txt", "sub/b.txt"},
			change: func(s sandbox) {
				s.git("hello", "checkout", "-q", "--orphan", "lone")
				s.git("hello", "rm", "-q", "-rf", ".")
				s.write("hello/new.txt", "x\n")
				s.commit("hello", "lone")
			},
		},
		{
			name: "merged from main", base: "main@main", want: topic,
			change: func(s sandbox) { s.git("hello", "merge", "-q", "-m", "merge", "main") },
		},
	}
	run := func(t *testing.T, tc testCase) {
		s := newSandbox(t)
		fork := s.branched()
		if tc.change != nil {
			tc.change(s)
		}
		got, err := changes(t, s.path("hello"), tc.o, tc.c)
		if err != nil {
			t.Fatal(err)
		}
		want := tc.base
		if found := revision.FindStringSubmatchIndex(tc.base); found != nil {
			commit := s.git("hello", "rev-parse", strings.ReplaceAll(tc.base[found[2]:found[3]], "FORK", fork))
			want = tc.base[:found[2]] + commit[:7] + tc.base[found[3]:]
			if got.Commit != commit {
				t.Errorf("commit %s, want %s", got.Commit, commit)
			}
		}
		if got.Base != want || got.Unknown != "" {
			t.Errorf("base %q, want %q; unknown %q", got.Base, want, got.Unknown)
		}
		if diff := cmp.Diff(tc.want, got.Files); diff != "" {
			t.Errorf("files: -want +got\n%s", diff)
		}
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestChangesOfWorkingTree is about what counts as changed since main, on a
// branch without commits of its own.
func TestChangesOfWorkingTree(t *testing.T) {
	type testCase struct {
		name   string
		change func(s sandbox)
		want   []string
	}
	add := func(s sandbox, args ...string) { s.git("hello", append([]string{"add"}, args...)...) }
	cases := []testCase{
		{"nothing", func(s sandbox) {}, nil},
		{"edited", func(s sandbox) { s.write("hello/a.txt", "longer than before\n") }, []string{"a.txt"}},
		{"staged", func(s sandbox) { s.write("hello/a.txt", "longer\n"); add(s, ".") }, []string{"a.txt"}},
		{"staged and put back", func(s sandbox) {
			s.write("hello/a.txt", "longer\n")
			add(s, ".")
			s.write("hello/a.txt", "one\n")
		}, nil},
		{"committed and put back", func(s sandbox) {
			s.write("hello/a.txt", "longer\n")
			s.commit("hello", "longer")
			s.write("hello/a.txt", "one\n")
		}, nil},
		{"untracked", func(s sandbox) { s.write("hello/new/deep/x", "") }, []string{"new/deep/x"}},
		{"intent to add", func(s sandbox) { s.write("hello/n.txt", "x"); add(s, "-N", "n.txt") }, []string{"n.txt"}},
		{"staged and removed", func(s sandbox) { s.write("hello/n.txt", "x"); add(s, "."); os.Remove(s.path("hello/n.txt")) }, nil},
		{"removed", func(s sandbox) { os.Remove(s.path("hello/a.txt")) }, []string{"a.txt"}},
		{"renamed", func(s sandbox) { s.git("hello", "mv", "a.txt", "z.txt") }, []string{"a.txt", "z.txt"}},
		{"renamed and committed", func(s sandbox) { s.git("hello", "mv", "a.txt", "z.txt"); s.commit("hello", "mv") }, []string{"a.txt", "z.txt"}},
		{"no longer tracked, still there", func(s sandbox) { s.git("hello", "rm", "-q", "--cached", "a.txt") }, nil},
		{"no longer tracked, ignored", func(s sandbox) {
			s.git("hello", "rm", "-q", "--cached", "a.txt")
			s.write("hello/.git/info/exclude", "a.txt\n")
		}, []string{"a.txt"}},
		{"folder in the place of a file", func(s sandbox) { os.Remove(s.path("hello/a.txt")); s.write("hello/a.txt/x", "") }, []string{"a.txt", "a.txt/x"}},
		{"file in the place of a folder", func(s sandbox) { os.RemoveAll(s.path("hello/sub")); s.write("hello/sub", "") }, []string{"sub", "sub/b.txt"}},
		{"made executable", func(s sandbox) { os.Chmod(s.path("hello/a.txt"), 0o755) }, []string{"a.txt"}},
		{"executable does not count", func(s sandbox) {
			s.git("hello", "config", "core.fileMode", "false")
			os.Chmod(s.path("hello/a.txt"), 0o755)
		}, nil},
		{"executable does not count, edited", func(s sandbox) {
			s.git("hello", "config", "core.fileMode", "false")
			s.write("hello/a.txt", "longer\n")
			s.commit("hello", "longer")
			s.write("hello/a.txt", "one\n")
			os.Chmod(s.path("hello/a.txt"), 0o755)
		}, nil},
		{"executable does not count, untracked", func(s sandbox) {
			s.git("hello", "config", "core.fileMode", "false")
			s.git("hello", "rm", "-q", "--cached", "a.txt")
			os.Chmod(s.path("hello/a.txt"), 0o755)
		}, nil},
		{"executable only for git, staged and put back", func(s sandbox) {
			s.git("hello", "config", "core.fileMode", "false")
			s.git("hello", "update-index", "--chmod=+x", "a.txt")
			s.git("hello", "commit", "-q", "-m", "executable")
			s.git("hello", "branch", "-f", "main")
			s.write("hello/a.txt", "longer\n")
			add(s, ".")
			s.write("hello/a.txt", "one\n")
		}, nil},
		{"link in the place of a file", func(s sandbox) {
			os.Remove(s.path("hello/a.txt"))
			os.Symlink("sub", s.path("hello/a.txt"))
		}, []string{"a.txt"}},
		{"link to a folder is not followed", func(s sandbox) { os.Symlink("sub", s.path("hello/link")) }, []string{"link"}},
		{"line ends converted", func(s sandbox) { s.write("hello/a.txt", "one\r\n") }, nil},
		{"conflict", func(s sandbox) {
			s.write("hello/a.txt", "mine\n")
			s.commit("hello", "mine")
			s.git("hello", "checkout", "-q", "-b", "side", "main")
			s.write("hello/a.txt", "side\n")
			s.commit("hello", "side")
			s.git("hello", "checkout", "-q", "topic")
			s.git("hello", "read-tree", "-m", "main", "topic", "side")
		}, []string{"a.txt"}},
		{"repository within", func(s sandbox) { s.git("hello", "init", "-q", "in"); s.write("hello/in/x", "") }, nil},
	}
	run := func(t *testing.T, tc testCase) {
		s := newSandbox(t)
		s.checkout()
		s.git("hello", "checkout", "-q", "-b", "topic")
		tc.change(s)
		got, err := changes(t, s.path("hello"), Overrides{}, Comparison{})
		if err != nil || got.Unknown != "" || !got.Uncommitted {
			t.Fatalf("got %+v, %v", got, err)
		}
		if diff := cmp.Diff(tc.want, got.Files); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// A build of another commit, or of the commit alone, is not that of the
// working tree.
func TestChangesOfCommit(t *testing.T) {
	s := newSandbox(t)
	s.branched()
	s.write("hello/a.txt", "not committed\n")
	s.write("hello/new.txt", "")
	for name, tc := range map[string]struct {
		o    Overrides
		c    Comparison
		want []string
	}{
		"working tree":   {want: []string{"a.txt", "new.txt", "one.txt"}},
		"committed":      {c: Comparison{Committed: true}, want: []string{"a.txt", "one.txt"}},
		"another commit": {o: Overrides{SHA: "HEAD~1"}, want: []string{"one.txt"}},
	} {
		got, err := changes(t, s.path("hello"), tc.o, tc.c)
		if err != nil || got.Uncommitted != (name == "working tree") {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if diff := cmp.Diff(tc.want, got.Files); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// TestChangesSituations is about trees of which not all can be known.
func TestChangesSituations(t *testing.T) {
	type testCase struct {
		name    string
		dir     string
		change  func(s sandbox)
		o       Overrides
		c       Comparison
		files   []string
		unknown string // a part of the reason
	}
	clone := func(s sandbox, args ...string) {
		s.branched()
		s.git("hello", "checkout", "-q", "main") // becomes the default branch of the clone
		s.git(".", append(append([]string{"clone", "-q", "--branch=topic"}, args...), "file://"+s.path("hello"), "clone")...)
	}
	const noDefault = "nothing tells which branch is the default one; --base names what to compare with"
	trunk := func(s sandbox) {
		s.git(".", "init", "-q", "-b", "trunk", "hello")
		s.commit("hello", "first")
		s.write("hello/a.txt", "")
		s.commit("hello", "second")
	}
	feature := func(s sandbox) {
		trunk(s)
		s.git("hello", "checkout", "-q", "-b", "feature")
		s.write("hello/one.txt", "")
		s.commit("hello", "one")
		s.write("hello/two.txt", "")
		s.commit("hello", "two")
	}
	cases := []testCase{
		{name: "the only branch, without a remote", dir: "hello", change: trunk, files: []string{"a.txt"}},
		{
			name: "the only branch, with a remote", dir: "hello", unknown: noDefault,
			change: func(s sandbox) { trunk(s); s.git("hello", "remote", "add", "origin", "https://example.com/a/b") },
		},
		{
			name: "the only branch, fetched from a remote that is gone", dir: "hello", unknown: noDefault,
			change: func(s sandbox) { trunk(s); s.git("hello", "update-ref", "refs/remotes/origin/dev", "HEAD") },
		},
		{name: "default branch guessed", dir: "hello", change: feature, unknown: noDefault},
		{name: "default branch guessed, another branch named", dir: "hello", change: feature, o: Overrides{Branch: "x"}, unknown: noDefault},
		{name: "default branch guessed, pull request", dir: "hello", change: feature, o: Overrides{PullRequest: "1"}, unknown: noDefault},
		{name: "default branch guessed, promotion of a pull request", dir: "hello", change: feature, o: Overrides{DeployTo: "x", PullRequest: "1"}, unknown: noDefault},
		{
			name: "default branch guessed, target named", dir: "hello", change: feature,
			o: Overrides{Target: "trunk"}, files: []string{"one.txt", "two.txt"},
		},
		{
			name: "default branch guessed, base given", dir: "hello", change: feature,
			c: Comparison{Base: "trunk"}, files: []string{"one.txt", "two.txt"},
		},
		{name: "default branch guessed, before given", dir: "hello", change: feature, o: Overrides{Before: "HEAD~1"}, files: []string{"two.txt"}},
		{name: "default branch guessed, tag", dir: "hello", change: feature, o: Overrides{Tag: "v1"}, files: []string{"two.txt"}},
		{
			name: "default branch not cloned", dir: "clone", unknown: noDefault,
			change: func(s sandbox) { clone(s, "--single-branch") },
		},
		{
			name: "default branch not cloned, shallow", dir: "clone", unknown: noDefault,
			change: func(s sandbox) { clone(s, "--depth=2") },
		},
		{name: "outside git", dir: "plain", change: func(s sandbox) { s.write("plain/x", "") }, unknown: "not in a git working tree"},
		{
			name: "no commit yet", dir: "hello", files: []string{"x"},
			change: func(s sandbox) { s.git(".", "init", "-q", "-b", "main", "hello"); s.write("hello/x", "") },
		},
		{name: "bare", dir: "hello.git", change: func(s sandbox) { s.branched(); s.git(".", "clone", "-q", "--bare", "hello", "hello.git") }, unknown: "not in a git working tree"},
		{
			name: "linked worktree", dir: "linked", files: []string{"a.txt", "new", "one.txt"},
			change: func(s sandbox) {
				s.branched()
				s.git("hello", "checkout", "-q", "main")
				s.git("hello", "worktree", "add", "-q", "../linked", "topic")
				s.write("linked/new", "")
			},
		},
		{
			name: "ignored for all worktrees", dir: "linked", files: []string{"a.txt", "one.txt"},
			change: func(s sandbox) {
				s.branched()
				s.git("hello", "checkout", "-q", "main")
				s.git("hello", "worktree", "add", "-q", "../linked", "topic")
				s.write("hello/.git/info/exclude", "new\n")
				s.write("linked/new", "")
			},
		},
		{name: "folder within", dir: "hello/sub", change: func(s sandbox) { s.branched(); s.write("hello/sub/new", "") }, files: []string{"a.txt", "one.txt", "sub/new"}},
		{name: "clone", dir: "clone", change: func(s sandbox) { clone(s) }, files: []string{"a.txt", "one.txt"}},
		{
			name: "shallow clone, parent cut off", dir: "clone", change: func(s sandbox) { clone(s, "--depth=1", "--branch=main") },
			unknown: "is not in this repository, whose history is cut off: git fetch --unshallow brings it",
		},
		{
			name: "shallow clone, fork cut off", dir: "clone", change: func(s sandbox) { clone(s, "--depth=1", "--no-single-branch") },
			unknown: "whose history is cut off",
		},
		{
			name: "shallow clone, deep enough", dir: "clone", change: func(s sandbox) { clone(s, "--depth=3", "--no-single-branch") },
			files: []string{"a.txt", "one.txt"},
		},
		{
			name: "shallow clone, base given", dir: "clone", change: func(s sandbox) { clone(s, "--depth=1", "--no-single-branch") },
			c: Comparison{Base: "origin/main"}, files: []string{"a.txt", "one.txt", "other.txt"},
		},
		{
			name: "target branch that is not here", dir: "clone", change: func(s sandbox) {
				clone(s, "--single-branch")
			},
			o: Overrides{Event: "pull_request", Target: "gone"}, unknown: "branch gone is not in this repository",
		},
		{
			name: "commit that is not here", dir: "hello", change: func(s sandbox) { s.branched() },
			o: Overrides{SHA: strings.Repeat("a", 40)}, unknown: "commit aaaaaaa is not in this repository",
		},
		{
			name: "commit before that is not here", dir: "hello", change: func(s sandbox) { s.branched() },
			o: Overrides{Before: strings.Repeat("b", 40)}, unknown: "commit bbbbbbb is not in this repository",
		},
		{
			name: "broken index", dir: "hello", change: func(s sandbox) { s.branched(); s.write("hello/.git/index", "nonsense") },
			unknown: "the git index cannot be read",
		},
	}
	run := func(t *testing.T, tc testCase) {
		s := newSandbox(t)
		tc.change(s)
		got, err := changes(t, s.path(tc.dir), tc.o, tc.c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.files, got.Files); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if (tc.unknown == "") != (got.Unknown == "") || !strings.Contains(got.Unknown, tc.unknown) {
			t.Errorf("unknown is %q, want %q", got.Unknown, tc.unknown)
		}
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestUnknownBase(t *testing.T) {
	s := newSandbox(t)
	s.branched()
	type testCase struct{ dir, base, hint string }
	run := func(t *testing.T, tc testCase) {
		_, err := changes(t, s.path(tc.dir), Overrides{}, Comparison{Base: tc.base})
		var wrong *UsageError
		if !errors.As(err, &wrong) || wrong.Hint != tc.hint || !strings.Contains(wrong.Message, quote(tc.base)) {
			t.Errorf("got %+v, want a usage error with the hint %q", wrong, tc.hint)
		}
	}
	for name, tc := range map[string]testCase{
		"swapped":     {"hello", "mian", "did you mean main?"},
		"shortened":   {"hello", "topi", "did you mean topic?"},
		"nothing":     {"hello", "0123abcd", "give a branch, a tag or a commit of this repository"},
		"outside git": {".", "main", ""},
	} {
		t.Run(name, func(t *testing.T) { run(t, tc) })
	}
}

// TestIgnored compares with what git itself takes for untracked.
func TestIgnored(t *testing.T) {
	type testCase struct {
		name, rules string
		files       []string
	}
	cases := []testCase{
		{"name anywhere", "*.log\n", []string{"a.log", "d/b.log", "d/c.txt"}},
		{"anchored", "/a\nd/b\n", []string{"a", "d/a", "d/b", "e/d/b"}},
		{"folder only", "a/\n", []string{"a/x", "d/a", "e/a/y"}},
		{"kept again", "*.log\n!keep.log\n", []string{"a.log", "keep.log", "d/keep.log"}},
		{"not in an ignored folder", "d/\n!d/keep\n", []string{"d/keep", "d/a"}},
		{"all in a folder but one", "d/**\n!d/keep\n", []string{"d/keep", "d/a", "d/e/f"}},
		{"all in a folder but one, star", "d/*\n!d/keep\n", []string{"d/keep", "d/a", "d/e/f"}},
		{"any depth", "a/**/z\n**/q\n", []string{"a/z", "a/b/c/z", "z", "q", "d/q/x"}},
		{"comments and blanks", "# x\n\n\\#y\n  \nz \n", []string{"# x", "#y", "z", "w"}},
		{"quoted space and mark", "a\\ \n\\!b\n", []string{"a ", "a", "!b", "b"}},
		{"classes", "[!a].c\n[0-9]\n", []string{"a.c", "b.c", "1", "x"}},
		{"braces mean themselves", "{a,b}\n", []string{"a", "b", "{a,b}"}},
		{"windows line ends", "a\r\nb\r\n", []string{"a", "b", "c"}},
		{"hidden", ".*\n!.gitignore\n", []string{".x", "d/.y", "z"}},
		{"malformed", "[a\n", []string{"a", "[a"}},
	}
	run := func(t *testing.T, tc testCase) {
		s := newSandbox(t)
		s.checkout()
		s.write("hello/.gitignore", tc.rules)
		for _, f := range tc.files {
			s.write("hello/"+f, "")
		}
		compareUntracked(t, s)
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
	t.Run("files at every level", func(t *testing.T) {
		s := newSandbox(t)
		s.checkout()
		s.write("home/.config/git/ignore", "global\n")
		s.write("hello/.git/info/exclude", "info\n*.x\n")
		s.write("hello/.gitignore", "top\n/d/anchored\n!a.x\n")
		s.write("hello/d/.gitignore", "!top\n/own\nsub/\n")
		for _, f := range []string{"global", "info", "a.x", "b.x", "top", "d/top", "d/own", "d/e/own", "own", "d/anchored", "d/sub/x", "sub/y", "d/global"} {
			s.write("hello/"+f, "")
		}
		compareUntracked(t, s)
	})
}

// compareUntracked holds what is found against `git ls-files`.
func compareUntracked(t *testing.T, s sandbox) {
	t.Helper()
	// git of the sandbox reads no configuration, so it is told of the usual file.
	out := s.git("hello", "-c", "core.excludesFile="+s.path("home/.config/git/ignore"), "ls-files", "-z", "--others", "--exclude-standard")
	want := map[string]bool{}
	for name := range strings.SplitSeq(strings.TrimRight(out, "\x00"), "\x00") {
		want[name] = name != ""
	}
	tree := Read(s.path("hello"))
	tracked := map[string]bool{"a.txt": true, "sub/b.txt": true}
	got := map[string]bool{}
	for _, name := range tree.untracked(tracked) {
		got[name] = true
	}
	if diff := cmp.Diff(names(want), names(got)); diff != "" {
		t.Errorf("-git +here\n%s", diff)
	}
}

// TestMergeBase holds what is found against `git merge-base`, whatever the
// commits say of their time.
func TestMergeBase(t *testing.T) {
	// The days of five commits: topic leaves main at fork, has side, and takes
	// in taken of main with merge; main goes on with last.
	type testCase struct {
		name                             string
		fork, side, taken, merge, onward int
	}
	run := func(t *testing.T, tc testCase) {
		s := newSandbox(t)
		s.git(".", "init", "-q", "-b", "main", "hello")
		on := func(day int) sandbox { return s.at(fmt.Sprintf("2024-02-%02dT00:00:00Z", day)) }
		on(tc.fork).commit("hello", "first")
		on(tc.fork).commit("hello", "fork")
		s.git("hello", "branch", "topic")
		on(tc.taken).commit("hello", "taken")
		s.git("hello", "checkout", "-q", "topic")
		on(tc.side).commit("hello", "side")
		on(tc.merge).git("hello", "merge", "-q", "--no-ff", "-m", "merge", "main")
		s.git("hello", "checkout", "-q", "main")
		on(tc.onward).commit("hello", "onward")
		tree := Read(s.path("hello"))
		for _, pair := range [][2]string{{"topic", "main"}, {"main", "topic"}, {"topic", "topic~2"}} {
			one, other := s.git("hello", "rev-parse", pair[0]), s.git("hello", "rev-parse", pair[1])
			got, err := tree.mergeBase(plumbing.NewHash(one), plumbing.NewHash(other))
			if want := s.git("hello", "merge-base", one, other); err != nil || got.String() != want {
				t.Errorf("%v: got %s, %v, want %s", pair, got, err, want)
			}
		}
	}
	for _, tc := range []testCase{
		{"in order", 1, 2, 3, 4, 5},
		{"all at once", 1, 1, 1, 1, 1},
		{"backwards", 5, 4, 3, 2, 1},
		{"merge first", 5, 4, 2, 1, 3},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}
