package compile

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/script"
	"github.com/drone-laptop/drone/manifest"
)

// The functions of this file are about pipelines of type exec, which run on
// this machine without containers (reference §3).

// Host is this machine as far as pipelines of type exec are concerned. The
// zero value leaves them all out.
type Host struct {
	// OS and Arch are those of this machine in the words of Go. A pipeline
	// that asks for others is left out; with an empty OS any will do.
	OS, Arch string
	// Consent says that commands of the file may run on this machine.
	Consent bool
}

// refuses says why a pipeline for a platform has no place here, "" when it
// has.
func (h Host) refuses(p manifest.Platform) string {
	os, arch := p.OS.Value, p.Arch.Value
	switch {
	case h.OS == "windows":
		return "type exec cannot run on windows yet"
	case h.OS != "" && os != "" && os != h.OS:
		return fmt.Sprintf("platform.os is %s, this machine runs %s", os, h.OS)
	case h.OS != "" && arch != "" && arch != h.Arch:
		return fmt.Sprintf("platform.arch is %s, this machine is %s", arch, h.Arch)
	case !h.Consent:
		return NoConsent
	}
	return ""
}

// NoConsent begins the reason of a pipeline that is left out because nobody has
// agreed that it runs here.
const NoConsent = "type exec runs its commands on this machine, which needs --host"

// hint says what to do about a pipeline that was refused.
func (st *stage) hint() string {
	if st.reason == NoConsent {
		return "read its commands, and run it with --host if you trust them: they can do whatever you can"
	}
	return "pipelines of type docker for linux run on this machine, and those of type exec for it"
}

// onHost reports whether the steps of a pipeline are processes of this machine.
func (st *stage) onHost() bool { return st.raw.OnHost() }

// hostPipeline is what the plan says of a pipeline without containers.
func (b *builder) hostPipeline(p *exec.Pipeline) {
	p.Workspace = exec.Workspace{}
	if b.c.mounted() {
		p.Workspace.Host = b.c.opts.Workspace
	}
	p.Volumes, p.Networks, p.Labels, p.PullSecrets = nil, nil, nil, nil
	if b.c.opts.Netrc.Machine != "" {
		p.Netrc = &exec.Netrc{
			File:     exec.SecretRef{Name: NetrcFileSecret},
			Password: exec.SecretRef{Name: NetrcPasswordSecret},
		}
	}
}

// hostStep is a step that has no container.
func (b *builder) hostStep(e element) *exec.Step {
	s := &exec.Step{
		Name:     e.Name.Value,
		Kind:     e.kind,
		Position: place(nameSpan(e.Name, e.Span).Start),
		Commands: texts(e.Commands),
		Detach:   e.Detach.Value,
	}
	if ignores(e) {
		s.Failure = exec.FailureIgnore
	}
	s.Policy, s.Reason = b.policy(e)
	variablesOfStep(e.Step).into(s, &b.shared)
	return s
}

// ignores reports `failure: ignore`, the only word that this type of pipeline
// knows, in any case.
func ignores(e element) bool { return strings.EqualFold(e.Failure.Value, "ignore") }

// hostClone is the automatic clone step without its plugin.
func (b *builder) hostClone() *exec.Step {
	return &exec.Step{
		Name: "clone", Kind: exec.KindClone, Position: place(b.pipe.Span.Start),
		Commands: cloneCommands(b.c.opts.Build), Policy: exec.Always, Reason: "the workspace starts empty",
	}
}

// cloneCommands fetches the commit of a build as the runner does (reference
// §3). What the build does not know is left to the remote.
func cloneCommands(f Build) []string {
	list := []string{"git init", "git remote add origin " + word(or(f.Repo.HTTPURL, f.Repo.SSHURL))}
	branch := word("+refs/heads/" + f.Branch + ":")
	switch {
	case strings.HasPrefix(f.Ref, "refs/tags/"):
		list = append(list, "git fetch origin "+word("+"+f.Ref+":"), "git checkout -qf FETCH_HEAD")
	case f.Branch != "" && isPullRef(f.Ref):
		list = append(list, "git fetch origin "+branch, "git checkout "+word(f.Branch),
			"git fetch origin "+word(f.Ref+":"), "git merge "+word(or(f.After, "FETCH_HEAD")))
	case f.Branch != "":
		list = append(list, "git fetch origin "+branch, "git checkout "+word(or(f.After, "FETCH_HEAD"))+" -b "+word(f.Branch))
	default:
		list = append(list, "git fetch origin "+word(or(f.After, "HEAD")), "git checkout -qf FETCH_HEAD")
	}
	return list
}

