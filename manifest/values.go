package manifest

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"gopkg.in/yaml.v3"
)

// str reads a scalar into a String without looking at its shape.
func (d *decoder) str(n *yaml.Node) String {
	s := String{Value: n.Value, Span: d.span(n)}
	d.checkTag(n)
	switch {
	case isNull(n):
		s.Value, s.Null = "", true
	case n.Style&yaml.TaggedStyle != 0 && n.ShortTag() == "!!binary":
		value, ok := resolveTagged("!!binary", n.Value)
		if !ok {
			d.report(Error, RuleShape, n, d.subject()+" is tagged !!binary but is not base64", "")
		}
		s.Value, _ = value.(string)
	}
	return s
}

// checkTag warns of a scalar with a tag that is none of YAML's own, most often
// a command that begins with `!`: the tag is no part of the text.
func (d *decoder) checkTag(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		return
	}
	base, at := d.tree.part.start, d.tree.position(n.Line, n.Column)
	if rest := d.tree.source[at:]; rest == "" || rest[0] != '!' || strings.HasPrefix(rest, "!!") || strings.HasPrefix(rest, "!<") {
		return
	}
	span := d.text.span(base+at, base+max(at, d.tree.end(n)))
	tag, _, _ := strings.Cut(d.places.source[span.Start.Offset:span.End.Offset], " ")
	tag = strings.TrimSpace(tag)
	p := d.report(Warning, RuleTag, n, fmt.Sprintf("%s in %s is a tag to YAML, and no part of the text", quoteExcerpt(tag), d.place()),
		"quote the whole text, for example with single quotes")
	p.Span = span
	if old := d.places.source[span.Start.Offset:span.End.Offset]; n.Style&^yaml.TaggedStyle == 0 && len(d.text.pieces) == 0 && !strings.Contains(old, "\n") {
		p.Fix = &Edit{Span: span, Text: singleQuoted(old)}
	}
}

// scalar reads text. A list or a map is reported.
func (d *decoder) scalar(n *yaml.Node, hint string) String {
	n = target(n)
	if n.Kind != yaml.ScalarNode {
		d.shape(n, "text", hint)
		return String{}
	}
	return d.str(n)
}

// list reads a list of text.
func (d *decoder) list(n *yaml.Node) []String {
	n = target(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		hint := "write the values as list items"
		if n.Kind == yaml.ScalarNode && len(d.path) > 0 {
			hint = fmt.Sprintf("write `%s: [%s]`", d.path[len(d.path)-1], oneLine(d.sourceOf(n)))
		}
		d.shape(n, "a list", hint)
		return nil
	}
	out := make([]String, 0, len(n.Content))
	for _, item := range n.Content {
		if item = target(item); item.Kind != yaml.ScalarNode {
			d.item(item)
			continue
		}
		out = append(out, d.str(item))
	}
	return out
}

// item reports a list item that is not text.
func (d *decoder) item(n *yaml.Node) {
	source := d.sourceOf(n)
	said := fmt.Sprintf("an item of %s is %s", d.subject(), describe(n))
	bracket := source != "" && (source[0] == '[' || source[0] == '{')
	switch key := gluedKey(source); {
	case n.Kind == yaml.MappingNode && !bracket && key != "":
		d.report(Error, RuleShape, n, said+"; it must be text", "a line break is missing in front of `"+key+"`")
	case n.Kind == yaml.MappingNode && !bracket && !strings.Contains(source, "\n"):
		d.report(Error, RuleShape, n, said+" because of the `: ` in it; it must be text", "quote it: - "+singleQuoted(source))
	case bracket:
		d.report(Error, RuleShape, n, said+" because it starts with a bracket; it must be text", "quote it: - "+singleQuoted(oneLine(source)))
	default:
		d.report(Error, RuleShape, n, said+"; it must be text", "check the indentation, or quote the text")
	}
}

// glued matches a key of a step that follows other text without a line break.
var glued = regexp.MustCompile(`^[^\n"'{}\[\]]*?[^\s"'{}\[\],-]\s*((?:- )?(?:name|image|commands|when|settings|environment|depends_on|volumes|pull|failure|detach|privileged|steps|services|trigger):)(?:\n| [^\n]*)?`)

