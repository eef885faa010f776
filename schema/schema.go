// Package schema describes the keys of a configuration file for people and
// their editors: as a JSON Schema and as a page of documentation. Both are made
// from the tables that the parser reads by.
//
// It knows no key by itself but "kind" and "type", by which documents are told
// apart, and checks no file: that is for the parser and the rules of lint, which
// know of more than a schema can say. Functions may be called at the same time.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// The places where the schemas of the newest version can be fetched.
const (
	strictID = "https://raw.githubusercontent.com/drone-laptop/drone/main/docs/drone.schema.json"
	looseID  = "https://raw.githubusercontent.com/drone-laptop/drone/main/docs/drone-loose.schema.json"
)

// dialect is the identifier of the dialect of the schemas.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// JSON returns a JSON Schema, draft 2020-12, of one document of a file. What
// it accepts is what the parser reads without a problem, before variables are
// substituted, and with merge keys resolved.
//
// A loose schema also accepts keys that nothing reads, words that mean nothing,
// and that a key is missing.
func JSON(loose bool) ([]byte, error) {
	g := &generator{objects: map[string]manifest.Object{}, defs: map[string]*node{}}
	for _, o := range manifest.Schema() {
		g.objects[o.Name] = o
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(g.root(loose)); err != nil {
		return nil, fmt.Errorf("cannot write the schema: %w", err)
	}
	return out.Bytes(), g.err
}

// variant is a reading of the objects: the same key may be known to one type
// of pipeline and not to the other.
type variant struct {
	prefix string // of the names of definitions that differ from the docker ones
	only   string // the type of the pipeline
	loose  bool   // unknown keys and words are accepted
}

// generator builds the definitions that are referred to.
type generator struct {
	objects map[string]manifest.Object
	defs    map[string]*node
	order   []string
	err     error
}

func (g *generator) root(loose bool) *node {
	id := strictID
	if loose {
		id = looseID
	}
	root := &node{
		Schema: dialect, ID: id, Title: "Drone configuration",
		Description: "One document of a .drone.yml. The keys that it may have depend on its kind, and those of a pipeline on its type.",
		Type:        "object", Required: []string{"kind"},
		Properties: properties{{"kind", g.key(g.kind(), variant{loose: loose})}},
		AllOf:      g.pipelines(loose),
	}
	for _, name := range []string{"secret", "signature", "template"} {
		root.AllOf = append(root.AllOf, when(properties{{"kind", constant(name)}}, g.ref(name, variant{loose: loose}), "kind"))
	}
	for _, name := range g.order {
		root.Defs = append(root.Defs, property{name, g.defs[name]})
	}
	return root
}

// kind returns the key that says what a document is.
func (g *generator) kind() manifest.Key {
	for _, k := range g.objects["document"].Keys {
		if k.Name == "kind" {
			return k
		}
	}
	g.err = errors.New("documents have no key `kind`")
	return manifest.Key{}
}

// pipelines tells the types of pipelines apart. What runners of other types
// than docker and exec read is not known here.
func (g *generator) pipelines(loose bool) []*node {
	kind := property{"kind", constant("pipeline")}
	if loose {
		return []*node{when(properties{kind}, g.ref("pipeline", variant{loose: true}), "kind")}
	}
	docker := &node{Enum: []any{"docker", "", nil}}
	other := &node{Not: &node{Enum: append(docker.Enum, "exec")}}
	return []*node{
		when(properties{kind, {"type", docker}}, g.ref("pipeline", variant{only: "docker"}), "kind"),
		when(properties{kind, {"type", constant("exec")}}, g.ref("pipeline", variant{prefix: "exec_", only: "exec"}), "kind", "type"),
		when(properties{kind, {"type", other}}, g.ref("pipeline", variant{prefix: "other_", loose: true}), "kind", "type"),
	}
}

func constant(word string) *node { return &node{Const: word} }

// when applies a schema to the documents whose keys have certain values.
func when(keys properties, then *node, required ...string) *node {
	return &node{If: &node{Properties: keys, Required: required}, Then: then}
}

// ref refers to the definition of an object, which it makes when it is the
// first to do so.
func (g *generator) ref(name string, v variant) *node {
	o, found := g.objects[name]
	if !found {
		g.err = fmt.Errorf("the keys refer to the object %q, which does not exist", name)
		return &node{}
	}
	if v.only == "exec" && !g.docker(o) {
		v.prefix = ""
	}
	return g.define(v.prefix+name, func() *node { return g.object(o, v, nil) })
}

func (g *generator) define(name string, make func() *node) *node {
	if g.defs[name] == nil {
		g.defs[name] = &node{}
		g.order = append(g.order, name)
		*g.defs[name] = *make()
	}
	return &node{Ref: "#/$defs/" + name}
}

// docker reports whether an object, or one in it, has keys for docker alone.
func (g *generator) docker(o manifest.Object) bool {
	return slices.ContainsFunc(o.Keys, func(k manifest.Key) bool {
		return k.Only == "docker" || k.Of != "" && g.docker(g.objects[k.Of])
	})
}

// object describes a map. With words its lists hold these.
func (g *generator) object(o manifest.Object, v variant, words *manifest.Key) *node {
	n := &node{Description: o.Doc, Type: []string{"object", "null"}}
	keys := o.Keys
	if o.Kind != "" {
		n.Type = "object"
		n.PatternProperties = properties{{`^(?:x-|\.)`, &node{}}}
		keys = slices.Concat(g.objects["document"].Keys, keys)
	}
	for _, k := range keys {
		if k.Only != "" && v.only != "" && k.Only != v.only {
			continue
		}
		if words != nil {
			k.Values, k.Open, k.Fold = words.Values, words.Open, words.Fold
			k.Example = "[" + words.Values[0] + "]"
		}
		n.Properties = append(n.Properties, property{k.Name, g.key(k, v)})
		if k.Required && !v.loose {
			n.Required = append(n.Required, k.Name)
		}
	}
	if v.loose {
		return n
	}
	no := false
	n.AdditionalProperties = &node{Bool: &no}
	for _, a := range o.Ignored {
		n.Properties = append(n.Properties, property{a.Key, refused("No runner reads this key.", a.Text)})
	}
	for _, a := range o.Mistakes {
		n.Properties = append(n.Properties, property{a.Key, refused("This key is unknown.", a.Text)})
	}
	return n
}

// refused is the schema of a key that is known not to work. An editor shows
// what to do instead, and does not offer the key.
func refused(why, instead string) *node {
	if instead != "" {
		why += " " + sentence(instead)
	}
	return &node{Description: why, Deprecated: true, DoNotSuggest: true, Not: &node{}}
}

// sentence makes one of an advice.
func sentence(s string) string {
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, "?") {
		s += "."
	}
	return s
}

