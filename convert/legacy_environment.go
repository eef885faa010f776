package convert

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

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

func builtin(name string) bool {
	return strings.HasPrefix(name, "DRONE_") || strings.HasPrefix(name, "CI_") || name == "CI" || name == "DRONE"
}

// oldVariables are those that Drone set and does not set any more, with how they
// are said now.
var oldVariables = []struct{ name, value string }{
	{"CI_TAG", "${DRONE_TAG}"},
	{"CI_PULL_REQUEST", "${DRONE_PULL_REQUEST}"},
	{"CI_WORKSPACE", "${DRONE_WORKSPACE}"},
	{"CI_JOB_NUMBER", "%d"},
	{"CI_SYSTEM", "drone"},
	{"CI_SYSTEM_NAME", "drone"},
	{"CI_SYSTEM_ARCH", "%p"},
	{"CI_SYSTEM_LINK", "${DRONE_SYSTEM_PROTO}://${DRONE_SYSTEM_HOST}"},
	{"CI_SYSTEM_HOST", "${DRONE_SYSTEM_HOST}"},
	{"CI_SYSTEM_VERSION", "${DRONE_SYSTEM_VERSION}"},
	{"DRONE_ARCH", "linux/amd64"},
	{"DRONE_JOB_NUMBER", "%d"},
	{"DRONE_JOB_STARTED", "${DRONE_BUILD_STARTED}"},
	{"DRONE_VERSION", "${DRONE_SYSTEM_VERSION}"},
	{"DRONE_PARENT_BUILD_NUMBER", "${DRONE_BUILD_PARENT}"},
}

// environment adds the variables of then that the text names, or all of them.
func (p *pipeline) environment(d *yaml.Node) {
	m := newMap(nil)
	for _, v := range oldVariables {
		if p.before06() && strings.HasPrefix(v.name, "CI_") {
			continue
		}
		if !p.opts.Environment && !mentions(p.text, v.name) {
			continue
		}
		value := v.value
		switch value {
		case "%d":
			value = fmt.Sprint(p.index + 1)
		case "%p":
			value = p.platform
		}
		n := text(value, nil)
		if strings.Contains(value, "${") {
			n = text(p.masked.hidden(value), nil)
		}
		set(m, v.name, n)
	}
	if len(m.Content) > 0 {
		set(d, "environment", m)
	}
}

// mentions reports whether a text has a name as a whole word.
func mentions(text, name string) bool {
	for {
		i := strings.Index(text, name)
		if i < 0 {
			return false
		}
		text = text[i+len(name):]
		if text == "" || !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", rune(text[0])) {
			return true
		}
	}
}
