package manifest

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"gopkg.in/yaml.v3"
)

// object says how a map with known keys is decoded.
type object[T any] struct {
	Object
	fields map[string]setter[T]
	// mend gives the map that a scalar in its place surely stands for, or "". It
	// may be nil.
	mend func(n *yaml.Node) string
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
		p := d.shape(n, "a map", o.hint)
		if o.mend == nil || n.Kind != yaml.ScalarNode || d.sourceOf(n) != n.Value {
			return false
		}
		if text := o.mend(n); text != "" {
			p.Hint, p.Fix = fmt.Sprintf("write `%s: %s`", d.path[len(d.path)-1], text), &Edit{Span: p.Span, Text: text}
		}
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
			o.unknown(d, n, key, val)
		}
	})
	return true
}

// unknown reports a key of the map n that nothing reads. One whose value has an
// anchor is there for the sake of its aliases.
func (o *Object) unknown(d *decoder, n, key, val *yaml.Node) {
	name := key.Value
	if d.foreign || val.Anchor != "" || slices.Contains(d.void, n) || o.Kind != "" && (strings.HasPrefix(name, "x-") || strings.HasPrefix(name, ".")) {
		return
	}
	if hint, found := adviceOn(o.Ignored, name); found {
		d.report(Warning, RuleIgnoredKey, key, fmt.Sprintf("the runner ignores the key %s in %s", d.shown(key), d.place()), hint)
		return
	}
	hint, found := adviceOn(o.Mistakes, name)
	if !found {
		if best := o.closest(d, name); best != "" {
			hint = didYouMean(best)
		}
	}
	if hint == "" && strings.IndexFunc(name, isLookalike) < 0 && d.owner.noun == "step" && len(d.path) == 0 {
		d.strange = append(d.strange, key)
		return
	}
	if c := strings.IndexFunc(name, isLookalike); c >= 0 {
		char, _ := utf8.DecodeRuneInString(name[c:])
		hint = fmt.Sprintf("it has the character %U, which looks like a blank or like nothing: %s", char, lookalikeHint(char))
	}
	meant := meantKey(hint)
	taken := meant != "" && rootKey(n, meant) != nil
	if taken {
		hint = fmt.Sprintf("did you mean `%s`? It is there as well: join the two, or remove this one", meant)
	}
	if p := d.unknownKey(key, hint); meant != "" && !taken {
		p.Fix = d.rename(key, meant)
	}
}

func (d *decoder) unknownKey(key *yaml.Node, hint string) *Problem {
	return d.report(Warning, RuleUnknownKey, key, fmt.Sprintf("the key %s in %s is unknown and has no effect", d.shown(key), d.place()), hint)
}

// didYouMean is the hint that names the one word that was surely meant.
func didYouMean(word string) string { return "did you mean `" + word + "`?" }

// meantKey returns the word that a hint of didYouMean names, or "".
func meantKey(hint string) string {
	word, found := strings.CutPrefix(hint, "did you mean `")
	if word, last := strings.CutSuffix(word, "`?"); found && last {
		return word
	}
	return ""
}

// rename proposes another word for a key, which needs no quotes. A key that a
// substitution makes has none.
func (d *decoder) rename(key *yaml.Node, word string) *Edit {
	if strings.Trim(d.sourceOf(key), `"'`) != key.Value {
		return nil
	}
	return &Edit{Span: d.span(key), Text: word}
}

func adviceOn(list []Advice, key string) (text string, found bool) {
	for _, a := range list {
		if a.Key == key {
			return a.Text, true
		}
	}
	return "", false
}

// closest returns the known key that was probably meant, or "".
func (o *Object) closest(d *decoder, name string) string {
	names := o.names()
	if o.Kind != "" {
		names = append(names, d.schema.header.names()...)
	}
	sort.Strings(names)
	return closest(name, names)
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
