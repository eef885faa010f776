package compile

import (
	"path"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/parallel"
	"github.com/drone-laptop/drone/manifest"
)

// builder makes the plan of one pipeline.
type builder struct {
	c        *compiler
	st       *stage
	pipe     *manifest.Pipeline
	ws       workspace
	shared   variables
	volumes  map[string]*manifest.Volume
	elements []element
	// privileges are found while the pipeline is checked.
	privileges []placed
}

// element is a service or a step of the file, in the order in which they run
// when nothing else is said.
type element struct {
	*manifest.Step
	kind exec.Kind
}

// pipeline makes the plan of a stage. A stage that does not run is listed too,
// with only the problems that concern the whole file.
func (c *compiler) pipeline(st *stage) *exec.Pipeline {
	b := c.newBuilder(st)
	b.check()
	p := &exec.Pipeline{
		Name:      st.name,
		Type:      or(st.raw.Type.Value, "docker"),
		Position:  place(st.raw.Span.Start),
		Runs:      st.runs,
		Reason:    st.reason + st.policyReason(),
		DependsOn: st.deps,
		Policy:    st.policy(),
		Platform:  st.platform(),
		Workspace: b.workspace(),
		Volumes:   b.planVolumes(),
		Networks:  c.opts.Networks,
		Labels:    b.labels(),
		Env:       b.shared.env,
		Fixed:     b.shared.fixed,
		Steps:     []*exec.Step{},

		Privileges: b.privilegeList(),
	}
	for _, s := range b.pipe.PullSecrets {
		p.PullSecrets = append(p.PullSecrets, exec.SecretRef{Name: s.Value, Position: place(s.Span.Start)})
	}
	p.KeepEmpty = b.shared.keepEmpty
	p.OldStatus = b.c.opts.Era == "0.8"
	if st.onHost() {
		b.hostPipeline(p)
	}
	if b.clones() {
		p.Steps = append(p.Steps, b.cloneStep())
	}
	p.Steps = append(p.Steps, b.steps()...)
	b.link(p.Steps)
	return p
}

// leastSteps is the number of steps from which making them on another processor
// is worth it.
const leastSteps = 500

// steps makes the steps of the elements, in their order.
func (b *builder) steps() []*exec.Step {
	for _, e := range b.elements {
		b.c.image(e.Image.Value) // all are known from here on
	}
	out := make([]*exec.Step, len(b.elements))
	shares := parallel.Shares(len(out), leastSteps)
	parallel.Each(len(shares), func(i int) {
		for n := shares[i].From; n < shares[i].To; n++ {
			out[n] = b.step(b.elements[n])
		}
	})
	return out
}

func (c *compiler) newBuilder(st *stage) *builder {
	b := &builder{
		c: c, st: st, pipe: st.pipe,
		ws:      resolveWorkspace(st.pipe.Workspace),
		volumes: map[string]*manifest.Volume{},
	}
	if c.mounted() {
		b.ws = b.ws.mounted()
	}
	b.shared = c.variablesOf(st, b.ws)
	for _, v := range st.pipe.Volumes {
		if _, ok := b.volumes[v.Name.Value]; !ok {
			b.volumes[v.Name.Value] = v
		}
	}
	if !st.onHost() {
		for _, s := range st.pipe.Services {
			b.elements = append(b.elements, element{s, exec.KindService})
		}
	}
	for _, s := range st.pipe.Steps {
		b.elements = append(b.elements, element{s, exec.KindStep})
	}
	return b
}

// clones reports whether the plan has the automatic clone step: a directory of
// this machine needs none.
func (b *builder) clones() bool { return !b.pipe.Clone.Disable.Value && !b.c.mounted() }

func (b *builder) workspace() exec.Workspace {
	if b.c.mounted() {
		return b.ws.plan(b.c.opts.Workspace)
	}
	return b.ws.plan("")
}

// labels are those of the server that do not depend on the time (reference
// §7.10).
func (b *builder) labels() map[string]string {
	f := b.c.opts.Build
	out := map[string]string{
		"io.drone":                "true",
		"io.drone.protected":      "false",
		"io.drone.repo.namespace": f.Repo.Namespace,
		"io.drone.repo.name":      f.Repo.Name,
		"io.drone.repo.slug":      f.Repo.Slug,
		"io.drone.build.number":   strconv.FormatInt(f.Number, 10),
		"io.drone.stage.name":     b.st.name,
		"io.drone.stage.number":   strconv.Itoa(b.st.number),
		"io.drone.system.host":    f.System.Host,
		"io.drone.system.proto":   f.System.Proto,
		"io.drone.system.version": f.System.Version,
	}
	if b.c.mounted() {
		out["io.drone.desktop.pipeline.dir"] = b.c.opts.Workspace
	}
	return out
}

