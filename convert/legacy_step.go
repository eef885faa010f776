package convert

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

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
	set(s, "name", text(p.stepName(c), orKey(c.get("name"), c.key)))
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
	for n := 2; p.stepNames[name]; n++ {
		name = fmt.Sprintf("%s-%d", c.name, n)
	}
	if name != c.name {
		p.note(manifest.Info, c.key, "", "there are several steps called %q; this one is now %q", c.name, name)
	}
	p.stepNames[name] = true
	return name
}

// image sets the image and when it is pulled: Drone pulled what was missing, and
// pulls the tag latest each time today.
func (p *pipeline) image(s *yaml.Node, c *container) error {
	n := c.get("image")
	switch {
	case n != nil && n.Kind == yaml.ScalarNode && n.Value != "":
		setAt(s, "image", c.keyOf("image"), sameText(n))
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
		setAt(s, "pull", c.keyOf("pull"), text("always", pull))
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
			switch {
			case n.Kind == yaml.ScalarNode && p.out.Version != Version05:
				for _, word := range splitWords(item.Value) {
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

// variables sets the environment and the parameters of the plugin.
func (p *pipeline) variables(s *yaml.Node, c *container) error {
	env, settings := newMap(nil), newMap(nil)
	if err := p.environmentOf(env, c); err != nil {
		return err
	}
	if err := p.settings(settings, c); err != nil {
		return err
	}
	for _, v := range p.axis {
		builtin := strings.HasPrefix(v.name, "DRONE_") || strings.HasPrefix(v.name, "CI_") || v.name == "CI"
		unset := v.value == "" || !p.before06() && (v.value == "0" || v.value == "false")
		if !builtin && !unset {
			set(env, v.name, text(v.value, v.from0()))
		}
	}
	if !p.before06() {
		if err := p.secrets(env, settings, c); err != nil {
			return err
		}
	} else {
		p.commandSecrets(s, env, c)
	}
	if len(env.Content) > 0 {
		p.setFrom(s, "environment", c.keyOf("environment"), env)
	}
	if len(settings.Content) > 0 {
		set(s, "settings", settings)
	}
	return nil
}

// from0 is the place of a value of the matrix, which was read before anything
// was replaced.
func (v axisValue) from0() *yaml.Node {
	if v.from == nil {
		return &yaml.Node{}
	}
	return v.from
}

func (p *pipeline) setFrom(s *yaml.Node, name string, key, value *yaml.Node) {
	if key == nil {
		set(s, name, value)
		return
	}
	setAt(s, name, key, value)
}

func (p *pipeline) environmentOf(env *yaml.Node, c *container) error {
	n := c.get("environment")
	if n == nil || isNull(n) {
		return nil
	}
	if n.Kind == yaml.MappingNode {
		for _, e := range entries(n) {
			if e.value.Kind != yaml.ScalarNode {
				return p.errorAt(p.there(e.value), "", "the variable %s of %q is not a text", e.key.Value, c.name)
			}
			value := sameText(e.value)
			switch {
			case isNull(e.value):
				value = text("", e.value)
			case p.out.Version == Version05:
				value = p.literal(e.value)
			case e.value.Style == 0 && scalarThen(e.value) != e.value.Value || isNumber(e.value):
				p.note(manifest.Info, e.value, "", "Drone %s refused the variable %s of %q: its value is not a text without quotes", p.out.Version, e.key.Value, c.name)
			}
			setAt(env, e.key.Value, e.key, p.maybeSecret(value))
		}
		return nil
	}
	items, ok := texts(n)
	if !ok {
		return p.errorAt(p.there(n), "write `NAME: value`, or `- NAME=value`", "the environment of %q is neither a map nor a list of text", c.name)
	}
	for _, item := range items {
		name, value, found := strings.Cut(item.Value, "=")
		if !found && p.before06() {
			p.note(manifest.Info, item, "", "%q has no value, so it was not set", item.Value)
			continue
		}
		if !p.before06() {
			name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		}
		key, v := text(name, item), p.maybeSecret(text(value, item))
		key.HeadComment, v.LineComment, key.FootComment = item.HeadComment, item.LineComment, item.FootComment
		setKey(env, key, v)
	}
	return nil
}

func isNumber(n *yaml.Node) bool {
	tag := n.ShortTag()
	return n.Style == 0 && (tag == "!!int" || tag == "!!float" || tag == "!!bool")
}

// maybeSecret turns a value that is nothing but a secret into a reference to it.
func (p *pipeline) maybeSecret(n *yaml.Node) *yaml.Node {
	name := p.secretIn(n.Value)
	if name == "" {
		return n
	}
	return fromSecret(name, n)
}

func fromSecret(name string, from *yaml.Node) *yaml.Node {
	m := newMap(from)
	set(m, "from_secret", text(name, from))
	return m
}

// secretIn is the name of the secret that a value consists of. Before Drone 0.6
// secrets were put into the text of the file.
func (p *pipeline) secretIn(value string) string {
	if !p.before06() || !p.masked.has(value) {
		return ""
	}
	m := simple.FindStringSubmatch(p.masked.restore(value))
	if m == nil || builtin(m[1]) {
		return ""
	}
	return m[1]
}

func builtin(name string) bool {
	return strings.HasPrefix(name, "DRONE_") || strings.HasPrefix(name, "CI_") || name == "CI" || name == "DRONE"
}

// commandSecrets hands secrets that were put into commands to them as variables.
func (p *pipeline) commandSecrets(s, env *yaml.Node, c *container) {
	list := get(entries(s), "commands")
	if list == nil {
		return
	}
	has := func(name string) bool { return get(entries(env), name) != nil }
	for _, item := range list.Content {
		var out strings.Builder
		for _, r := range item.Value {
			name := p.secretIn(string(r))
			if name == "" || has(name) && get(entries(env), name).Kind == yaml.ScalarNode {
				out.WriteRune(r)
				continue
			}
			if !has(name) {
				set(env, name, fromSecret(name, item))
			}
			p.lost(item, "quote it for the shell if the secret has blanks",
				"the secret %s was put into the command of %q; the command reads it from the environment now", name, c.name)
			out.WriteString(p.masked.hidden("$${" + name + "}"))
		}
		item.Value = out.String()
	}
}

// settings are the parameters of a plugin: all keys that Drone did not know.
func (p *pipeline) settings(settings *yaml.Node, c *container) error {
	for _, e := range c.entries {
		key := e.key.Value
		if p.known(key) {
			continue
		}
		switch {
		case c.service:
			p.note(manifest.Info, e.key, "", "%q of %q had no effect: a container that is detached has no parameters", key, c.name)
			continue
		case isNull(e.value):
			p.note(manifest.Info, e.key, "", "%q of %q has no value, so the plugin did not get it", key, c.name)
			continue
		case c.has("commands") && !p.before06():
			p.note(manifest.Warning, e.key, "", "Drone 0.8 refused %q beside the commands of %q", key, c.name)
		}
		value, err := p.setting(e.value)
		if err != nil {
			return err
		}
		if value != nil {
			setAt(settings, key, e.key, value)
		}
	}
	return nil
}

// setting is a parameter with numbers spelled such that the plugin gets the text
// it got, nil for what was dropped.
func (p *pipeline) setting(n *yaml.Node) (*yaml.Node, error) {
	value, err := p.copied(n)
	if err != nil {
		return nil, err
	}
	if value.Kind == yaml.ScalarNode {
		if m := p.maybeSecret(value); m != value {
			return m, nil
		}
		if value.Style == 0 && intThen.MatchString(value.Value) {
			if _, err := strconv.ParseInt(strings.ReplaceAll(value.Value, "_", ""), 0, 64); err != nil {
				p.lost(n, "quote the number", "%s is too large a number, so the plugin did not get it", value.Value)
				return nil, nil
			}
		}
	}
	p.spell(value, n)
	return value, nil
}

func (p *pipeline) spell(value, source *yaml.Node) {
	if value.Kind == yaml.ScalarNode {
		if then := scalarThen(value); value.Style == 0 && value.ShortTag() == "!!float" && then != value.Value {
			value.Value = then
		}
		if value.Kind == yaml.ScalarNode && p.secretInside(value.Value) {
			p.lost(source, "make the parameter the secret alone: `{from_secret: NAME}`", "a secret inside a parameter has no equivalent: it is empty now")
		}
	}
	for _, c := range value.Content {
		p.spell(c, source)
	}
}

func (p *pipeline) secretInside(value string) bool {
	return slices.ContainsFunc([]rune(value), func(r rune) bool { return p.secretIn(string(r)) != "" })
}

// secrets become variables, or parameters of the plugin where their names are
// those.
func (p *pipeline) secrets(env, settings *yaml.Node, c *container) error {
	n := c.get("secrets")
	if n == nil || isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return p.errorAt(p.there(n), "write `secrets: [name]`", "the secrets of %q are not a list", c.name)
	}
	for _, item := range n.Content {
		item = target(item)
		source, variable := item, item
		if item.Kind == yaml.MappingNode {
			fields := entries(item)
			if source, variable = get(fields, "source"), get(fields, "target"); source == nil || variable == nil {
				return p.errorAt(p.there(item), "write `- {source: name, target: VARIABLE}`", "a secret of %q has no source or no target", c.name)
			}
		}
		if source.Kind != yaml.ScalarNode || variable.Kind != yaml.ScalarNode || variable.Value == "" {
			return p.errorAt(p.there(item), "", "a secret of %q is neither a name nor a map", c.name)
		}
		name := strings.ToUpper(variable.Value)
		value := fromSecret(source.Value, source)
		if parameter, ok := strings.CutPrefix(name, "PLUGIN_"); ok && parameter != "" && c.plugin && !c.service {
			for i := 0; i < len(settings.Content); i += 2 {
				if strings.ToUpper(settings.Content[i].Value) == parameter {
					settings.Content = slices.Delete(settings.Content, i, i+2)
					break
				}
			}
			set(settings, strings.ToLower(parameter), value)
			continue
		}
		key := text(name, source)
		key.HeadComment = item.HeadComment
		setKey(env, key, value)
	}
	return nil
}

// mounts sets volumes and devices.
func (p *pipeline) mounts(s *yaml.Node, c *container) error {
	list := newList(nil)
	for _, key := range []string{"volumes", "tmpfs", "devices"} {
		n := c.get(key)
		if n == nil || !p.known(key) || isNull(n) {
			continue
		}
		items, ok := texts(n)
		if !ok {
			return p.errorAt(p.there(n), "", "`%s` of %q is not a list of text", key, c.name)
		}
		into := list
		if key == "devices" {
			into = newList(nil)
		}
		for _, item := range items {
			if m := p.mount(key, item, c); m != nil {
				into.Content = append(into.Content, m)
			}
		}
		if key == "devices" && len(into.Content) > 0 {
			setAt(s, key, c.keyOf(key), into)
		}
	}
	if len(list.Content) > 0 {
		p.setFrom(s, "volumes", c.keyOf("volumes"), list)
	}
	return nil
}

// mount converts one mount of a kind, which also makes the volume. It is nil for
// what was dropped.
func (p *pipeline) mount(kind string, n *yaml.Node, c *container) *yaml.Node {
	parts := splitMount(n.Value)
	source, at, options := "", parts[0], ""
	switch {
	case kind == "tmpfs":
		if len(parts) > 1 {
			options = parts[1]
		}
	case len(parts) > 1:
		source, at = parts[0], parts[1]
		if len(parts) > 2 {
			options = parts[2]
		}
	case kind == "devices":
		p.note(manifest.Info, n, "", "the device %q of %q has no path in the container, so it was dropped", n.Value, c.name)
		return nil
	}
	volume := newMap(n)
	id, base := source, source
	switch local := strings.HasPrefix(source, "/") || strings.HasPrefix(source, `\`) || len(source) > 1 && source[1] == ':' || p.masked.has(source); {
	case kind == "tmpfs":
		id, base = "tmpfs "+n.Value, at
		temp := newMap(n)
		set(temp, "medium", text("memory", n))
		if size := sizeOption.FindStringSubmatch(options); size != nil {
			set(temp, "size_limit", text(size[1], n))
		}
		set(volume, "temp", temp)
	case source == "":
		id, base = fmt.Sprintf("anonymous %s %s", c.name, at), at
		set(volume, "temp", emptyMap(n))
	case local:
		host := newMap(n)
		set(host, "path", text(source, n))
		set(volume, "host", host)
	default:
		id = "named " + source
		p.lost(n, "use a path of the host: `- /var/cache:/cache`", "the volume %q was kept from one build to the next; now it lives as long as the pipeline", source)
		set(volume, "temp", emptyMap(n))
	}
	if slices.Contains(strings.Split(options, ","), "ro") {
		p.lost(n, "", "%s can be written to: a mount has no `ro` any more", at)
	}
	m := newMap(n)
	m.HeadComment, m.LineComment = n.HeadComment, n.LineComment
	set(m, "name", text(p.volume(id, base, volume), n))
	set(m, "path", text(at, n))
	return m
}

var sizeOption = regexp.MustCompile(`(?:^|,)size=([0-9]+[bkmgBKMG]?)`)

func emptyMap(from *yaml.Node) *yaml.Node {
	m := newMap(from)
	m.Style = yaml.FlowStyle
	return m
}

// splitMount cuts a mount at its colons, but not after the letter of a drive.
func splitMount(text string) []string {
	parts := strings.Split(text, ":")
	for i := 0; i+1 < len(parts); i++ {
		if len(parts[i]) == 1 && strings.HasPrefix(parts[i+1], `\`) {
			parts = slices.Replace(parts, i, i+2, parts[i]+":"+parts[i+1])
		}
	}
	return parts
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// volume names a volume after its path, and adds it once.
func (p *pipeline) volume(id, base string, volume *yaml.Node) string {
	if name, ok := p.volumes[id]; ok {
		return name
	}
	short := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(base), "-"), "-")
	if short == "" {
		short = "volume"
	}
	name := short
	for n := 2; p.volumeNames[name]; n++ {
		name = fmt.Sprintf("%s-%d", short, n)
	}
	p.volumes[id], p.volumeNames[name] = name, true
	named := newMap(volume)
	set(named, "name", text(name, volume))
	named.Content = append(named.Content, volume.Content...)
	p.volumeList = append(p.volumeList, named)
	return name
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

var (
	intThen   = regexp.MustCompile(`^[-+]?(0x[0-9a-fA-F_]+|0b[01_]+|[0-9][0-9_]*)$`)
	floatThen = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// scalarThen is what Drone made of a scalar before it looked at it: it wrote the
// container as YAML again, with numbers of 32 bits.
func scalarThen(n *yaml.Node) string {
	if n.Style&^yaml.TaggedStyle != 0 || n.Tag == "!!str" && n.Style != 0 {
		return n.Value
	}
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return ""
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE":
		return "true"
	case "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE":
		return "false"
	}
	digits := strings.ReplaceAll(n.Value, "_", "")
	if intThen.MatchString(n.Value) {
		if i, err := strconv.ParseInt(digits, 0, 64); err == nil {
			return strconv.FormatInt(i, 10)
		}
	}
	if floatThen.MatchString(n.Value) {
		if f, err := strconv.ParseFloat(digits, 64); err == nil && !math.IsInf(f, 0) {
			squeezed, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
			if err == nil && !math.IsInf(squeezed, 0) {
				return strconv.FormatFloat(squeezed, 'g', -1, 64)
			}
		}
	}
	return n.Value
}

// splitWords splits a command into words as a shell does, without replacing
// anything.
func splitWords(text string) (words []string) {
	var word strings.Builder
	quote, started, escaped := rune(0), false, false
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote = r
		case r == ' ' || r == '\t' || r == '\n':
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
			continue
		default:
			word.WriteRune(r)
		}
		started = true
	}
	if started {
		words = append(words, word.String())
	}
	return words
}

// sections04 brings the sections of Drone 0.4 into the form of later versions.
// They ran in a fixed order.
func (p *pipeline) sections04(top []entry) []entry {
	steps, services := newMap(nil), newMap(nil)
	p.sections = map[*yaml.Node]string{}
	var rest []entry
	var build []entry
	for _, e := range top {
		if e.key.Value == "build" || e.key.Value == "script" {
			build = append(build, e)
		}
	}
	add := func(into *yaml.Node, section string, key, value *yaml.Node) {
		p.sections[key] = section
		into.Content = append(into.Content, key, value)
	}
	for _, e := range build {
		if get(entries(e.value), "image") != nil {
			add(steps, "build", e.key, e.value)
			continue
		}
		for _, s := range entries(e.value) {
			add(steps, "build", s.key, s.value)
		}
	}
	for _, section := range []string{"compose", "publish", "deploy", "notify"} {
		into := steps
		if section == "compose" {
			into = services
		}
		for _, s := range entries(orNull(get(top, section))) {
			add(into, section, s.key, s.value)
		}
	}
	for _, e := range top {
		switch e.key.Value {
		case "build", "script", "compose", "publish", "deploy", "notify":
		case "debug":
			p.note(manifest.Info, e.key, "`drone exec --debug` is the flag", "`debug` has no effect")
		default:
			rest = append(rest, e)
		}
	}
	if len(steps.Content) > 0 {
		first := text("pipeline", nil)
		if len(build) > 0 {
			first.Line, first.Column = build[0].key.Line, build[0].key.Column
			if p.sections[build[0].key] == "" {
				first.HeadComment = build[0].key.HeadComment
			}
		}
		rest = append(rest, entry{first, steps})
	}
	if len(services.Content) > 0 {
		rest = append(rest, entry{keyOf04(top, "compose"), services})
	}
	return rest
}

// keyOf04 is the key of a section under the name that it has later.
func keyOf04(top []entry, section string) *yaml.Node {
	key := text("services", keyOf(top, section))
	if from := keyOf(top, section); from != nil {
		key.HeadComment, key.FootComment = from.HeadComment, from.FootComment
	}
	return key
}

// origin04 is the section of Drone 0.4 that an entry is from.
func (p *pipeline) origin04(key *yaml.Node) string { return p.sections[key] }

// has reports whether a value has an expression in it.
func (m *maskedText) has(value string) bool {
	return len(m.expressions) > 0 && strings.ContainsFunc(value, func(r rune) bool { return r >= maskStart && r < maskRest })
}
