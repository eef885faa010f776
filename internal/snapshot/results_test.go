//go:build unix

package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/internal/snapshot"
)

// bring brings from the directory copy to out what change does to it.
func (s sandbox) bring(ctx context.Context, change func()) (snapshot.Results, error) {
	s.Helper()
	state, err := snapshot.Record(s.Context(), s.path("copy"))
	s.must(err)
	change()
	if err := os.Mkdir(s.path("out"), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		s.Fatal(err)
	}
	out, err := os.OpenRoot(s.path("out"))
	s.must(err)
	defer out.Close()
	return state.Bring(ctx, s.path("copy"), out)
}

func (s sandbox) touch(name string, at time.Time) {
	s.Helper()
	s.must(os.Chtimes(s.path(name), at, at))
}

var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)

func TestBring(t *testing.T) {
	s := newSandbox(t)
	for _, name := range []string{"same", "touched", "changed", "stealthy", "mode", "replaced", "deleted", "was-file", "d/same", "d/inner", ".git/config", "sub/.git/config"} {
		s.write("copy/"+name, "before")
		s.touch("copy/"+name, longAgo)
	}
	s.must(os.Mkdir(s.path("copy/was-directory"), 0o755))
	s.must(os.Symlink("same", s.path("copy/link")))
	s.must(os.Symlink("same", s.path("copy/same-link")))
	results, err := s.bring(t.Context(), func() {
		s.write("copy/changed", "after")
		// Neither the size nor the time tell.
		s.write("copy/stealthy", "after.")
		s.touch("copy/stealthy", longAgo)
		s.touch("copy/touched", longAgo.Add(time.Hour))
		s.must(os.Chmod(s.path("copy/mode"), 0o755))
		s.must(os.WriteFile(s.path("copy/new"), []byte("before"), 0o600))
		s.touch("copy/new", longAgo)
		s.must(os.Rename(s.path("copy/new"), s.path("copy/replaced")))
		s.must(os.Remove(s.path("copy/deleted")))
		s.must(os.Remove(s.path("copy/was-file")))
		s.write("copy/was-file/in", "new")
		s.must(os.Remove(s.path("copy/was-directory")))
		s.write("copy/was-directory", "new")
		s.must(os.Remove(s.path("copy/link")))
		s.must(os.Symlink("/etc/passwd", s.path("copy/link")))
		s.write("copy/d/inner", "after")
		s.write("copy/.git/config", "after")
		s.write("copy/sub/.git/hooks/x", "after")
		s.write("copy/sub/.Git/x", "after")
		s.must(os.MkdirAll(s.path("copy/new/empty"), 0o700))
		s.must(os.Chmod(s.path("copy/new"), 0o555))
		s.touch("copy/new", longAgo)
		s.write("copy/program", "x")
		s.must(os.Chmod(s.path("copy/program"), 0o755|fs.ModeSetuid|fs.ModeSetgid))
		s.must(os.Link(s.path("copy/program"), s.path("copy/program2")))
		s.must(syscall.Mkfifo(s.path("copy/pipe"), 0o600))
		listener, err := net.Listen("unix", s.path("copy/socket"))
		s.must(err)
		t.Cleanup(func() { listener.Close() })
	})
	s.must(err)
	want := []string{
		"changed -rw-r--r-- after", "d drwxr-xr-x", "d/inner -rw-r--r-- after", "link -> /etc/passwd",
		"mode -rwxr-xr-x 2001 before", "new dr-xr-xr-x 2001", "new/empty drwx------",
		"program -rwxr-xr-x x", "program2 -rwxr-xr-x x",
		"replaced -rw------- 2001 before", "stealthy -rw-r--r-- 2001 after.", "touched -rw-r--r-- 2001 before",
		"was-directory -rw-r--r-- new", "was-file drwxr-xr-x", "was-file/in -rw-r--r-- new",
	}
	if diff := cmp.Diff(want, s.contents("out")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// The file that became a directory is gone, too.
	if results.Files != 11 || results.Deleted != 2 || results.Odd != 2 {
		t.Errorf("results are %+v", results)
	}
	s.must(os.Chmod(s.path("out/new"), 0o700))
	s.must(os.Chmod(s.path("copy/new"), 0o700))
}

// contents describes everything in a directory; years tell times of the test
// from others.
func (s sandbox) contents(dir string) (list []string) {
	s.Helper()
	s.must(filepath.WalkDir(s.path(dir), func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(s.path(dir), path)
		if err != nil || name == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := name + " " + info.Mode().String()
		if info.Mode()&fs.ModeSymlink == 0 && info.ModTime().Year() == longAgo.Year() {
			text += " 2001"
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, _ := os.Readlink(path)
			text = name + " -> " + target
		} else if info.Mode().IsRegular() {
			content, _ := os.ReadFile(path)
			text += " " + string(content)
		}
		list = append(list, text)
		return nil
	}))
	return list
}

