package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// variableRules are about variables that steps and plugins are given.
func variableRules() []Rule {
	return []Rule{{
		ID: "overridden-variable", Group: groupCommands, Severity: manifest.Warning,
		Summary: "a variable that the build sets again",
		Explanation: "What the runner says about the build, the pipeline and the step wins over `environment` of a step; `environment` of " +
			"a pipeline is also hidden by what it says about the repository and the server. Take another name.",
		Bad: `kind: pipeline
name: default
environment: {DRONE_REPO_NAME: hello}
steps:
- {name: test, image: "alpine:3", environment: {DRONE_TAG: v1}, commands: [make test]}
`,
		Good: `kind: pipeline
name: default
environment: {REPO_NAME: hello}
steps:
- {name: test, image: "alpine:3", environment: {VERSION: v1}, commands: [make test]}
`,
		Reference: "§5.1",
		check:     checkHiddenVariable,
	}, {
		ID: "variable-name", Group: groupCommands, Severity: manifest.Error,
		Summary:     "a name that no variable can have",
		Explanation: "A name with `=` in it sets another variable, and one without any text none.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", environment: {"A=b": c}, commands: [make test]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", environment: {A: b=c}, commands: [make test]}
`,
		Reference: "§5.1",
	}, {
		ID: "variable-reference", Group: groupCommands, Severity: manifest.Warning,
		Summary: "a variable whose value names another variable",
		Explanation: "Values of `environment` are passed on as they are: nothing expands `$NAME` in them, so that `PATH: $PATH:/opt/bin` leaves " +
			"a step without any program. Write the value itself, or set the variable in a command: `export PATH=$PATH:/opt/bin`.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", environment: {PATH: "$PATH:/opt/bin"}, commands: [make test]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: ["export PATH=$PATH:/opt/bin", make test]}
`,
		Reference: "§2.3",
		check:     checkVariableReference,
	}, {
		ID: "value-text", Group: groupCommands, Severity: manifest.Info,
		Summary: "a value that looks like another one than it is",
		Explanation: "Variables get the text that is in the file: `on` stays `on` and does not become `true`, and `010` does not become 8. A null, also " +
			"as `~` or nothing, leaves the variable unset. Quote what is meant as text.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", environment: {CGO_ENABLED: no}, commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", environment: {CGO_ENABLED: "0"}, commands: [go test ./...]}
`,
		Reference: "§1.5, §2.3",
		check:     checkValueText,
	}, {
		ID: "null-variable", Group: groupCommands, Severity: manifest.Error,
		Summary:     "a variable without a value in a pipeline of type exec",
		Explanation: "The runner that runs commands on the machine itself crashes on it. Remove the variable, or write an empty text: `\"\"`.",
		Bad: `kind: pipeline
type: exec
name: default
steps:
- {name: test, environment: {DEBUG: }, commands: [make test]}
`,
		Good: `kind: pipeline
type: exec
name: default
steps:
- {name: test, environment: {DEBUG: ""}, commands: [make test]}
`,
		Reference: "§3",
		check:     checkNullVariable,
	}, {
		ID: "setting-text", Group: groupCommands, Severity: manifest.Warning,
		Summary: "a number or a boolean that reaches a plugin in another spelling",
		Explanation: "Unlike variables, settings are values of YAML 1.1 that are written anew: `1.10` arrives as `1.1`, `0755` as `493`, `yes` as `true`. " +
			"Quote what is meant as text.",
		Bad: `kind: pipeline
name: default
steps:
- {name: publish, image: "plugins/docker:20", settings: {repo: octocat/hello, tags: 1.10}}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: publish, image: "plugins/docker:20", settings: {repo: octocat/hello, tags: "1.10"}}
`,
		Reference: "§2.5",
		grade: func(f *manifest.Problem, text string) {
			if text != "" && strings.IndexByte("+-.0123456789", text[0]) >= 0 {
				f.Fix = &manifest.Edit{Span: f.Span, Text: "'" + text + "'"}
			}
		},
	}, {
		ID: "setting-comma", Group: groupCommands, Severity: manifest.Warning,
		Summary:     "an item of a list for a plugin that has a comma in it",
		Explanation: "A plugin gets a list as one text in which commas separate the items, so that it sees two items instead of one.",
		Bad: `kind: pipeline
name: default
steps:
- {name: notify, image: "plugins/slack:1", settings: {channel: ["a,b", c]}}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: notify, image: "plugins/slack:1", settings: {channel: [a, b, c]}}
`,
		Reference: "§2.5",
	}}
}