// cloneStep is the automatic clone step (reference §7.5). Its image is not
// normalised, so that the log names it as the server's does.
func (b *builder) cloneStep() *exec.Step {
	if b.st.onHost() {
		return b.hostClone()
	}
	const image = "drone/git:latest"
	options := b.pipe.Clone
	env := newOwnEnv()
	if n := options.Depth.Value; n > 0 {
		env.values["PLUGIN_DEPTH"] = strconv.FormatInt(n, 10)
	}
	if n := options.Retries.Value; n > 0 {
		env.values["PLUGIN_RETRIES"] = strconv.FormatInt(n, 10)
	}
	if options.SkipVerify.Value {
		env.values["PLUGIN_SKIP_VERIFY"] = "true"
	}
	env.netrc(b.c.opts.Netrc)
	s := &exec.Step{
		Name:       "clone",
		Kind:       exec.KindClone,
		Position:   place(b.pipe.Span.Start),
		Image:      image,
		Pull:       exec.PullIfNotExists,
		Policy:     exec.Always,
		Reason:     "the workspace starts empty",
		WorkingDir: b.ws.full,
		Binds:      b.c.opts.Binds,
	}
	env.into(s, &b.shared)
	return s
}

// step makes the step of an element. It is called for several at the same time,
// and changes nothing.
func (b *builder) step(e element) *exec.Step {
	if b.st.onHost() {
		return b.hostStep(e)
	}
	img := b.c.image(e.Image.Value)
	s := &exec.Step{
		Name:          e.Name.Value,
		Kind:          e.kind,
		Position:      place(nameSpan(e.Name, e.Span).Start),
		Image:         img.full,
		Pull:          pullPolicy(e.Pull.Value),
		ImagePosition: place(e.Image.Span.Start),
		Commands:      texts(e.Commands),
		Entrypoint:    texts(e.Entrypoint),
		Command:       texts(e.Command),
		Detach:        e.kind == exec.KindService || e.Detach.Value,
		Failure:       failureMode(e.Failure.Value),
		User:          e.User.Value,
		Privileged:    e.Privileged.Value || autoPrivileged(e.Step, img, b.c.privileged),
		Mounts:        b.mounts(e.Volumes),
		Binds:         b.c.opts.Binds,
		Devices:       b.mounts(e.Devices),
		NetworkMode:   e.NetworkMode.Value,
		DNS:           texts(e.DNS),
		DNSSearch:     texts(e.DNSSearch),
		ExtraHosts:    texts(e.ExtraHosts),
		ShmSize:       max(0, e.ShmSize.Bytes),
		MemLimit:      max(0, e.MemLimit.Bytes),
		MemSwapLimit:  max(0, e.MemSwapLimit.Bytes),
	}
	s.WorkingDir = b.workingDir(e, s.Detach)
	s.Policy, s.Reason = b.policy(e)
	env := stepEnv(e.Step)
	era(b.c.opts.Era).shell(e.Step, env)
	env.netrc(b.c.opts.Netrc)
	env.into(s, &b.shared)
	return s
}

// policy is never when the conditions are not met, whatever the status says.
func (b *builder) policy(e element) (exec.Policy, string) {
	ok, reason := b.c.opts.Build.when(&e.When)
	if !ok {
		return exec.Never, reason
	}
	policy := stepPolicy(&e.When.Status)
	return policy, reason + policyReason(policy)
}

// workingDir leaves a background program where its image starts it.
func (b *builder) workingDir(e element, detach bool) string {
	if e.WorkingDir.Value != "" {
		return e.WorkingDir.Value
	}
	if detach && len(e.Commands) == 0 {
		return ""
	}
	return b.ws.full
}

// mounts keeps what can be mounted; the rest has been reported.
func (b *builder) mounts(list []manifest.Mount) []exec.Mount {
	var out []exec.Mount
	for _, m := range list {
		if v := b.volumes[m.Name.Value]; v != nil && (v.Temp != nil || v.Host != nil) {
			out = append(out, exec.Mount{Volume: m.Name.Value, Path: m.Path.Value})
		}
	}
	return out
}

// planVolumes lists the volumes that have a source, each name once.
func (b *builder) planVolumes() []exec.Volume {
	var out []exec.Volume
	for _, v := range b.pipe.Volumes {
		if b.volumes[v.Name.Value] != v {
			continue
		}
		switch {
		case v.Host != nil:
			out = append(out, exec.Volume{Name: v.Name.Value, Kind: exec.VolumeHost, HostPath: v.Host.Path.Value})
		case v.Temp != nil && v.Temp.Medium.Value == "memory":
			out = append(out, exec.Volume{Name: v.Name.Value, Kind: exec.VolumeMemory, SizeLimit: max(0, v.Temp.SizeLimit.Bytes)})
		case v.Temp != nil:
			out = append(out, exec.Volume{Name: v.Name.Value, Kind: exec.VolumeTemp})
		}
	}
	return out
}

// failureMode knows the exact words only (reference §2.2).
func failureMode(text string) exec.Failure {
	switch text {
	case "ignore":
		return exec.FailureIgnore
	case "fast", "fast-fail", "fail-fast":
		return exec.FailureFast
	}
	return ""
}

// isDevice reports whether a volume can be handed out as a device.
func isDevice(v *manifest.Volume) bool {
	return v.Host != nil && strings.HasPrefix(path.Clean(v.Host.Path.Value), "/dev/")
}

func texts(list []manifest.String) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Value
	}
	return out
}