// key describes the value of a key, and what the key is for.
func (g *generator) key(k manifest.Key, v variant) *node {
	n := g.value(k, v)
	n.Description = description(k)
	// An example with keys for docker is none for another type.
	if v.only == "exec" && k.Of != "" && g.docker(g.objects[k.Of]) {
		return n
	}
	if example, ok := g.example(k); ok {
		n.Examples = []any{example}
	}
	return n
}

func description(k manifest.Key) string {
	parts := []string{k.Doc}
	if k.Default != "" {
		parts = append(parts, "Default: "+k.Default+".")
	}
	if k.Trusted {
		parts = append(parts, "For trusted repositories only.")
	}
	if k.Extension != "" {
		parts = append(parts, "Needs the extension "+k.Extension+" of the server.")
	}
	return strings.Join(parts, " ")
}

// example reads the example of a key. Text keeps its spelling.
func (g *generator) example(k manifest.Key) (any, bool) {
	if k.Example == "" {
		return nil, false
	}
	var tree yaml.Node
	var value any
	err := yaml.Unmarshal([]byte(k.Example), &tree)
	if err == nil {
		err = tree.Decode(&value)
	}
	if err != nil || len(tree.Content) == 0 {
		g.err = fmt.Errorf("the example of the key %q is not YAML: %w", k.Name, err)
		return nil, false
	}
	if k.Type == manifest.TypeText {
		return tree.Content[0].Value, true
	}
	return value, true
}
