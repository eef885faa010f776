package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/hostpath"
)

// place is what a session has made for its containers, by the names the
// engine knows.
type place struct {
	network   string
	workspace string            // volume, when the workspace is no directory of the host
	volumes   map[string]string // by the name in the plan, temporary ones only
	labels    map[string]string
}

// spec is everything needed to create the container of a step.
type spec struct {
	Config  *container.Config
	Host    *container.HostConfig
	Network *network.NetworkingConfig
	// Script is the text for scriptPath; "" when there is none or when it is
	// in the environment.
	Script string `json:",omitempty"`
}

// containerSpec converts a step of p. It reads nothing but its arguments; the
// error names a volume that the pipeline does not declare.
func containerSpec(p *exec.Pipeline, s *exec.Step, env map[string]string, at place) (spec, error) {
	host := &container.HostConfig{
		Privileged: s.Privileged,
		DNS:        s.DNS, DNSSearch: s.DNSSearch, ExtraHosts: s.ExtraHosts,
		ShmSize:     s.ShmSize,
		NetworkMode: container.NetworkMode(s.NetworkMode),
		Resources:   container.Resources{Memory: s.MemLimit, MemorySwap: s.MemSwapLimit},
		// The output is read from the attached stream; nobody reads a log.
		LogConfig: container.LogConfig{Type: "none"},
	}
	addWorkspace(host, p, at)
	if err := addVolumes(host, p, s, at); err != nil {
		return spec{}, err
	}
	if err := addDevices(host, p, s); err != nil {
		return spec{}, err
	}
	for _, b := range s.Binds {
		addBind(host, b)
	}
	converted := spec{Host: host, Network: &network.NetworkingConfig{}}
	converted.Config, converted.Script = containerConfig(s, env, at)
	if s.NetworkMode == "" {
		host.NetworkMode = container.NetworkMode(at.network)
		converted.Network.EndpointsConfig = map[string]*network.EndpointSettings{
			at.network: {Aliases: []string{s.Name}},
		}
	}
	return converted, nil
}

func containerConfig(s *exec.Step, env map[string]string, at place) (*container.Config, string) {
	labels := map[string]string{}
	maps.Copy(labels, at.labels)
	labels[LabelStep] = s.Name
	config := &container.Config{
		Image: s.Image, User: s.User, WorkingDir: s.WorkingDir, Labels: labels,
		Entrypoint: s.Entrypoint, Cmd: s.Command,
		AttachStdout: true, AttachStderr: true,
	}
	if len(s.Commands) == 0 {
		config.Env = environ(env)
		return config, ""
	}
	script := stepScript(s.Commands)
	inFile := len(script) > scriptEnvLimit
	config.Entrypoint = []string{"/bin/sh", "-c"}
	config.Cmd = []string{scriptRunner(inFile)}
	withScript := map[string]string{}
	maps.Copy(withScript, env)
	delete(withScript, scriptEnv)
	if !inFile {
		withScript[scriptEnv] = script
		script = ""
	}
	config.Env = environ(withScript)
	return config, script
}

func environ(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

func addWorkspace(host *container.HostConfig, p *exec.Pipeline, at place) {
	m := mount.Mount{Type: mount.TypeVolume, Source: at.workspace, Target: p.Workspace.Base}
	if p.Workspace.Host != "" {
		m = mount.Mount{Type: mount.TypeBind, Source: p.Workspace.Host, Target: p.Workspace.Path}
	}
	host.Mounts = append(host.Mounts, m)
}

func addVolumes(host *container.HostConfig, p *exec.Pipeline, s *exec.Step, at place) error {
	for _, m := range s.Mounts {
		v, err := declared(p, m.Volume)
		if err != nil {
			return err
		}
		switch v.Kind {
		case exec.VolumeTemp:
			host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Source: at.volumes[v.Name], Target: m.Path})
		case exec.VolumeMemory:
			host.Mounts = append(host.Mounts, mount.Mount{
				Type: mount.TypeTmpfs, Target: m.Path,
				TmpfsOptions: &mount.TmpfsOptions{SizeBytes: v.SizeLimit, Mode: 0o700},
			})
		case exec.VolumeHost:
			addBind(host, exec.Bind{Host: v.HostPath, Path: m.Path})
		default:
			return fmt.Errorf("volume %q is of the unknown kind %q", v.Name, v.Kind)
		}
	}
	return nil
}

func addDevices(host *container.HostConfig, p *exec.Pipeline, s *exec.Step) error {
	for _, d := range s.Devices {
		v, err := declared(p, d.Volume)
		if err != nil {
			return err
		}
		host.Devices = append(host.Devices, container.DeviceMapping{
			PathOnHost: v.HostPath, PathInContainer: d.Path, CgroupPermissions: "rwm",
		})
	}
	return nil
}

func declared(p *exec.Pipeline, name string) (exec.Volume, error) {
	for _, v := range p.Volumes {
		if v.Name == name {
			return v, nil
		}
	}
	return exec.Volume{}, fmt.Errorf("volume %q is not declared by the pipeline", name)
}

// addBind mounts a path of the host. The engine creates a missing directory,
// except below /dev, where an empty directory would hide the mistake, and
// where the short form cannot say the path, as that of a drive or a share of
// Windows (reference §2.4).
func addBind(host *container.HostConfig, b exec.Bind) {
	if hostpath.IsPipe(b.Host) {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeNamedPipe, Source: b.Host, Target: b.Path})
		return
	}
	if strings.HasPrefix(b.Host, "/dev/") || hostpath.IsWindows(b.Host) || strings.Contains(b.Host+b.Path, ":") {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeBind, Source: b.Host, Target: b.Path, ReadOnly: b.ReadOnly})
		return
	}
	short := b.Host + ":" + b.Path
	if b.ReadOnly {
		short += ":ro"
	}
	host.Binds = append(host.Binds, short)
}