// isPullRef knows the references to pull requests of the known servers.
func isPullRef(ref string) bool {
	for _, prefix := range []string{"refs/pull/", "refs/pull-requests/", "refs/merge-requests/"} {
		if strings.HasPrefix(ref, prefix) {
			return true
		}
	}
	return false
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9%+,./:=@_-]+$`)

// word writes text as one word of a command.
func word(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return script.Quote(text)
}

// checkHost reports what keeps a pipeline without containers from running. As
// with the others, what the runner checks of every pipeline of a file is
// checked whether it runs or not (reference §10.3).
func (b *builder) checkHost() {
	b.checkNames()
	for _, e := range b.elements {
		b.checkNoImage(e)
	}
	b.checkConditions("", &b.st.raw.Trigger, "trigger")
	if !b.checked() {
		return
	}
	b.checkNoEffect()
	for _, e := range b.elements {
		b.checkNoEffectOfStep(e)
		if e.Failure.Value != "" && !ignores(e) {
			b.reportFailure(e, "a step of type exec knows `failure: ignore` only")
		}
		b.checkConditions(e.Name.Value, &e.When, "when")
		b.checkOverrides(e)
		b.checkVariables(e, e.Environment)
	}
	b.checkRemote()
}

func (b *builder) checkNoImage(e element) {
	if e.Image.Value != "" {
		b.reportAt(e, "image-on-host", e.Image.Span, fmt.Sprintf("step %q has an image: cannot define images for an exec pipeline", e.Name.Value),
			"remove `image`, or `type: exec` of the pipeline")
	}
}

// checkRemote makes sure that the clone step has something to clone.
func (b *builder) checkRemote() {
	if r := b.c.opts.Build.Repo; b.clones() && r.HTTPURL == "" && r.SSHURL == "" {
		b.reportAt(element{}, "missing-remote", b.st.raw.Span, fmt.Sprintf("pipeline %q cannot clone: the address of the repository is unknown", b.st.name),
			"add a git remote with an address for http or ssh, or run without --clone on a copy of the current directory")
	}
}

// used is a key of the file, and whether it says something.
type used struct {
	key  string
	used bool
	span manifest.Span
}

// checkNoEffect warns of what only containers have.
func (b *builder) checkNoEffect() {
	p := b.pipe
	keys := []used{
		{"clone.depth", p.Clone.Depth.Value > 0, p.Clone.Depth.Span},
		{"clone.retries", p.Clone.Retries.Value > 0, p.Clone.Retries.Span},
		{"workspace.base", p.Workspace.Base.Value != "", p.Workspace.Base.Span},
		{"workspace.path", p.Workspace.Path.Value != "", p.Workspace.Path.Span},
		{"image_pull_secrets", len(p.PullSecrets) > 0, firstSpan(p.PullSecrets)},
	}
	if len(p.Environment) > 0 {
		keys = append(keys, used{"environment", true, p.Environment[0].Name.Span})
	}
	if len(p.Services) > 0 {
		keys = append(keys, used{"services", true, p.Services[0].Span})
	}
	if len(p.Volumes) > 0 {
		keys = append(keys, used{"volumes", true, p.Volumes[0].Span})
	}
	for _, k := range keys {
		if k.used {
			b.warn(element{}, "no-effect", k.span, fmt.Sprintf("`%s` has no effect in pipeline %q, whose type is exec", k.key, b.st.name), noEffectHint(k.key))
		}
	}
}

func noEffectHint(key string) string {
	switch key {
	case "environment":
		return "set the variables in each step"
	case "services":
		return "start what the steps need in a step with `detach: true`"
	case "working_dir":
		return "begin the commands with `cd`"
	case "settings":
		return "plugins are images; write `environment` and `commands`"
	}
	return "remove it, or `type: exec`"
}

func (b *builder) checkNoEffectOfStep(e element) {
	settings := manifest.Span{}
	if len(e.Settings) > 0 {
		settings = e.Settings[0].Name.Span
	}
	for _, k := range []used{
		{"settings", len(e.Settings) > 0, settings},
		{"entrypoint", len(e.Entrypoint) > 0, firstSpan(e.Entrypoint)},
		{"command", len(e.Command) > 0, firstSpan(e.Command)},
		{"pull", e.Pull.Value != "", e.Pull.Span},
		{"user", e.User.Value != "", e.User.Span},
		{"working_dir", e.WorkingDir.Value != "", e.WorkingDir.Span},
		{"privileged", e.Privileged.Value, e.Privileged.Span},
		{"volumes", len(e.Volumes) > 0, firstMount(e.Volumes)},
		{"devices", len(e.Devices) > 0, firstMount(e.Devices)},
		{"network_mode", e.NetworkMode.Value != "", e.NetworkMode.Span},
		{"dns", len(e.DNS) > 0, firstSpan(e.DNS)},
		{"dns_search", len(e.DNSSearch) > 0, firstSpan(e.DNSSearch)},
		{"extra_hosts", len(e.ExtraHosts) > 0, firstSpan(e.ExtraHosts)},
		{"shm_size", e.ShmSize.Bytes > 0, e.ShmSize.Span},
		{"mem_limit", e.MemLimit.Bytes > 0, e.MemLimit.Span},
		{"memswap_limit", e.MemSwapLimit.Bytes > 0, e.MemSwapLimit.Span},
	} {
		if k.used {
			b.warn(e, "no-effect", k.span, fmt.Sprintf("`%s` of step %q has no effect in pipeline %q, whose type is exec", k.key, e.Name.Value, b.st.name), noEffectHint(k.key))
		}
	}
}
