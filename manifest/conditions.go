package manifest

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// conditions reads a `trigger` or a `when`.
func (d *decoder) conditions(n *yaml.Node, out *Conditions) {
	n = target(n)
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		key := d.path[len(d.path)-1]
		d.shape(n, "a map of conditions", d.conditionsHint(key, n))
		return
	}
	out.Span = d.span(n)
	d.each(n, func(key, val *yaml.Node) {
		d.path = append(d.path, key.Value)
		c := out.field(key.Value)
		if c != nil {
			*c = d.condition(key, val)
		}
		d.path = d.path[:len(d.path)-1]
		if c == nil {
			d.schema.conditions.unknown(d, key)
		}
	})
}

func (d *decoder) conditionsHint(key string, n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return fmt.Sprintf("write what is compared, for example `%s: {event: %s}`", key, oneLine(d.sourceOf(n)))
	}
	return fmt.Sprintf("write what is compared, for example `%s: {event: [push, tag]}`", key)
}

// field returns the condition of a key, or nil.
func (c *Conditions) field(key string) *Condition {
	switch key {
	case "branch":
		return &c.Branch
	case "event":
		return &c.Event
	case "ref":
		return &c.Ref
	case "repo":
		return &c.Repo
	case "target":
		return &c.Target
	case "cron":
		return &c.Cron
	case "action":
		return &c.Action
	case "instance":
		return &c.Instance
	case "status":
		return &c.Status
	case "paths", "changeset":
		return &c.Paths
	}
	return nil
}

// newConditionsObject names the keys of conditions for suggestions.
func newConditionsObject() *object[Conditions] {
	o := &object[Conditions]{
		fields: map[string]func(*decoder, *Conditions, *yaml.Node){},
		ignored: map[string]string{
			"matrix": "a matrix of Drone 0.8 is written as several pipelines",
		},
		hints: map[string]string{
			"tag":     "use `ref: refs/tags/v*`, or `event: tag`",
			"tags":    "use `ref: refs/tags/v*`, or `event: tag`",
			"include": "`include` belongs under one condition, for example `branch: {include: [main]}`",
			"exclude": "`exclude` belongs under one condition, for example `branch: {exclude: [main]}`",
			"when":    "remove `when` and indent its conditions like the others",
		},
	}
	for _, key := range []string{
		"branch", "event", "ref", "repo", "target", "cron", "action", "instance", "status", "paths",
	} {
		o.fields[key] = nil
	}
	return o
}

// patterns are the two lists of a condition that is written as a map.
type patterns struct{ include, exclude []String }

func newPatternsObject() *object[patterns] {
	return &object[patterns]{
		fields: map[string]func(*decoder, *patterns, *yaml.Node){
			"include": func(d *decoder, p *patterns, n *yaml.Node) { p.include = d.patternList(n) },
			"exclude": func(d *decoder, p *patterns, n *yaml.Node) { p.exclude = d.patternList(n) },
		},
		hints: map[string]string{
			"includes": "did you mean `include`?",
			"excludes": "did you mean `exclude`?",
		},
	}
}

// condition reads one condition in any of its forms (reference §6.2).
func (d *decoder) condition(key, val *yaml.Node) Condition {
	c := Condition{Key: d.str(key)}
	n := target(val)
	switch {
	case isNull(n):
	case n.Kind == yaml.ScalarNode:
		c.Include = []String{d.str(n)}
	case n.Kind == yaml.SequenceNode:
		c.Include = d.patternItems(n)
	case n.Kind == yaml.MappingNode:
		var p patterns
		decodeObject(d, d.schema.patterns, n, &p)
		c.Include, c.Exclude = p.include, p.exclude
	}
	return c
}

// patternList reads a list under include or exclude. The server drops text
// there, so that the condition matches everything; that is never what was
// meant (reference §12.2, trap 1).
func (d *decoder) patternList(n *yaml.Node) []String {
	n = target(n)
	switch {
	case isNull(n):
		return nil
	case n.Kind == yaml.SequenceNode:
		return d.patternItems(n)
	case n.Kind == yaml.MappingNode:
		d.dropped(n, fmt.Sprintf("%s is a map, which the server drops, so that the condition always matches", d.subject()), "write a list of patterns")
		return nil
	}
	d.dropped(n, fmt.Sprintf("%s is text instead of a list, which the server drops, so that the condition always matches", d.subject()),
		fmt.Sprintf("write `%s: [%s]`", d.path[len(d.path)-1], oneLine(d.sourceOf(n))))
	return []String{d.str(n)}
}

func (d *decoder) patternItems(n *yaml.Node) []String {
	out := make([]String, 0, len(n.Content))
	for _, item := range n.Content {
		if item = target(item); item.Kind != yaml.ScalarNode {
			d.dropped(item, fmt.Sprintf("an item of %s is %s, which the server drops", d.subject(), describe(item)), "write text, quoted if it starts with a bracket")
			continue
		}
		out = append(out, d.str(item))
	}
	return out
}

func (d *decoder) dropped(n *yaml.Node, message, hint string) {
	d.report(Warning, RuleConditionShape, n, message, hint)
}
