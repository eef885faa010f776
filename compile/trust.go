package compile

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// RuleUntrusted is the rule of a problem that is there only because nobody
// trusts the file: one for each exec.Privilege of the plan.
const RuleUntrusted = "untrusted"

// checkTrust lists what a server allows trusted repositories only (reference
// §10.2), and reports it unless the file is trusted.
func (b *builder) checkTrust(e element) {
	if e.Privileged.Value {
		b.privilege(e, e.Privileged.Span, "privileged", "full control of this machine")
	} else if autoPrivileged(e.Step, b.c.image(e.Image.Value), b.c.privileged) {
		b.checkSteered(e)
	}
	for _, d := range e.Devices {
		source := d.Name.Value
		if v := b.volumes[source]; v != nil && v.Host != nil {
			source = v.Host.Path.Value
		}
		b.privilege(e, d.Span, fmt.Sprintf("device %q as %q", source, d.Path.Value), "the device of this machine, to read and write")
	}
	if len(e.DNS) > 0 {
		b.privilege(e, firstSpan(e.DNS), "dns "+quoted(e.DNS), "name servers of its own choice")
	}
	if len(e.DNSSearch) > 0 {
		b.privilege(e, firstSpan(e.DNSSearch), "dns_search "+quoted(e.DNSSearch), "search domains of its own choice")
	}
	if len(e.ExtraHosts) > 0 {
		b.privilege(e, firstSpan(e.ExtraHosts), "extra_hosts "+quoted(e.ExtraHosts), "host names that lead where the file says")
	}
	if mode := e.NetworkMode.Value; mode != "" {
		b.privilege(e, e.NetworkMode.Span, fmt.Sprintf("network_mode %q", mode), networkGives(mode))
	}
	if size := e.ShmSize.Bytes; size > 0 {
		b.privilege(e, e.ShmSize.Span, fmt.Sprintf("shm_size of %d bytes", size), "that much memory of this machine")
	}
}

// checkSteered lists by what the file could have a plugin that is privileged for
// its image run a program of the file's choice: then it is the file that gets
// the privileges. A server lets that pass (reference §7.9).
func (b *builder) checkSteered(e element) {
	ask := func(span manifest.Span, what string) {
		b.grant(e, span, exec.Privilege{
			What:  fmt.Sprintf("a privileged plugin, %q, with %s", e.Image.Value, what),
			Gives: "full control of this machine, as that can make the plugin run what the file chooses",
		}, "use --trusted here if you trust it; a server runs it without a question")
	}
	for _, v := range b.pipe.Environment {
		if name := v.Name.Value; steers(name) || TakesPrivilege(name) {
			ask(v.Name.Span, "the variable "+strconv.Quote(name))
		}
	}
	for _, v := range e.Environment {
		if name := v.Name.Value; steers(name) {
			ask(v.Name.Span, "the variable "+strconv.Quote(name))
		}
	}
	for _, s := range e.Settings {
		if steers(s.Variable()) {
			ask(s.Name.Span, "the setting "+strconv.Quote(s.Name.Value))
		}
	}
	if b.ws.hidesSystem() {
		ask(e.Image.Span, "the workspace at "+strconv.Quote(b.ws.base))
	}
}

// steers reports variables that make the programs of a plugin load or run
// something else than what its image has: those of the linker and of shells, the
// configuration of the docker command with its plugins, a file of further
// variables, and the place of the containers that the plugin's engine starts.
func steers(name string) bool {
	switch name {
	case "BASH_ENV", "ENV", "DOCKER_CONFIG", "PLUGIN_ENV_FILE", "PLUGIN_STORAGE_PATH":
		return true
	}
	return strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "BASH_FUNC_")
}

