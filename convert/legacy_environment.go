package convert

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// variables sets the environment and the parameters of the plugin.
func (p *pipeline) variables(s *yaml.Node, c *container) error {
	env, settings := newMap(nil), newMap(nil)
	if err := p.environmentOf(env, c); err != nil {
		return err
	}
	if err := p.settings(settings, c); err != nil {
		return err
	}
	if !p.opts.Adapt && p.out.Version != Version04 && asksForCI(s) {
		set(env, "CI", text("drone", c.from))
	}
	for _, v := range p.axis {
		builtin := builtin(v.name)
		unset := v.value == "" || !p.before06() && (v.value == "0" || v.value == "false")
		if !builtin && !unset {
			set(env, v.name, text(v.value, v.from0()))
		}
	}
	if !p.before06() {
		if err := p.secrets(env, settings, c); err != nil {
			return err
		}
	} else {
		p.commandSecrets(s, env, c)
	}
	if len(env.Content) > 0 {
		p.setFrom(s, "environment", c.keyOf("environment"), env)
	}
	if len(settings.Content) > 0 {
		set(s, "settings", settings)
	}
	return nil
}

// from0 is the place of a value of the matrix, which was read before anything
// was replaced.
func (v axisValue) from0() *yaml.Node {
	if v.from == nil {
		return &yaml.Node{}
	}
	return v.from
}

func (p *pipeline) setFrom(s *yaml.Node, name string, key, value *yaml.Node) {
	if key == nil {
		set(s, name, value)
		return
	}
	setAt(s, name, key, value)
}

func (p *pipeline) environmentOf(env *yaml.Node, c *container) error {
	n := c.get("environment")
	if n == nil || isNull(n) {
		return nil
	}
	if n.Kind == yaml.MappingNode {
		for _, e := range entries(n) {
			if e.value.Kind != yaml.ScalarNode {
				return p.errorAt(p.there(e.value), "", "the variable %s of %q is not a text", e.key.Value, c.name)
			}
			value := sameText(e.value)
			switch {
			case isNull(e.value):
				value = text("", e.value)
			case p.out.Version == Version05:
				value = p.literal(e.value)
			case e.value.Style == 0 && scalarThen(e.value) != e.value.Value || isNumber(e.value):
				p.note(manifest.Info, e.value, "", "Drone %s refused the variable %s of %q: its value is not a text without quotes", p.out.Version, e.key.Value, c.name)
			}
			if !p.owned(e.key.Value, e.key, c) {
				setAt(env, e.key.Value, e.key, p.maybeSecret(value, c, e.key.Value))
			}
		}
		return nil
	}
	items, ok := texts(n)
	if !ok {
		return p.errorAt(p.there(n), "write `NAME: value`, or `- NAME=value`", "the environment of %q is neither a map nor a list of text", c.name)
	}
	for _, item := range items {
		name, value, found := strings.Cut(item.Value, "=")
		if !found && p.before06() {
			p.note(manifest.Info, item, "", "%q has no value, so it was not set", item.Value)
			continue
		}
		if !p.before06() {
			name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		}
		if p.owned(name, item, c) {
			continue
		}
		key, v := text(name, item), p.maybeSecret(text(value, item), c, name)
		key.HeadComment, v.LineComment, key.FootComment = item.HeadComment, item.LineComment, item.FootComment
		setKey(env, key, v)
	}
	return nil
}

func isNumber(n *yaml.Node) bool {
	tag := n.ShortTag()
	return n.Style == 0 && (tag == "!!int" || tag == "!!float" || tag == "!!bool")
}

func builtin(name string) bool {
	return strings.HasPrefix(name, "DRONE_") || strings.HasPrefix(name, "CI_") || name == "CI" || name == "DRONE"
}

// owned reports whether Drone had a variable set whatever a step said, which
// today it does not, and tells of it.
func (p *pipeline) owned(name string, n *yaml.Node, c *container) bool {
	if !slices.Contains(ownedVariables, name) || p.before06() && strings.HasPrefix(name, "CI_") {
		return false
	}
	p.note(manifest.Info, n, "", "Drone set %s itself, so what %q says of it had no effect", name, c.name)
	return true
}

// ownedVariables are those that a step can override today and had a value in
// each build. There was no CI_ family in Drone 0.5.
var ownedVariables = []string{
	"CI", "CI_JOB_NUMBER", "CI_REMOTE_URL", "CI_REPO", "CI_REPO_LINK", "CI_REPO_NAME", "CI_REPO_REMOTE", "CI_SYSTEM", "CI_SYSTEM_ARCH",
	"CI_SYSTEM_NAME", "CI_SYSTEM_VERSION", "CI_WORKSPACE", "DRONE", "DRONE_ARCH", "DRONE_BUILD_LINK", "DRONE_JOB_NUMBER",
	"DRONE_JOB_STARTED", "DRONE_REMOTE_URL", "DRONE_REPO", "DRONE_REPO_BRANCH", "DRONE_REPO_LINK", "DRONE_REPO_NAME", "DRONE_REPO_OWNER",
	"DRONE_REPO_SCM", "DRONE_VERSION",
}

// asksForCI reports whether commands of a step look at CI, whose value was drone.
func asksForCI(s *yaml.Node) bool {
	list := get(entries(s), "commands")
	return list != nil && slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return ciInShell.MatchString(n.Value) })
}

var ciInShell = regexp.MustCompile(`\$\{?CI\b`)

