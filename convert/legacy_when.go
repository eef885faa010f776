package convert

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// patterns are those of one condition.
type patterns struct {
	from             *yaml.Node
	include, exclude []*yaml.Node
	keys             [2]*yaml.Node // of include and exclude, if they are written
}

func (p patterns) empty() bool { return len(p.include)+len(p.exclude) == 0 }

// matches is how Drone decided: what is excluded, then what is included.
func (p patterns) matches(value string) bool {
	match := func(n *yaml.Node) bool {
		ok, err := path.Match(n.Value, value)
		return ok && err == nil
	}
	return !slices.ContainsFunc(p.exclude, match) && (len(p.include) == 0 || slices.ContainsFunc(p.include, match))
}

// patternsOf reads a condition. What it could not read, Drone passed over.
func (l *legacy) patternsOf(n *yaml.Node) patterns {
	p := patterns{from: n}
	if items, ok := texts(n); ok {
		p.include = items
		return p
	}
	fields := entries(n)
	p.keys = [2]*yaml.Node{keyOf(fields, "include"), keyOf(fields, "exclude")}
	for _, part := range []struct {
		name string
		into *[]*yaml.Node
	}{{"include", &p.include}, {"exclude", &p.exclude}} {
		if v := get(fields, part.name); v != nil {
			*part.into, _ = texts(v)
		}
	}
	if p.empty() {
		l.note(manifest.Info, n, "", "the condition has no patterns, so it always held")
	}
	return p
}

// node writes patterns in the form of today.
func (p patterns) node(change func(*yaml.Node) []*yaml.Node) *yaml.Node {
	list := func(from *yaml.Node, items []*yaml.Node) *yaml.Node {
		out := newList(from)
		seen := map[string]bool{}
		for _, item := range items {
			for _, n := range change(item) {
				if !seen[n.Value] {
					seen[n.Value] = true
					out.Content = append(out.Content, n)
				}
			}
		}
		if len(out.Content) <= 4 && !commented(out) {
			out.Style = yaml.FlowStyle
		}
		return out
	}
	include := list(p.from, p.include)
	if len(p.exclude) == 0 {
		if p.from.Kind == yaml.ScalarNode && len(include.Content) == 1 {
			return include.Content[0]
		}
		return include
	}
	m := newMap(p.from)
	if len(p.include) > 0 {
		setAt(m, "include", p.keys[0], include)
	}
	setAt(m, "exclude", p.keys[1], list(p.from, p.exclude))
	return m
}

func commented(n *yaml.Node) bool {
	return slices.ContainsFunc(n.Content, func(c *yaml.Node) bool {
		return c.HeadComment+c.LineComment+c.FootComment != "" || commented(c)
	})
}

var stars = regexp.MustCompile(`\*\*+`)

// glob gives the pattern of today that means the same: then, two stars were one
// and braces were letters.
func glob(n *yaml.Node) []*yaml.Node {
	out := sameText(n)
	value := stars.ReplaceAllString(n.Value, "*")
	value = strings.NewReplacer(`\{`, `\{`, `\}`, `\}`, "{", `\{`, "}", `\}`).Replace(value)
	if value != n.Value {
		out.Value, out.Style, out.Tag = value, 0, "!!str"
	}
	return []*yaml.Node{out}
}

// event gives the event of today.
func event(n *yaml.Node) []*yaml.Node {
	out := sameText(n)
	switch n.Value {
	case "deployment", "deploy":
		out.Value = "promote"
	}
	return []*yaml.Node{out}
}

// verdict is what is known of the conditions of an entry.
type verdict struct {
	when  *yaml.Node // the conditions that are left, nil without
	never bool       // it cannot run
}

