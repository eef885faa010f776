package schema

import (
	"bytes"
	"encoding/json"
)

// node is one schema. The zero node accepts everything.
type node struct {
	Schema      string `json:"$schema,omitempty"`
	ID          string `json:"$id,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Deprecated  bool   `json:"deprecated,omitempty"`
	// DoNotSuggest is a word of the language servers for JSON and YAML, not of
	// the dialect: others ignore it.
	DoNotSuggest bool  `json:"doNotSuggest,omitempty"`
	Examples     []any `json:"examples,omitempty"`

	Ref     string  `json:"$ref,omitempty"`
	Type    any     `json:"type,omitempty"` // a name or several
	Const   any     `json:"const,omitempty"`
	Enum    []any   `json:"enum,omitempty"`
	Pattern string  `json:"pattern,omitempty"`
	AnyOf   []*node `json:"anyOf,omitempty"`
	Not     *node   `json:"not,omitempty"`
	If      *node   `json:"if,omitempty"`
	Then    *node   `json:"then,omitempty"`
	Else    *node   `json:"else,omitempty"`
	Items   *node   `json:"items,omitempty"`

	Required             []string   `json:"required,omitempty"`
	Properties           properties `json:"properties,omitempty"`
	PatternProperties    properties `json:"patternProperties,omitempty"`
	AdditionalProperties *node      `json:"additionalProperties,omitempty"`
	AllOf                []*node    `json:"allOf,omitempty"`
	Defs                 properties `json:"$defs,omitempty"`

	// Bool, when set, is the whole schema.
	Bool *bool `json:"-"`
}

// MarshalJSON writes the node, as the boolean that it is or as an object.
func (n *node) MarshalJSON() ([]byte, error) {
	if n.Bool != nil {
		return json.Marshal(*n.Bool)
	}
	type plain node
	return marshal((*plain)(n))
}

// properties are schemas by name, in an order that is kept.
type properties []property

type property struct {
	name string
	node *node
}

// MarshalJSON writes an object.
func (p properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range p {
		name, err := marshal(e.name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(e.node)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal leaves characters of HTML as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
