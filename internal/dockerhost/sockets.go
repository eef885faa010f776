package dockerhost

import (
	"path/filepath"
	"strings"

	"github.com/docker/docker/client"
)

type socket struct{ path, owner string }

// knownSockets are the places besides the default one, in order of trust: the
// engine of the system before those of virtual machines before Podman, whose
// API is only compatible.
func (env Environment) knownSockets() []socket {
	var known []socket
	add := func(owner, base string, elem ...string) {
		if base != "" {
			known = append(known, socket{filepath.Join(append([]string{base}, elem...)...), owner})
		}
	}
	runtime := env.Getenv("XDG_RUNTIME_DIR")
	add("rootless Docker", runtime, "docker.sock")
	add("Docker Desktop", env.Home, ".docker", "run", "docker.sock")
	add("Colima", env.Home, ".colima", "default", "docker.sock")
	add("Rancher Desktop", env.Home, ".rd", "docker.sock")
	add("rootless Podman", runtime, "podman", "podman.sock")
	add("Podman", "/run/podman/podman.sock")
	return known
}

// fromSockets takes the default address, or the first known socket that
// exists when the default one does not.
func (env Environment) fromSockets() (Endpoint, error) {
	standard := Endpoint{Host: client.DefaultDockerHost, Source: "the default address"}
	path, isSocket := strings.CutPrefix(client.DefaultDockerHost, "unix://")
	if !isSocket || env.exists(path) {
		return env.withTLS(standard)
	}
	standard.Tried = append(standard.Tried, path)
	for _, s := range env.knownSockets() {
		if env.exists(s.path) {
			return Endpoint{Host: "unix://" + s.path, Source: "the socket of " + s.owner}, nil
		}
		standard.Tried = append(standard.Tried, env.short(s.path))
	}
	return env.withTLS(standard)
}
