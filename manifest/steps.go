package manifest

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/internal/parallel"
)

// newStepObject has the keys of reference §2.2; those that hold in a pipeline
// of type exec are of §3.
func newStepObject() *object[Step] {
	return newObject(Object{
		Name: "step", Doc: "A step or a service: a container with commands, a plugin with settings, or in a pipeline of type exec the commands alone.",
		Ignored: ignoredStepKeys(),
		Mistakes: []Advice{
			{"depends", "did you mean `depends_on`?"},
			{"dependencies", "did you mean `depends_on`?"},
			{"dependancies", "did you mean `depends_on`?"},
			{"errignore", "write `failure: ignore`"},
			{"trigger", "a step has `when`; `trigger` belongs to the pipeline"},
			{"extends", "use a YAML anchor and the merge key `<<`"},
			{"env", "did you mean `environment`?"},
			{"script", "did you mean `commands`?"},
			{"run", "did you mean `commands`?"},
		},
	}, slices.Concat(stepKeys(), containerKeys())...)
}

// stepKeys says what a step does, and when.
func stepKeys() []key[Step] {
	return []key[Step]{
		textKey(Key{
			Name: "name", Required: true, Example: "test",
			Doc: "The name of the step in logs and in `depends_on`, at most 100 bytes long and once in a pipeline. Other containers reach the step by it.",
		}, func(s *Step) *String { return &s.Name }),
		textKey(Key{
			Name: "image", Required: true, Only: "docker", Example: "golang:1.26",
			Doc:  "The image of the container, which every step and service of a docker pipeline needs.",
			hint: "write the name of one image",
		}, func(s *Step) *String { return &s.Image }),
		customKey(Key{
			Name: "commands", Type: TypeTexts, Example: "[go vet ./..., go test ./...]",
			Doc: "Commands for the shell of the image, one after another until one fails. They take the place of `entrypoint` and `command`; without them the image does what it does by itself.",
		}, func(d *decoder, s *Step, n *yaml.Node) { s.Commands = d.commands(n) }),
		customKey(Key{
			Name: "environment", Type: TypeVariables, Of: "variable", Example: "{GOOS: linux, TOKEN: {from_secret: token}}",
			Doc: "Variables of the step. Values keep their spelling; an empty one leaves the variable unset. The variables of the build cannot be overridden.",
		}, func(d *decoder, s *Step, n *yaml.Node) { s.Environment = d.environment(n, s.Environment, true) }),
		customKey(Key{
			Name: "settings", Type: TypeAnyMap, Only: "docker", Example: "{repo: octocat/hello, password: {from_secret: password}}",
			Doc: "Parameters of a plugin: each becomes a variable `PLUGIN_` with its name in capitals. Lists are joined with commas, maps become JSON; `from_secret` at the top of a parameter inserts a secret.",
		}, func(d *decoder, s *Step, n *yaml.Node) { s.Settings = d.settings(n, s.Settings) }),
		conditionsKey(Key{
			Name: "when", Example: "{event: push, branch: main}",
			Doc: "The builds in which the step runs; without it, all. `status` says whether it runs after a failure.",
		}, func(s *Step) *Conditions { return &s.When }),
		textsKey(Key{
			Name: "depends_on", Example: "[build]",
			Doc: "The steps and services that have to be finished, or started when they are detached, before this step starts. One `depends_on` makes the pipeline a graph: steps without it then start at once.",
		}, func(s *Step) *[]String { return &s.DependsOn }),
		textKey(Key{
			Name: "failure", Values: FailureModes(), Default: "the pipeline fails", Example: "ignore",
			Doc:  "`ignore`: a failure of the step does not count. `fast`, `fast-fail` or `fail-fast`: it ends the whole pipeline at once; a pipeline of type exec does not know these.",
			hint: "write `failure: ignore`",
		}, func(s *Step) *String { return &s.Failure }),
		booleanKey(Key{
			Name: "detach", Default: "false", Example: "true",
			Doc: "Run in the background: the next step does not wait, and the result does not count. Services always do.",
		}, func(s *Step) *Bool { return &s.Detach }),
	}
}

