package convert

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/google/shlex"

	"github.com/drone-laptop/drone/manifest"
)

// The keys that containers had; all others were parameters of a plugin.
var (
	knownBefore06 = []string{
		"name", "image", "build", "pull", "detach", "privileged", "environment", "labels", "entrypoint", "command", "commands", "volumes",
		"volumes_from", "devices", "network_mode", "extra_hosts", "dns", "dns_search", "mem_limit", "memswap_limit", "shm_size", "cpu_quota",
		"cpu_shares", "cpuset", "oom_kill_disable", "auth_config", "when",
	}
	knownSince06 = []string{
		"name", "image", "pull", "detach", "privileged", "environment", "labels", "entrypoint", "command", "commands", "volumes", "devices",
		"tmpfs", "network_mode", "networks", "ipc_mode", "sysctls", "extra_hosts", "dns", "dns_search", "mem_limit", "memswap_limit",
		"shm_size", "mem_swappiness", "ulimits", "cap_add", "cap_drop", "isolation", "cpu_quota", "cpu_shares", "cpuset", "auth_config",
		"group", "secrets", "when",
	}
	neverApplied = []string{"build", "mem_swappiness", "ulimits", "cap_add", "cap_drop", "isolation", "networks"}
)

func (p *pipeline) known(key string) bool {
	switch p.out.Version {
	case Version04:
		return slices.Contains(knownBefore06, key) || key == "net"
	case Version05:
		return slices.Contains(knownBefore06, key)
	}
	return slices.Contains(knownSince06, key)
}

// container converts one entry. The node is nil for what does not run.
func (p *pipeline) container(section string, e entry) (*container, *yaml.Node, error) {
	fields, err := p.mapping(e.value, fmt.Sprintf("%q in `%s`", e.key.Value, section))
	if err != nil {
		return nil, nil, err
	}
	c := &container{section: section, key: e.key, name: e.key.Value, entries: fields, from: e.key}
	if s := p.origin04(e.key); s != "" {
		c.section = s
	}
	if n := c.get("name"); n != nil && n.Kind == yaml.ScalarNode && n.Value != "" {
		c.name = n.Value
	}
	c.service = section == "services" || isTrue(c.get("detach"))
	own := slices.ContainsFunc(fields, func(f entry) bool { return !p.known(f.key.Value) })
	c.plugin = !c.has("commands") || p.out.Version == Version05 && own
	if p.opts.Local && c.name == "clone" && p.before06() && section != "services" {
		return c, nil, nil
	}
	v, err := p.when(c)
	if err != nil || v.never {
		return c, nil, err
	}
	step, err := p.step(c, v.when)
	return c, step, err
}

// step writes a container in the form of today.
func (p *pipeline) step(c *container, when *yaml.Node) (*yaml.Node, error) {
	s := newMap(c.from)
	s.HeadComment, s.FootComment = c.key.HeadComment, c.key.FootComment
	name := text(p.stepName(c), orKey(c.get("name"), c.key))
	name.LineComment = c.key.LineComment
	set(s, "name", name)
	if err := p.image(s, c); err != nil {
		return nil, err
	}
	if err := p.process(s, c); err != nil {
		return nil, err
	}
	if err := p.variables(s, c); err != nil {
		return nil, err
	}
	if err := p.mounts(s, c); err != nil {
		return nil, err
	}
	p.machine(s, c)
	p.unusableElsewhere(c)
	if when != nil {
		key := c.keyOf("when")
		if key == nil {
			set(s, "when", when)
		} else {
			setAt(s, "when", key, when)
		}
	}
	return s, nil
}

func orKey(n, key *yaml.Node) *yaml.Node {
	if n != nil {
		return n
	}
	return key
}

// stepName makes names unique, which they did not have to be.
func (p *pipeline) stepName(c *container) string {
	name := c.name
	for p.stepNames[name] > 0 { // where the last one of that name ended
		p.stepNames[c.name]++
		name = fmt.Sprintf("%s-%d", c.name, p.stepNames[c.name])
	}
	if name != c.name {
		p.note(manifest.Info, c.key, "", "there are several steps called %q; this one is now %q", c.name, name)
	}
	p.stepNames[name]++
	return name
}

// image sets the image and when it is pulled: Drone pulled what was missing, and
// pulls the tag latest each time today.
func (p *pipeline) image(s *yaml.Node, c *container) error {
	n := c.get("image")
	switch {
	case n != nil && n.Kind == yaml.ScalarNode && n.Value != "":
		image := sameText(n)
		if p.opts.Adapt {
			image.Value = p.left(n.Value) // for Adapt
		} else {
			p.unusable(n, c, "the image", "write the image itself")
		}
		setAt(s, "image", c.keyOf("image"), image)
	case n == nil && p.before06():
		image := c.key.Value
		if p.out.Version == Version04 && c.section != "compose" && !strings.Contains(image, "/") {
			image = "plugins/" + strings.ReplaceAll(image, "_", "-")
			p.lost(c.key, "look up the parameters that the plugin has today", "the plugin %q got its parameters as JSON; the one of today has variables, and perhaps other ones", c.key.Value)
		}
		n = text(image, c.key)
		set(s, "image", n)
	default:
		return p.errorAt(p.there(c.key), "give it an `image`", "%q has no image", c.name)
	}
	pull := c.get("pull")
	switch {
	case pull == nil && p.latest(n.Value), pull != nil && !isTrue(pull) && p.latest(n.Value) && isFalse(pull):
		set(s, "pull", text("if-not-exists", orKey(pull, n)))
	case isTrue(pull):
		setAt(s, "pull", c.keyOf("pull"), commentedAs(text("always", pull), pull))
	case pull != nil && !isFalse(pull):
		p.note(manifest.Warning, pull, "", "Drone %s took only true or false for `pull`", p.out.Version)
		setAt(s, "pull", c.keyOf("pull"), sameText(pull))
	}
	return nil
}

