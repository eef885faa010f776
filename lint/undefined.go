package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/manifest"
)

// undefinedRules are about the names in `${…}` that no build defines.
func undefinedRules() []Rule {
	return []Rule{{
		ID: "undefined-variable", Group: groupCommands, Severity: manifest.Error,
		Summary: "a `${…}` that is replaced by nothing before the shell sees it",
		Explanation: "A runner replaces `${name}` in the text of the file. It knows the variables of the build and its parameters, and " +
			"replaces everything else by nothing, without a word: variables of the shell, of `environment`, secrets, and variables such as " +
			"`DRONE_WORKSPACE`, which only a container has. Write `$name` or `$${name}`, which reaches the shell as `${name}`. It is an error " +
			"where the file itself shows that the shell was meant, and a warning where the name may be a parameter of some builds.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - for i in 1 2 3; do echo ${i}; done
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - for i in 1 2 3; do echo $i $${i} ${DRONE_BRANCH}; done
`,
		Reference: "§4.1, §12.3",
		replaces:  true,
		check:     checkUndefined,
	}}
}

// known are names of variables by who knows them.
type known struct {
	substituted map[string]bool // replaced in the text of the file
	running     map[string]bool // only in a container
	names       []string        // all, sorted
}

var builtins = sync.OnceValue(func() known {
	substituted, running := compile.VariableNames()
	k := known{names: slices.Concat(substituted, running), substituted: map[string]bool{}, running: map[string]bool{}}
	for _, name := range substituted {
		k.substituted[name] = true
	}
	for _, name := range running {
		k.running[name] = true
	}
	slices.Sort(k.names)
	return k
})

// shellVariables are set by shells and images, and never by a build.
var shellVariables = map[string]bool{
	"HOME": true, "PWD": true, "OLDPWD": true, "PATH": true, "USER": true, "UID": true, "SHELL": true, "HOSTNAME": true,
	"RANDOM": true, "LINENO": true, "IFS": true, "OPTARG": true, "OPTIND": true, "PPID": true, "TERM": true, "LANG": true, "TMPDIR": true,
	"GOPATH": true, "GOROOT": true, "JAVA_HOME": true, "CARGO_HOME": true, "SECONDS": true, "PIPESTATUS": true, "FUNCNAME": true, "REPLY": true,
}

func checkUndefined(p *pass) {
	uses := p.file.Uses()
	if len(uses) == 0 {
		return
	}
	c := undefinedCheck{pass: p, assigned: map[*manifest.Step]map[string]piece{}, told: map[useKey]bool{}, last: map[useKey]manifest.Pos{}, nested: map[useKey]bool{}}
	outer := 0 // where the last expression ends that is in no other
	for _, u := range uses {
		within := u.Span.Start.Offset < outer
		if w := p.writingAt(u.Span.Start.Offset); w != nil && w.kind == inCommand {
			key := useKey{u.Name, w.start}
			c.last[key] = u.Span.End
			c.nested[key] = c.nested[key] || within
		}
		outer = max(outer, u.Span.End.Offset)
	}
	for _, u := range uses {
		if u.Comment || p.defined[u.Name] || builtins().substituted[u.Name] || odd(p.text(u.Span), u.Name) {
			continue
		}
		w := p.writingAt(u.Span.Start.Offset)
		if w != nil && c.told[useKey{u.Name, w.start}] {
			continue
		}
		switch why, where := c.owner(u, w); {
		case why != "":
			c.eaten(u, w, why, where)
		case strings.HasPrefix(u.Name, "DRONE_"), strings.HasPrefix(u.Name, "CI_"):
			c.misspelt(u, w)
		default:
			c.unknown(u, w)
		}
	}
}

// odd reports whether an expression has an operator that is a finding of its
// own.
func odd(expression, name string) bool {
	operator := strings.TrimPrefix(expression, "${"+name)
	return strings.HasPrefix(operator, ":?") || strings.HasPrefix(operator, ":+")
}

type undefinedCheck struct {
	*pass
	assigned map[*manifest.Step]map[string]piece
	told     map[useKey]bool
	last     map[useKey]manifest.Pos // where the last use in a command ends
	nested   map[useKey]bool         // those within another expression, which knows no `$$`
}

// useKey is a name, in a text that begins at an offset or, with 0, in the file.
type useKey struct {
	name string
	text int
}

// owner says who but the build gives a variable its value, "" when the file
// does not show that anybody does.
func (c *undefinedCheck) owner(u manifest.Use, w *writing) (why string, where manifest.Span) {
	name := u.Name
	if builtins().running[name] {
		return "only a container has it", where
	}
	var list []manifest.EnvVar
	var e element
	if w != nil {
		e = w.element
		if w.kind == inCommand {
			names, ok := c.assigned[e.Step]
			if !ok {
				names = assigned(e.Commands)
				c.assigned[e.Step] = names
			}
			if at, ok := names[name]; ok {
				return "the shell sets it", c.locate(at.command, at.start, at.end-at.start)
			}
			if strings.Trim(name, "0123456789") == "" {
				return "it is a parameter of the shell", where
			}
			if shellVariables[name] {
				return "the shell knows it", where
			}
		}
		for _, s := range e.Settings {
			if s.Variable() == name {
				return fmt.Sprintf("setting %q is meant", s.Name.Value), s.Name.Span
			}
		}
		list = slices.Concat(e.Environment, e.pipeline.Environment)
	} else if pl := c.pipelineAt(u.Span.Start.Offset); pl != nil {
		list = pl.Environment
	}
	for _, v := range list {
		switch {
		case v.Name.Value != name:
		case v.FromSecret.IsSet():
			return "a secret is meant", v.Name.Span
		default:
			return "`environment` sets it", v.Name.Span
		}
	}
	return "", where
}

func (p *pass) pipelineAt(offset int) *manifest.Pipeline {
	for _, d := range p.file.Documents {
		if d.Span.Start.Offset <= offset && offset < d.Span.End.Offset {
			return d.Pipeline
		}
	}
	return nil
}

// add reports a use where it stands.
func (c *undefinedCheck) add(u manifest.Use, w *writing, message, hint string) *manifest.Problem {
	if w != nil {
		return c.report(w.element, u.Span, message, hint)
	}
	return c.reportIn(c.pipelineAt(u.Span.Start.Offset), u.Span, message, hint)
}

// becomes says what an expression without a value turns into.
func becomes(u manifest.Use) string {
	if u.Default {
		return "its default"
	}
	return "nothing"
}

// eaten reports a variable of which it is known who sets it: once in each
// command, with the rest of its uses there mended as well.
func (c *undefinedCheck) eaten(u manifest.Use, w *writing, why string, where manifest.Span) {
	key := useKey{name: u.Name}
	if w != nil {
		key.text = w.start
	}
	if c.told[key] {
		return
	}
	c.told[key] = true
	f := c.add(u, w, fmt.Sprintf("%s is replaced by %s before the YAML is read, but %s", cut(c.text(u.Span)), becomes(u), why), "")
	if where.Start.Line != 0 {
		f.Related = []manifest.Related{{Span: where, Message: "it is here"}}
	}
	if w == nil || w.kind != inCommand {
		f.Hint = "write the value itself: a variable is only known to commands"
		return
	}
	f.Hint = fmt.Sprintf("write `$%s`, or `$${%s}` to have braces", u.Name, u.Name)
	if strings.Trim(u.Name, "0123456789") == "" || c.nested[key] {
		f.Hint = fmt.Sprintf("write `$%s`", u.Name)
	}
	if c.nested[key] {
		return
	}
	span := manifest.Span{Start: u.Span.Start, End: c.last[key]}
	text := c.text(span)
	f.Fix = &manifest.Edit{Span: span, Text: regexp.MustCompile(`(^|[^$])(\$\{`+regexp.QuoteMeta(u.Name)+`\b)`).ReplaceAllString(text, "$1$$$2")}
}

// misspelt reports a name that looks like one of the build and is none.
func (c *undefinedCheck) misspelt(u manifest.Use, w *writing) {
	best := closestOf(u.Name, builtins().names)
	if best == "" || c.told[useKey{name: u.Name}] {
		return // a runner may have variables of its own
	}
	c.told[useKey{name: u.Name}] = true
	f := c.add(u, w, fmt.Sprintf("%q is no variable of a build, so it is replaced by %s", u.Name, becomes(u)), fmt.Sprintf("did you mean `%s`?", best))
	f.Severity = manifest.Warning
	f.Fix = &manifest.Edit{Span: u.Span, Text: strings.Replace(c.text(u.Span), u.Name, best, 1)}
}

// unknown reports a name that may be a parameter of a build, once.
func (c *undefinedCheck) unknown(u manifest.Use, w *writing) {
	if c.told[useKey{name: u.Name}] {
		return
	}
	c.told[useKey{name: u.Name}] = true
	hint := "write the text itself, unless it is a parameter of the build"
	switch {
	case w != nil && w.kind == inSetting:
		hint = fmt.Sprintf("write `$${%s}` where the plugin is to see it, unless it is a parameter of the build", u.Name)
	case w != nil && w.kind == inCommand:
		hint = fmt.Sprintf("write `$%s` or `$${%s}` where the shell is to see it, unless it is a parameter of the build", u.Name, u.Name)
	}
	f := c.add(u, w, fmt.Sprintf("%q is no variable of every build, so it is replaced by %s before the YAML is read", u.Name, becomes(u)), hint)
	if f.Severity = manifest.Warning; u.Default {
		f.Severity = manifest.Info
	}
}
