package facts

import (
	"os"
	"testing"
	"time"
)

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
