package compile

import (
	"fmt"
	"path"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// maxNameBytes is the longest step name that the runner of containers takes.
const maxNameBytes = 100

// maxGuesses bounds the search for similar names in a file full of mistakes.
const maxGuesses = 100

// mayGuess reports whether another similar name may be looked for.
func (c *compiler) mayGuess() bool {
	c.guesses++
	return c.guesses <= maxGuesses
}

// check reports what keeps a pipeline from running. The runner checks the
// names of the steps of every docker pipeline of a file, and everything else
// only of the one it runs (reference §10.1, §10.2).
func (b *builder) check() {
	if b.st.onHost() {
		b.checkHost()
		return
	}
	if !b.pipe.InContainers() {
		return
	}
	b.checkNames()
	// A word that never occurs may be just why the pipeline does not run.
	b.checkConditions("", &b.st.raw.Trigger, "trigger")
	b.checkInstance()
	b.checkChanges(element{}, "trigger", &b.st.raw.Trigger, len(b.c.opts.Pipelines) == 0)
	if !b.checked() {
		return
	}
	for _, e := range b.elements {
		b.checkImage(e)
		b.checkTrust(e)
		b.checkMounts(e)
		b.checkDevices(e)
		b.checkPaths(e)
		b.checkWords(e)
		b.checkChanges(e, "when", &e.When, true)
		b.checkOverrides(e)
		b.checkSettingNames(e)
		b.checkVariables(e, e.Environment)
		b.checkSettingTexts(e)
	}
	b.checkVariables(element{}, b.pipe.Environment)
	b.checkVolumes()
	b.checkWorkspace()
	b.checkOwnClone()
}

// checked reports whether the pipeline is looked at closely.
func (b *builder) checked() bool {
	return b.st.runs || b.c.opts.CheckAll && b.c.cannotRun(b.st.raw) == ""
}

func (b *builder) checkNames() {
	first := map[string]element{}
	for _, e := range b.elements {
		if e.kind == exec.KindService && !b.checked() {
			continue
		}
		name, span := e.Name.Value, nameSpan(e.Name, e.Span)
		switch other, used := first[name]; {
		case name == "":
			b.reportAt(e, "missing-name", span, fmt.Sprintf("a %s has no name", e.kind), "add `name:`")
			continue
		case len(name) > maxNameBytes && !b.st.onHost():
			b.reportAt(e, "long-name", span,
				fmt.Sprintf("step name %q… has %d bytes, at most %d are allowed", cutBytes(name, 20), len(name), maxNameBytes), "shorten the name")
		case name == "clone" && !b.pipe.Clone.Disable.Value && b.checked():
			b.reportAt(e, "duplicate-step", span, `step name "clone" is taken by the automatic clone step`,
				"rename the step, or set `clone: {disable: true}` to replace the automatic one")
		case used:
			b.report(e, manifest.Problem{
				Severity: manifest.Error, Rule: "duplicate-step", Span: span,
				Message: fmt.Sprintf("step name %q is used twice in pipeline %q", name, b.st.name),
				Hint:    "give each step and service a name of its own",
				Related: []manifest.Related{{Span: nameSpan(other.Name, other.Span), Message: "first used here"}},
			})
		}
		if _, ok := first[name]; !ok {
			first[name] = e
		}
	}
}

func (b *builder) checkImage(e element) {
	if e.Image.Value == "" {
		b.reportAt(e, "missing-image", nameSpan(e.Image, nameSpan(e.Name, e.Span)),
			fmt.Sprintf("%s %q has no image", e.kind, e.Name.Value), "add `image:`; a variable in it may be empty here")
	}
}

func (b *builder) checkMounts(e element) {
	for _, m := range e.Volumes {
		span := nameSpan(m.Name, m.Span)
		v := b.volumes[m.Name.Value]
		switch {
		case reserved(m.Name.Value):
			b.reportAt(e, "reserved-volume", span, fmt.Sprintf("volume name %q is reserved", m.Name.Value), "choose another name")
		case v == nil:
			b.reportAt(e, "unknown-volume", span,
				fmt.Sprintf("step %q mounts volume %q, which pipeline %q does not declare", e.Name.Value, m.Name.Value, b.st.name),
				b.volumeHint(m.Name.Value))
		case v.Temp == nil && v.Host == nil:
			b.reportAt(e, "empty-volume", span,
				fmt.Sprintf("step %q mounts volume %q, which has no source", e.Name.Value, m.Name.Value),
				"declare it with `temp: {}` or `host: {path: …}`")
		}
		switch target := path.Clean(m.Path.Value); {
		case strings.HasPrefix(target, "/run/drone"):
			b.reportAt(e, "reserved-path", nameSpan(m.Path, m.Span), "a volume cannot be mounted at /run/drone", "choose another path")
		case !path.IsAbs(target):
			b.reportAt(e, "relative-path", nameSpan(m.Path, m.Span),
				fmt.Sprintf("volume %q is mounted at %q, which is not absolute", m.Name.Value, m.Path.Value), "write the path from / on")
		}
	}
}

func (b *builder) volumeHint(name string) string {
	fallback := "add it to `volumes` of the pipeline"
	if !b.c.mayGuess() {
		return fallback
	}
	return didYouMean(name, sortedKeys(b.volumes), fallback)
}

func (b *builder) checkDevices(e element) {
	for _, d := range e.Devices {
		if v := b.volumes[d.Name.Value]; v == nil || !isDevice(v) {
			b.reportAt(e, "unknown-device", nameSpan(d.Name, d.Span),
				fmt.Sprintf("device %q of step %q is no volume with a host path below /dev", d.Name.Value, e.Name.Value),
				"declare it under `volumes` of the pipeline with `host: {path: /dev/…}`")
		}
	}
}

func (b *builder) checkPaths(e element) {
	if w := e.WorkingDir.Value; w != "" && !path.IsAbs(w) {
		b.reportAt(e, "relative-path", e.WorkingDir.Span,
			fmt.Sprintf("working_dir %q of step %q is not absolute", w, e.Name.Value),
			fmt.Sprintf("write %q", path.Join(b.ws.full, w)))
	}
}

func (b *builder) checkVolumes() {
	for _, v := range b.pipe.Volumes {
		span := nameSpan(v.Name, v.Span)
		switch {
		case v.Name.Value == "":
			b.reportAt(element{}, "missing-name", span, "a volume has no name", "add `name:`")
		case reserved(v.Name.Value):
			b.reportAt(element{}, "reserved-volume", span, fmt.Sprintf("volume name %q is reserved", v.Name.Value), "choose another name")
		}
		b.checkVolumeTrust(v)
	}
}

func (b *builder) checkWorkspace() {
	if base := b.pipe.Workspace.Base; base.Value != "" && !path.IsAbs(base.Value) {
		b.reportAt(element{}, "relative-path", base.Span,
			fmt.Sprintf("workspace.base %q is not absolute", base.Value), fmt.Sprintf("write %q", "/"+base.Value))
	}
	if wanted := wantedWorkspace(b.pipe.Workspace).full; path.IsAbs(wanted) && restricted(wanted) {
		b.warn(element{}, "restricted-workspace", nameSpan(b.pipe.Workspace.Base, b.pipe.Workspace.Path.Span),
			fmt.Sprintf("a workspace at %q would hide a folder of the system, so it is %s", wanted, defaultWorkspace), "choose another folder")
	}
}

// checkOwnClone warns of a clone step of the file that would work in the
// user's own tree, where there is nothing to clone and something to lose.
func (b *builder) checkOwnClone() {
	if !b.c.mounted() || !b.pipe.Clone.Disable.Value {
		return
	}
	for _, e := range b.elements {
		if e.Name.Value == "clone" && e.kind == exec.KindStep && !named(b.c.opts.Exclude, "clone") {
			b.warn(e, "clone-in-tree", e.Name.Span, fmt.Sprintf("step %q clones into the mounted working tree", e.Name.Value),
				"leave it out with --exclude clone, or give it a workspace of its own with --clone")
		}
	}
}

// reportAt reports an error of a step, or of the pipeline when e is empty.
func (b *builder) reportAt(e element, rule string, span manifest.Span, message, hint string) {
	b.report(e, manifest.Problem{Severity: manifest.Error, Rule: rule, Span: span, Message: message, Hint: hint})
}

func (b *builder) report(e element, p manifest.Problem) {
	p.Pipeline = b.st.name
	if e.Step != nil {
		p.Step = e.Name.Value
	}
	b.c.problems.add(p)
}

func reserved(volume string) bool {
	return volume == "workspace" || volume == "_workspace" || volume == "_docker_socket"
}

func firstSpan(list []manifest.String) manifest.Span {
	if len(list) == 0 {
		return manifest.Span{}
	}
	return list[0].Span
}

func firstMount(list []manifest.Mount) manifest.Span {
	if len(list) == 0 {
		return manifest.Span{}
	}
	return list[0].Span
}

// cutBytes shortens a text to at most n bytes, at the border of a character.
func cutBytes(text string, n int) string {
	return strings.ToValidUTF8(text[:min(n, len(text))], "")
}