// checkVolumeTrust does the same for a volume. What a host volume gives depends
// on the steps that mount it, so they are part of what is asked for.
func (b *builder) checkVolumeTrust(v *manifest.Volume) {
	span := nameSpan(v.Name, v.Span)
	if v.Host != nil {
		b.grant(element{}, span, exec.Privilege{
			What:  fmt.Sprintf("host volume %q%s", v.Host.Path.Value, b.mountedBy(v)),
			Gives: HostPathGives(v.Host.Path.Value), Path: v.Host.Path.Value,
		}, serverHint)
	}
	if v.Temp != nil && v.Temp.Medium.Value == "memory" {
		b.privilege(element{}, span, fmt.Sprintf("in-memory volume %q", v.Name.Value), "memory of this machine for files")
	}
}

// mountedBy names the services and steps that mount a volume.
func (b *builder) mountedBy(v *manifest.Volume) string {
	var list []string
	for _, e := range b.elements {
		for _, m := range e.Volumes {
			if m.Name.Value == v.Name.Value {
				list = append(list, fmt.Sprintf("%s %q at %q", e.kind, e.Name.Value, m.Path.Value))
			}
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " for " + strings.Join(list, ", ")
}

// placed is a privilege with the place where it is asked for.
type placed struct {
	exec.Privilege
	offset int
}

func (b *builder) privilegeList() (list []exec.Privilege) {
	for _, p := range b.privileges {
		list = append(list, p.Privilege)
	}
	return list
}

func (b *builder) privilege(e element, span manifest.Span, what, gives string) {
	b.grant(e, span, exec.Privilege{What: what, Gives: gives}, serverHint)
}

const serverHint = "use --trusted here if you trust it; on the server an administrator has to set the repository to trusted"

// grant lists a privilege of an element, and reports it unless the file is
// trusted.
func (b *builder) grant(e element, span manifest.Span, p exec.Privilege, hint string) {
	p.Position = place(span.Start)
	who := fmt.Sprintf("pipeline %q", b.st.name)
	if e.Step != nil {
		p.Step = e.Name.Value
		who = fmt.Sprintf("%s %q", e.kind, p.Step)
	}
	// In the order of the file, whatever the order of the checks.
	at, _ := slices.BinarySearchFunc(b.privileges, span.Start.Offset, func(o placed, offset int) int {
		if o.offset <= offset {
			return -1
		}
		return 1
	})
	b.privileges = slices.Insert(b.privileges, at, placed{p, span.Start.Offset})
	if !b.c.opts.Trusted {
		b.reportAt(e, RuleUntrusted, span, fmt.Sprintf("%s asks for %s: %s", who, p.What, p.Gives), hint)
	}
}

func networkGives(mode string) string {
	switch {
	case mode == "host":
		return "the network of this machine, with all that listens on localhost only"
	case mode == "none":
		return "no network"
	case strings.HasPrefix(mode, "container:"):
		return "the network of another container"
	}
	return "another network than that of its pipeline"
}

// sockets are the sockets of container engines by the names they usually have.
var sockets = map[string]bool{
	"docker.sock": true, "podman.sock": true, "containerd.sock": true, "crio.sock": true, "docker_engine": true,
}

// HostPathGives says what a path of this machine opens to a container, for
// people.
func HostPathGives(host string) string {
	clean := path.Clean(strings.ReplaceAll(host, `\`, "/"))
	switch {
	case sockets[path.Base(clean)]:
		return "the socket of an engine, and with it root on this machine"
	case clean == "/":
		return "every file of this machine"
	case clean == "/var" || clean == "/run" || clean == "/var/run" || strings.HasSuffix(clean, "/run/podman") || strings.HasSuffix(clean, "/.docker/run"):
		return "what is in it, to read and write, and with the socket of the engine root on this machine"
	case clean == "/etc" || clean == "/root" || clean == "/boot" || clean == "/dev" || clean == "/proc" || clean == "/sys" || strings.HasPrefix(clean, "/etc/"):
		return "what is in it, to read and write, enough to become root on this machine"
	case strings.HasPrefix(clean, "/dev/"):
		return "the device of this machine"
	case strings.HasSuffix(clean, ".sock"):
		return "whatever the program behind this socket does for its clients"
	}
	return "what is there on this machine, to read and write"
}

func quoted(list []manifest.String) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strconv.Quote(s.Value)
	}
	return strings.Join(out, ", ")
}
