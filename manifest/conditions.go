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
			d.checkExtension(key)
		}
		d.path = d.path[:len(d.path)-1]
		if c == nil {
			d.schema.conditions.unknown(d, key, val)
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
	case "paths":
		return &c.Paths
	case "changeset":
		return &c.Changeset
	}
	return nil
}

// extensionOf names the extension of a server that evaluates a condition, ""
// when the server does so itself.
func extensionOf(key string) string {
	switch key {
	case "paths":
		return "drone-convert-pathschanged"
	case "changeset":
		return "drone-config-changeset-conditional"
	}
	return ""
}

// checkExtension warns of a condition that holds on one server and is ignored
// by the next: there everything runs.
func (d *decoder) checkExtension(key *yaml.Node) {
	extension := extensionOf(key.Value)
	if extension == "" {
		return
	}
	d.report(Warning, RuleExtension, key, fmt.Sprintf("a plain server ignores %s", d.subject()),
		fmt.Sprintf("the extension %s of a server evaluates it; drone does too, with the files that changed since --base", extension))
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
		"branch", "event", "ref", "repo", "target", "cron", "action", "instance", "status", "paths", "changeset",
	} {
		o.fields[key] = nil
	}
	return o
}

// patterns are the two lists of a condition that is written as a map.
type patterns struct{ include, exclude []String }

// newChangesetObject is the form that the extension for `changeset` knows. A
// single pattern needs no brackets there.
func newChangesetObject() *object[patterns] {
	return &object[patterns]{
		fields: map[string]func(*decoder, *patterns, *yaml.Node){
			"includes": func(d *decoder, p *patterns, n *yaml.Node) { p.include = d.patternsOrOne(n) },
			"excludes": func(d *decoder, p *patterns, n *yaml.Node) {
				p.exclude = d.patternsOrOne(n)
				d.report(Warning, RuleExtension, n, fmt.Sprintf("the extension %s does not read %s", extensionOf("changeset"), d.subject()),
					"where it has to hold on the server too, write `paths: {exclude: […]}` for the extension "+extensionOf("paths"))
			},
		},
		hints: map[string]string{
			"include": "did you mean `includes`?",
			"exclude": "did you mean `excludes`?",
		},
	}
}

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
	form := d.schema.patterns
	if key.Value == "changeset" {
		form = d.schema.changeset
		d.checkChangeset(n)
	}
	if n.Kind != yaml.MappingNode {
		c.Include = d.patternsOrOne(n)
		return c
	}
	var p patterns
	decodeObject(d, form, n, &p)
	c.Include, c.Exclude = p.include, p.exclude
	return c
}

// checkChangeset warns of the short forms, which other conditions have but the
// extension for `changeset` does not read.
func (d *decoder) checkChangeset(n *yaml.Node) {
	if isNull(n) || n.Kind == yaml.MappingNode {
		return
	}
	d.dropped(n, fmt.Sprintf("%s is %s, which the extension drops, as if it were not there", d.subject(), describe(n)),
		"write `changeset: {includes: […]}`")
}

// patternsOrOne reads a list of patterns, or one alone.
func (d *decoder) patternsOrOne(n *yaml.Node) []String {
	n = target(n)
	switch {
	case isNull(n):
		return nil
	case n.Kind == yaml.ScalarNode:
		return []String{d.str(n)}
	case n.Kind == yaml.SequenceNode:
		return d.patternItems(n)
	}
	d.dropped(n, fmt.Sprintf("%s is %s, which the server drops, as if it were not there", d.subject(), describe(n)),
		"write a list of patterns")
	return nil
}

// patternList reads a list under include or exclude. The server drops text
// there, so that the condition matches everything; that is never what was
// meant (reference §12.2, trap 1).
func (d *decoder) patternList(n *yaml.Node) []String {
	n = target(n)
	if isNull(n) || n.Kind != yaml.ScalarNode {
		return d.patternsOrOne(n)
	}
	d.dropped(n, fmt.Sprintf("%s is text instead of a list, which the server drops, as if it were not there", d.subject()),
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
