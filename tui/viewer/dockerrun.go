package viewer

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/script"
	"github.com/drone-laptop/drone/report"
)

// dockerRun is a command that does by hand what a step does, one argument of
// which the values of secrets are none: these come from the environment of
// whoever runs it. Services and what the steps share in volumes that last as
// long as the run are no part of it. It is "" for steps without containers.
func dockerRun(p *exec.Pipeline, s *exec.Step) string {
	if p == nil || s == nil || s.Image == "" || p.Type == "exec" || p.Platform.OS == "windows" {
		return ""
	}
	args := []string{"docker", "run", "--rm", "-it"}
	add := func(flag, value string) {
		if value != "" {
			args = append(args, flag+"="+value)
		}
	}
	each := func(flag string, values []string) {
		for _, v := range values {
			add(flag, v)
		}
	}
	if p.Platform.Arch != "" {
		platform := p.Platform.OS + "/" + p.Platform.Arch
		if p.Platform.Variant != "" {
			platform += "/" + p.Platform.Variant
		}
		add("--platform", platform)
	}
	add("--user", s.User)
	if s.Privileged {
		args = append(args, "--privileged")
	}
	workspace := p.Workspace.Path
	if p.Workspace.Host != "" {
		workspace = p.Workspace.Host + ":" + p.Workspace.Path
	}
	add("--volume", workspace)
	args = append(args, volumeFlags(p, s)...)
	add("--workdir", s.WorkingDir)
	add("--network", s.NetworkMode)
	each("--dns", s.DNS)
	each("--dns-search", s.DNSSearch)
	each("--add-host", s.ExtraHosts)
	size := func(flag string, n int64) {
		if n > 0 {
			add(flag, strconv.FormatInt(n, 10))
		}
	}
	size("--shm-size", s.ShmSize)
	size("--memory", s.MemLimit)
	size("--memory-swap", s.MemSwapLimit)
	for _, flag := range environmentFlags(p, s) {
		add("--env", flag)
	}
	image := report.ShortImage(s.Image)
	switch {
	case len(s.Commands) > 0:
		args = append(args, "--entrypoint=/bin/sh", image, "-e", "-c", strings.Join(s.Commands, "\n"))
	case len(s.Entrypoint) > 0:
		add("--entrypoint", s.Entrypoint[0])
		args = append(append(append(args, image), s.Entrypoint[1:]...), s.Command...)
	default:
		args = append(append(args, image), s.Command...)
	}
	for i, a := range args {
		args[i] = word(a)
	}
	return strings.Join(args, " ")
}

func volumeFlags(p *exec.Pipeline, s *exec.Step) (flags []string) {
	for _, m := range s.Mounts {
		for _, v := range p.Volumes {
			switch {
			case v.Name != m.Volume:
			case v.Kind == exec.VolumeHost:
				flags = append(flags, "--volume="+v.HostPath+":"+m.Path)
			case v.Kind == exec.VolumeMemory:
				size := ""
				if v.SizeLimit > 0 {
					size = ":size=" + strconv.FormatInt(v.SizeLimit, 10)
				}
				flags = append(flags, "--tmpfs="+m.Path+size)
			default:
				flags = append(flags, "--volume="+m.Path)
			}
		}
	}
	for _, b := range s.Binds {
		mode := ""
		if b.ReadOnly {
			mode = ":ro"
		}
		flags = append(flags, "--volume="+b.Host+":"+b.Path+mode)
	}
	for _, d := range s.Devices {
		for _, v := range p.Volumes {
			if v.Name == d.Volume && v.HostPath != "" {
				flags = append(flags, "--device="+v.HostPath+":"+d.Path)
			}
		}
	}
	return flags
}

// environmentFlags are the variables that are known before the run, by name,
// and the names of those that hold secrets.
func environmentFlags(p *exec.Pipeline, s *exec.Step) (flags []string) {
	env := map[string]string{}
	maps.Copy(env, p.Env)
	maps.Copy(env, s.Env)
	maps.Copy(env, p.Fixed)
	secret := map[string]bool{}
	for _, ref := range s.Secrets {
		if ref.Env != "" {
			secret[ref.Env] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if env[name] != "" && !secret[name] {
			flags = append(flags, name+"="+env[name])
		}
	}
	return append(flags, slices.Sorted(maps.Keys(secret))...)
}

// word is an argument as a shell is given it.
func word(arg string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@+%", r)
	}
	if arg != "" && strings.IndexFunc(arg, func(r rune) bool { return !plain(r) }) < 0 {
		return arg
	}
	return script.Quote(arg)
}
