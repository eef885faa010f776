package facts

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSubmodule is about what counts as a change of the submodule src/mod. Each
// time git says the same.
func TestSubmodule(t *testing.T) {
	type testCase struct {
		name   string
		change func(s sandbox)
		want   []string
	}
	moved := []string{"src/mod"}
	cases := []testCase{
		{"nothing", func(s sandbox) {}, nil},
		{"moved", func(s sandbox) { s.commit("outer/src/mod", "more") }, moved},
		{"moved and packed", func(s sandbox) { s.commit("outer/src/mod", "more"); s.git("outer/src/mod", "pack-refs", "--all") }, moved},
		{"moved and detached", func(s sandbox) { s.git("outer/src/mod", "checkout", "-q", "--detach", "HEAD~1") }, moved},
		{"moved and staged", func(s sandbox) { s.commit("outer/src/mod", "more"); s.git("outer", "add", "src/mod") }, moved},
		{"on another branch at the same commit", func(s sandbox) { s.git("outer/src/mod", "checkout", "-q", "-b", "other") }, nil},
		{"no longer fetched", func(s sandbox) { s.git("outer", "submodule", "--quiet", "deinit", "-f", "src/mod") }, nil},
		{"without a commit", func(s sandbox) { s.git("outer/src/mod", "checkout", "-q", "--orphan", "lone") }, nil},
		{"removed", func(s sandbox) { os.RemoveAll(s.path("outer/src/mod")) }, moved},
		{"file in its place", func(s sandbox) { os.RemoveAll(s.path("outer/src/mod")); s.write("outer/src/mod", "") }, moved},
		{"link to it in its place", func(s sandbox) {
			os.RemoveAll(s.path("outer/src/mod"))
			os.Symlink(s.path("hello"), s.path("outer/src/mod"))
		}, moved},
		{"with .git as a folder", func(s sandbox) {
			os.RemoveAll(s.path("outer/src/mod"))
			s.git(".", "clone", "-q", "hello", "outer/src/mod")
			s.commit("outer/src/mod", "more")
		}, moved},
	}
	run := func(t *testing.T, tc testCase) {
		s := newSandbox(t)
		s.withSubmodule()
		tc.change(s)
		got, err := changes(t, s.path("outer"), Overrides{}, Comparison{Base: "HEAD"})
		if err != nil || got.Unknown != "" {
			t.Fatalf("got %+v, %v", got, err)
		}
		if diff := cmp.Diff(tc.want, got.Files); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if said := s.git("outer", "diff", "--ignore-submodules=dirty", "--name-only", "HEAD"); said != strings.Join(tc.want, "\n") {
			t.Errorf("git says %q", said)
		}
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// What is staged and then taken back has not changed, as for files. git names a
// submodule then.
func TestSubmoduleMovedBack(t *testing.T) {
	s := newSandbox(t)
	s.withSubmodule()
	s.git("outer/src/mod", "checkout", "-q", "--detach", "HEAD~1")
	s.git("outer", "add", "src/mod")
	s.git("outer/src/mod", "checkout", "-q", "main")
	got, err := changes(t, s.path("outer"), Overrides{}, Comparison{Base: "HEAD"})
	if err != nil || got.Unknown != "" || len(got.Files) > 0 {
		t.Errorf("got %+v, %v, want no file", got, err)
	}
}

// A submodule that was moved makes the working tree dirty.
func TestSubmoduleDirty(t *testing.T) {
	s := newSandbox(t)
	s.withSubmodule()
	if b, warnings := resolve(t, s.path("outer"), Overrides{}); b.Dirty || len(warnings) > 0 {
		t.Errorf("dirty before it is moved, or warnings %q", warnings)
	}
	s.commit("outer/src/mod", "more")
	if b, warnings := resolve(t, s.path("outer"), Overrides{}); !b.Dirty || len(warnings) > 0 {
		t.Errorf("not dirty after it is moved, or warnings %q", warnings)
	}
}

// Nobody knows whether a submodule that cannot be read has changed.
func TestSubmoduleBroken(t *testing.T) {
	s := newSandbox(t)
	s.withSubmodule()
	s.write("outer/src/mod/.git", "nonsense\n")
	got, err := changes(t, s.path("outer"), Overrides{}, Comparison{Base: "HEAD"})
	if want := "the submodule " + s.path("outer/src/mod") + " cannot be read: "; err != nil || !strings.HasPrefix(got.Unknown, want) {
		t.Errorf("got %+v, %v, want a reason that begins with %q", got, err, want)
	}
}

// withSubmodule makes a repository "outer" that has the usual checkout as its
// submodule src/mod.
func (s sandbox) withSubmodule() {
	s.t.Helper()
	s.checkout()
	s.git(".", "init", "-q", "-b", "main", "outer")
	s.git("outer", "submodule", "--quiet", "add", "../hello", "src/mod")
	s.commit("outer", "add src/mod")
}
