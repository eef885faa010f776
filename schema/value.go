package schema

import (
	"slices"
	"strings"
	"unicode"

	"github.com/drone-laptop/drone/manifest"
)

// An expression `${…}` may stand wherever a scalar does, for it is substituted
// before the file is read.
const expression = `\$\{`

// The words that YAML 1.1 and with it the server takes for booleans; editors
// read YAML 1.2, to which they are text.
const booleans = `^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$`

// The text that is a size (reference §2.6).
const sizes = `^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+) ?(?:[bB]|[kKmMgGtTpP](?:[iI]?[bB])?)?$`

// What makes a pattern of a condition match more than one word.
const globs = `[*?\[{\\]`

// value describes what the parser reads. Null is as if nothing was there.
func (g *generator) value(k manifest.Key, v variant) *node {
	switch k.Type {
	case manifest.TypeBoolean:
		return g.simple("boolean", &node{AnyOf: []*node{{Type: []string{"boolean", "null"}}, matching(booleans + "|" + expression)}})
	case manifest.TypeInteger:
		return g.simple("number", &node{AnyOf: []*node{{Type: []string{"number", "null"}}, matching(expression)}})
	case manifest.TypeSize:
		return g.simple("size", &node{AnyOf: []*node{{Type: []string{"number", "null"}}, matching(sizes + "|" + expression)}})
	case manifest.TypeTexts:
		return &node{Type: []string{"array", "null"}, Items: g.pattern(k, v)}
	case manifest.TypeTextMap:
		return &node{Type: []string{"object", "null"}, AdditionalProperties: g.scalar()}
	case manifest.TypeAnyMap:
		return &node{Type: []string{"object", "null"}}
	case manifest.TypeVariables:
		return &node{Type: []string{"object", "null"}, AdditionalProperties: objectOr(g.ref(k.Of, v), g.scalar())}
	case manifest.TypeObject:
		return g.ref(k.Of, v)
	case manifest.TypeObjects:
		item := g.ref(k.Of, v)
		item.Type = "object"
		return &node{Type: []string{"array", "null"}, Items: item}
	case manifest.TypeCondition:
		return g.condition(k, v)
	}
	return g.word(k, v)
}

// condition tells apart the forms by their type, so that a validator names
// what is wrong in the form that was written.
func (g *generator) condition(k manifest.Key, v variant) *node {
	alone := g.pattern(k, v)
	rest := alone
	if k.Of != "" {
		form := g.ref(k.Of, v)
		if len(k.Values) > 0 && !v.loose {
			form = g.define(v.prefix+k.Of+"_of_"+k.Name, func() *node { return g.object(g.objects[k.Of], v, &k) })
		}
		rest = objectOr(form, alone)
	}
	return &node{If: &node{Type: "array"}, Then: &node{Items: alone}, Else: rest}
}

func objectOr(object, rest *node) *node {
	return &node{If: &node{Type: "object"}, Then: object, Else: rest}
}

// simple refers to the definition of a type of values.
func (g *generator) simple(name string, n *node) *node {
	return g.define(name, func() *node { return n })
}

// scalar is text: any scalar, whose spelling counts.
func (g *generator) scalar() *node {
	return g.simple("text", &node{Type: []string{"string", "number", "boolean", "null"}})
}

func matching(pattern string) *node { return &node{Type: "string", Pattern: pattern} }

// word is text of which certain words mean something. An empty one is as if
// nothing was there, except for what has to be.
func (g *generator) word(k manifest.Key, v variant) *node {
	if len(k.Values) == 0 {
		return g.scalar()
	}
	known := &node{Enum: words(k)}
	switch {
	case k.Open || v.loose:
		return &node{AnyOf: []*node{known, g.scalar()}}
	case k.Required:
		return known
	}
	others := "^$|" + expression
	if k.Fold {
		others = anyCase(k.Values) + "|" + others
	}
	return &node{AnyOf: []*node{known, {Type: "null"}, matching(others)}}
}

// pattern is a word that a condition compares, or a pattern for some.
func (g *generator) pattern(k manifest.Key, v variant) *node {
	if len(k.Values) == 0 {
		return g.scalar()
	}
	known := &node{Enum: words(k)}
	if k.Open || v.loose {
		return &node{AnyOf: []*node{known, g.scalar()}}
	}
	return &node{AnyOf: []*node{known, {Type: "null"}, matching("^$|" + globs)}}
}

func words(k manifest.Key) []any {
	list := make([]any, 0, len(k.Values))
	for _, w := range k.Values {
		list = append(list, w)
	}
	return list
}

// anyCase matches words in upper and lower case: patterns have no flag for it.
func anyCase(words []string) string {
	var b strings.Builder
	for i, w := range slices.Sorted(slices.Values(words)) {
		if i > 0 {
			b.WriteByte('|')
		}
		for _, r := range w {
			if unicode.IsLetter(r) {
				b.WriteString("[" + string(unicode.ToLower(r)) + string(unicode.ToUpper(r)) + "]")
				continue
			}
			b.WriteRune(r)
		}
	}
	return "^(?:" + b.String() + ")$"
}
