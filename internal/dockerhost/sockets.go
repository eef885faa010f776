package dockerhost

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/internal/hostpath"
)

// tlsHost is the address that docker takes when it is to speak TLS and has none.
const tlsHost = "tcp://localhost:2376"

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
	runtime := env.runtimeDir()
	add("rootless Docker", runtime, "docker.sock")
	add("Docker Desktop", env.Home, ".docker", "run", "docker.sock")
	add("Docker Desktop", env.Home, ".docker", "desktop", "docker.sock")
	known = append(known, env.colimaSockets()...)
	add("OrbStack", env.Home, ".orbstack", "run", "docker.sock")
	add("Rancher Desktop", env.Home, ".rd", "docker.sock")
	add("Lima", env.Home, ".lima", "docker", "sock", "docker.sock")
	add("rootless Podman", runtime, "podman", "podman.sock")
	add("Podman's machine", env.TempDir, "podman", "podman-machine-default-api.sock")
	add("Podman's machine", env.Home, ".local", "share", "containers", "podman", "machine", "podman.sock")
	add("Podman's machine", env.Home, ".local", "share", "containers", "podman", "machine", "qemu", "podman.sock")
	add("Podman", "/run/podman/podman.sock")
	return known
}

// runtimeDir is where services of the user have their sockets. Without a login
// session, as under sudo -u and in cron, the variable is not set.
func (env Environment) runtimeDir() string {
	if dir := env.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return dir
	}
	if env.UID <= 0 {
		return ""
	}
	return filepath.Join("/run/user", strconv.Itoa(env.UID))
}

// colimaSockets are those of the profile that COLIMA_PROFILE names, of the
// default one, and of any other one that there is.
func (env Environment) colimaSockets() []socket {
	var homes []string
	switch home, settings := env.Getenv("COLIMA_HOME"), env.Getenv("XDG_CONFIG_HOME"); {
	case home != "":
		homes = []string{home}
	case env.Home == "":
	case settings != "":
		homes = []string{filepath.Join(env.Home, ".colima"), filepath.Join(settings, "colima")}
	default:
		homes = []string{filepath.Join(env.Home, ".colima"), filepath.Join(env.Home, ".config", "colima")}
	}
	var known []socket
	add := func(home, profile string) {
		found := socket{filepath.Join(home, profile, "docker.sock"), "Colima"}
		if profile != "default" {
			found.owner = "Colima, profile " + profile
		}
		if !slices.Contains(known, found) {
			known = append(known, found)
		}
	}
	// Colima takes the name of an instance too, colima-work for work.
	if profile := strings.TrimPrefix(env.Getenv("COLIMA_PROFILE"), "colima-"); profile != "" {
		for _, home := range homes {
			add(home, profile)
		}
	}
	for _, home := range homes {
		add(home, "default")
	}
	for _, home := range homes {
		if env.Glob == nil {
			break
		}
		// The only error is a bad pattern, which a home with brackets can make.
		others, _ := env.Glob(filepath.Join(home, "*", "docker.sock"))
		for _, path := range others {
			add(home, filepath.Base(filepath.Dir(path)))
		}
	}
	return known
}

const (
	defaultSocket = "/var/run/docker.sock"
	defaultPipe   = "//./pipe/docker_engine"
)

// knownPipes are the pipes of Windows besides the default one, in the order of
// knownSockets.
var knownPipes = []socket{
	{"//./pipe/dockerDesktopLinuxEngine", "Docker Desktop"},
	{"//./pipe/podman-machine-default", "Podman's machine"},
}

// fromPipes is fromSockets for Windows.
func (env Environment) fromPipes() Endpoint {
	standard := Endpoint{Host: "npipe://" + defaultPipe, Source: "the default address"}
	if env.pipeExists(defaultPipe) {
		return standard
	}
	standard.Tried = append(standard.Tried, defaultPipe)
	for _, p := range knownPipes {
		if env.pipeExists(p.path) {
			return Endpoint{Host: "npipe://" + p.path, Source: "the pipe of " + p.owner}
		}
		standard.Tried = append(standard.Tried, p.path)
	}
	return standard
}

// fromSockets takes the default address, or the first known socket that
// exists when the default one does not. Like docker, it takes another default
// address when TLS is asked for, which no socket speaks.
func (env Environment) fromSockets() (Endpoint, error) {
	if asked := env.asksTLS(); asked != "" {
		return env.fromHost(tlsHost, "the default address with "+asked)
	}
	if env.OS == hostpath.Windows {
		return env.fromPipes(), nil
	}
	standard := Endpoint{Host: "unix://" + defaultSocket, Source: "the default address"}
	if env.exists(defaultSocket) {
		return standard, nil
	}
	standard.Tried = append(standard.Tried, defaultSocket)
	for _, s := range env.knownSockets() {
		if env.exists(s.path) {
			return Endpoint{Host: "unix://" + s.path, Source: "the socket of " + s.owner}, nil
		}
		standard.Tried = append(standard.Tried, env.short(s.path))
	}
	return standard, nil
}
