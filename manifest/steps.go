package manifest

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

func newStepObject() *object[Step] {
	return &object[Step]{
		fields:  stepFields(),
		ignored: ignoredStepKeys(),
		hints: map[string]string{
			"depends":      "did you mean `depends_on`?",
			"dependencies": "did you mean `depends_on`?",
			"dependancies": "did you mean `depends_on`?",
			"errignore":    "write `failure: ignore`",
			"trigger":      "a step has `when`; `trigger` belongs to the pipeline",
			"extends":      "use a YAML anchor and the merge key `<<`",
			"env":          "did you mean `environment`?",
			"script":       "did you mean `commands`?",
			"run":          "did you mean `commands`?",
		},
	}
}

func stepFields() map[string]func(*decoder, *Step, *yaml.Node) {
	return map[string]func(*decoder, *Step, *yaml.Node){
		"name":          func(d *decoder, s *Step, n *yaml.Node) { s.Name = d.scalar(n, "") },
		"image":         func(d *decoder, s *Step, n *yaml.Node) { s.Image = d.scalar(n, "write the name of one image") },
		"commands":      func(d *decoder, s *Step, n *yaml.Node) { s.Commands = d.commands(n) },
		"entrypoint":    func(d *decoder, s *Step, n *yaml.Node) { s.Entrypoint = d.list(n) },
		"command":       func(d *decoder, s *Step, n *yaml.Node) { s.Command = d.list(n) },
		"environment":   func(d *decoder, s *Step, n *yaml.Node) { s.Environment = d.environment(n, s.Environment, true) },
		"settings":      func(d *decoder, s *Step, n *yaml.Node) { s.Settings = d.settings(n, s.Settings) },
		"detach":        func(d *decoder, s *Step, n *yaml.Node) { s.Detach = d.boolean(n) },
		"depends_on":    func(d *decoder, s *Step, n *yaml.Node) { s.DependsOn = d.list(n) },
		"when":          func(d *decoder, s *Step, n *yaml.Node) { d.conditions(n, &s.When) },
		"failure":       func(d *decoder, s *Step, n *yaml.Node) { s.Failure = d.scalar(n, "write `failure: ignore`") },
		"pull":          func(d *decoder, s *Step, n *yaml.Node) { s.Pull = d.scalar(n, "write always, if-not-exists or never") },
		"privileged":    func(d *decoder, s *Step, n *yaml.Node) { s.Privileged = d.boolean(n) },
		"user":          func(d *decoder, s *Step, n *yaml.Node) { s.User = d.scalar(n, "") },
		"working_dir":   func(d *decoder, s *Step, n *yaml.Node) { s.WorkingDir = d.scalar(n, "") },
		"volumes":       func(d *decoder, s *Step, n *yaml.Node) { s.Volumes = d.mounts(n) },
		"devices":       func(d *decoder, s *Step, n *yaml.Node) { s.Devices = d.mounts(n) },
		"network_mode":  func(d *decoder, s *Step, n *yaml.Node) { s.NetworkMode = d.scalar(n, "") },
		"dns":           func(d *decoder, s *Step, n *yaml.Node) { s.DNS = d.list(n) },
		"dns_search":    func(d *decoder, s *Step, n *yaml.Node) { s.DNSSearch = d.list(n) },
		"extra_hosts":   func(d *decoder, s *Step, n *yaml.Node) { s.ExtraHosts = d.list(n) },
		"shm_size":      func(d *decoder, s *Step, n *yaml.Node) { s.ShmSize = d.size(n) },
		"mem_limit":     func(d *decoder, s *Step, n *yaml.Node) { s.MemLimit = d.size(n) },
		"memswap_limit": func(d *decoder, s *Step, n *yaml.Node) { s.MemSwapLimit = d.size(n) },
	}
}

// ignoredStepKeys lists the keys that no runner reads (reference §2.2).
func ignoredStepKeys() map[string]string {
	return map[string]string{
		"tmpfs":       "use a volume with `temp: {medium: memory}`",
		"resources":   "use `mem_limit` and `memswap_limit`",
		"ports":       "the steps of a pipeline reach each other by name, without ports being published",
		"expose":      "the steps of a pipeline reach each other by name, without ports being published",
		"labels":      "",
		"build":       "build images with a plugin or with commands",
		"push":        "push images with a plugin or with commands",
		"cap_add":     "use `privileged: true` if the step needs it",
		"secrets":     "name each secret where it is used: `environment: {TOKEN: {from_secret: token}}`",
		"group":       "steps run at the same time when `depends_on` says so",
		"healthcheck": "wait in the commands of the step that needs the service",
		"restart":     "",
		"timeout":     "limit the time in the commands, for example with `timeout 10m`",
		"retries":     "repeat in the commands",
		"hostname":    "a step is reached by its name",
		"links":       "a step is reached by its name",
		"ulimits":     "",
		"platform":    "the platform is set for the pipeline",
		"cpu_period":  "the processor is limited for a whole runner, not in the file",
		"cpu_quota":   "the processor is limited for a whole runner, not in the file",
		"cpu_set":     "the processor is limited for a whole runner, not in the file",
		"cpu_shares":  "the processor is limited for a whole runner, not in the file",
		"cpuset":      "the processor is limited for a whole runner, not in the file",
		"shell":       "",
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
	parent, path := d.owner, d.path
	inner := make([]string, 0, 8)
	out := make([]*Step, 0, len(n.Content))
	for i, item := range n.Content {
		if item = target(item); item.Kind != yaml.MappingNode {
			d.report(Error, RuleShape, item, fmt.Sprintf("%s %d of %s must be a map, not %s", noun, i+1, d.ownerName(), describe(item)),
				"write `- name: …` with `image` and `commands` below it")
			continue
		}
		s := &Step{Span: d.span(item)}
		d.owner, d.step, d.path = owner{noun: noun, number: i + 1}, "", inner
		if name := d.nameOf(item); name != nil && name.Kind == yaml.ScalarNode && name.Value != "" {
			d.owner.name, d.step = name, name.Value
		}
		decodeObject(d, d.schema.step, item, s)
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