// when converts the conditions of a step or service.
func (p *pipeline) when(c *container) (verdict, error) {
	out := newMap(nil)
	if n := c.get("when"); n != nil {
		out.Line, out.Column = n.Line, n.Column
		if n.Kind != yaml.MappingNode && !isNull(n) {
			return verdict{}, p.errorAt(p.there(n), "", "`when` of %q is not a map", c.name)
		}
	}
	v := verdict{}
	for _, e := range c.fields("when") {
		if name, kept := p.whenKey(e, c, &v); kept != nil {
			setAt(out, name, e.key, kept)
		}
	}
	p.defaultConditions(c, out)
	if p.out.Version == Version04 {
		v.never = v.never || p.never04(c, out)
	}
	if len(out.Content) > 0 {
		v.when = out
	}
	return v, nil
}

// whenKey converts one key of `when`, and notes when it keeps the container from
// ever running. name is its name of today, kept what is left of it, nil for
// nothing.
func (p *pipeline) whenKey(e entry, c *container, v *verdict) (name string, kept *yaml.Node) {
	name = e.key.Value
	switch name {
	case "branch", "ref", "repo", "instance":
		if !p.ignoredThen(name) {
			return name, p.condition(e, glob)
		}
		p.note(manifest.Info, e.key, "", "Drone %s did not look at `when.%s`", p.out.Version, name)
	case "environment":
		return "target", p.condition(e, glob)
	case "event":
		return name, p.condition(e, event)
	case "status":
		node, never := p.status(e, c)
		v.never = v.never || never
		return name, node
	case "matrix":
		v.never = v.never || !p.matrixMatches(e.value)
	case "platform":
		v.never = v.never || !p.patternsOf(e.value).matches(p.platform)
	case "local":
		v.never = p.leavesOut(e, c) || v.never
	default:
		gone := name == "success" || name == "failure" || name == "change"
		if !gone || p.out.Version != Version04 { // see status04
			p.note(manifest.Info, e.key, "", "Drone knew no condition %q, so it had no effect", name)
		}
	}
	return name, nil
}

// leavesOut reports whether `local: false` leaves a container out of a run on
// the machine of a developer.
func (p *pipeline) leavesOut(e entry, c *container) bool {
	if !isFalse(e.value) {
		return false
	}
	if !p.opts.Local {
		p.lost(e.key, "`drone exec --exclude` leaves a step out", "`local: false` of %q has no equivalent in a file of today", c.name)
		return false
	}
	if !slices.Contains(p.out.LeftOut, c.name) {
		p.out.LeftOut = append(p.out.LeftOut, c.name)
	}
	return true
}

func (p *pipeline) ignoredThen(key string) bool {
	return p.out.Version == Version05 && (key == "repo" || key == "ref" || key == "instance")
}

// condition is what is left of one, nil when it restricts nothing.
func (p *pipeline) condition(e entry, change func(*yaml.Node) []*yaml.Node) *yaml.Node {
	found := p.patternsOf(e.value)
	if found.empty() {
		return nil
	}
	if p.out.Version == Version04 {
		negated := func(n *yaml.Node) bool { return strings.HasPrefix(n.Value, "!") }
		for _, n := range found.include {
			if negated(n) {
				n = sameText(n)
				n.Value = strings.TrimPrefix(n.Value, "!")
				found.exclude = append(found.exclude, n)
			}
		}
		found.include = slices.DeleteFunc(found.include, negated)
	}
	return found.node(change)
}

// status keeps what runs after success, after failure, or both. A step for none
// of them, such as one for changes only, never ran.
func (p *pipeline) status(e entry, c *container) (kept *yaml.Node, never bool) {
	found := p.patternsOf(e.value)
	if found.empty() {
		return nil, false
	}
	success, failure := found.matches("success"), found.matches("failure")
	isChange := func(n *yaml.Node) bool {
		return n.Value == "change" || n.Value == "changed"
	}
	if i := slices.IndexFunc(found.include, isChange); i >= 0 {
		if p.before06() {
			// Without a build before it, a change was a failure.
			failure = true
			p.lost(found.include[i], "", "`status: changed` of %q has no equivalent: it runs after failures now", c.name)
		} else {
			p.note(manifest.Info, found.include[i], "", "`status: changed` of %q had no effect since Drone 0.6", c.name)
		}
	}
	var want []string
	switch {
	case success && failure:
		want = []string{"success", "failure"}
	case failure:
		want = []string{"failure"}
	case success:
		if len(found.exclude) == 0 && len(found.include) == 1 {
			break
		}
		return nil, false
	default:
		p.lost(e.key, "give it `status: [success, failure]` to run it always", "%q never ran: its status is neither success nor failure", c.name)
		return nil, true
	}
	if want == nil {
		want = []string{"success"}
	}
	list := newList(e.value)
	list.Style = yaml.FlowStyle
	for _, w := range want {
		list.Content = append(list.Content, text(w, e.value))
	}
	return list, false
}

