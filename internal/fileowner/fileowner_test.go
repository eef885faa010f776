//go:build unix

package fileowner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/drone-laptop/drone/internal/testenv"
)

// me is the caller of these tests, other than root and than other.
var me, other = Owner{UID: 12345, GID: 12346}, Owner{UID: 54321, GID: 54321}

// needRoot skips what only root can set up. The tests of build servers run as
// root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		testenv.Lack(t, "only root can give files to others")
	}
}

// place is a directory of the caller, as root sees it.
type place struct {
	*testing.T
	dir string
}

func newPlace(t *testing.T) place {
	t.Helper()
	needRoot(t)
	p := place{t, t.TempDir()}
	p.own(me, ".")
	return p
}

func (p place) check(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p place) path(name string) string { return filepath.Join(p.dir, name) }

func (p place) own(o Owner, names ...string) {
	p.Helper()
	for _, name := range names {
		p.check(os.Lchown(p.path(name), o.UID, o.GID))
	}
}

// write makes a file and the directories above it, all of it owned by root but
// what was there.
func (p place) write(name string) string {
	p.Helper()
	p.check(os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	p.check(os.WriteFile(p.path(name), []byte(name), 0o644))
	return name
}

func (p place) owner(name string) Owner {
	p.Helper()
	info, err := os.Lstat(p.path(name))
	p.check(err)
	stat := info.Sys().(*syscall.Stat_t)
	return Owner{int(stat.Uid), int(stat.Gid)}
}

func (p place) owned(o Owner, names ...string) {
	p.Helper()
	for _, name := range names {
		if got := p.owner(name); got != o {
			p.Errorf("%q belongs to %v, want %v", name, got, o)
		}
	}
}

func (p place) look() *Tree {
	p.Helper()
	tree, err := Look(p.Context(), p.dir, me.UID)
	p.check(err)
	return tree
}

// direct changes owners in this process.
func (p place) direct(_ context.Context, files []File) error { return Give(p.dir, files, me) }

func (p place) giveBack(t *Tree, opts Options) Report {
	p.Helper()
	report, err := t.GiveBack(p.Context(), opts, p.direct)
	if err != nil {
		p.Errorf("given back %d, left %q: %v", report.Given, report.Left, err)
	}
	return report
}

func TestGiveBack(t *testing.T) {
	p := newPlace(t)
	p.own(me, p.write("mine"), p.write("src"))
	p.write("theirs/old")
	p.write("theirs/moved")
	p.own(other, p.write("foreign"))
	outside := newPlace(t)
	target := outside.path(outside.write("target"))
	tree := p.look()

	p.write("new/deep/file")
	p.write("theirs/new")
	p.check(os.Chmod(p.path("new/deep"), 0o700))
	p.own(other, p.write("other"))
	p.check(os.Rename(p.path("theirs/moved"), p.path("moved")))
	p.check(os.Link(p.path("foreign"), p.path("linked")))
	p.check(os.Symlink(target, p.path("link")))
	p.check(os.Symlink("nowhere", p.path("dangling")))
	p.check(os.Symlink(outside.dir, p.path("dirlink")))
	p.check(unix.Mkfifo(p.path("pipe"), 0o600))
	// What replaces a file of the caller's, as git does with its index.
	p.check(os.Rename(p.path(p.write("mine.lock")), p.path("mine")))
	p.own(other, "src")
	odd := []string{"new line\n", " lead", "-rf", "--", "\xff\xfe", "a'b\"c", "*"}
	for _, name := range odd {
		p.write(name)
	}
	report := p.giveBack(tree, Options{})

	given := append([]string{
		"mine", "src", "new", "new/deep", "new/deep/file", "theirs/new", "other", "link", "dangling", "dirlink", "pipe",
	}, odd...)
	p.owned(me, given...)
	if report.Given != len(given) {
		t.Errorf("%d are said to be given back, want %d", report.Given, len(given))
	}
	p.owned(Owner{}, "theirs", "theirs/old", "moved")
	p.owned(other, "foreign", "linked")
	if info, err := os.Stat(target); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("the target of a link has changed hands: %v, %v", info, err)
	}
	if text, err := os.ReadFile(p.path("new/deep/file")); err != nil || string(text) != "new/deep/file" {
		t.Errorf("a file has changed: %q, %v", text, err)
	}
	if report := p.giveBack(tree, Options{}); report.Given != 0 {
		t.Errorf("%d are given back again", report.Given)
	}
}

func TestEverything(t *testing.T) {
	p := newPlace(t)
	p.write("a/b/c")
	p.own(other, ".", "a")
	p.giveBack(Everything(p.dir, me.UID), Options{})
	p.owned(me, ".", "a", "a/b", "a/b/c")
}

