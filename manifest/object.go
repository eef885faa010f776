package manifest

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/agext/levenshtein"
	"gopkg.in/yaml.v3"
)

// object says how a map with known keys is decoded.
type object[T any] struct {
	Object
	fields map[string]setter[T]
}

func newObject[T any](o Object, keys ...key[T]) *object[T] {
	out := &object[T]{Object: o, fields: make(map[string]setter[T], len(keys))}
	out.Keys = make([]Key, 0, len(keys))
	for _, k := range keys {
		out.Keys = append(out.Keys, k.Key)
		out.fields[k.Name] = k.set
	}
	return out
}

// decodeObject reads a map. It may be called twice on one value: like the
// server's decoder it then assigns on top.
func decodeObject[T any](d *decoder, o *object[T], n *yaml.Node, out *T) bool {
	n = target(n)
	if isNull(n) {
		return true
	}
	if n.Kind != yaml.MappingNode {
		d.shape(n, "a map", o.hint)
		return false
	}
	d.each(n, func(key, val *yaml.Node) {
		set, known := o.fields[key.Value]
		d.path = append(d.path, key.Value)
		if known {
			set(d, out, key, val)
		}
		d.path = d.path[:len(d.path)-1]
		if !known {
			o.unknown(d, key, val)
		}
	})
	return true
}

// unknown reports a key that nothing reads. One whose value has an anchor is
// there for the sake of its aliases.
func (o *Object) unknown(d *decoder, key, val *yaml.Node) {
	name := key.Value
	if d.foreign || val.Anchor != "" || o.Kind != "" && (strings.HasPrefix(name, "x-") || strings.HasPrefix(name, ".")) {
		return
	}
	if hint, found := adviceOn(o.Ignored, name); found {
		d.report(Warning, RuleIgnoredKey, key, fmt.Sprintf("the runner ignores the key %s in %s", d.excerpt(key), d.place()), hint)
		return
	}
	hint, found := adviceOn(o.Mistakes, name)
	if !found {
		hint = o.suggest(d, name)
	}
	d.report(Warning, RuleUnknownKey, key, fmt.Sprintf("the key %s in %s is unknown and has no effect", d.excerpt(key), d.place()), hint)
}

func adviceOn(list []Advice, key string) (text string, found bool) {
	for _, a := range list {
		if a.Key == key {
			return a.Text, true
		}
	}
	return "", false
}

func (o *Object) suggest(d *decoder, name string) string {
	names := o.names()
	if o.Kind != "" {
		names = append(names, d.schema.header.names()...)
	}
	sort.Strings(names)
	if best := closest(name, names); best != "" {
		return fmt.Sprintf("did you mean `%s`?", best)
	}
	if d.step != "" && len(d.path) == 0 && slices.Contains(names, "settings") {
		return "the parameters of a plugin belong under `settings`"
	}
	return ""
}

// names returns the names of the known keys.
func (o *Object) names() []string {
	names := make([]string, 0, len(o.Keys))
	for _, k := range o.Keys {
		names = append(names, k.Name)
	}
	return names
}

// closest returns the candidate that was probably meant, or "".
func closest(name string, candidates []string) string {
	best, least := "", 2
	if len(name) < 4 {
		least = 1
	}
	for _, c := range candidates {
		distance := levenshtein.Distance(strings.ToLower(name), c, nil)
		if len(c) > 4 && len(name) > 4 && (strings.HasPrefix(name, c) || strings.HasPrefix(c, name)) {
			distance = 1
		}
		if distance <= least && distance < len(c) && (best == "" || distance < least) {
			best, least = c, distance
		}
	}
	return best
}
