//go:build unix

package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/fileowner"
)

// ordinary makes an engine one of a user who is not root, and gives that user a
// directory. Without a helper files are given back with what images have.
func ordinary(t *testing.T, e *Engine) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a, tree")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		t.Log("NOT ROOT: the user of this test is the one who runs it")
		return dir
	}
	e.forceHelper = true
	e.workspaces.caller = fileowner.Owner{UID: 23456, GID: 23457}
	if err := os.Chown(dir, e.workspaces.caller.UID, e.workspaces.caller.GID); err != nil {
		t.Fatal(err)
	}
	return dir
}

// buildHelper makes a program that runs in any container.
func buildHelper(t *testing.T) []string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "helper")
	build := osexec.Command("go", "build", "-buildvcs=false", "-o", program, "./testdata/helper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the helper: %v\n%s", err, out)
	}
	return []string{program, "serve"}
}

func ownerOfFile(t *testing.T, path string) fileowner.Owner {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fileowner.Owner{UID: int(stat.Uid), GID: int(stat.Gid)}
}

func openIn(t *testing.T, e *Engine, dir string, change func(*exec.Pipeline)) *trial {
	t.Helper()
	return open(t, e, func(p *exec.Pipeline) {
		p.Workspace.Host = dir
		if change != nil {
			change(p)
		}
	})
}

// closeNow closes a pipeline before the end of the test does.
func (tr *trial) closeNow() {
	tr.Helper()
	if err := tr.session.Close(context.WithoutCancel(tr.Context())); err != nil {
		tr.Errorf("close: %v", err)
	}
}

// TestGiveBack gives back with a helper, and with the chown of an image where
// none runs in a container.
func TestGiveBack(t *testing.T) {
	helper := buildHelper(t)
	for name, engine := range map[string]func(*testing.T) *Engine{"docker": newEngine, "podman": newPodman} {
		t.Run(name, func(t *testing.T) {
			e := engine(t)
			t.Run("shell", func(t *testing.T) { testGiveBack(t, e) })
			e.helper = helper
			t.Run("helper", func(t *testing.T) { testGiveBack(t, e) })
		})
	}
}

func testGiveBack(t *testing.T, e *Engine) {
	dir := ordinary(t, e)
	caller := e.workspaces.caller
	tr := openIn(t, e, dir, nil)
	tr.must(commands(
		"mkdir -p -m 700 a && touch -- a/-rf '-rf' 'new\nline' \"it's\" && ln -s /etc/passwd link && chown 77:77 link -h",
		"mkdir -m 2775 team && chgrp 1234 team && chmod 2775 team && touch team/file",
	), nil)
	if len(e.helper) > 0 {
		// This image is not there any more, and the next one is taken.
		tr.session.(*session).workspace.used("drone-laptop/no-such-image:test")
	}
	tr.closeNow()
	for _, name := range []string{"a", "a/-rf", "-rf", "new\nline", "it's", "link", "team"} {
		if got := ownerOfFile(t, filepath.Join(dir, name)); got != caller {
			t.Errorf("%q belongs to %v, want %v", name, got, caller)
		}
	}
	if got, want := ownerOfFile(t, filepath.Join(dir, "team/file")), (fileowner.Owner{UID: caller.UID, GID: 1234}); got != want {
		t.Errorf("a file in a directory of a group belongs to %v, want %v", got, want)
	}
	if warned := tr.warnings(); len(warned) > 0 {
		t.Errorf("warnings: %q", warned)
	}
}

// TestGiveBackLater: while another pipeline works in the directory, its steps
// keep what they have made.
func TestGiveBackLater(t *testing.T) {
	e := newEngine(t)
	dir := ordinary(t, e)
	first, second := openIn(t, e, dir, nil), openIn(t, e, dir, nil)
	first.must(commands("touch one && chown 77 one"), nil)
	second.must(commands("mkdir two && chown 77 two"), nil)
	first.closeNow()
	own := commands("touch two/file")
	own.User = "77"
	second.must(own, nil)
	second.closeNow()
	third := openIn(t, e, dir, nil)
	third.must(commands("touch three"), nil)
	third.closeNow()
	for _, name := range []string{"one", "two", "two/file", "three"} {
		if got := ownerOfFile(t, filepath.Join(dir, name)); got != e.workspaces.caller {
			t.Errorf("%q belongs to %v", name, got)
		}
	}
}

