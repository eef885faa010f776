package docker

import (
	"flag"
	"os"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/enginetest"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/rootlesstest"
)

var rootlessAll = flag.Bool("rootless", false, "pass the whole suite on engines without root")

// TestRootless has engines of an ordinary user pass the conformance suite, in a
// workspace of the user's: all of it with -rootless, what that may change
// without.
func TestRootless(t *testing.T) {
	t.Parallel()
	t.Run("Podman", func(t *testing.T) {
		t.Parallel()
		p := rootlesstest.New(t, "podman", "runc")
		testRootless(t, p, p.Podman(testImage))
	})
	t.Run("Docker", func(t *testing.T) {
		t.Parallel()
		p := rootlesstest.New(t, "dockerd", "docker", "rootlesskit")
		testRootless(t, p, p.Docker(testImage))
	})
}

func testRootless(t *testing.T, p *rootlesstest.Place, host string) {
	e, err := New(t.Context(), Options{Endpoint: dockerhost.Endpoint{Host: host, Source: "the test"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if f, err := e.Facts(t.Context()); err != nil || !f.Rootless || f.Cgroup == "1" && f.MemoryLimit {
		t.Errorf("it says %+v, error %v", f, err)
	}
	config := enginetest.Config{
		Engine: func(*testing.T) exec.Engine { return e }, Image: testImage,
		Leftovers: func(t *testing.T, run string) []string { return leftovers(t, e, run) },
		Break:     func(p *exec.Pipeline) { p.Networks = []string{"drone-test-no-such-network"} },
		Features:  enginetest.Features{Images: true, Volumes: true, Network: true},
		Workspace: func(t *testing.T) string {
			dir, err := os.MkdirTemp(p.Home, "tree-")
			if err == nil {
				err = os.Chown(dir, rootlesstest.UID, rootlesstest.UID)
			}
			if err != nil {
				t.Fatal(err)
			}
			return dir
		},
	}
	if !*rootlessAll {
		config.Only = []string{"workspace:", "close:", "service:"}
	}
	enginetest.Run(t, config)
}
