package convert

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// maybeSecret turns a value that is a secret, or has one in it, into a reference
// to it. variable is what the value is for.
func (p *pipeline) maybeSecret(n *yaml.Node, c *container, variable string) *yaml.Node {
	if name := p.secretIn(n.Value); name != "" {
		return fromSecret(name, n)
	}
	if !p.secretInside(n.Value) {
		return n
	}
	return p.madeSecret(n, n.Value, false, c, variable)
}

// madeSecret is a reference to a secret that has others in it: before Drone 0.6
// a secret could be a part of any text. For a run the reference is the text
// itself, and Adapt has it put together; a file needs a secret with the whole.
func (p *pipeline) madeSecret(n *yaml.Node, value string, json bool, c *container, variable string) *yaml.Node {
	if p.opts.Adapt {
		var b strings.Builder
		for _, r := range value {
			name := p.secretIn(string(r))
			switch {
			case name == "":
				b.WriteRune(r)
			case json:
				b.WriteString(madeMark + jsonMark + name + madeMark)
			default:
				b.WriteString(madeMark + name + madeMark)
			}
		}
		return fromSecret(b.String(), n)
	}
	name := madeName(c.name, variable)
	p.lost(n, "give the new secret the value "+strings.ReplaceAll(p.masked.restore(value), "$${", "${"),
		"a secret cannot be a part of %s of %q any more: all of it is the secret %q now", variable, c.name, name)
	return fromSecret(name, n)
}

// What stands around the name of a secret in a reference to what is made of it.
// It is from a private part of Unicode, which no text has.
const (
	madeMark = "\U000F0000"
	jsonMark = "\U000F0001"
)

var notInVariables = regexp.MustCompile(`[^a-z0-9]+`)

// madeName names a secret after what it is for.
func madeName(step, variable string) string {
	variable = strings.TrimPrefix(strings.ToLower(variable), "plugin_")
	return strings.Trim(notInVariables.ReplaceAllString(strings.ToLower(step)+"_"+variable, "_"), "_")
}

// left leaves the expressions that are secrets to be replaced when a step runs.
func (p *pipeline) left(value string) string {
	if !p.secretInside(value) {
		return value
	}
	var b strings.Builder
	for _, r := range value {
		if name := p.secretIn(string(r)); name != "" {
			b.WriteString(p.masked.hidden("$${" + name + "}"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unusable tells of secrets where none can be.
func (p *pipeline) unusable(n *yaml.Node, c *container, what, hint string) {
	if p.secretInside(n.Value) {
		p.lost(n, hint, "a secret cannot be a part of %s of %q any more", what, c.name)
	}
}

// unusableElsewhere tells of secrets in keys that say nothing of them themselves.
func (p *pipeline) unusableElsewhere(c *container) {
	if !p.before06() {
		return
	}
	for _, e := range c.entries {
		switch key := e.key.Value; {
		case !p.known(key), slices.Contains(neverApplied, key):
		case slices.Contains([]string{"image", "environment", "commands", "entrypoint", "command", "auth_config", "labels"}, key):
		default:
			p.unusableWithin(e.value, c, "`"+key+"`", 0)
		}
	}
}

func (p *pipeline) unusableWithin(n *yaml.Node, c *container, what string, depth int) {
	n = target(n)
	if n.Kind == yaml.ScalarNode {
		p.unusable(n, c, what, "write the value itself: nothing takes its place")
	}
	for _, child := range n.Content {
		if depth < 4 && child.Kind != yaml.AliasNode {
			p.unusableWithin(child, c, what, depth+1)
		}
	}
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
		if !p.secretInside(item.Value) {
			continue
		}
		var out strings.Builder
		quotes, before := quoting{}, ' '
		for _, r := range item.Value {
			name := p.secretIn(string(r))
			dollar := before == '$' // whoever wrote two of them meant the shell
			before = r
			if name == "" || dollar || has(name) && get(entries(env), name).Kind == yaml.ScalarNode {
				quotes.next(r)
				out.WriteRune(r)
				continue
			}
			if !has(name) {
				set(env, name, fromSecret(name, item))
			}
			severity := manifest.Warning
			if p.opts.Adapt { // of a run nobody has to look at the text
				severity = manifest.Info
			}
			p.note(severity, item, "quote it for the shell if the secret has blanks",
				"the secret %s was put into the command of %q; the command reads it from the environment now", name, c.name)
			variable := p.masked.hidden("$${" + name + "}")
			if quotes.open == '\'' { // where the shell replaces nothing
				variable = `'"` + variable + `"'`
			}
			out.WriteString(variable)
		}
		item.Value = out.String()
	}
}

// quoting follows the quotation marks of a shell through a command.
type quoting struct {
	open    rune
	escaped bool
}

func (q *quoting) next(r rune) {
	switch {
	case q.escaped:
		q.escaped = false
	case r == '\\' && q.open != '\'':
		q.escaped = true
	case q.open == r:
		q.open = 0
	case q.open == 0 && (r == '\'' || r == '"'):
		q.open = r
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
	about := c.keyOf("secrets").HeadComment
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
		key.HeadComment = joinComments(about, item.HeadComment)
		about = ""
		value.Content[1].LineComment = cmp.Or(source.LineComment, variable.LineComment)
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
		set(from, "path", commentedAs(text(path.Value, path), path))
		if name != "" {
			set(from, "name", text(name, path))
		}
		document := newMap(e.key)
		document.HeadComment = e.key.HeadComment
		if len(out) == 0 {
			document.HeadComment = joinComments(key.HeadComment, e.key.HeadComment)
		}
		set(document, "kind", text("secret", nil))
		set(document, "name", text(e.key.Value, e.key))
		set(document, "get", from)
		out = append(out, document)
	}
	return out
}
