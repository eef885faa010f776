package convert

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
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
			p.note(manifest.Warning, e.key, meant(key), "Drone 0.8 refused %q beside the commands of %q", key, c.name)
		case meant(key) != "":
			p.note(manifest.Warning, e.key, meant(key), "Drone %s did not know %q, so it is a parameter of the plugin %q", p.out.Version, key, c.name)
		}
		value, err := p.setting(e, c)
		if err != nil {
			return err
		}
		if value != nil {
			setAt(settings, key, e.key, value)
		}
	}
	return nil
}

// meant is a hint at the key that one of almost its name was meant to be. It is
// for those that no plugin has a parameter like.
func meant(key string) string {
	for _, known := range []string{"commands", "environment", "entrypoint", "privileged"} {
		if levenshtein.Match(strings.ToLower(key), known, nil) >= 0.85 {
			return "did you mean `" + known + "`?"
		}
	}
	return ""
}

// setting is a parameter with numbers spelled such that the plugin gets the text
// it got, nil for what was dropped.
func (p *pipeline) setting(e entry, c *container) (*yaml.Node, error) {
	value, err := p.copied(e.value)
	if err != nil {
		return nil, err
	}
	if value.Kind == yaml.ScalarNode {
		if m := p.maybeSecret(value, c, "PLUGIN_"+strings.ToUpper(e.key.Value)); m != value {
			return m, nil
		}
		if value.Style == 0 && intThen.MatchString(value.Value) {
			if _, err := strconv.ParseInt(strings.ReplaceAll(value.Value, "_", ""), 0, 64); err != nil {
				p.lost(e.value, "quote the number", "%s is too large a number, so the plugin did not get it", value.Value)
				return nil, nil
			}
		}
	}
	p.spell(value)
	if p.before06() && p.secretWithin(value) {
		text, isJSON, err := parameterText(value)
		if err != nil {
			return nil, p.errorAt(p.there(e.value), "", "%q of %q cannot be handed to the plugin: %s", e.key.Value, c.name, err)
		}
		value = p.madeSecret(e.value, text, isJSON, c, "PLUGIN_"+strings.ToUpper(e.key.Value))
	}
	return value, nil
}

func (p *pipeline) spell(value *yaml.Node) {
	if then := scalarThen(value); value.Kind == yaml.ScalarNode && value.Style == 0 && value.ShortTag() == "!!float" && then != value.Value {
		value.Value = then
	}
	for _, c := range value.Content {
		p.spell(c)
	}
}

func (p *pipeline) secretWithin(n *yaml.Node) bool {
	return p.secretInside(n.Value) || slices.ContainsFunc(n.Content, p.secretWithin)
}

// parameterText is what a plugin got for a list or a map: the items with commas
// between them, or JSON where there is more in it than that.
func parameterText(n *yaml.Node) (text string, isJSON bool, err error) {
	if n.Kind == yaml.SequenceNode && !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind != yaml.ScalarNode }) {
		items := make([]string, len(n.Content))
		for i, c := range n.Content {
			items[i] = scalarThen(c)
		}
		return strings.Join(items, ","), false, nil
	}
	out, err := json.Marshal(parameterValue(n))
	return string(out), true, err
}

func parameterValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, parameterValue(c))
		}
		return list
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = parameterValue(n.Content[i+1])
		}
		return m
	}
	then := scalarThen(n)
	if n.Style == 0 && (then == "true" || then == "false") {
		return then == "true"
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!int", "!!float":
		return json.Number(then)
	}
	return then
}
