package convert

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// sections04 brings the sections of Drone 0.4 into the form of later versions.
// They ran in a fixed order.
func (p *pipeline) sections04(top []entry) []entry {
	steps, services := newMap(nil), newMap(nil)
	p.sections = map[*yaml.Node]string{}
	var rest []entry
	var build []entry
	for _, e := range top {
		if e.key.Value == "build" || e.key.Value == "script" {
			build = append(build, e)
		}
	}
	add := func(into *yaml.Node, section string, key, value *yaml.Node) {
		p.sections[key] = section
		into.Content = append(into.Content, key, value)
	}
	for _, e := range build {
		if get(entries(e.value), "image") != nil {
			add(steps, "build", e.key, e.value)
			continue
		}
		for _, s := range entries(e.value) {
			add(steps, "build", s.key, s.value)
		}
	}
	for _, section := range []string{"compose", "publish", "deploy", "notify"} {
		into := steps
		if section == "compose" {
			into = services
		}
		for _, s := range entries(orNull(get(top, section))) {
			add(into, section, s.key, s.value)
		}
	}
	for _, e := range top {
		switch e.key.Value {
		case "build", "script", "compose", "publish", "deploy", "notify":
		case "debug":
			p.note(manifest.Info, e.key, "`drone exec --debug` is the flag", "`debug` has no effect")
		default:
			rest = append(rest, e)
		}
	}
	if len(steps.Content) > 0 {
		first := text("pipeline", nil)
		if len(build) > 0 {
			first.Line, first.Column = build[0].key.Line, build[0].key.Column
			if p.sections[build[0].key] == "" {
				first.HeadComment = build[0].key.HeadComment
			}
		}
		rest = append(rest, entry{first, steps})
	}
	if len(services.Content) > 0 {
		rest = append(rest, entry{keyOf04(top, "compose"), services})
	}
	return rest
}

// keyOf04 is the key of a section under the name that it has later.
func keyOf04(top []entry, section string) *yaml.Node {
	key := text("services", keyOf(top, section))
	if from := keyOf(top, section); from != nil {
		key.HeadComment, key.FootComment = from.HeadComment, from.FootComment
	}
	return key
}

// origin04 is the section of Drone 0.4 that an entry is from.
func (p *pipeline) origin04(key *yaml.Node) string { return p.sections[key] }

// status04 is what the switches of Drone 0.4 come to.
func (p *pipeline) status04(c *container, list func(...string) *yaml.Node) *yaml.Node {
	fields := c.fields("when")
	success, failure, change := get(fields, "success"), get(fields, "failure"), get(fields, "change")
	if success == nil && failure == nil && change == nil {
		return list("success", "failure")
	}
	if change != nil {
		p.lost(change, "", "`when.change` of %q has no equivalent", c.name)
	}
	var want []string
	if isTrue(success) {
		want = append(want, "success")
	}
	if isTrue(failure) || isTrue(change) {
		want = append(want, "failure")
	}
	return list(want...)
}

// never04 reports whether a step of Drone 0.4 never ran. Builds of pull requests
// had no publish and no deploy, whatever the events of a step said.
func (p *pipeline) never04(c *container, when *yaml.Node) bool {
	switch c.section {
	case "publish", "deploy":
		events := get(entries(when), "event")
		list, _ := texts(orNull(events))
		isPull := func(n *yaml.Node) bool { return n.Value == "pull_request" }
		if !slices.ContainsFunc(list, isPull) {
			return false
		}
		p.note(manifest.Info, p.there(events), "", "Drone 0.4 ran no %s for pull requests, so that event of %q had no effect", c.section, c.name)
		events.Content = slices.DeleteFunc(events.Content, isPull)
		return len(events.Content) == 0
	case "notify":
		status := get(entries(when), "status")
		if never := status != nil && status.Kind == yaml.SequenceNode && len(status.Content) == 0; never {
			p.lost(c.key, "give it `status: [success, failure]` to run it always", "%q never ran: its switches are all off", c.name)
			return true
		}
	}
	return false
}

// text04 is what Drone 0.4 may have replaced, and what means something today and
// meant nothing then.
var text04 = regexp.MustCompile(oldVariable.String() + `|\$\$+|\$\{`)

// substituted04 is for $$NAME. Names that are not of the matrix become
// expressions of today; Drone 0.4 named some variables otherwise.
func (l *legacy) substituted04(text string, values map[string]string) (string, *sourceText) {
	var ranges []manifest.Extent
	for _, m := range text04.FindAllStringIndex(text, -1) {
		ranges = append(ranges, manifest.Extent{Start: m[0], End: m[1]})
	}
	names := map[string]string{"COMMIT": "${DRONE_COMMIT:0:7}", "BRANCH": "${DRONE_BRANCH}", "BUILD_NUMBER": "${DRONE_BUILD_NUMBER}", "TAG": "${DRONE_TAG}"}
	return replaceAll(text, ranges, func(e string) (string, bool) {
		m := oldVariable.FindStringSubmatch(e)
		if m == nil { // of the shell
			return strings.ReplaceAll(e, "$", "$$"), true
		}
		name := m[1] + m[2]
		value, known := values[name]
		if !known {
			if value, known = names[name]; !known {
				value = "${" + name + "}"
			}
		}
		before, after := strings.HasPrefix(e, `"`), strings.HasSuffix(e, `"`)
		switch {
		case before && after && known && values[name] != "":
			return strconv.Quote(value), true
		case before:
			value = `"` + value
		}
		if after {
			value += `"`
		}
		return value, true
	})
}
