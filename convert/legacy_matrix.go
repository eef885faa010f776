package convert

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// axis is one combination of the values of a matrix, in the order of the file.
type axis []axisValue

// job is what Drone made of a combination; its index counts from 0.
type job struct {
	axis  axis
	index int
}

type axisValue struct {
	name, value string
	from        *yaml.Node
}

func (a axis) lookup(name string) (string, bool) {
	for _, v := range a {
		if v.name == name {
			return v.value, true
		}
	}
	return "", false
}

// has reports whether all values are among those of the combination.
func (a axis) has(values map[string]string) bool {
	for name, want := range values {
		if value, ok := a.lookup(name); !ok || value != want {
			return false
		}
	}
	return true
}

// String is the name of the pipeline of a combination.
func (a axis) String() string {
	var values []string
	for _, v := range a {
		if v.value != "" {
			values = append(values, v.value)
		}
	}
	return strings.Join(values, "-")
}

// jobs are the combinations of the matrix that are asked for: one without values
// where there is no matrix.
func (l *legacy) jobs() ([]job, error) {
	key, matrix := keyOf(l.root, "matrix"), get(l.root, "matrix")
	if matrix == nil || isNull(matrix) {
		return l.noMatrix(), nil
	}
	if matrix.Kind != yaml.MappingNode {
		return nil, l.errorAt(matrix, "write a list of values for each name", "the matrix is not a map")
	}
	tags := entries(matrix)
	if include := get(tags, "include"); include != nil && l.out.Version != Version04 {
		return l.included(keyOf(tags, "include"), include, tags)
	}
	if i := slices.IndexFunc(tags, func(e entry) bool { return e.key.Value == "exclude" }); i >= 0 {
		return nil, l.errorAt(tags[i].key, "list the combinations under `include`", "a matrix has no `exclude`")
	}
	return l.product(key, tags)
}

func (l *legacy) noMatrix() []job {
	one := axis{}
	for _, name := range sortedKeys(l.opts.Axis) {
		one = append(one, axisValue{name: name, value: l.opts.Axis[name]})
	}
	return []job{{axis: one}}
}

// noAxis is about a choice that leaves nothing.
func (l *legacy) noAxis(all []axis) error {
	var asked, there []string
	for _, name := range sortedKeys(l.opts.Axis) {
		asked = append(asked, name+"="+l.opts.Axis[name])
	}
	for i, a := range all {
		if i == 10 {
			there = append(there, fmt.Sprintf("and %d more", len(all)-i))
			break
		}
		var pairs []string
		for _, v := range a {
			pairs = append(pairs, v.name+"="+v.value)
		}
		there = append(there, strings.Join(pairs, " "))
	}
	return l.errorAt(keyOf(l.root, "matrix"), "there is "+strings.Join(there, "; "),
		"no combination of the matrix has %s", strings.Join(asked, " and "))
}

// included are the combinations of `include`. It wins over all other keys.
func (l *legacy) included(key, include *yaml.Node, tags []entry) ([]job, error) {
	if include.Kind != yaml.SequenceNode {
		return nil, l.errorAt(include, "write each combination as an item: `- GO_VERSION: 1.4`", "`include` of the matrix is not a list")
	}
	for _, tag := range tags {
		if tag.key.Value != "include" {
			l.note(manifest.Info, tag.key, "", "%q of the matrix has no effect beside `include`", tag.key.Value)
		}
	}
	var all []axis
	var out []job
	for i, item := range include.Content {
		item = target(item)
		if item.Kind != yaml.MappingNode {
			return nil, l.errorAt(item, "", "a combination of the matrix is not a map")
		}
		a := axis{}
		for _, e := range entries(item) {
			if e.value.Kind != yaml.ScalarNode {
				return nil, l.errorAt(e.value, "", "the value of %s in the matrix is not a text", e.key.Value)
			}
			a = append(a, axisValue{e.key.Value, l.valueText(e.value), e.value})
		}
		if all = append(all, a); a.has(l.opts.Axis) {
			out = append(out, job{a, i})
		}
	}
	switch {
	case len(all) == 0:
		return l.noMatrix(), nil
	case len(out) == 0:
		return nil, l.noAxis(all)
	case len(out) > maxIncludes:
		return nil, l.errorAt(key, "pick some with --matrix NAME=VALUE", "the matrix has %d combinations, and %d are the most", len(out), maxIncludes)
	}
	return out, nil
}

