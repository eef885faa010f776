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
	fields map[string]func(*decoder, *T, *yaml.Node)
	// ignored holds keys that exist in Drone but that no runner reads, each
	// with what to do about it, which may be "".
	ignored map[string]string
	// hints holds what to say about a key that is unknown but well-known to be
	// written by mistake.
	hints map[string]string
	// example shows the map that was meant, for a value of the wrong shape.
	example string
	// top marks the document itself, where keys may hold anchors.
	top bool
}

// decodeObject reads a map. It may be called twice on one value: like the
// server's decoder it then assigns on top.
func decodeObject[T any](d *decoder, o *object[T], n *yaml.Node, out *T) bool {
	n = target(n)
	if isNull(n) {
		return true
	}
	if n.Kind != yaml.MappingNode {
		d.shape(n, "a map", o.hint())
		return false
	}
	d.each(n, func(key, val *yaml.Node) {
		set, known := o.fields[key.Value]
		d.path = append(d.path, key.Value)
		if known {
			set(d, out, val)
		}
		d.path = d.path[:len(d.path)-1]
		if !known {
			o.unknown(d, key, val)
		}
	})
	return true
}

func (o *object[T]) hint() string {
	if o.example == "" {
		return ""
	}
	return "write " + o.example
}

// unknown reports a key that nothing reads. One whose value has an anchor is
// there for the sake of its aliases.
func (o *object[T]) unknown(d *decoder, key, val *yaml.Node) {
	name := key.Value
	if d.foreign || val.Anchor != "" || o.top && (strings.HasPrefix(name, "x-") || strings.HasPrefix(name, ".")) {
		return
	}
	if hint, found := o.ignored[name]; found {
		d.report(Warning, RuleIgnoredKey, key, fmt.Sprintf("the runner ignores the key %s in %s", d.excerpt(key), d.place()), hint)
		return
	}
	hint := o.hints[name]
	if hint == "" {
		hint = o.suggest(d, name)
	}
	d.report(Warning, RuleUnknownKey, key, fmt.Sprintf("the key %s in %s is unknown and has no effect", d.excerpt(key), d.place()), hint)
}

func (o *object[T]) suggest(d *decoder, name string) string {
	names := make([]string, 0, len(o.fields))
	for n := range o.fields {
		names = append(names, n)
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
