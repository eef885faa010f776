package compile

import (
	"path"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

const defaultWorkspace = "/drone/src"

// workspace is a resolved workspace: the directory shared by the steps, the
// way from there to where they start, and both together.
type workspace struct{ base, path, full string }

// resolveWorkspace applies reference §7.2.
func resolveWorkspace(w manifest.Workspace) workspace {
	out := wantedWorkspace(w)
	if restricted(out.full) {
		return workspace{base: defaultWorkspace, full: defaultWorkspace}
	}
	return out
}

// wantedWorkspace is the workspace that the file asks for.
func wantedWorkspace(w manifest.Workspace) workspace {
	out := workspace{base: w.Base.Value, path: w.Path.Value}
	if out.base == "" {
		out.base = defaultWorkspace
		if path.IsAbs(out.path) {
			out.base, out.path = out.path, ""
		}
	}
	out.full = path.Join(out.base, out.path)
	return out
}

// mounted is the workspace with a directory of this machine at its full path:
// nothing is shared above it.
func (w workspace) mounted() workspace { return workspace{base: w.full, full: w.full} }

func (w workspace) plan(host string) exec.Workspace {
	return exec.Workspace{Host: host, Base: w.base, Path: w.full}
}

// hidesSystem reports whether the workspace takes the place of programs of an
// image, or of files that those obey.
func (w workspace) hidesSystem() bool {
	base := strings.ToLower(path.Clean("/" + w.base))
	for _, dir := range []string{
		"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libexec", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32",
		"/usr/lib64", "/usr/libexec", "/usr/local", "/usr/share", "/etc", "/root", "/run", "/var/run", "/var/lib", "/boot",
		"/dev", "/proc", "/sys", "/opt/containerd", "/opt/cni",
	} {
		if base == "/" || base == dir || strings.HasPrefix(base, dir+"/") || strings.HasPrefix(dir, base+"/") {
			return true
		}
	}
	return false
}

// restricted reports whether a path belongs to the system of a container, or
// is one of its parents (reference §7.9).
func restricted(name string) bool {
	name = strings.ToLower(path.Clean(name))
	switch name {
	case "/", "/etc", "/var":
		return true
	}
	for _, dir := range []string{
		"/etc/docker", "/var/run", "/proc", "/usr/local/bin", "/usr/local/sbin",
		"/usr/bin", "/bin", "/mnt", "/mount", "/media", "/sys", "/dev",
	} {
		if name == dir || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}
