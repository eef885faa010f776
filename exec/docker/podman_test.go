package docker

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/enginetest"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/testenv"
)

// podmanSocket is that of the Podman that scripts/podman-up starts.
const podmanSocket = "unix:///run/drone-podman/podman.sock"

// newPodman connects to the Podman of the tests. Without one the test is
// skipped, but fails where CI is set.
func newPodman(t *testing.T) *Engine {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	e, err := New(ctx, Options{Endpoint: dockerhost.Endpoint{Host: podmanSocket, Source: "scripts/podman-up"}})
	if err == nil {
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Errorf("close the engine: %v", err)
			}
		})
		_, err = e.client.ImageInspect(ctx, testImage)
	}
	if err == nil {
		return e
	}
	testenv.Lack(t, "no Podman with the image %s, which `make podman-up` starts: %v", testImage, err)
	return nil
}

// TestPodman has Podman pass the conformance suite: all of it with a directory
// of this machine for the workspace, as runs have it, and what volumes change
// without one.
func TestPodman(t *testing.T) {
	e := newPodman(t)
	config := enginetest.Config{
		Engine: func(*testing.T) exec.Engine { return e }, Image: testImage,
		Leftovers: func(t *testing.T, run string) []string { return leftovers(t, e, run) },
		Break:     func(p *exec.Pipeline) { p.Networks = []string{"drone-test-no-such-network"} },
		Features:  enginetest.Features{Images: true, Volumes: true, Network: true},
	}
	t.Run("bind", func(t *testing.T) {
		t.Parallel()
		config := config
		config.Workspace = func(t *testing.T) string { return t.TempDir() }
		enginetest.Run(t, config)
	})
	t.Run("volume", func(t *testing.T) {
		t.Parallel()
		config := config
		config.Only = []string{"workspace:", "close:"}
		enginetest.Run(t, config)
	})
	t.Run("messages", func(t *testing.T) {
		t.Parallel()
		testPodmanMessages(t, e)
	})
}

// testPodmanMessages: what users do wrong is said as with Docker, and it says
// Podman where it is.
func testPodmanMessages(t *testing.T, e *Engine) {
	if e.product != productPodman {
		t.Errorf("it is taken for %s", e.product)
	}
	tr := open(t, e, nil)
	image := `image "` + testImage + `"`
	for want, step := range map[string]exec.Step{
		image + ` has no user "nobodyx"`:                         {User: "nobodyx", Commands: []string{"true"}},
		image + ` has no program "nope"`:                         {Entrypoint: []string{"nope"}},
		`"/etc/passwd" in ` + image + " is not executable":       {Entrypoint: []string{"/etc/passwd"}},
		"working_dir is not an absolute path":                    {Commands: []string{"true"}, WorkingDir: "rel"},
		"mem_limit is below what the start of a container takes": {Commands: []string{"true"}, MemLimit: 1},
		`"UPPER" is not the name of an image`:                    {Image: "UPPER", Commands: []string{"true"}},
	} {
		_, _, err := tr.do(t.Context(), &step, nil)
		var failed *exec.StepError
		if !errors.As(err, &failed) || failed.Error() != want || failed.Hint == "" {
			t.Errorf("got %v, want %q with a hint", err, want)
		}
	}
	_, err := e.Open(t.Context(), &exec.Pipeline{Networks: []string{"drone-no-such-net"}, Workspace: exec.Workspace{Base: "/x"}},
		exec.Setting{Run: "test-" + random()[:8], Notify: func(exec.Notice) {}})
	if got := asStepError(t, err, exec.PhaseOpen); got.Error() != `there is no network "drone-no-such-net"` {
		t.Errorf("got %q", got.Error())
	}
}

// TestPodmanListsNoOtherRun: asked for the objects of one run it gives those of
// another too, which must not be taken for it.
func TestPodmanListsNoOtherRun(t *testing.T) {
	e := newPodman(t)
	one, other := open(t, e, nil), open(t, e, nil)
	left := leftovers(t, e, one.run)
	if len(left) == 0 || slices.ContainsFunc(left, func(o string) bool { return strings.Contains(o, other.run) }) {
		t.Errorf("the objects of %s are said to be %v", one.run, left)
	}
}

// TestSpellMounts: paths that Podman would take apart have the other form, where
// that can say them.
func TestSpellMounts(t *testing.T) {
	volume := mount.Mount{Type: mount.TypeVolume, Source: "a,b", Target: "/v"}
	plain := mount.Mount{Type: mount.TypeBind, Source: "/a b", Target: "/w"}
	both := mount.Mount{Type: mount.TypeBind, Source: "/a,b:c", Target: "/w"}
	host := &container.HostConfig{Mounts: []mount.Mount{
		volume, {Type: mount.TypeBind, Source: "/a,b", Target: "/c"}, plain,
		{Type: mount.TypeBind, Source: "/a", Target: "/c,d", ReadOnly: true}, both,
	}}
	spellMounts(host)
	want := &container.HostConfig{Mounts: []mount.Mount{volume, plain, both}, Binds: []string{"/a,b:/c", "/a:/c,d:ro"}}
	if diff := cmp.Diff(want, host); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestUntilPassed(t *testing.T) {
	race := errors.New("Error response from daemon: route ip+net: no such network interface")
	for name, tc := range map[string]struct {
		fails     int
		err       error
		wantTries int
		wantErr   error
	}{
		"works":         {fails: 0, err: race, wantTries: 1},
		"works later":   {fails: 2, err: race, wantTries: 3},
		"never":         {fails: 99, err: race, wantTries: networkTries, wantErr: race},
		"another error": {fails: 99, err: errClosed, wantTries: 1, wantErr: errClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tries := 0
			err := untilPassed(t.Context(), func() error {
				if tries++; tries <= tc.fails {
					return tc.err
				}
				return nil
			})
			if tries != tc.wantTries || !errors.Is(err, tc.wantErr) {
				t.Errorf("tried %d times and got %v", tries, err)
			}
		})
	}
}

// TestChanging: a removal is repeated until the container has ended.
func TestChanging(t *testing.T) {
	improper := errors.New("cannot remove container x as it could not be stopped: sending SIGKILL to container x: container state improper: stopped")
	tries := 0
	err := new(Engine).persist(t.Context(), nil, func() error {
		if tries++; tries < 3 {
			return improper
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("tried %d times and got %v", tries, err)
	}
}

func TestProduct(t *testing.T) {
	for want, names := range map[string][]string{productPodman: {"Podman Engine", "Conmon"}, productDocker: {"Engine", "containerd"}} {
		var server types.Version
		for _, name := range names {
			server.Components = append(server.Components, types.ComponentVersion{Name: name})
		}
		if got := productOf(server); got != want {
			t.Errorf("%q is taken for %s", names, got)
		}
	}
	missing := filepath.Join(t.TempDir(), "podman", "podman.sock")
	_, err := New(t.Context(), Options{Endpoint: dockerhost.Endpoint{Host: "unix://" + missing, Source: "the socket of rootless Podman"}})
	var unreachable *exec.UnreachableError
	if !errors.As(err, &unreachable) || !strings.HasPrefix(err.Error(), "cannot reach Podman at unix://") || !strings.Contains(unreachable.Hint, "podman.socket") {
		t.Errorf("a Podman that is not there gave %v", err)
	}
}
