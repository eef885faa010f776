package manifest

import (
	"fmt"
	"slices"

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
	decodeObject(d, d.schema.conditions, n, out)
}

func (d *decoder) conditionsHint(key string, n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Value == "manual" {
		return fmt.Sprintf("write `%s: {event: custom}` for builds that are started by hand", key)
	}
	if n.Kind == yaml.ScalarNode && slices.Contains(Events(), n.Value) {
		return fmt.Sprintf("write what is compared, for example `%s: {event: %s}`", key, oneLine(d.sourceOf(n)))
	}
	return fmt.Sprintf("write what is compared, for example `%s: {event: [push, tag]}`", key)
}

// The extensions of servers that evaluate the condition of the same name.
const (
	extensionPaths     = "drone-convert-pathschanged"
	extensionChangeset = "drone-config-changeset-conditional"
)

// checkExtension warns of a condition that holds on one server and is ignored
// by the next: there everything runs.
func (d *decoder) checkExtension(key *yaml.Node, extension string) {
	if extension == "" {
		return
	}
	d.report(Warning, RuleExtension, key, fmt.Sprintf("a plain server ignores %s", d.subject()),
		fmt.Sprintf("the extension %s of a server evaluates it; drone does too, with the files that changed since --base", extension))
}

// newConditionsObject has the keys of reference §6.1.
func newConditionsObject() *object[Conditions] {
	return newObject(Object{
		Name: "conditions", Doc: "Conditions, all of which have to hold. A key that is absent or empty restricts nothing.",
		Ignored: []Advice{{"matrix", "a matrix of Drone 0.8 is written as several pipelines"}},
		Mistakes: []Advice{
			{"tag", "use `ref: refs/tags/v*`, or `event: tag`"},
			{"tags", "use `ref: refs/tags/v*`, or `event: tag`"},
			{"include", "`include` belongs under one condition, for example `branch: {include: [main]}`"},
			{"exclude", "`exclude` belongs under one condition, for example `branch: {exclude: [main]}`"},
			{"when", "remove `when` and indent its conditions like the others"},
		},
	},
		conditionKey(Key{
			Name: "event", Values: Events(), Example: "[push, pull_request]",
			Doc: "What the build was made for.",
		}, func(c *Conditions) *Condition { return &c.Event }),
		conditionKey(Key{
			Name: "branch", Example: "[main, release/*]",
			Doc: "The branch of the build; the one to merge into for a pull request. Builds of tags mostly have none.",
		}, func(c *Conditions) *Condition { return &c.Branch }),
		conditionKey(Key{
			Name: "ref", Example: "refs/tags/v*",
			Doc: "The git reference of the build, `refs/heads/main` or `refs/tags/v1.0`.",
		}, func(c *Conditions) *Condition { return &c.Ref }),
		conditionKey(Key{
			Name: "status", Values: Statuses(), Default: "success", Example: "[success, failure]",
			Doc: "In `when`, whether the step runs after a failure in the pipeline: `failure` only then, both always. In `trigger` the same for a pipeline with `depends_on`, after a failure in the build.",
		}, func(c *Conditions) *Condition { return &c.Status }),
		conditionKey(Key{
			Name: "target", Example: "production",
			Doc: "The environment of a promotion or rollback.",
		}, func(c *Conditions) *Condition { return &c.Target }),
		conditionKey(Key{
			Name: "cron", Example: "nightly",
			Doc: "The name of the cron job.",
		}, func(c *Conditions) *Condition { return &c.Cron }),
		conditionKey(Key{
			Name: "action", Values: Actions(), Open: true, Example: "opened",
			Doc: "What happened to a pull request, `opened` or `synchronized`, or to a tag, `create`.",
		}, func(c *Conditions) *Condition { return &c.Action }),
		conditionKey(Key{
			Name: "repo", Example: "octocat/*",
			Doc: "The repository with its owner. It keeps forks from running what only the original can.",
		}, func(c *Conditions) *Condition { return &c.Repo }),
		conditionKey(Key{
			Name: "instance", Example: "drone.example.com",
			Doc: "The host name of the server. It is for `when`; in `trigger` no server looks at it.",
		}, func(c *Conditions) *Condition { return &c.Instance }),
		conditionKey(Key{
			Name: "paths", Extension: extensionPaths, Example: "[src/**, go.mod]",
			Doc: "The files that changed. A server without the extension ignores it, so that everything runs there.",
		}, func(c *Conditions) *Condition { return &c.Paths }),
		conditionKey(Key{
			Name: "changeset", Of: "changeset", Extension: extensionChangeset, Example: "{includes: [src/**]}",
			Doc: "The files that changed. A server without the extension ignores it, so that everything runs there.",
		}, func(c *Conditions) *Condition { return &c.Changeset }),
	)
}

// patterns are the two lists of a condition that is written as a map.
type patterns struct{ include, exclude []String }

// newChangesetObject is the form that the extension for `changeset` knows. A
// single pattern needs no brackets there.
func newChangesetObject() *object[patterns] {
	return newObject(Object{
		Name: "changeset", Doc: "Patterns of files, in the form that the extension for `changeset` reads.",
		Mistakes: []Advice{
			{"include", "did you mean `includes`?"},
			{"exclude", "did you mean `excludes`?"},
		},
	},
		customKey(Key{
			Name: "includes", Type: TypeCondition, Example: "[src/**]",
			Doc: "One of these patterns has to match a file that changed. A single one needs no brackets.",
		}, func(d *decoder, p *patterns, n *yaml.Node) { p.include = d.patternsOrOne(n) }),
		customKey(Key{
			Name: "excludes", Type: TypeCondition, Example: "[docs/**]",
			Doc: "Files that match one of these patterns do not count. The extension does not read this key.",
		}, func(d *decoder, p *patterns, n *yaml.Node) {
			p.exclude = d.patternsOrOne(n)
			d.report(Warning, RuleExtension, n, fmt.Sprintf("the extension %s does not read %s", extensionChangeset, d.subject()),
				"where it has to hold on the server too, write `paths: {exclude: […]}` for the extension "+extensionPaths)
		}),
	)
}

// newPatternsObject is the map form of a condition (reference §6.2).
func newPatternsObject() *object[patterns] {
	return newObject(Object{
		Name: "patterns", Doc: "Patterns of a condition. It holds when no pattern of `exclude` matches, and one of `include` does or there is none.",
		Mistakes: []Advice{
			{"includes", "did you mean `include`?"},
			{"excludes", "did you mean `exclude`?"},
		},
	},
		customKey(Key{
			Name: "include", Type: TypeTexts, Example: "[main, release/*]",
			Doc: "One of these patterns has to match. It is a list: the server drops one pattern alone, so that everything matches.",
		}, func(d *decoder, p *patterns, n *yaml.Node) { p.include = d.patternList(n) }),
		customKey(Key{
			Name: "exclude", Type: TypeTexts, Example: "[dependabot/**]",
			Doc: "None of these patterns may match. It is a list: the server drops one pattern alone.",
		}, func(d *decoder, p *patterns, n *yaml.Node) { p.exclude = d.patternList(n) }),
	)
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
