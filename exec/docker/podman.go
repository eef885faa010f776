package docker

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/internal/dockerhost"
)

// Podman answers Docker's API, and the conformance suite passes on it. What it
// does otherwise is made up for here, and nowhere else but in the patterns of
// its error texts.

// The products that engines are of, as messages name them.
const (
	productDocker = "Docker"
	productPodman = "Podman"
)

// productOf names the product of an engine that has told its version.
func productOf(server types.Version) string {
	for _, c := range server.Components {
		if strings.HasPrefix(c.Name, productPodman) {
			return productPodman
		}
	}
	return productDocker
}

// probably names the product that the address of an engine speaks of, for
// engines that cannot be asked.
func probably(at dockerhost.Endpoint) string {
	if strings.Contains(strings.ToLower(at.Host+" "+at.Context+" "+at.Source), "podman") {
		return productPodman
	}
	return productDocker
}

// spellMounts writes mounts of host paths with a comma in Podman's other form:
// Podman takes a mount apart at its commas ("invalid mount option", 4.3 to 5).
// The other form is taken apart at colons and makes missing directories, so it
// is used only where it has to be.
func spellMounts(host *container.HostConfig) {
	var kept []mount.Mount
	for _, m := range host.Mounts {
		if m.Type != mount.TypeBind || !strings.Contains(m.Source+m.Target, ",") || strings.Contains(m.Source+m.Target, ":") {
			kept = append(kept, m)
			continue
		}
		short := m.Source + ":" + m.Target
		if m.ReadOnly {
			short += ":ro"
		}
		host.Binds = append(host.Binds, short)
	}
	host.Mounts = kept
}

const (
	// networkTries and networkPause bound how often a network is asked for that
	// could not be made for a passing reason.
	networkTries = 5
	networkPause = 100 * time.Millisecond
)

// passing reports an error of making a network that does not come again:
// Podman lists the interfaces of the machine and fails when one of them goes
// away meanwhile, as those of ending containers do.
func passing(err error) bool {
	return err != nil && strings.Contains(err.Error(), "no such network interface")
}

// changing reports a removal that met a container on its way from one state to
// the next, which Podman refuses and Docker waits out.
func changing(err error) bool { return strings.Contains(err.Error(), "container state improper") }

// untilPassed calls try until its error is not a passing one.
func untilPassed(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if !passing(err) || n == networkTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(networkPause):
		}
	}
}

// whyNotAttached finds the reason behind a refused attachment. Podman sets a
// container up for it, and fails for what Docker fails at the start for, such
// as a program that does not exist; but the client drops the answer to a
// request that should have become a stream. A start fails for the same reason
// and says which; the caller removes the container in any case.
func (s *session) whyNotAttached(ctx context.Context, name string, err error) error {
	if s.engine.product != productPodman || !strings.Contains(err.Error(), "unable to upgrade to tcp") {
		return err
	}
	if why := s.start(ctx, name); why != nil {
		return why
	}
	return err
}

// noContainer reports whether an engine does not know a container. Podman puts
// that in words only when the container is removed while it is asked.
func noContainer(err error) bool {
	return err != nil && (errdefs.IsNotFound(err) || strings.Contains(err.Error(), "no such container"))
}

// podmanFacts are what Podman says in answer to a request for its setup beside
// what Docker does.
type podmanFacts struct{ Rootless bool }

// podmanFacts asks for them. The client knows nothing of them.
func (e *Engine) podmanFacts(ctx context.Context) (f podmanFacts, err error) {
	at, err := client.ParseHostURL(e.client.DaemonHost())
	if err != nil {
		return f, err
	}
	// The client's own transport finds the way through sockets and ssh.
	ask := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: client.DummyHost, Path: "/info"}}
	if at.Scheme == "tcp" {
		ask.URL.Host = at.Host
	}
	if e.endpoint.Encrypted() {
		ask.URL.Scheme = "https"
	}
	answer, err := e.client.HTTPClient().Do(ask.WithContext(ctx))
	if err != nil {
		return f, err
	}
	defer answer.Body.Close()
	return f, json.NewDecoder(io.LimitReader(answer.Body, mostProbed)).Decode(&f)
}
