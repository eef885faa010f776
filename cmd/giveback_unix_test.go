//go:build unix

package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/internal/dockerhost"
)

// ordinary is a user who may talk to the engine, and nothing else. There need
// not be an account.
type ordinary struct {
	*testing.T
	uid, gid uint32
	groups   []uint32
	home     string // of the user
	dir      string // below home, where drone runs
}

const ordinaryID = 23456

// newOrdinary makes a user and a directory. Where the tests do not run as root
// the user is the one who runs them.
func newOrdinary(t *testing.T) *ordinary {
	t.Helper()
	t.Parallel()
	u := &ordinary{T: t, uid: ordinaryID, gid: ordinaryID}
	if os.Geteuid() != 0 {
		u.uid, u.gid = uint32(os.Geteuid()), uint32(os.Getegid())
		t.Log("NOT ROOT: the user of this test is the one who runs it")
	}
	home, err := os.MkdirTemp("", "drone-ordinary-")
	u.check(err)
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Errorf("what steps have made cannot be removed: %v", err)
		}
	})
	u.home, u.dir = home, filepath.Join(home, "tree")
	u.check(os.Mkdir(u.dir, 0o755))
	u.own(u.home, u.dir)
	endpoint, err := dockerhost.Resolve(dockerhost.Process(), "")
	u.check(err)
	if socket, err := url.Parse(endpoint.Host); err == nil && socket.Scheme == "unix" {
		info, err := os.Stat(socket.Path)
		u.check(err)
		u.groups = []uint32{info.Sys().(*syscall.Stat_t).Gid}
	}
	return u
}

func (u *ordinary) check(err error) {
	u.Helper()
	if err != nil {
		u.Fatal(err)
	}
}

func (u *ordinary) path(name string) string { return filepath.Join(u.dir, name) }

func (u *ordinary) own(paths ...string) {
	u.Helper()
	for _, path := range paths {
		u.check(os.Lchown(path, int(u.uid), int(u.gid)))
	}
}

// write makes a file of the user's, or of whoever runs the tests.
func (u *ordinary) write(name, text string, theirs bool) {
	u.Helper()
	u.check(os.MkdirAll(filepath.Dir(u.path(name)), 0o755))
	u.check(os.WriteFile(u.path(name), []byte(text), 0o644))
	for ; !theirs && name != "."; name = filepath.Dir(name) {
		u.own(u.path(name))
	}
}

// steps makes the file of one pipeline with them.
func (u *ordinary) steps(text string) {
	u.Helper()
	u.write(".drone.yml", "kind: pipeline\nname: default\nsteps:\n"+text, false)
}

// start runs a program as the user.
func (u *ordinary) start(name string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	u.Helper()
	c := exec.Command(name, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr, c.Dir = &out, &out, u.dir
	c.Env = append(os.Environ(), "HOME="+u.home, "XDG_STATE_HOME=", "TMPDIR="+u.home, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=0")
	if os.Geteuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: u.uid, Gid: u.gid, Groups: u.groups}}
	}
	u.check(c.Start())
	u.Cleanup(func() { _ = c.Process.Kill() }) // when the test has failed
	return c, &out
}

// run runs drone exec to its end and demands a status, and that it warned of
// nothing.
func (u *ordinary) run(status int, args ...string) {
	u.Helper()
	c, out := u.drone(args...)
	u.end(c, out, status)
}

func (u *ordinary) drone(args ...string) (*exec.Cmd, *bytes.Buffer) {
	u.Helper()
	return u.start(filepath.Join(binary, "drone"), append([]string{"exec"}, args...)...)
}

func (u *ordinary) git(args ...string) {
	u.Helper()
	c, out := u.start("git", append([]string{"-c", "user.name=u", "-c", "user.email=u@example.com"}, args...)...)
	u.end(c, out, 0)
}

func (u *ordinary) end(c *exec.Cmd, out *bytes.Buffer, status int) {
	u.Helper()
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		u.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != status || strings.Contains(out.String(), "warning") {
		u.Fatalf("exit status %d, want %d:\n%s", got, status, out)
	}
}

// owner is the user of a file.
func (u *ordinary) owner(name string) uint32 {
	u.Helper()
	info, err := os.Lstat(u.path(name))
	u.check(err)
	return info.Sys().(*syscall.Stat_t).Uid
}