// goneVariables are those that Drone set and that say nothing any more.
var goneVariables = []struct{ name, hint string }{
	{"DRONE_JOB_STATUS", "`DRONE_BUILD_STATUS` says the same"},
	{"CI_JOB_STATUS", "`DRONE_BUILD_STATUS` says the same"},
	{"DRONE_JOB_FINISHED", "`DRONE_BUILD_FINISHED` is close to it"},
	{"DRONE_JOB_ERROR", ""},
	{"DRONE_JOB_EXIT_CODE", ""},
	{"DRONE_MACHINE", "`DRONE_STAGE_MACHINE` is the name of the machine"},
	{"DRONE_COMMIT_REFSPEC", "`DRONE_SOURCE_BRANCH` and `DRONE_TARGET_BRANCH` are its halves"},
	{"CI_COMMIT_REFSPEC", "`DRONE_SOURCE_BRANCH` and `DRONE_TARGET_BRANCH` are its halves"},
	{"DRONE_PREV_BUILD_STATUS", ""},
	{"DRONE_PREV_BUILD_NUMBER", ""},
	{"DRONE_PREV_COMMIT_SHA", "`DRONE_COMMIT_BEFORE` is the commit before a push"},
	{"DRONE_REPO_AVATAR", ""},
}

// noteGone tells of variables that the file asks for and that are gone.
func (l *legacy) noteGone(text string) {
	for _, v := range goneVariables {
		if at := mention(text, v.name); at >= 0 {
			l.lost(l.at.node(at), v.hint, "no Drone of today sets %s", v.name)
		}
	}
}

// oldVariables are those that Drone set and does not set any more, with how they
// are said now.
var oldVariables = []struct{ name, value string }{
	{"CI_TAG", "${DRONE_TAG}"},
	{"CI_PULL_REQUEST", "${DRONE_PULL_REQUEST}"},
	{"CI_WORKSPACE", "%w"},
	{"CI_JOB_NUMBER", "%d"},
	{"CI_SYSTEM", "drone"},
	{"CI_SYSTEM_NAME", "drone"},
	{"CI_SYSTEM_ARCH", "%p"},
	{"CI_SYSTEM_LINK", "${DRONE_SYSTEM_PROTO}://${DRONE_SYSTEM_HOST}"},
	{"CI_SYSTEM_HOST", "${DRONE_SYSTEM_HOST}"},
	{"CI_SYSTEM_VERSION", "${DRONE_SYSTEM_VERSION}"},
	{"DRONE_ARCH", "linux/amd64"},
	{"DRONE_JOB_NUMBER", "%d"},
	{"DRONE_JOB_STARTED", "${DRONE_BUILD_STARTED}"},
	{"DRONE_VERSION", "${DRONE_SYSTEM_VERSION}"},
	{"DRONE_PARENT_BUILD_NUMBER", "${DRONE_BUILD_PARENT}"},
}

// variables05 are those of Drone 0.5 alone; what ran on the machine of a
// developer counted as signed.
var variables05 = []struct{ name, value string }{
	{"DRONE_YAML_SIGNED", "true"},
	{"DRONE_YAML_VERIFIED", "true"},
}

// variables04 are those of Drone 0.4 alone.
var variables04 = []struct{ name, value string }{
	{"CI_NAME", "drone"},
	{"CI_BRANCH", "${DRONE_BRANCH}"},
	{"CI_COMMIT", "${DRONE_COMMIT}"},
	{"CI_PULL_REQUEST", "${DRONE_PULL_REQUEST}"},
	{"CI_TAG", "${DRONE_TAG}"},
	{"CI_JOB_NUMBER", "%d"},
	{"CI_BUILD_DIR", "%w"},
	{"CI_BUILD_URL", "${DRONE_BUILD_LINK}"},
	{"DRONE_BUILD_DIR", "%w"},
}

// environment adds the variables of then that the text names, or all of them.
func (p *pipeline) environment(d *yaml.Node) {
	m := newMap(nil)
	all := oldVariables
	switch p.out.Version {
	case Version05:
		all = slices.Concat(all, variables05)
	case Version04:
		all = slices.Concat(all, variables04)
	}
	for i, v := range all {
		if p.before06() && i < len(oldVariables) && strings.HasPrefix(v.name, "CI_") {
			continue
		}
		if !p.opts.Environment && !mentions(p.text, v.name) {
			continue
		}
		value := v.value
		switch value {
		case "%d":
			value = fmt.Sprint(p.index + 1)
		case "%p":
			value = p.platform
		case "%w":
			value = p.folder(d)
		}
		n := text(value, nil)
		if strings.Contains(value, "${") {
			n = text(p.masked.hidden(value), nil)
		}
		set(m, v.name, n)
	}
	if len(m.Content) > 0 {
		set(d, "environment", m)
	}
}

// folder is where the source code is.
func (p *pipeline) folder(d *yaml.Node) string {
	w := entries(get(entries(d), "workspace"))
	base, folder := get(w, "base"), get(w, "path")
	switch {
	case base == nil && folder == nil:
		return "/drone/src"
	case base == nil:
		return folder.Value
	case folder == nil:
		return base.Value
	}
	return path.Join(base.Value, folder.Value)
}

// mentions reports whether a text has a name as a whole word.
func mentions(text, name string) bool { return mention(text, name) >= 0 }

// mention is where a text first has a name as a whole word, -1 if nowhere.
func mention(text, name string) int {
	const inNames = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return -1
		}
		at += i + len(name)
		before, after := at-len(name)-1, at
		if (before < 0 || !strings.ContainsRune(inNames, rune(text[before]))) &&
			(after == len(text) || !strings.ContainsRune(inNames, rune(text[after]))) {
			return at - len(name)
		}
	}
}
