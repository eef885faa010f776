package manifest

import (
	"slices"
	"sync"

	"gopkg.in/yaml.v3"
)

// Type says what the parser reads as the value of a key. Every type takes null
// as if the key were not there.
type Type string

// The types of values.
const (
	TypeText      Type = "text"                   // any scalar, as it is spelled
	TypeBoolean   Type = "true or false"          // a boolean of YAML 1.1, unquoted
	TypeInteger   Type = "number"                 // a whole number
	TypeSize      Type = "size"                   // a number of bytes, or text such as 512m
	TypeTexts     Type = "list of text"           // never one alone
	TypeTextMap   Type = "map of text"            // names and scalars
	TypeAnyMap    Type = "map"                    // names and values of any shape
	TypeVariables Type = "map of text or secrets" // names and scalars, or maps of Key.Of
	TypeObject    Type = "map of known keys"      // the map Key.Of
	TypeObjects   Type = "list of maps"           // items are the map Key.Of
	TypeCondition Type = "pattern or list or map" // a pattern, a list of them, or the map Key.Of
)

// Key describes one key of a map: what the parser reads there, and what it
// means.
type Key struct {
	Name string
	Type Type
	// Of names the Object that the value is, or that each of its items is.
	Of string
	// Doc says what the key does, in one or two sentences.
	Doc string
	// Values are the words that mean something, nil when any text does. The
	// words of a condition are what its patterns are compared with.
	Values []string
	// Open reports that other words than Values may mean something too.
	Open bool
	// Fold reports that upper and lower case of a word are the same.
	Fold bool
	// Default is what holds without the key, in words; "" is nothing.
	Default string
	// Example is a value of the key, as YAML on one line.
	Example string
	// Required reports that nothing works without the key.
	Required bool
	// Trusted reports that only trusted repositories may use the key.
	Trusted bool
	// Only is the one type of pipeline in which the key has an effect, "" when
	// it has one in all.
	Only string
	// Extension names the extension of a server that evaluates the key, "" when
	// the server or the runner does so itself.
	Extension string

	// hint says what to write in place of a value of the wrong shape.
	hint string
}

// Advice says what to do about a key that has no effect. Text may be "".
type Advice struct {
	Key, Text string
}

// Object describes a map with known keys.
type Object struct {
	// Name is a stable identifier, which Key.Of refers to.
	Name string
	// Doc says what the map is, in a sentence or two.
	Doc string
	// Kind is the kind of document that the object is, "" when it is a part of
	// one. A document has the keys of the object "document" as well, and may
	// have keys for anchors, which begin with `x-` or `.`.
	Kind string
	// Keys are the known keys, in the order in which people write them.
	Keys []Key
	// Ignored are keys that exist in Drone but that no runner reads.
	Ignored []Advice
	// Mistakes are unknown keys that are well known to be written.
	Mistakes []Advice

	// hint says what to write in place of a value that is no map.
	hint string
}

// Schema returns all maps that the parser knows, those of documents first. It
// is the table that the parser itself reads by; the result belongs to the
// caller.
func Schema() []Object {
	s := tables()
	list := []Object{
		s.header.Object, s.pipeline.Object, s.step.Object, s.conditions.Object, s.patterns.Object, s.changeset.Object,
		s.variable.Object, s.mount.Object, s.volume.Object, s.temp.Object, s.host.Object, s.clone.Object,
		s.workspace.Object, s.platform.Object, s.concurrency.Object,
		s.secret.Object, s.secretGet.Object, s.signature.Object, s.template.Object,
	}
	for i := range list {
		o := &list[i]
		o.Keys, o.Ignored, o.Mistakes = slices.Clone(o.Keys), slices.Clone(o.Ignored), slices.Clone(o.Mistakes)
		for j := range o.Keys {
			o.Keys[j].Values = slices.Clone(o.Keys[j].Values)
		}
	}
	return list
}

// tables holds the shape of every map in a file. It is built once and not
// changed after that.
var tables = sync.OnceValue(newSchema)

// Events returns the events that builds are made of.
func Events() []string {
	return []string{"push", "pull_request", "tag", "promote", "rollback", "cron", "custom"}
}

// Actions returns what servers report to have happened to what a build is for.
func Actions() []string { return []string{"opened", "synchronized", "create"} }

// Statuses returns the states of a build that conditions can ask for.
func Statuses() []string { return []string{"success", "failure"} }

// PullPolicies returns the words that `pull` knows.
func PullPolicies() []string { return []string{"always", "if-not-exists", "never"} }

// FailureModes returns the words that `failure` knows.
func FailureModes() []string { return []string{"ignore", "fast", "fast-fail", "fail-fast"} }

// key is a key of an object with the function that reads its value.
type key[T any] struct {
	Key
	set setter[T]
}

// setter reads the value of a key into a field.
type setter[T any] func(d *decoder, out *T, key, val *yaml.Node)

// The functions below make keys, each of one type: the type that is documented
// is the one that is read.

func textKey[T any](k Key, field func(*T) *String) key[T] {
	k.Type = TypeText
	hint := k.hint
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { *field(out) = d.scalar(n, hint) }}
}

func booleanKey[T any](k Key, field func(*T) *Bool) key[T] {
	k.Type = TypeBoolean
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { *field(out) = d.boolean(n) }}
}

func integerKey[T any](k Key, field func(*T) *Int) key[T] {
	k.Type = TypeInteger
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { *field(out) = d.integer(n) }}
}

func sizeKey[T any](k Key, field func(*T) *Size) key[T] {
	k.Type = TypeSize
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { *field(out) = d.size(n) }}
}

func textsKey[T any](k Key, field func(*T) *[]String) key[T] {
	k.Type = TypeTexts
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { *field(out) = d.list(n) }}
}

func textMapKey[T any](k Key, field func(*T) *[]Pair) key[T] {
	k.Type = TypeTextMap
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { *field(out) = d.pairs(n, *field(out)) }}
}

func conditionKey(k Key, field func(*Conditions) *Condition) key[Conditions] {
	k.Type = TypeCondition
	if k.Of == "" {
		k.Of = "patterns"
	}
	extension := k.Extension
	return key[Conditions]{k, func(d *decoder, c *Conditions, key, val *yaml.Node) {
		*field(c) = d.condition(key, val)
		d.checkExtension(key, extension)
	}}
}

// conditionsKey is `trigger` or `when`.
func conditionsKey[T any](k Key, field func(*T) *Conditions) key[T] {
	k.Type, k.Of = TypeObject, "conditions"
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { d.conditions(n, field(out)) }}
}

// objectKey is a key whose value is the map of another object.
func objectKey[T, U any](k Key, of func(*schema) *object[U], field func(*T) *U) key[T] {
	k.Type = TypeObject
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { decodeObject(d, of(d.schema), n, field(out)) }}
}

// custom is a key with a reader of its own; its Type is given.
func customKey[T any](k Key, set func(*decoder, *T, *yaml.Node)) key[T] {
	return key[T]{k, func(d *decoder, out *T, _, n *yaml.Node) { set(d, out, n) }}
}