// TestHomes leaves to a user what is made in directories that were that user's
// before, as a database does it that runs beside the steps, also for who comes
// second; what root or yet another user makes there is from a step.
func TestHomes(t *testing.T) {
	p := newPlace(t)
	state := t.TempDir()
	for _, dir := range []string{"data", "data/sub", "roots"} {
		p.check(os.Mkdir(p.path(dir), 0o755))
	}
	p.own(other, "data", "data/sub")
	first := p.enter(state)
	p.own(other, p.write("data/new"), p.write("data/fresh/a"), "data/fresh", p.write("data/sub/b"), p.write("roots/c"))
	p.write("data/of root")
	p.own(Owner{4321, 4321}, p.write("data/of another"))
	second := p.enter(state)
	first.Last()
	first.Close()
	if !second.Last() {
		t.Fatal("somebody else works there")
	}
	p.giveBack(second.Tree, Options{})
	p.owned(other, "data", "data/sub", "data/new", "data/fresh", "data/fresh/a", "data/sub/b")
	p.owned(me, "data/of root", "data/of another", "roots/c")
}

// TestGroups keeps groups that directories hand on, as teams set them up.
func TestGroups(t *testing.T) {
	p := newPlace(t)
	p.check(os.Mkdir(p.path("team"), 0o775))
	p.own(Owner{me.UID, 777}, "team")
	p.check(os.Chmod(p.path("team"), 0o775|os.ModeSetgid))
	tree := p.look()
	p.write("team/sub/file")
	p.write("team/own")
	p.own(Owner{0, 888}, "team/own")
	p.giveBack(tree, Options{})
	p.owned(Owner{me.UID, 777}, "team", "team/sub", "team/sub/file")
	p.owned(me, "team/own")
}

// TestSetUserID shows that a program which runs as root does not come to run
// as the caller.
func TestSetUserID(t *testing.T) {
	p := newPlace(t)
	tree := p.look()
	p.write("program")
	p.check(os.Chmod(p.path("program"), 0o755|os.ModeSetuid))
	p.giveBack(tree, Options{})
	p.owned(me, "program")
	if info, err := os.Stat(p.path("program")); err != nil || info.Mode() != 0o755 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}

func TestHoldLinked(t *testing.T) {
	p := newPlace(t)
	tree := p.look()
	elsewhere := filepath.Join(filepath.Dir(p.dir), "elsewhere")
	p.write("inside")
	p.check(os.Link(p.path("inside"), p.path("twice")))
	p.write("outside")
	p.check(os.Link(p.path("outside"), elsewhere))
	t.Cleanup(func() { os.Remove(elsewhere) })
	report, err := tree.GiveBack(t.Context(), Options{HoldLinked: true}, p.direct)
	if !errors.Is(err, errLinked) || !slices.Equal(report.Left, []string{"outside"}) {
		t.Errorf("got %+v, %v", report, err)
	}
	p.owned(me, "inside", "twice")
	p.owned(Owner{}, "outside")
	p.giveBack(tree, Options{})
	p.owned(me, "outside")
}

// TestHoldLinkedFromClosed: a second name for what is in a directory that could
// not be looked at does not change whose that is.
func TestHoldLinkedFromClosed(t *testing.T) {
	p := newPlace(t)
	p.own(other, p.write("closed/file"), "closed")
	tree := p.look()
	// Root reads everything, and the caller would not have.
	info, err := os.Stat(p.path("closed"))
	p.check(err)
	at := info.Sys().(*syscall.Stat_t)
	tree.closed["closed"], tree.locked[key{device: uint64(at.Dev), inode: at.Ino}] = struct{}{}, struct{}{} // its type differs by system
	tree.paths, tree.files = map[string]struct{}{"closed": {}}, map[key]struct{}{}
	p.check(os.Link(p.path("closed/file"), p.path("linked")))
	report, err := tree.GiveBack(t.Context(), Options{}, p.direct)
	if !errors.Is(err, errLinked) || !slices.Equal(report.Left, []string{"linked"}) {
		t.Errorf("got %+v, %v", report, err)
	}
	p.owned(other, "closed/file")
}

// TestRemadeInode gives back what has the inode of a file that was removed.
func TestRemadeInode(t *testing.T) {
	p := newPlace(t)
	for i := range 100 {
		p.write(fmt.Sprint("old", i))
	}
	tree := p.look()
	for i := range 100 {
		p.check(os.Remove(p.path(fmt.Sprint("old", i))))
	}
	for i := range 100 {
		p.write(fmt.Sprint("new", i))
	}
	p.giveBack(tree, Options{})
	for i := range 100 {
		p.owned(me, fmt.Sprint("new", i))
	}
}