// owned demands that everything below the directory belongs to the user but
// what others names, and that something named made is there.
func (u *ordinary) owned(made string, others ...string) {
	u.Helper()
	if _, err := os.Lstat(u.path(made)); err != nil {
		u.Error(err)
	}
	foreign := map[string]bool{}
	for _, name := range others {
		foreign[name] = true
	}
	u.check(filepath.WalkDir(u.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(u.dir, path)
		if err != nil {
			return err
		}
		if owner := u.owner(name); (owner == u.uid) == foreign[name] {
			u.Errorf("%q belongs to %d, the user is %d", name, owner, u.uid)
		}
		return nil
	}))
}

// TestGiveBack: what steps create belongs to the user in the end, what was
// there before to whom it did.
func TestGiveBack(t *testing.T) {
	needEngine(t)
	u := newOrdinary(t)
	u.write(".drone.yml", `
kind: pipeline
name: default
steps:
- name: root
  image: drone-laptop/busybox:test
  commands:
  - umask 077
  - mkdir -p out/a/b && touch out/a/b/file && chmod 500 out/a/b
  - touch -- -rf 'new
    line' ' space' "$(printf '\\377')" && mkdir -- '--reference=x'
  - ln -s /etc/passwd link && ln -s nowhere dangling && ln -s /etc dirlink && mkfifo pipe
  - cp .git/index .git/index.lock && mv .git/index.lock .git/index && mkdir -p .git/objects/e6/ && chown -R root .git/refs
  - mkdir many && cd many && seq 10000 | xargs touch && cd ..
  - mkdir -m 777 shared && chown 4321:4321 src
  - if [ -d theirs ]; then ln theirs/old linked; mv theirs/moved moved; fi
- name: user
  image: drone-laptop/busybox:test
  user: "1000"
  commands: [touch shared/file, mkdir -m 700 shared/dir, touch shared/dir/file]
---
kind: pipeline
name: after
depends_on: [default]
steps:
- name: root
  image: drone-laptop/busybox:test
  volumes: [{name: cache, path: /drone/src/mounted}]
  commands: [touch after]
volumes: [{name: cache, temp: {}}]
`, false)
	u.write("src/file", "", false)
	u.git("init", "-q")
	u.git("add", ".")
	u.git("commit", "-q", "-m", "first")
	var theirs []string
	if os.Geteuid() == 0 {
		theirs = []string{"theirs", "theirs/old", "moved", "linked", "closed", "closed/file"}
		for _, name := range []string{"theirs/old", "theirs/moved", "closed/file"} {
			u.write(name, name, true)
		}
		u.check(os.Chmod(u.path("closed"), 0o700))
	}
	passwd, err := os.Stat("/etc/passwd")
	u.check(err)
	u.run(0)
	u.owned("many/10000", theirs...)
	u.owned("shared/dir/file", theirs...)
	u.owned("mounted", theirs...)
	u.write("src/new", "", false)
	u.git("add", "src/new")
	u.git("commit", "-q", "-m", "second")
	if now, err := os.Stat("/etc/passwd"); err != nil || !now.ModTime().Equal(passwd.ModTime()) || now.Sys().(*syscall.Stat_t).Uid != passwd.Sys().(*syscall.Stat_t).Uid {
		t.Errorf("the target of a link has changed: %v, %v", now, err)
	}
	if info, err := os.Stat(u.path("out/a/b")); err != nil || info.Mode().Perm() != 0o500 {
		t.Errorf("a mode has changed: %v, %v", info, err)
	}
	if os.Geteuid() != 0 {
		u.check(os.Chmod(u.path("out/a/b"), 0o700))
	}
}