// containerKeys says how the container of a step is made.
func containerKeys() []key[Step] {
	list := []key[Step]{
		textKey(Key{
			Name: "pull", Values: append(PullPolicies(), "default"), Fold: true, Default: "always for the tag latest, else if-not-exists", Example: "if-not-exists",
			Doc:  "When the image is pulled.",
			hint: "write always, if-not-exists or never",
		}, func(s *Step) *String { return &s.Pull }),
		textsKey(Key{
			Name: "entrypoint", Default: "that of the image", Example: "[/bin/app]",
			Doc: "The program of the container and its first arguments.",
		}, func(s *Step) *[]String { return &s.Entrypoint }),
		textsKey(Key{
			Name: "command", Default: "that of the image", Example: "[server, --port, \"8080\"]",
			Doc: "The arguments of the program. A script is written as `commands`.",
		}, func(s *Step) *[]String { return &s.Command }),
		textKey(Key{
			Name: "user", Default: "that of the image", Example: "1000:1000",
			Doc: "The user of the container: a name or number, perhaps with a group.",
		}, func(s *Step) *String { return &s.User }),
		textKey(Key{
			Name: "working_dir", Default: "the folder of the source code", Example: "/drone/src/web",
			Doc: "The absolute path in the container where commands start.",
		}, func(s *Step) *String { return &s.WorkingDir }),
		customKey(Key{
			Name: "volumes", Type: TypeObjects, Of: "mount", Example: "[{name: cache, path: /root/.cache}]",
			Doc: "Volumes of the pipeline that the step mounts.",
		}, func(d *decoder, s *Step, n *yaml.Node) { s.Volumes = d.mounts(n) }),
		booleanKey(Key{
			Name: "privileged", Default: "false, but true for a few plugins that build images", Trusted: true, Example: "true",
			Doc: "Give the container all rights on the machine.",
		}, func(s *Step) *Bool { return &s.Privileged }),
		customKey(Key{
			Name: "devices", Type: TypeObjects, Of: "mount", Trusted: true, Example: "[{name: kvm, path: /dev/kvm}]",
			Doc: "Host volumes of the pipeline below /dev that the step may read and write as devices.",
		}, func(d *decoder, s *Step, n *yaml.Node) { s.Devices = d.mounts(n) }),
		textKey(Key{
			Name: "network_mode", Trusted: true, Example: "host",
			Doc: "Another network of Docker in place of the one of the pipeline. Other steps then do not reach this one by its name.",
		}, func(s *Step) *String { return &s.NetworkMode }),
		textsKey(Key{
			Name: "dns", Trusted: true, Example: "[1.1.1.1]",
			Doc: "Name servers of the container.",
		}, func(s *Step) *[]String { return &s.DNS }),
		textsKey(Key{
			Name: "dns_search", Trusted: true, Example: "[example.com]",
			Doc: "Domains in which the container looks for short names.",
		}, func(s *Step) *[]String { return &s.DNSSearch }),
		textsKey(Key{
			Name: "extra_hosts", Trusted: true, Example: "[\"db.example.com:10.0.0.5\"]",
			Doc: "Lines for /etc/hosts of the container, each a name and its address.",
		}, func(s *Step) *[]String { return &s.ExtraHosts }),
		sizeKey(Key{
			Name: "shm_size", Trusted: true, Default: "64m", Example: "256m",
			Doc: "The size of /dev/shm.",
		}, func(s *Step) *Size { return &s.ShmSize }),
		sizeKey(Key{
			Name: "mem_limit", Example: "512m",
			Doc: "How much memory the container may use; it is killed when it needs more. Docker refuses less than about 6m.",
		}, func(s *Step) *Size { return &s.MemLimit }),
		sizeKey(Key{
			Name: "memswap_limit", Example: "1g",
			Doc: "How much memory and swap the container may use together.",
		}, func(s *Step) *Size { return &s.MemSwapLimit }),
	}
	for i := range list {
		list[i].Only = "docker"
	}
	return list
}

// ignoredStepKeys lists the keys that no runner reads (reference §2.2).
func ignoredStepKeys() []Advice {
	return []Advice{
		{"tmpfs", "use a volume with `temp: {medium: memory}`"},
		{"resources", "use `mem_limit` and `memswap_limit`"},
		{"ports", "the steps of a pipeline reach each other by name, without ports being published"},
		{"expose", "the steps of a pipeline reach each other by name, without ports being published"},
		{"labels", ""},
		{"build", "build images with a plugin or with commands"},
		{"push", "push images with a plugin or with commands"},
		{"cap_add", "use `privileged: true` if the step needs it"},
		{"secrets", "name each secret where it is used: `environment: {TOKEN: {from_secret: token}}`"},
		{"group", "steps run at the same time when `depends_on` says so"},
		{"healthcheck", "wait in the commands of the step that needs the service"},
		{"restart", ""},
		{"timeout", "limit the time in the commands, for example with `timeout 10m`"},
		{"retries", "repeat in the commands"},
		{"hostname", "a step is reached by its name"},
		{"links", "a step is reached by its name"},
		{"ulimits", ""},
		{"platform", "the platform is set for the pipeline"},
		{"cpu_period", "the processor is limited for a whole runner, not in the file"},
		{"cpu_quota", "the processor is limited for a whole runner, not in the file"},
		{"cpu_set", "the processor is limited for a whole runner, not in the file"},
		{"cpu_shares", "the processor is limited for a whole runner, not in the file"},
		{"cpuset", "the processor is limited for a whole runner, not in the file"},
		{"shell", ""},
	}
}