// TestNotGivenBack says what is left, and what to do about it.
func TestNotGivenBack(t *testing.T) {
	e := newEngine(t)
	dir := ordinary(t, e)
	tr := openIn(t, e, dir, nil)
	tr.must(commands("touch a b 'c d' e"), nil)
	w := tr.session.(*session).workspace
	w.images = []string{"drone-laptop/no-such-image:test"}
	tr.closeNow()
	warned := strings.Join(tr.warnings(), "\n")
	for _, want := range []string{
		"4 of the files that steps created as another user are not yours yet, in " + dir + " (a, b, 'c d', …): ",
		"no-such-image", "`sudo chown -hR ", " '" + dir + "'`",
	} {
		if !strings.Contains(warned, want) {
			t.Errorf("%q is not in %q", want, warned)
		}
	}
	// The next pipeline of the run tries again.
	again := openIn(t, e, dir, nil)
	again.must(commands("touch f"), nil)
	again.closeNow()
	for _, name := range []string{"a", "c d", "f"} {
		if got := ownerOfFile(t, filepath.Join(dir, name)); got != e.workspaces.caller {
			t.Errorf("%q belongs to %v", name, got)
		}
	}
}

// TestUntrueChown: what the programs of an image make while they should change
// owners does not stay unseen.
func TestUntrueChown(t *testing.T) {
	e := newEngine(t)
	dir := ordinary(t, e)
	run := "test-" + random()[:8]
	name := objectName(run)
	ctx := t.Context()
	c := &container.Config{Image: testImage, Labels: map[string]string{LabelRun: run}}
	if _, err := e.client.ContainerCreate(ctx, c, nil, nil, nil, name); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.removeContainer(context.WithoutCancel(ctx), name) }()
	const untrue = "#!/bin/busybox sh\n/bin/busybox touch program\n/bin/busybox chmod u+s program\nexec /bin/busybox sh \"$@\"\n"
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	err := errors.Join(w.WriteHeader(&tar.Header{Name: "bin/sh", Mode: 0o755, Size: int64(len(untrue)), Typeflag: tar.TypeReg}),
		writeString(w, untrue), w.Close(), e.client.CopyToContainer(ctx, name, "/", &archive, container.CopyToContainerOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	made, err := e.client.ContainerCommit(ctx, name, container.CommitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_, _ = e.client.ImageRemove(context.WithoutCancel(ctx), made.ID, image.RemoveOptions{Force: true})
	}()
	tr := openIn(t, e, dir, nil)
	tr.must(commands("touch a && chown 77 a"), nil)
	tr.session.(*session).workspace.images = []string{made.ID}
	tr.closeNow()
	if got := ownerOfFile(t, filepath.Join(dir, "a")); got != e.workspaces.caller {
		t.Errorf("a belongs to %v", got)
	}
	if warned := strings.Join(tr.warnings(), "\n"); !strings.Contains(warned, " (program): "+errByImage.Error()) {
		t.Errorf("the warnings are %q", warned)
	}
}

// TestGiveBackWithoutEngine: an engine that is gone is all there is to say, and no
// container is named that was never made.
func TestGiveBackWithoutEngine(t *testing.T) {
	e := newEngine(t)
	dir := ordinary(t, e)
	tr := openIn(t, e, dir, nil)
	tr.must(commands("touch a && chown 77 a"), nil)
	api, err := client.NewClientWithOpts(client.WithHost("unix://" + filepath.Join(t.TempDir(), "nowhere.sock")))
	if err != nil {
		t.Fatal(err)
	}
	gone := &Engine{client: api, forceHelper: true}
	give := giveBack{engine: gone, dir: dir, to: e.workspaces.caller, images: []string{testImage}, labels: map[string]string{LabelRun: "test-" + random()[:8]}}
	got := give.run(t.Context(), fileowner.Everything(dir, e.workspaces.caller.UID))
	if got == nil || !strings.HasSuffix(got.Error(), "(a): the engine does not answer; `"+chownCommand(dir, e.workspaces.caller)+"` gives it to you") {
		t.Errorf("got %v", got)
	}
	tr.closeNow() // which gives it back after all
	if got := ownerOfFile(t, filepath.Join(dir, "a")); got != e.workspaces.caller {
		t.Errorf("a belongs to %v", got)
	}
}

// TestNoTimeToGiveBack: with no time left no container is started, and what is
// left is said.
func TestNoTimeToGiveBack(t *testing.T) {
	e := newEngine(t)
	dir := ordinary(t, e)
	tr := openIn(t, e, dir, nil)
	tr.must(commands("touch a && chown 77 a"), nil)
	hurry := make(chan struct{})
	close(hurry)
	tr.session.(*session).hurry = hurry
	tr.closeNow()
	if warned := strings.Join(tr.warnings(), "\n"); !strings.Contains(warned, "(a): there was no time left; `sudo chown ") {
		t.Errorf("the warnings are %q", warned)
	}
	if got := ownerOfFile(t, filepath.Join(dir, "a")); got.UID != 77 {
		t.Errorf("a belongs to %v", got)
	}
}

// TestGiveBackAll gives back a directory whose history nobody knows.
func TestGiveBackAll(t *testing.T) {
	e := newEngine(t)
	dir := ordinary(t, e)
	if os.Geteuid() == 0 {
		if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(dir, "a"), 77, 77); err != nil {
			t.Fatal(err)
		}
	}
	e.workspaces.caller = fileowner.Owner{UID: os.Geteuid(), GID: os.Getegid()}
	run := "test-" + random()[:8]
	if err := e.GiveBack(t.Context(), run, dir, []string{testImage}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "a", "a/b"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			continue
		}
		if got := ownerOfFile(t, filepath.Join(dir, name)); got != e.workspaces.caller {
			t.Errorf("%q belongs to %v", name, got)
		}
	}
	if left := leftovers(t, e, run); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	absent := filepath.Join(dir, "absent")
	if err := e.GiveBack(t.Context(), run, absent, nil); err == nil || !strings.Contains(err.Error(), absent) {
		t.Errorf("got %v", err)
	}
}