// latest reports whether an image has the tag latest, or none.
func (p *pipeline) latest(image string) bool {
	tag := image[strings.LastIndex(image, "/")+1:]
	_, tag, found := strings.Cut(tag, ":")
	return !strings.Contains(image, "@") && (!found && !p.masked.has(image) || tag == "latest")
}

// process sets what runs in the container.
func (p *pipeline) process(s *yaml.Node, c *container) error {
	if isTrue(c.get("detach")) && c.section != "services" {
		setAt(s, "detach", c.keyOf("detach"), plain("true", c.get("detach")))
	}
	if n := c.get("privileged"); isTrue(n) {
		setAt(s, "privileged", c.keyOf("privileged"), plain("true", n))
	}
	for _, key := range []string{"entrypoint", "command"} {
		n := c.get(key)
		if n == nil || isNull(n) {
			continue
		}
		list, ok := texts(n)
		if !ok {
			return p.errorAt(p.there(n), "", "`%s` of %q is not a list of text", key, c.name)
		}
		out := newList(n)
		if n.Kind == yaml.ScalarNode {
			out.Style = yaml.FlowStyle
		}
		for _, item := range list {
			p.unusable(item, c, "`"+key+"`", "have the program read it from the environment")
			switch {
			case n.Kind == yaml.ScalarNode && p.out.Version != Version05:
				words, err := shlex.Split(item.Value) // as Drone did
				if err != nil {
					return p.errorAt(p.there(n), "close the quotation marks, or write a list of words", "`%s` of %q is no line of words: %v", key, c.name, err)
				}
				for _, word := range words {
					out.Content = append(out.Content, text(word, item))
				}
			default:
				out.Content = append(out.Content, p.literal(item))
			}
		}
		if !c.service {
			p.note(manifest.Info, c.keyOf(key), "", "Drone %s refused `%s` in a step that is not detached", p.out.Version, key)
		}
		setAt(s, key, c.keyOf(key), out)
	}
	if !c.has("commands") {
		return nil
	}
	if p.out.Version == Version05 && c.plugin {
		p.lost(c.keyOf("commands"), "remove the keys that Drone 0.5 did not know, or the commands", "the commands of %q never ran: its other keys made it a plugin", c.name)
		return nil
	}
	list, ok := texts(c.get("commands"))
	if !ok {
		return p.errorAt(p.there(c.get("commands")), "", "`commands` of %q are not a list of text", c.name)
	}
	out := newList(c.get("commands"))
	for _, item := range list {
		out.Content = append(out.Content, p.literal(item))
	}
	setAt(s, "commands", c.keyOf("commands"), out)
	return nil
}

// there gives a node of the text of a combination the place that it has in the
// file.
func (p *pipeline) there(n *yaml.Node) *yaml.Node {
	out := *n
	out.Line, out.Column = p.out.source.original(n.Line, n.Column)
	return &out
}

// literal is a text as Drone read it.
func (p *pipeline) literal(n *yaml.Node) *yaml.Node {
	out := sameText(n)
	if p.before06() && n.Style == 0 {
		if value := scalarThen(n); value != n.Value {
			out.Value, out.Tag = value, "!!str"
		}
	}
	return out
}

// machine keeps what a container may have of the machine, and tells of what is
// gone.
func (p *pipeline) machine(s *yaml.Node, c *container) {
	for _, e := range c.entries {
		key := e.key.Value
		switch {
		case !p.known(key):
		case slices.Contains([]string{"dns", "dns_search", "extra_hosts"}, key):
			if list, ok := texts(e.value); ok && len(list) > 0 {
				out := newList(e.value)
				for _, item := range list {
					out.Content = append(out.Content, sameText(item))
				}
				setAt(s, key, e.key, out)
			}
		case key == "network_mode", key == "net":
			if e.value.Value != "" {
				setAt(s, "network_mode", e.key, sameText(e.value))
			}
		case slices.Contains([]string{"mem_limit", "memswap_limit", "shm_size"}, key):
			if key == "memswap_limit" && p.before06() {
				p.note(manifest.Info, e.key, "", "Drone %s did not apply %q", p.out.Version, key)
				continue
			}
			setAt(s, key, e.key, sameText(e.value))
		case slices.Contains(neverApplied, key):
			p.note(manifest.Info, e.key, "", "Drone did not apply %q, so it is left out", key)
		case key == "auth_config":
			p.lost(e.key, "log in to the registry with `docker login` here, and use `image_pull_secrets` on a server",
				"the credentials of %q for its registry have no equivalent", c.name)
		case slices.Contains([]string{"labels", "volumes_from", "ipc_mode", "sysctls", "cpu_quota", "cpu_shares", "cpuset", "oom_kill_disable"}, key):
			p.lost(e.key, "", "%q of %q has no equivalent, so it is left out", key, c.name)
		}
	}
}