// steps reads a list of steps or services; noun is "step" or "service".
func (d *decoder) steps(n *yaml.Node, noun string) []*Step {
	n = target(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		d.shape(n, "a list", d.stepsHint(n))
		return nil
	}
	shares := parallel.Shares(len(n.Content), leastSteps)
	lists := make([][]*Step, len(shares))
	forks := make([]*decoder, len(shares))
	parallel.Each(len(shares), func(i int) {
		forks[i] = d.fork()
		lists[i] = forks[i].someSteps(n, noun, shares[i])
	})
	d.join(forks)
	return slices.Concat(lists...)
}

// leastSteps is the number of steps from which reading them on another
// processor is worth it.
const leastSteps = 100

// someSteps reads a share of the items of a list.
func (d *decoder) someSteps(n *yaml.Node, noun string, share parallel.Share) []*Step {
	parent, path := d.owner, d.path
	inner := make([]string, 0, 8)
	out := make([]*Step, 0, share.To-share.From)
	for i, item := range n.Content[share.From:share.To] {
		number := share.From + i + 1
		if item = target(item); item.Kind != yaml.MappingNode {
			d.report(Error, RuleShape, item, fmt.Sprintf("%s %d of %s must be a map, not %s", noun, number, d.ownerName(), describe(item)),
				"write `- name: …` with `image` and `commands` below it")
			continue
		}
		s := &Step{Span: d.span(item)}
		d.owner, d.step, d.path, d.strange = owner{noun: noun, number: number}, "", inner, nil
		if name := d.nameOf(item); name != nil && name.Kind == yaml.ScalarNode && name.Value != "" {
			d.owner.name, d.step = name, name.Value
		}
		decodeObject(d, d.schema.step, item, s)
		d.checkStrange(item, s)
		out = append(out, s)
		d.owner, d.step, d.path = parent, "", path
	}
	return out
}

// nameOf returns the scalar that names a step, written in the map itself or in
// what it merges, or nil.
func (d *decoder) nameOf(n *yaml.Node) *yaml.Node {
	if own := rootKey(n, "name"); own != nil && rootKey(n, "<<") == nil {
		return own
	}
	var name *yaml.Node
	quiet := d.quiet()
	quiet.each(n, func(key, val *yaml.Node) {
		if key.Value == "name" {
			name = target(val)
		}
	})
	return name
}

// stepsHint shows steps that are written as a map as the list that was meant.
func (d *decoder) stepsHint(n *yaml.Node) string {
	const shown = 3
	var items []string
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		key, val := target(n.Content[i]), target(n.Content[i+1])
		if val.Kind == yaml.MappingNode && key.Kind == yaml.ScalarNode && len(items) < shown {
			items = append(items, "`- name: "+oneLine(d.sourceOf(key))+"`")
		}
	}
	if len(items) == 0 {
		return "write list items that start with `- name: …`"
	}
	return "write each as a list item, with the other keys below its name: " + strings.Join(items, ", ")
}

// commands reads the commands of a step.
func (d *decoder) commands(n *yaml.Node) []String {
	if n = target(n); n.Kind == yaml.ScalarNode && !isNull(n) {
		d.shape(n, "a list", "write each command as a list item: `- "+oneLine(firstLine(d.sourceOf(n)))+"`")
		return nil
	}
	return d.list(n)
}

// firstLine returns the first line of a scalar's source that is content.
func firstLine(source string) string {
	header, rest, found := strings.Cut(source, "\n")
	if found && (strings.HasPrefix(header, "|") || strings.HasPrefix(header, ">")) {
		header, _, _ = strings.Cut(strings.TrimSpace(rest), "\n")
	}
	return strings.TrimSpace(header)
}

// mounts reads the volumes or devices of a step.
func (d *decoder) mounts(n *yaml.Node) []Mount {
	n = target(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		d.shape(n, "a list", "write `- name: cache` and below it `path: /cache`")
		return nil
	}
	var out []Mount
	for _, item := range n.Content {
		item = target(item)
		if item.Kind != yaml.MappingNode {
			d.report(Error, RuleShape, item, fmt.Sprintf("an item of %s must be a map of name and path, not %s", d.subject(), describe(item)),
				d.mountHint(item))
			continue
		}
		m := Mount{Span: d.span(item)}
		decodeObject(d, d.schema.mount, item, &m)
		out = append(out, m)
	}
	return out
}

// mountHint rewrites `/host:/container`, the form of Drone 0.8.
func (d *decoder) mountHint(n *yaml.Node) string {
	host, inside, found := strings.Cut(strings.Trim(d.sourceOf(n), `"'`), ":")
	if n.Kind != yaml.ScalarNode || !found {
		return "write `{name: cache, path: /cache}` and declare the volume under `volumes` of the pipeline"
	}
	inside, _, _ = strings.Cut(inside, ":")
	name := strings.Trim(strings.NewReplacer("/", "-", ".", "").Replace(host), "-")
	if name == "" {
		name = "host"
	}
	return fmt.Sprintf("write `{name: %s, path: %s}` here, and `{name: %s, host: {path: %s}}` under `volumes` of the pipeline", name, inside, name, host)
}
