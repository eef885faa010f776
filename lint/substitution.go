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

// substitutionRules are about `${…}`, which a runner replaces in the text of
// the whole file before it reads the YAML.
func substitutionRules() []Rule {
	return []Rule{{
		ID: manifest.RuleSubstitution, Group: groupCommands, Severity: manifest.Error,
		Summary: "a `${…}` that cannot be replaced, or that breaks the YAML",
		Explanation: "Before it reads the YAML a runner replaces every `${…}` in the file, comments included. It knows some operators of a shell, " +
			"but no arrays, no `${!name}` and no `${name-word}`, and one expression that it cannot read makes it refuse the whole file without " +
			"naming a place. Write `$${…}` for what the shell is to see. Where a value that is empty or has special characters breaks the " +
			"YAML, quote the text; an empty one is a warning, as other builds may have a value.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: bash:5
  commands:
  - echo ${list[0]}
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: bash:5
  commands:
  - echo $${list[0]} ${DRONE_COMMIT_SHA:0:8}
`,
		Reference: "§4.1, §4.2",
		grade: func(f *manifest.Problem, text string) {
			switch {
			case strings.Contains(f.Message, " is empty here") && builtins().substituted[expressionName.FindString(text)]:
				f.Severity = manifest.Warning
			case strings.HasPrefix(text, "${") && strings.HasSuffix(text, "}"):
				f.Fix = &manifest.Edit{Span: f.Span, Text: "$" + text}
			}
		},
	}, {
		ID: manifest.RuleOperator, Group: groupCommands, Severity: manifest.Error,
		Summary: "an operator in `${…}` that means something else than in a shell",
		Explanation: "For a runner `:?` and `:+` are the same as `:-`, an empty replacement after `/#` or `/%` changes nothing, and so does a pattern " +
			"for a suffix with `[…]` in it. Write `$${…}`, and the shell does what you are used to.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: ["echo ${DRONE_TAG:+release}"]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: ["echo $${DRONE_TAG:+release}"]}
`,
		Reference: "§4.2, §12.3",
		grade:     func(f *manifest.Problem, _ string) { f.Severity = manifest.Error },
	}, {
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
	}, {
		ID: "not-substituted", Group: groupCommands, Severity: manifest.Warning,
		Summary: "a `${…}` where a server reads the text as it is",
		Explanation: "A server reads triggers, names, dependencies and the platform of pipelines before any variable is replaced, so that there " +
			"`${…}` stands for itself and matches nothing. The `when` of a step may have variables.",
		Bad: `kind: pipeline
name: default
trigger: {branch: ["${DRONE_REPO_BRANCH}"]}
steps:
- {name: test, image: "alpine:3", commands: [make test]}
`,
		Good: `kind: pipeline
name: default
trigger: {branch: [main], event: [push]}
steps:
- {name: test, image: "alpine:3", commands: [make test]}
`,
		Reference: "§1.1, §12.3",
	}, {
		ID: "backslash", Group: groupCommands, Severity: manifest.Error,
		Summary: "a backslash that a runner takes away",
		Explanation: "When it replaces variables a runner also makes one backslash of two, and a slash of a backslash with a slash, anywhere in the file. " +
			"`sed 's/\\//-/'` reaches the shell as `sed 's///-/'`. Write it without: another delimiter for `sed`, single quotes, or four backslashes for two. " +
			"In a double-quoted text of YAML the missing backslash can make the runner refuse the file, which is an error. Here, commands get what is written.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - printf 'a\\b'
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - printf 'a\n'
`,
		Reference: "§4.3",
		check:     checkBackslash,
	}, {
		ID: "foreign-text", Group: groupCommands, Severity: manifest.Warning,
		Summary: "a `${…}` that puts what somebody else has written into a command or into YAML",
		Explanation: "The message of a commit, the title of a pull request, the name of an author and the branch that a pull request comes from are " +
			"put into the text as they are. In a command the shell runs what is in them; as a value a `: ` or ` #` in them breaks the file, and a message with " +
			"several lines breaks a quoted text. In a command write `\"$DRONE_COMMIT_MESSAGE\"`: the shell does not look into the value of a variable. " +
			"As a value of YAML use a block: `|-` and the expression on the next line.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - echo "${DRONE_COMMIT_MESSAGE}"
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - echo "$DRONE_COMMIT_MESSAGE"
`,
		Reference: "§4.1, §12.3",
		check:     checkForeignText,
	}}
}

// expressionName is the name at the beginning of an expression, behind its
// `${`.
var expressionName = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

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

func checkBackslash(p *pass) {
	if !strings.Contains(string(p.file.Source), `\\`) && !strings.Contains(string(p.file.Source), `\/`) {
		return
	}
	for e := range p.elements() {
		if !containers(e.pipeline) {
			continue
		}
		for _, c := range e.Commands {
			p.lostBackslash(e, c.Span, true)
		}
		for _, v := range e.Environment {
			p.lostBackslash(e, v.Value.Span, false)
		}
		for _, s := range e.Settings {
			p.lostBackslash(e, s.Value.Span, false)
		}
	}
}

// lostBackslash reports the first pair in a text of which one character is
// lost in a way that matters.
func (p *pass) lostBackslash(e element, span manifest.Span, command bool) {
	text := p.text(span)
	double := strings.HasPrefix(text, `"`)
	shell := byte(0) // the quote of the shell that is open
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$' && i+1 < len(text) && text[i+1] == '$':
			i++
		case c == '$' && i+1 < len(text) && text[i+1] == '{':
			i += max(0, strings.IndexByte(text[i:], '}')) // an expression has escapes
		case c == '#' && command && shell == 0 && !double && i > 0 && strings.IndexByte(" \t\n", text[i-1]) >= 0:
			i += max(0, strings.IndexByte(text[i:]+"\n", '\n')-1)
		case c == '\\' && i+1 < len(text) && (text[i+1] == '\\' || text[i+1] == '/'):
			pair := text[i : i+2]
			if harmless(text[i:], shell, double, command) {
				i++
				continue
			}
			message := fmt.Sprintf("a runner makes `%s` of `%s`, also outside of expressions", pair[1:], pair)
			hint := "write it without backslashes: single quotes, or another delimiter"
			if pair == `\\` {
				hint = "write four backslashes for two, or do without: the text is read once more before it is YAML"
			} else if strings.Contains(text, "sed ") || strings.Contains(text, "perl ") {
				hint = "use another delimiter, such as `s|/|-|`"
			}
			if double {
				hint = "write the text in single quotes or as a block, and without double backslashes"
			}
			f := p.report(e, p.part(span, i, 2), message, hint)
			f.Severity = manifest.Warning
			if double && pair == `\\` && i+2 < len(text) && !strings.ContainsRune(yamlEscapes, rune(text[i+2])) {
				f.Severity = manifest.Error
				f.Message = fmt.Sprintf("a runner makes `%s` of `%s`, and then refuses the file, since `%s%c` means nothing in double quotes", pair[1:], pair, pair[1:], text[i+2])
			}
			return
		case double:
		case c == '\\':
			i++
		case c == shell:
			shell = 0
		case shell == 0 && (c == '\'' || c == '"'):
			shell = c
		}
	}
}

// yamlEscapes are the characters that may follow a backslash in double quotes.
const yamlEscapes = "0abtnvfre \"/\\N_LPxuU\t\r\n"

// harmless reports whether a lost backslash makes no difference: within
// double quotes a shell takes `\x` for both characters where x is nothing
// special.
func harmless(text string, shell byte, double, command bool) bool {
	if double || !command || shell != '"' || len(text) < 3 || text[1] != '\\' {
		return false
	}
	return strings.IndexByte("$`\"\\\n/", text[2]) < 0
}

// foreignNames are variables with text that anybody may have written.
var foreignNames = map[string]bool{
	"DRONE_COMMIT_MESSAGE": true, "CI_COMMIT_MESSAGE": true, "DRONE_PULL_REQUEST_TITLE": true,
	"DRONE_COMMIT_AUTHOR_NAME": true, "CI_COMMIT_AUTHOR_NAME": true, "DRONE_SOURCE_BRANCH": true,
}

func checkForeignText(p *pass) {
	seen := map[useKey]bool{}
	for _, u := range p.file.Uses() {
		if u.Comment || !foreignNames[u.Name] {
			continue
		}
		w := p.writingAt(u.Span.Start.Offset)
		if w == nil {
			continue
		}
		key := useKey{u.Name, w.start}
		if seen[key] {
			continue
		}
		seen[key] = true
		expression := cut(p.text(u.Span))
		if w.kind == inCommand {
			p.report(w.element, u.Span, fmt.Sprintf("%s becomes part of the command, so the shell runs what somebody wrote into it", expression),
				fmt.Sprintf("write `$%s`, in double quotes: then it stays text", u.Name))
			continue
		}
		// A branch has neither blanks nor quotes, and a block takes any text.
		text := string(p.file.Source[w.start:w.end])
		if u.Name == "DRONE_SOURCE_BRANCH" || strings.HasPrefix(text, "|") || strings.HasPrefix(text, ">") {
			continue
		}
		p.report(w.element, u.Span, fmt.Sprintf("%s becomes part of the YAML, which a `: `, a quote or a second line in it breaks", expression),
			"write it as a block: `|-`, and the text on the next line")
	}
}
