package facts

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// files lists the files that belong to the working tree, with slashes.
func (s sandbox) files(dir string) []string {
	s.t.Helper()
	list := []string{}
	err := Read(s.path(dir)).Files(s.path(dir), func(name string, entry fs.DirEntry) error {
		if !entry.IsDir() {
			list = append(list, filepath.ToSlash(name))
		}
		return nil
	}, func(text string) { s.t.Log(text) })
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// listed is what git itself takes for the working tree.
func (s sandbox) listed(dir string) []string {
	s.t.Helper()
	list := []string{}
	for name := range strings.SplitSeq(s.git(dir, "-c", "core.excludesFile="+s.path("home/.config/git/ignore"), "ls-files", "-z", "-co", "--exclude-standard"), "\x00") {
		if _, err := os.Lstat(s.path(dir, filepath.FromSlash(name))); name != "" && err == nil {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestFilesAsGit compares with git for patterns of every kind.
func TestFilesAsGit(t *testing.T) {
	names := []string{
		"a", "a.log", "b.log", "dir/a", "dir/a.log", "dir/sub/a", "dir/sub/deep/a.log", "foo/x", "foo/bar/x", "foo/a/b/bar/x",
		"build/out", "src/build/out", "src/build.go", "keep/x", "keep/keep.log", "#hash", "!bang", "with space ", "a b", "x[1]", "x1",
		"doc/x.txt", "doc/sub/x.txt", "A.log", "é/ü.log", "back\\slash", "]", "-", "z9", "target/debug/x", "dir/.gitkeep", "a+b(c).txt", "tab\tname",
	}
	for name, ignore := range map[string]string{
		"nothing": "", "name": "a\n", "suffix": "*.log\n", "negated": "*.log\n!b.log\n!dir\n", "directory only": "build/\na/\n",
		"anchored": "/a\n/dir/a\n", "in the middle": "dir/a\n", "double star in front": "**/build\n**/sub/a\n",
		"double star behind": "foo/**\n!foo/x\n", "double star between": "foo/**/bar\n", "stars": "d*r/*.log\n***\n!a\n",
		"question mark": "?.log\nx?\n", "class": "x[0-9]\n[!a]\n", "negated class": "[^a-y]*\n", "escapes in a class": "[\\]]\nx[\\[]1[\\]]\n[\\a-\\b].log\n", "slash in a class": "dir[/]a\nfoo[!x]x\n/di[r/]/a\n",
		"several double stars": "**/**/x\nfoo/**/**/bar\n", "double stars alone": "/**\n!*/\n!*.log\n", "three stars": "foo/***\n/***/a\n",
		"odd classes": "[a-]*\n[]-a]\n[[:nothing:]]\nx[[:]1\n[z-a]\n[!]]1\n", "all classes": "[[:alpha:][:punct:]]1\n[[:space:]]\n[^[:lower:]]\n",
		"class of brackets": "[]]\n[[]\nx[[]1]\n",
		"named class":       "[[:digit:]]*\nz[[:digit:]]\n", "open class": "x[1\n", "comment": "#hash\n\\#hash\n", "bang": "\\!bang\n",
		"spaces": "a b   \nwith space\\ \n", "carriage returns": "*.log\r\nbuild/\r\n", "byte order mark": "\ufeffa\n",
		"everything": "*\n!*.go\n!*/\n", "directory then file": "keep/\n!keep/keep.log\n", "backslash": "back\\\\slash\n", "trailing": "dir/\n!dir/\n",
		"characters of expressions": "a+b(c).txt\n.\n", "slash only": "/\n//\n", "umlaut": "é/\n", "star alone in a part": "*/a\n", "end of a backslash": "a\\\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.git(".", "init", "-q", "-b", "main", "hello")
			for _, file := range names {
				s.write("hello/"+file, "x")
			}
			s.write("hello/.gitignore", ignore)
			if diff := cmp.Diff(s.listed("hello"), s.files("hello")); diff != "" {
				t.Errorf("%q: -git +here:\n%s", ignore, diff)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	type testCase struct {
		name string
		dir  string // "hello" when empty
		make func(s sandbox)
		want []string // as git says when nil
	}
	for _, tc := range []testCase{
		{name: "nested files win", make: func(s sandbox) {
			s.write("hello/.gitignore", "*.log\n")
			s.write("hello/sub/.gitignore", "!*.log\n/b.txt\n")
			s.write("hello/sub/x.log", "")
			s.write("hello/x.log", "")
			s.write("hello/sub/deep/b.txt", "")
		}},
		{name: "tracked although ignored", make: func(s sandbox) {
			s.write("hello/out/kept.bin", "")
			s.write("hello/out/deep/kept.bin", "")
			s.git("hello", "add", "out")
			s.write("hello/out/new.bin", "")
			s.write("hello/.gitignore", "out/\n")
		}},
		{name: "rules of the user and of the repository", make: func(s sandbox) {
			s.write("home/.config/git/ignore", "*.swp\n*.kept\n")
			s.write("hello/.git/info/exclude", "secret\n!*.kept\n")
			for _, name := range []string{"x.swp", "secret", "x.kept"} {
				s.write("hello/"+name, "")
			}
		}},
		{name: "rules behind a link", want: []string{"a.txt", "rules", "sub/.gitignore", "sub/b.txt", "sub/x.log"}, make: func(s sandbox) {
			s.write("hello/rules", "*.log\n")
			s.write("hello/sub/x.log", "")
			if err := os.Symlink("../rules", s.path("hello/sub/.gitignore")); err != nil {
				s.t.Skip("SKIPPED: no symbolic links")
			}
		}},
		{name: "an index in parts", make: func(s sandbox) { s.git("hello", "update-index", "--split-index") }},
		{name: "a damaged index", want: []string{".gitignore", "a.txt", "sub/b.txt"}, make: func(s sandbox) {
			s.write("hello/.gitignore", "*.log\n")
			s.write("hello/x.log", "")
			s.write("hello/.git/index", "garbage")
		}},
		{name: "a configuration that only git reads", make: func(s sandbox) {
			s.write("hello/.gitignore", "*.log\n")
			s.write("hello/x.log", "")
			s.write("hello/.git/config", "[core] bare = false\n")
		}},
		{name: "removed files", make: func(s sandbox) { os.Remove(s.path("hello/a.txt")) }},
		{name: "below the top", dir: "hello/sub", make: func(s sandbox) {
			s.write("hello/.gitignore", "*.log\n/sub/only\n/x\n")
			for _, name := range []string{"x.log", "only", "x"} {
				s.write("hello/sub/"+name, "")
			}
		}},
		{
			name: "a repository within is whole", want: []string{".gitignore", "a.txt", "in/.git", "in/x.log", "sub/b.txt"},
			make: func(s sandbox) {
				s.write("hello/.gitignore", "*.log\n")
				s.write("hello/in/.git", "gitdir: elsewhere\n")
				s.write("hello/in/x.log", "")
			},
		},
		{
			name: "a directory that is no repository", want: []string{".gitignore", "a.txt", "sub/b.txt", "x.log"},
			make: func(s sandbox) {
				s.write("hello/.gitignore", "*.log\n")
				s.write("hello/x.log", "")
				os.RemoveAll(s.path("hello/.git"))
				s.write("hello/.git/x", "no repository")
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSandbox(t)
			s.checkout()
			tc.make(s)
			if tc.dir == "" {
				tc.dir = "hello"
			}
			want := tc.want
			if want == nil {
				want = s.listed(tc.dir)
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, s.files(tc.dir)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFilesSkipsADirectory(t *testing.T) {
	for _, outside := range []bool{false, true} {
		s := newSandbox(t)
		s.checkout()
		if outside {
			os.RemoveAll(s.path("hello/.git"))
		}
		var got []string
		err := Read(s.path("hello")).Files(s.path("hello"), func(name string, _ fs.DirEntry) error {
			got = append(got, name)
			if name == "sub" {
				return fs.SkipDir
			}
			return nil
		}, func(string) {})
		if diff := cmp.Diff([]string{"a.txt", "sub"}, got); diff != "" || err != nil {
			t.Errorf("error %v, -want +got:\n%s", err, diff)
		}
	}
}

func TestGitDir(t *testing.T) {
	s := newSandbox(t)
	s.checkout()
	s.git("hello", "worktree", "add", "-q", "../linked")
	if err := os.Symlink(s.path("hello/.git"), s.path("link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.path("linking"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../hello/.git", s.path("linking/.git")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.path("empty/.git"), 0o755); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string][2]string{
		"hello":     {s.path("hello/.git"), s.path("hello/.git")},
		"hello/sub": {"", ""},
		"linked":    {s.path("hello/.git/worktrees/linked"), s.path("hello/.git")},
		"linking":   {s.path("hello/.git"), s.path("hello/.git")},
		"empty":     {"", ""},
		".":         {"", ""},
	} {
		own, common, err := GitDir(s.path(dir))
		if got := [2]string{own, common}; got != want || err != nil {
			t.Errorf("%s: got %q, want %q, error %v", dir, got, want, err)
		}
	}
}

func TestGitDirThatIsLost(t *testing.T) {
	s := newSandbox(t)
	s.checkout()
	s.write("text/.git", "hello\n")
	s.write("lost/.git", "gitdir: ../nowhere\n")
	if err := os.Mkdir(s.path("dangling"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", s.path("dangling/.git")); err != nil {
		t.Fatal(err)
	}
	s.write("gone/.git/HEAD", "ref: refs/heads/main\n")
	s.write("gone/.git/commondir", "/nowhere/at/all\n")
	s.write("half/.git/HEAD", "ref: refs/heads/main\n")
	for _, dir := range []string{"text", "lost", "dangling", "gone", "half"} {
		if own, common, err := GitDir(s.path(dir)); err == nil {
			t.Errorf("%s: got %q, %q and no error", dir, own, common)
		}
	}
}
