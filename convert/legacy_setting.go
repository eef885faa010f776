package convert

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

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