// TestGiveBackEnded: also when a run fails or is interrupted, and what a
// service writes until the end.
func TestGiveBackEnded(t *testing.T) {
	needEngine(t)
	for name, c := range map[string]struct {
		command string
		args    []string
		signal  syscall.Signal
		status  int
	}{
		"failure":   {"until [ -e served ]; do sleep 0.1; done; exit 7", nil, 0, 1},
		"time":      {"sleep 600", []string{"--timeout", "4s"}, 0, 124},
		"interrupt": {"sleep 600", nil, syscall.SIGINT, 130},
	} {
		t.Run(name, func(t *testing.T) {
			u := newOrdinary(t)
			u.write(".drone.yml", `
kind: pipeline
name: default
services:
- name: serve
  image: drone-laptop/busybox:test
  commands: ["while true; do touch served; mkdir -p files; touch files/$(date +%s); sleep 0.1; done"]
steps:
- name: step
  image: drone-laptop/busybox:test
  commands: ["mkdir -m 700 out; touch out/begun", "`+c.command+`"]
`, false)
			p, out := u.drone(c.args...)
			awaitFile(t, u.dir, "out/begun")
			if c.signal != 0 {
				u.check(p.Process.Signal(c.signal))
			}
			u.end(p, out, c.status)
			u.owned("out/begun")
			u.owned("served")
		})
	}
}

// TestGiveBackWithoutShell: the image of the step has nothing but one program.
func TestGiveBackWithoutShell(t *testing.T) {
	engine := needEngine(t)
	u := newOrdinary(t)
	name := bareImage(t, engine)
	u.steps("- {name: step, image: '" + name + "', pull: never, entrypoint: [/busybox, mkdir, -m, '700', -p, made/by root]}\n")
	u.run(0)
	u.owned("made/by root")
}

// bareImage makes an image that holds /busybox and nothing else, not even a
// link for its shell.
func bareImage(t *testing.T, engine *client.Client) string {
	t.Helper()
	ctx := t.Context()
	made, err := engine.ContainerCreate(ctx, &container.Config{Image: "drone-laptop/busybox:test"}, nil, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.ContainerRemove(context.WithoutCancel(ctx), made.ID, container.RemoveOptions{Force: true})
	content, _, err := engine.CopyFromContainer(ctx, made.ID, "/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	name := "drone-laptop/bare-" + strings.ToLower(filepath.Base(t.TempDir())) + "-" + strings.ToLower(made.ID[:8]) + ":test"
	said, err := engine.ImageImport(ctx, image.ImportSource{Source: content, SourceName: "-"}, name, image.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	t.Cleanup(func() {
		if _, err := engine.ImageRemove(context.WithoutCancel(ctx), name, image.RemoveOptions{Force: true}); err != nil {
			t.Errorf("remove the image: %v", err)
		}
	})
	var text bytes.Buffer
	if _, err := text.ReadFrom(said); err != nil || strings.Contains(text.String(), `"error"`) {
		t.Fatalf("import an image: %v %s", err, &text)
	}
	return name
}

// TestGiveBackKilled: the guard of a run that is killed gives back, too.
func TestGiveBackKilled(t *testing.T) {
	needEngine(t)
	u := newOrdinary(t)
	u.steps("- {name: step, image: drone-laptop/busybox:test, commands: [mkdir -m 700 out, touch out/begun made, sleep 600]}\n")
	p, _ := u.drone()
	awaitFile(t, u.dir, "made")
	u.check(p.Process.Kill())
	_ = p.Wait() // it was killed
	await(t, 20*time.Second, "the guard gives back", func() bool { return u.owner("made") == u.uid && u.owner("out/begun") == u.uid })
	u.owned("out/begun")
}

// TestGiveBackTwoRuns: a run that ends does not take from another one in the
// same directory what its steps have made, and the last one gives back all.
func TestGiveBackTwoRuns(t *testing.T) {
	needEngine(t)
	u := newOrdinary(t)
	for _, name := range []string{"long", "short"} {
		u.write(name+".yml", `
kind: pipeline
name: default
steps:
- name: root
  image: drone-laptop/busybox:test
  commands: [mkdir `+name+`, "chown 77 `+name+`"]
- name: user
  image: drone-laptop/busybox:test
  user: "77"
  commands: ["while [ `+name+` = long ] && [ ! -e end ]; do sleep 0.1; done", touch `+name+`/file]
`, false)
	}
	long, out := u.drone("long.yml")
	awaitFile(t, u.dir, "long")
	await(t, patience, "the first run owns its directory", func() bool { return u.owner("long") == 77 })
	u.run(0, "short.yml")
	if u.owner("long") == u.uid || u.owner("short") == u.uid {
		t.Error("the run that ended first gave back what the other one works on")
	}
	u.write("end", "", false)
	u.end(long, out, 0)
	u.owned("long/file")
	u.owned("short/file")
}