// checkHiddenVariable looks at the environment of pipelines, beneath which is
// hardly anything. That of steps is looked at when the file is compiled.
func checkHiddenVariable(p *pass) {
	for pl := range p.pipelines() {
		if !pl.InContainers() {
			continue // those of type exec have no environment of their own
		}
		for _, v := range pl.Environment {
			name := v.Name.Value
			if builtins().substituted[name] || builtins().running[name] {
				p.reportIn(pl, v.Name.Span, fmt.Sprintf("pipeline %q cannot set %s, which the build sets in every step", pl.DisplayName(), name),
					"use a variable of another name")
			}
		}
	}
}

var (
	namedVariable = regexp.MustCompile(`\$\$?\{?([A-Za-z_][A-Za-z0-9_]*)`)
	expander      = regexp.MustCompile(`\b(eval|envsubst|expand)\b`)
)

func checkVariableReference(p *pass) {
	for pl := range p.pipelines() {
		outer := namesOf(pl.Environment)
		p.references(ofPipeline(pl), pl.Environment, outer)
		for e := range elements(pl) {
			if len(e.Environment) == 0 || slices.ContainsFunc(e.Commands, func(c manifest.String) bool { return expander.MatchString(c.Value) }) {
				continue
			}
			p.references(e, e.Environment, outer)
		}
	}
}

func namesOf(list []manifest.EnvVar) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, v := range list {
		out[v.Name.Value] = true
	}
	return out
}

func (p *pass) references(e element, list []manifest.EnvVar, outer map[string]bool) {
	own := namesOf(list)
	for _, v := range list {
		if !strings.Contains(v.Value.Value, "$") {
			continue
		}
		for _, at := range namedVariable.FindAllStringSubmatchIndex(v.Value.Value, -1) {
			whole, name := v.Value.Value[at[0]:at[1]], v.Value.Value[at[2]:at[3]]
			if strings.HasPrefix(whole, "${") || !own[name] && !outer[name] && !builtins().substituted[name] && !builtins().running[name] && !shellVariables[name] {
				continue // replaced before, or text
			}
			if v.Name.Value == "PATH" && !e.pipeline.InContainers() {
				continue // that the runner of commands on the machine does expand
			}
			hint := fmt.Sprintf("write the value itself, or set it in a command: `export %s=…`", v.Name.Value)
			if builtins().substituted[name] {
				hint = fmt.Sprintf("write `${%s}`, which is replaced before the YAML is read", name)
			}
			p.report(e, p.locate(v.Value, at[0], at[1]-at[0]), fmt.Sprintf("nothing expands $%s in the value of %s", name, v.Name.Value), hint)
			break
		}
	}
}

func checkValueText(p *pass) {
	for pl := range p.pipelines() {
		for _, v := range pl.Environment {
			p.valueText(ofPipeline(pl), v)
		}
		for e := range elements(pl) {
			for _, v := range e.Environment {
				p.valueText(e, v)
			}
		}
	}
}

func checkNullVariable(p *pass) {
	for e := range p.elements() {
		if !e.pipeline.OnHost() {
			continue
		}
		for _, v := range e.Environment {
			if v.Value.Null {
				p.report(e, v.Name.Span, fmt.Sprintf("%s of %s %q has no value, on which the runner crashes", v.Name.Value, e.noun(), e.Name.Value), "remove it, or write `\"\"`")
			}
		}
	}
}

var (
	oddBoolean = regexp.MustCompile(`^(?i:yes|no|on|off)$`)
	oddNumber  = regexp.MustCompile(`^[-+]?(0x[0-9A-Fa-f]+|0o?[0-7]+|0b[01]+|[0-9]+\.[0-9]*0|[0-9][0-9_]*_[0-9_]*)$`)
)

func (p *pass) valueText(e element, v manifest.EnvVar) {
	text := p.text(v.Value.Span)
	switch {
	case v.FromSecret.IsSet():
	case v.Value.Null && e.pipeline.OnHost(): // null-variable
	case v.Value.Null:
		p.report(e, v.Name.Span, fmt.Sprintf("%s has no value, so it is not set at all", v.Name.Value), "remove it, or give it a value")
	case text != v.Value.Value: // it is quoted
	case oddBoolean.MatchString(text):
		p.report(e, v.Value.Span, fmt.Sprintf("%s is the text %q, not true or false", v.Name.Value, text), fmt.Sprintf("write %q in quotes, or the word that the program knows", text)).
			Fix = &manifest.Edit{Span: v.Value.Span, Text: `"` + text + `"`}
	case oddNumber.MatchString(text):
		p.report(e, v.Value.Span, fmt.Sprintf("%s is the text %q, not a number", v.Name.Value, text), fmt.Sprintf("write %q in quotes to make that plain", text)).
			Fix = &manifest.Edit{Span: v.Value.Span, Text: `"` + text + `"`}
	}
}
