package convert

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

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

// secretDocuments are those of `secrets` at the top: names of secrets that are
// kept elsewhere.
func (l *legacy) secretDocuments() (out []*yaml.Node) {
	key := keyOf(l.root, "secrets")
	if key == nil {
		return nil
	}
	found := entries(get(l.root, "secrets"))
	slices.SortStableFunc(found, func(a, b entry) int { return strings.Compare(a.key.Value, b.key.Value) })
	for _, e := range found {
		fields := entries(e.value)
		path, name := get(fields, "path"), ""
		if path == nil {
			path = get(fields, "vault")
		}
		if options := entries(get(fields, "driver_opts")); path == nil && len(options) > 0 {
			path = get(options, "path")
			if k := get(options, "key"); k != nil {
				name = k.Value
			}
		}
		if path == nil || path.Kind != yaml.ScalarNode {
			l.lost(e.key, "add the secret on the server, or with --secret-file here", "the secret %q is read from elsewhere than a path of Vault", e.key.Value)
			continue
		}
		from := newMap(path)
		set(from, "path", text(path.Value, path))
		if name != "" {
			set(from, "name", text(name, path))
		}
		document := newMap(e.key)
		document.HeadComment = e.key.HeadComment
		set(document, "kind", text("secret", nil))
		set(document, "name", text(e.key.Value, e.key))
		set(document, "get", from)
		out = append(out, document)
	}
	return out
}