// valueText is the spelling of a value of the matrix.
func (l *legacy) valueText(n *yaml.Node) string {
	if isNull(n) {
		return ""
	}
	return l.masked.restore(n.Value)
}

// list is a name of a matrix with its values.
type list struct {
	name   string
	key    *yaml.Node
	values []*yaml.Node
	picked []int // of values, that are asked for
}

// lists reads the names of a matrix and their values.
func (l *legacy) lists(tags []entry) (out []list, err error) {
	for _, tag := range tags {
		items, ok := texts(tag.value)
		if !ok || tag.value.Kind != yaml.SequenceNode {
			return nil, l.errorAt(tag.value, "write `"+tag.key.Value+": [a, b]`", "the values of %s in the matrix are not a list of text", tag.key.Value)
		}
		if len(items) == 0 && len(tags) > 1 {
			return nil, l.errorAt(tag.key, "remove it, or give it a value", "%s in the matrix has no values", tag.key.Value)
		}
		of := list{name: tag.key.Value, key: tag.key, values: items}
		want, asked := l.opts.Axis[of.name]
		for i, n := range items {
			if !asked || l.valueText(n) == want {
				of.picked = append(of.picked, i)
			}
		}
		out = append(out, of)
	}
	if len(out) > maxTagsOfOne {
		l.lost(out[maxTagsOfOne].key, "", "a combination of the matrix had %d values at most: this one and what follows had no effect", maxTagsOfOne)
		out = out[:maxTagsOfOne]
	}
	return out, nil
}

// product makes every combination that is asked for; the first name varies
// slowest. Drone stopped after some, in an order of names that was another one
// each time.
func (l *legacy) product(key *yaml.Node, tags []entry) ([]job, error) {
	lists, err := l.lists(tags)
	if err != nil {
		return nil, err
	}
	if len(lists) == 0 || len(lists[0].values) == 0 {
		return l.noMatrix(), nil
	}
	total := 1
	for _, of := range lists {
		total = min(total*len(of.picked), maxNodes)
	}
	known := func(name string) bool {
		return slices.ContainsFunc(lists, func(of list) bool { return of.name == name })
	}
	if total == 0 || slices.ContainsFunc(sortedKeys(l.opts.Axis), func(name string) bool { return !known(name) }) {
		var all []axis
		for _, j := range combined(lists, func(of list) int { return len(of.values) }, func(_ list, i int) int { return i }, l.valueText) {
			all = append(all, j.axis)
		}
		return nil, l.noAxis(all)
	}
	if total > maxProduct {
		l.lost(key, "list those that matter under `include`, which has no such limit, or pick one with --matrix NAME=VALUE",
			"the matrix has %s combinations, and Drone made jobs of the first %d only", atMost(total), maxProduct)
	}
	return combined(lists, func(of list) int { return len(of.picked) }, func(of list, i int) int { return of.picked[i] }, l.valueText), nil
}

// combined are the first combinations of what length and pick leave of lists,
// with the numbers that they have among all.
func combined(lists []list, length func(list) int, pick func(list, int) int, text func(*yaml.Node) string) (out []job) {
	total := 1
	for _, of := range lists {
		total = min(total*length(of), maxProduct)
	}
	for i := range total {
		j := job{axis: make(axis, len(lists))}
		rest, stride := i, 1
		for t := len(lists) - 1; t >= 0; t-- {
			of := lists[t]
			at := pick(of, rest%length(of))
			rest /= length(of)
			j.index = min(j.index+at*stride, maxNodes)
			stride = min(stride*len(of.values), maxNodes)
			j.axis[t] = axisValue{of.name, text(of.values[at]), of.values[at]}
		}
		out = append(out, j)
	}
	return out
}

func atMost(n int) string {
	if n >= maxNodes {
		return fmt.Sprintf("at least %d", maxNodes)
	}
	return fmt.Sprint(n)
}

// pipelineName names the pipeline of a combination after its values.
func (l *legacy) pipelineName(a axis, index int) string {
	name := "default"
	if len(a) > 0 {
		name = strings.Join(strings.Fields(a.String()), " ")
	}
	if name == "" {
		name = fmt.Sprintf("matrix-%d", index+1)
	}
	unique := name
	for n := 2; l.names[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", name, n)
	}
	l.names[unique] = true
	return unique
}
