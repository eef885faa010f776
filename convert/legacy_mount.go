package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

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
	m.HeadComment = n.HeadComment
	set(m, "name", text(p.volume(id, base, volume), n))
	to := text(at, n)
	to.LineComment = n.LineComment
	set(m, "path", to)
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