// TestNoLinkIsFollowed puts links where directories were when they were looked
// at.
func TestNoLinkIsFollowed(t *testing.T) {
	p := newPlace(t)
	outside := newPlace(t)
	outside.write("dir/file")
	outside.own(Owner{}, ".")
	tree := p.look()
	p.write("dir/file")
	p.write("file")
	swap := func(_ context.Context, files []File) error {
		p.check(os.RemoveAll(p.path("dir")))
		p.check(os.Symlink(outside.path("dir"), p.path("dir")))
		p.check(os.Remove(p.path("file")))
		p.check(os.Symlink(outside.path("dir/file"), p.path("file")))
		return Give(p.dir, files, me)
	}
	report, err := tree.GiveBack(t.Context(), Options{}, swap)
	if err == nil {
		t.Errorf("got %+v", report)
	}
	outside.owned(Owner{}, "dir", "dir/file")
	files := []File{{Path: "../" + filepath.Base(outside.dir) + "/dir/file"}}
	info, err := os.Stat(outside.path("dir/file"))
	p.check(err)
	files[0].Inode = info.Sys().(*syscall.Stat_t).Ino
	if err := Give(p.dir, files, me); err == nil {
		t.Error("a path that leads out is followed")
	}
	outside.owned(Owner{}, "dir/file")
}

// TestMounts leaves alone what is mounted below, also from the same file
// system.
func TestMounts(t *testing.T) {
	p := newPlace(t)
	outside := newPlace(t)
	outside.write("file")
	tree := p.look()
	for _, name := range []string{"bind", "memory"} {
		p.check(os.Mkdir(p.path(name), 0o755))
		var err error
		if name == "bind" {
			err = mountBind(outside.dir, p.path(name))
		} else {
			err = mountMemory(p.path(name))
		}
		if err != nil {
			t.Skipf("SKIPPED: cannot mount here: %v", err)
		}
		t.Cleanup(func() { unmount(p.path(name)) })
	}
	p.write("memory/file")
	p.giveBack(tree, Options{})
	p.owned(Owner{}, "bind/file", "memory/file")
}

// TestLeft says what is left when owners do not change, whatever the helper
// says.
func TestLeft(t *testing.T) {
	p := newPlace(t)
	tree := p.look()
	p.write("b/c")
	p.write("a")
	for name, give := range map[string]func(context.Context, []File) error{
		"silent": func(context.Context, []File) error { return nil },
		"loud":   func(context.Context, []File) error { return errors.New("no rights") },
	} {
		report, err := tree.GiveBack(t.Context(), Options{}, give)
		if err == nil || name == "loud" && err.Error() != "no rights" || !slices.Equal(report.Left, []string{"a", "b", "b/c"}) || report.Given != 0 {
			t.Errorf("%s: got %+v, %v", name, report, err)
		}
	}
	none := newPlace(t)
	if _, err := none.look().GiveBack(t.Context(), Options{}, func(context.Context, []File) error {
		t.Error("called for nothing")
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errOther)
	if _, err := Look(ctx, dir, me.UID); !errors.Is(err, errOther) {
		t.Errorf("got %v", err)
	}
	if _, err := Look(t.Context(), filepath.Join(dir, "absent"), me.UID); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestHelper talks to the helper as from outside its container.
func TestHelper(t *testing.T) {
	p := newPlace(t)
	tree := p.look()
	p.write("a/\xff")
	p.write("b")
	toHelper, ask := io.Pipe()
	said, fromHelper := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Serve(p.dir, toHelper, fromHelper) }()
	client := NewClient(me, said, ask)
	report, err := tree.GiveBack(t.Context(), Options{}, func(_ context.Context, files []File) error { return client.Give(files) })
	if err != nil || report.Given != 3 {
		t.Errorf("got %+v, %v", report, err)
	}
	p.owned(me, "a", "a/\xff", "b")
	if err := client.Give([]File{{Path: "b", Inode: 1}}); err == nil || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("got %v", err)
	}
	ask.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := Serve(p.dir, strings.NewReader("nonsense"), io.Discard); err == nil {
		t.Error("nonsense is no error")
	}
	if err := NewClient(me, strings.NewReader(""), &bytes.Buffer{}).Give(nil); err == nil {
		t.Error("a helper that is gone is no error")
	}
}

func TestTranslate(t *testing.T) {
	const rootless = "         0       1000          1\n         1     100000      65536\n"
	for _, c := range []struct {
		table  string
		id     int
		want   int
		failed bool
	}{
		{"0 0 4294967295", 1000, 1000, false},
		{rootless, 1000, 0, false},
		{rootless, 100999, 1000, false},
		{rootless, 1001, 0, true},
		{"", 0, 0, true},
	} {
		got, err := translateBy(c.table, c.id)
		if got != c.want || (err != nil) != c.failed {
			t.Errorf("%d by %q is %d, %v", c.id, c.table, got, err)
		}
	}
}

// BenchmarkLook walks a tree of 100,000 files in 10,000 directories.
func BenchmarkLook(b *testing.B) {
	dir := b.TempDir()
	for i := range 10_000 {
		sub := filepath.Join(dir, fmt.Sprint(i%100), fmt.Sprint(i/100))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			b.Fatal(err)
		}
		for j := range 10 {
			if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("file-%d.txt", j)), nil, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		if _, err := Look(b.Context(), dir, os.Geteuid()); err != nil {
			b.Fatal(err)
		}
	}
}