// gluedKey returns the key on the first line of a text that should begin a line
// of its own, or "".
func gluedKey(source string) string {
	line, _, _ := strings.Cut(source, "\n")
	m := glued.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	if strings.HasPrefix(m[1], "- ") || strings.HasSuffix(line, m[1]) && !strings.Contains(line, " "+m[1]) {
		return m[1]
	}
	return ""
}

func singleQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// boolean reads a YAML 1.1 boolean; quoted it is text, and an error.
func (d *decoder) boolean(n *yaml.Node) Bool {
	n = target(n)
	if isNull(n) {
		return Bool{}
	}
	if n.Kind == yaml.ScalarNode {
		if value, _ := resolve(n); value != nil {
			if b, ok := value.(bool); ok {
				return Bool{Value: b, Span: d.span(n)}
			}
		}
	}
	d.shape(n, "true or false", "write true or false without quotes")
	return Bool{}
}

// integer reads an integer; like the server it cuts off the fraction of a float.
func (d *decoder) integer(n *yaml.Node) Int {
	n = target(n)
	if isNull(n) {
		return Int{}
	}
	if n.Kind == yaml.ScalarNode {
		switch value, _ := resolve(n); v := value.(type) {
		case int64:
			return Int{Value: v, Span: d.span(n)}
		case float64:
			if math.Abs(v) < math.MaxInt64 {
				return Int{Value: int64(v), Span: d.span(n)}
			}
		}
	}
	d.shape(n, "a number", "write a whole number without quotes")
	return Int{}
}

// size reads a memory size (reference §2.6).
func (d *decoder) size(n *yaml.Node) Size {
	n = target(n)
	if isNull(n) {
		return Size{}
	}
	if n.Kind != yaml.ScalarNode {
		d.shape(n, "a size", "write a number of bytes, or text such as 512m or 1g")
		return Size{}
	}
	bytes, ok := parseSize(n)
	if !ok {
		d.report(Error, RuleSize, n, fmt.Sprintf("%s is no size: %s", d.subject(), d.shown(n)),
			"write a number of bytes, or a number with one of the units b, k, m, g, t, p, such as 512m")
		return Size{}
	}
	return Size{Bytes: bytes, Span: d.span(n)}
}

func parseSize(n *yaml.Node) (int64, bool) {
	value, _ := resolve(n)
	switch v := value.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), math.Abs(v) < math.MaxInt64
	case string:
		if i, err := strconv.ParseInt(v, 10, 64); err == nil {
			return i, true
		}
		bytes, err := units.RAMInBytes(v)
		return bytes, err == nil
	}
	return 0, false
}

// pairs reads a map of text.
func (d *decoder) pairs(n *yaml.Node, out []Pair) []Pair {
	n = target(n)
	if isNull(n) {
		return out
	}
	if n.Kind != yaml.MappingNode {
		d.shape(n, "a map", "write `key: value` lines")
		return out
	}
	d.each(n, func(key, val *yaml.Node) {
		d.path = append(d.path, key.Value)
		p := Pair{Key: d.str(key), Value: d.scalar(val, "")}
		d.path = d.path[:len(d.path)-1]
		for i := range out {
			if out[i].Key.Value == p.Key.Value {
				out[i] = p
				return
			}
		}
		out = append(out, p)
	})
	return out
}

// environment reads variables. Without secrets only plain values are allowed.
func (d *decoder) environment(n *yaml.Node, out []EnvVar, secrets bool) []EnvVar {
	n = target(n)
	if isNull(n) {
		return out
	}
	if n.Kind != yaml.MappingNode {
		d.shape(n, "a map", d.environmentHint(n))
		return out
	}
	index := make(map[string]int, len(n.Content)/2)
	for i := range out {
		index[out[i].Name.Value] = i
	}
	d.each(n, func(key, val *yaml.Node) {
		d.path = append(d.path, key.Value)
		v := d.variable(val, secrets)
		d.path = d.path[:len(d.path)-1]
		v.Name = d.str(key)
		if i, found := index[v.Name.Value]; found {
			out[i] = v
			return
		}
		index[v.Name.Value] = len(out)
		out = append(out, v)
	})
	return out
}