func TestReachesOut(t *testing.T) {
	for _, c := range []struct {
		host   string
		reachs bool
	}{{"/", true}, {"/home/u", true}, {"/home/u/tree", true}, {"/home/u/tree/", true}, {"/home/u/tr", false}, {"/home/u/tree/cache", false}, {"/cache", false}} {
		p := &exec.Pipeline{Workspace: exec.Workspace{Host: "/home/u/tree"}, Volumes: []exec.Volume{{Kind: exec.VolumeHost, HostPath: c.host}}}
		bound := &exec.Pipeline{Workspace: p.Workspace, Steps: []*exec.Step{{Binds: []exec.Bind{{Host: c.host}}}}}
		if reachesOut(p) != c.reachs || reachesOut(bound) != c.reachs {
			t.Errorf("%s: want %v", c.host, c.reachs)
		}
	}
	if !reachesOut(&exec.Pipeline{Workspace: exec.Workspace{Host: "/tree"}, Steps: []*exec.Step{{Privileged: true}}}) {
		t.Error("a privileged step can mount")
	}
}

// TestReachesOutThroughLinks: a volume above the workspace is one by whatever
// name.
func TestReachesOutThroughLinks(t *testing.T) {
	base := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(base, "real/tree"), 0o700), os.Symlink("real", filepath.Join(base, "link"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"link/tree", "real"}, {"real/tree", "link"}} {
		p := &exec.Pipeline{
			Workspace: exec.Workspace{Host: filepath.Join(base, c[0])},
			Volumes:   []exec.Volume{{Kind: exec.VolumeHost, HostPath: filepath.Join(base, c[1])}},
		}
		if !reachesOut(p) {
			t.Errorf("%s holds %s", c[1], c[0])
		}
	}
}

// TestHelperSpec: an image cannot prepare the places of a helper, and what it
// has itself runs with the rights of a step at most.
func TestHelperSpec(t *testing.T) {
	g := &giveBack{dir: "/tree"}
	seen := map[string]bool{}
	for range 2 {
		c := helperSpec(g, "image", []string{"/usr/bin/drone", "give"})
		dir, program := c.Host.Mounts[0].Target, c.Host.Mounts[1].Target
		if len(dir) < len(helperDir)+20 || len(program) < len(helperProgram)+20 || seen[dir] || seen[program] {
			t.Errorf("%s and %s can be foreseen", dir, program)
		}
		seen[dir], seen[program] = true, true
		if !slices.Equal(c.Config.Entrypoint, []string{program}) || !slices.Equal(c.Config.Cmd, []string{"give", dir}) {
			t.Errorf("%v %v is started", c.Config.Entrypoint, c.Config.Cmd)
		}
	}
	if c := shellSpec(g, "image", true); c.Host.UsernsMode != "" || len(c.Host.Mounts) != 1 || c.Config.WorkingDir != c.Host.Mounts[0].Target {
		t.Errorf("the shell of an image gets %+v", c.Host)
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/home/u/a-b_c.d": "/home/u/a-b_c.d", "a b": "'a b'", "it's": `'it'\''s'`, "-rf": "'-rf'", "": "''", "a\nb": `"a\nb"`,
	} {
		if got := quote(path); got != want {
			t.Errorf("%q is quoted as %s, want %s", path, got, want)
		}
	}
}