// TestBringStaysInPlace: nothing is written through a link, whoever made it,
// and nothing is read through one.
func TestBringStaysInPlace(t *testing.T) {
	s := newSandbox(t)
	s.write("secret/key", "private")
	s.write("copy/was/in", "before")
	s.must(os.MkdirAll(s.path("out"), 0o755))
	for _, name := range []string{"planted", "was", "out-link"} {
		s.must(os.Symlink("../secret", s.path("out/"+name)))
	}
	s.must(os.Symlink("../secret/key", s.path("out/key")))
	s.must(os.Symlink("inside", s.path("out/loop")))
	s.must(os.Mkdir(s.path("out/inside"), 0o755))
	s.must(os.Link(s.path("secret/key"), s.path("out/hard")))
	s.write("out/blocked/mine", "mine")
	results, err := s.bring(t.Context(), func() {
		s.write("copy/planted/key", "hostile")
		s.write("copy/planted/other", "hostile")
		s.write("copy/loop/x", "hostile")
		s.write("copy/was/in", "hostile")
		s.write("copy/was/new/deep", "hostile")
		s.write("copy/key", "new")
		s.write("copy/hard", "new")
		s.write("copy/blocked", "hostile")
		s.must(os.Symlink("../secret", s.path("copy/from")))
		s.must(os.Symlink("/", s.path("copy/root")))
		for i := range 9 {
			s.must(os.WriteFile(s.path(fmt.Sprintf("copy/z%d", i)), nil, 0o644))
			s.must(os.MkdirAll(s.path(fmt.Sprintf("out/z%d", i)), 0o755))
		}
	})
	if err == nil {
		t.Fatal("nothing was in the way")
	}
	for _, text := range []string{"planted: what is there is no directory", "blocked: what is there is a directory", "and "} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not tell %q", err, text)
		}
	}
	if strings.Contains(err.Error(), "planted/") || strings.Count(err.Error(), ";") != 5 {
		t.Errorf("error tells too much: %q", err)
	}
	if diff := cmp.Diff([]string{"key -rw-r--r-- private"}, s.contents("secret")); diff != "" {
		t.Errorf("outside: -want +got:\n%s", diff)
	}
	if got := s.contents("out/inside"); len(got) > 0 {
		t.Errorf("through a link within: %v", got)
	}
	for name, want := range map[string]string{"key": "new", "hard": "new", "blocked/mine": "mine"} {
		info, err := os.Lstat(s.path("out/" + name))
		content, _ := os.ReadFile(s.path("out/" + name))
		if err != nil || !info.Mode().IsRegular() || string(content) != want {
			t.Errorf("%s is %v with %q, error %v", name, info, content, err)
		}
	}
	if target, err := os.Readlink(s.path("out/from")); err != nil || target != "../secret" {
		t.Errorf("the link leads to %q, error %v", target, err)
	}
	if results.Deleted != 0 || results.Files != 4 {
		t.Errorf("results are %+v", results)
	}
	// Nothing half made is left.
	left, err := filepath.Glob(s.path("out/.drone-*"))
	if len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

// TestBringClosed brings what its owner has closed to himself. Root is not kept
// out of anything, so it is somebody else who tries.
func TestBringClosed(t *testing.T) {
	if os.Getuid() == 0 {
		asSomebody(t)
		return
	}
	s := newSandbox(t)
	s.write("copy/d/old", "before")
	_, err := s.bring(t.Context(), func() {
		s.write("copy/file", "closed")
		s.must(os.Chmod(s.path("copy/file"), 0))
		s.write("copy/dir/in", "in a closed directory")
		s.must(os.Chmod(s.path("copy/dir"), 0))
	})
	s.must(err)
	for name, mode := range map[string]fs.FileMode{"file": 0, "dir": 0} {
		info, err := os.Lstat(s.path("out/" + name))
		s.must(err)
		if info.Mode().Perm() != mode {
			t.Errorf("%s is %v", name, info.Mode())
		}
		s.must(os.Chmod(s.path("out/"+name), 0o700))
	}
	want := []string{"dir drwx------", "dir/in -rw-r--r-- in a closed directory", "file -rwx------ closed"}
	if diff := cmp.Diff(want, s.contents("out")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// asSomebody runs a test as a user without rights.
func asSomebody(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "snapshot-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.ReadFile(os.Args[0])
	program := filepath.Join(dir, "test")
	for _, err := range []error{err, os.WriteFile(program, self, 0o755), os.Chmod(dir, 0o777)} { // for somebody else
		if err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.v")
	c.Dir, c.Env = dir, []string{"TMPDIR=" + dir, "PATH=" + os.Getenv("PATH")}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as user 65534: %v\n%s", err, out)
	}
}

func TestBringEnds(t *testing.T) {
	s := newSandbox(t)
	stop := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := s.bring(ctx, func() {
		s.write("copy/a", "new")
		cancel(stop)
	})
	if got := s.contents("out"); !errors.Is(err, stop) || len(got) > 0 {
		t.Errorf("error is %v, brought is %v", err, got)
	}
}

func TestRecordEnds(t *testing.T) {
	stop := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := snapshot.Record(ctx, t.TempDir()); !errors.Is(err, stop) {
		t.Errorf("error is %v", err)
	}
}