// environmentHint says how a list of A=b is written as a map. Values are not
// shown, for some of them are secret.
func (d *decoder) environmentHint(n *yaml.Node) string {
	const shown = 3
	var lines []string
	for _, item := range n.Content {
		name, _, found := strings.Cut(d.sourceOf(item), "=")
		if target(item).Kind == yaml.ScalarNode && found && len(lines) < shown {
			lines = append(lines, fmt.Sprintf("`%s: …`", strings.Trim(name, `"' `)))
		}
	}
	if len(lines) == 0 {
		return "write `NAME: value` lines"
	}
	return "write `NAME: value` lines instead of `- NAME=value` items: " + strings.Join(lines, ", ")
}

func (d *decoder) variable(n *yaml.Node, secrets bool) EnvVar {
	n = target(n)
	switch {
	case n.Kind == yaml.ScalarNode:
		return EnvVar{Value: d.str(n)}
	case n.Kind != yaml.MappingNode || !secrets:
		hint := "write text, or `{from_secret: name}`"
		if n.Kind == yaml.MappingNode {
			hint = "only steps and services can have secrets in their environment; move the variable to the `environment` of the steps that need it"
		}
		d.shape(n, "text", hint)
		return EnvVar{}
	}
	var v EnvVar
	decodeObject(d, d.schema.variable, n, &v)
	if strings.TrimSpace(v.FromSecret.Value) == "" {
		v.FromSecret = String{}
	} else {
		v.Value = String{}
	}
	return v
}

// newVariableObject has the map forms of a variable (reference §2.3).
func newVariableObject() *object[EnvVar] {
	return newObject(Object{
		Name: "variable", Doc: "A variable that is not plain text.",
		Mistakes: []Advice{
			{"secret", "write `from_secret` for the name of a secret"},
			{"fromSecret", "did you mean `from_secret`?"},
		},
	},
		textKey(Key{
			Name: "from_secret", Example: "token",
			Doc:  "The name of the secret whose value the variable has. On a server it is empty when there is no such secret.",
			hint: "write the name of one secret: `from_secret: name`",
		}, func(v *EnvVar) *String { return &v.FromSecret }),
		textKey(Key{
			Name: "value", Example: "linux",
			Doc: "The value; a secret wins over it.",
		}, func(v *EnvVar) *String { return &v.Value }),
	)
}

// settings reads the parameters of a plugin.
func (d *decoder) settings(n *yaml.Node, out []Setting) []Setting {
	n = target(n)
	if isNull(n) {
		return out
	}
	if n.Kind != yaml.MappingNode {
		d.shape(n, "a map", "write `name: value` lines")
		return out
	}
	index := make(map[string]int, len(n.Content)/2)
	for i := range out {
		index[out[i].Name.Value] = i
	}
	d.each(n, func(key, val *yaml.Node) {
		d.path = append(d.path, key.Value)
		s := Setting{Name: d.str(key), Value: d.value(val)}
		s.Name.Value = key.Value
		d.path = d.path[:len(d.path)-1]
		if i, found := index[key.Value]; found {
			out[i] = s
			return
		}
		index[key.Value] = len(out)
		out = append(out, s)
	})
	return out
}

// value reads any YAML value.
func (d *decoder) value(n *yaml.Node) Value {
	n = target(n)
	v := Value{Span: d.span(n)}
	d.checkTag(n)
	switch n.Kind {
	case yaml.ScalarNode:
		resolved, ok := resolve(n)
		if !ok {
			d.report(Error, RuleShape, n, fmt.Sprintf("%s does not fit its tag %s", d.subject(), n.ShortTag()), "remove the tag")
		}
		v.Any, v.Text = resolved, n.Value
	case yaml.SequenceNode:
		items := make([]Value, 0, len(n.Content))
		for _, c := range n.Content {
			items = append(items, d.value(c))
		}
		v.Any = items
	case yaml.MappingNode:
		v.Any = d.entries(n)
	}
	return v
}

// entries reads a map inside a setting. Keys that are not text are spelled the
// way the server prints them: yes is "true", 0x10 is "16".
func (d *decoder) entries(n *yaml.Node) []Entry {
	out := make([]Entry, 0, len(n.Content)/2)
	index := make(map[string]int, len(n.Content)/2)
	d.each(n, func(key, val *yaml.Node) {
		e := Entry{Key: d.str(key), Value: d.value(val)}
		if resolved, _ := resolve(key); resolved != nil {
			e.Key.Value = fmt.Sprint(resolved)
		}
		if i, found := index[e.Key.Value]; found {
			out[i] = e
			return
		}
		index[e.Key.Value] = len(out)
		out = append(out, e)
	})
	return out
}