// matrixMatches compares the values of the combination, all of which have to be
// equal.
func (p *pipeline) matrixMatches(n *yaml.Node) bool {
	fields := entries(n)
	equal := func(e entry) bool {
		value, ok := p.axis.lookup(e.key.Value)
		want := scalarThen(e.value)
		if ok && value != want && e.value.Value == value {
			p.lost(e.value, "quote the value", "%s is compared as %q, which the matrix does not have", e.value.Value, want)
		}
		return ok && value == want
	}
	include, exclude := fields, []entry(nil)
	if get(fields, "include") != nil || get(fields, "exclude") != nil {
		include, exclude = entries(get(fields, "include")), entries(get(fields, "exclude"))
	}
	if len(exclude) > 0 && !slices.ContainsFunc(exclude, func(e entry) bool { return !equal(e) }) {
		return false
	}
	return !slices.ContainsFunc(include, func(e entry) bool { return !equal(e) })
}

// defaultConditions adds what held without being written.
func (p *pipeline) defaultConditions(c *container, when *yaml.Node) {
	add := func(key string, value *yaml.Node) {
		for i := 0; i < len(when.Content); i += 2 {
			if when.Content[i].Value == key {
				return
			}
		}
		value.Style = yaml.FlowStyle
		set(when, key, value)
	}
	list := func(items ...string) *yaml.Node {
		out := newList(nil)
		out.Style = yaml.FlowStyle
		for _, item := range items {
			out.Content = append(out.Content, text(item, nil))
		}
		return out
	}
	exclude := newMap(nil)
	set(exclude, "exclude", list("pull_request"))
	switch {
	case p.out.Version == Version05 && c.plugin && !c.service && c.name != "clone",
		c.section == "publish", c.section == "deploy":
		add("event", exclude)
	case c.section == "notify":
		add("status", p.status04(c, list))
	}
}

// trigger converts the branches of the file. Builds of tags have no branch, and
// were never kept out.
func (p *pipeline) trigger(n *yaml.Node) *yaml.Node {
	found := p.patternsOf(n)
	if found.empty() {
		return nil
	}
	for _, item := range slices.Concat(found.include, found.exclude) {
		if p.masked.has(item.Value) {
			p.lost(item, "", "a variable in `branches` is not replaced: conditions of pipelines are compared as they are written")
		}
	}
	if len(found.include) > 0 {
		none := text("", n)
		none.Style = yaml.DoubleQuotedStyle
		found.include = append(slices.Clone(found.include), none)
		if found.from.Kind == yaml.ScalarNode {
			found.from = newList(found.from)
		}
	}
	p.note(manifest.Info, n, "", "`branches` did not apply to deployments; the trigger does")
	trigger := newMap(n)
	branch := found.node(glob)
	set(trigger, "branch", branch)
	if len(found.include) > 0 {
		branch.LineComment = `# "" is for tags, which have no branch`
		if branch.Kind == yaml.MappingNode {
			branch.LineComment = ""
			trigger.HeadComment = `# "" is for tags, which have no branch`
		} else if n.LineComment != "" {
			branch.LineComment = n.LineComment
			trigger.Content[0].HeadComment = `# "" is for tags, which have no branch`
		}
	}
	return trigger
}
