package lint

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/manifest"
)

// commandRules are about commands, and about the variables they are given.
func commandRules() []Rule {
	return []Rule{{
		ID: "overridden-variable", Group: GroupCommands, Severity: manifest.Warning,
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
		ID: "variable-name", Group: GroupCommands, Severity: manifest.Error,
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
		ID: "variable-reference", Group: GroupCommands, Severity: manifest.Warning,
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
		ID: "value-text", Group: GroupCommands, Severity: manifest.Info,
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
		ID: "null-variable", Group: GroupCommands, Severity: manifest.Error,
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
		ID: "setting-text", Group: GroupCommands, Severity: manifest.Warning,
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
		ID: "setting-comma", Group: GroupCommands, Severity: manifest.Warning,
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
	}, {
		ID: "split-command", Group: GroupCommands, Severity: manifest.Error,
		Summary: "a command that goes on in the next item of the list",
		Explanation: "The runner prints each item before it runs it, with a command between the items: what a `\\` or a `|` at the end of an item goes on with is that " +
			"command, and it ends up within a here-document that begins in one item and ends in another. Write one item with several lines, as a block: `- |`.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - go test -race -count=1 \
  - ./...
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - |
    go test -race -count=1 \
      ./...
`,
		Reference: "§5.7",
		check:     checkSplitCommand,
	}, {
		ID: "dead-command", Group: GroupCommands, Severity: manifest.Warning,
		Summary:     "commands that come after an unconditional `exit`",
		Explanation: "All commands of a step are one script, so that `exit` in one of them ends the step, and the rest never runs.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: [make test, exit 0, make install]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: [make test, make install]}
`,
		Reference: "§5.7",
		check:     checkDeadCommand,
	}, {
		ID: "background-end", Group: GroupCommands, Severity: manifest.Warning,
		Summary: "a step whose last command goes into the background",
		Explanation: "The container ends with its commands, and everything in it, so that the program is killed at once. A server for other steps is a " +
			"service, or a step with `detach: true`, whose last command stays in the foreground.",
		Bad: `kind: pipeline
name: default
steps:
- {name: server, image: "golang:1.26", detach: true, commands: [go run ./server &]}
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: server, image: "golang:1.26", detach: true, commands: [go run ./server]}
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§9.2",
		check:     checkBackgroundEnd,
	}, {
		ID: "bash-syntax", Group: GroupCommands, Severity: manifest.Warning,
		Summary: "syntax of bash in commands that another shell runs",
		Explanation: "Commands are run by `/bin/sh`, whatever other shells an image has. In images based on Debian or Ubuntu that is dash, in those based on " +
			"Alpine the shell of BusyBox. Write it as any POSIX shell understands it, or put it into a script of its own that begins with `#!/bin/bash`.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands:
  - if [[ $DRONE_BRANCH == main ]]; then make release; fi
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands:
  - if [ "$DRONE_BRANCH" = main ]; then make release; fi
`,
		Reference: "§5.7",
		check:     checkBashSyntax,
	}, {
		ID: "echo-escape", Group: GroupCommands, Severity: manifest.Error,
		Summary: "a backslash that the shell of a server's image rewrites",
		Explanation: "The runner of a server hands the script to the shell with `echo`, and that of dash, the shell of images based on Debian and Ubuntu, makes " +
			"characters of some letters behind a backslash: `grep '\\bword'` looks for a backspace, `sed 's/a/\\n/'` is cut by a line break, and at `\\c` the whole script " +
			"ends without an error. Only the last of these is an error here. Put the command into a script of its own. Here, commands get what is written.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: ["grep '\\bword' file"]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [grep -w word file]}
`,
		Reference: "§5.7, §12.4",
		check:     checkEchoEscape,
	}, {
		ID: "stdin-eaten", Group: GroupCommands, Severity: manifest.Warning,
		Summary: "a command that reads the rest of the script on a server",
		Explanation: "The runner of a server passes the commands to the shell on its standard input. A program that reads from there, such as `ssh`, takes the " +
			"commands that are left: they do not run, and the step passes. Close its input: `ssh -n`, `ffmpeg -nostdin`, or `</dev/null`. Here, input is always closed.",
		Bad: `kind: pipeline
name: default
steps:
- name: deploy
  image: octocat/ssh:1
  commands:
  - ssh www.example.org systemctl restart app
  - curl https://www.example.org/
`,
		Good: `kind: pipeline
name: default
steps:
- name: deploy
  image: octocat/ssh:1
  commands:
  - ssh -n www.example.org systemctl restart app
  - curl https://www.example.org/
`,
		Reference: "§5.7, §12.4",
		check:     checkStdinEaten,
	}, {
		ID: "pipe-status", Group: GroupCommands, Severity: manifest.Info,
		Summary: "a failure that gets lost in a pipe",
		Explanation: "The status of `go test | tee log` is that of `tee`, which does not fail: the step passes although the tests failed. Write to a file and " +
			"print it, or use a shell with `set -o pipefail`.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./... | tee test.log]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26-alpine", commands: [set -o pipefail, go test ./... | tee test.log]}
`,
		Reference: "§5.7",
		check:     checkPipeStatus,
	}, {
		ID: "backquotes", Group: GroupCommands, Severity: manifest.Info,
		Summary: "a command in backquotes, which a server runs twice",
		Explanation: "The runner of a server prints a command before it runs it, and the shell already runs what is in backquotes in the line that prints. " +
			"Write `$(…)` instead. Here, it runs once.",
		Bad: "kind: pipeline\nname: default\nsteps:\n- {name: test, image: \"alpine:3\", commands: [make VERSION=`git describe`]}\n",
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: [make VERSION=$(git describe)]}
`,
		Reference: "§5.7, §12.4",
		check:     checkBackquotes,
	}, {
		ID: "lost-variable", Group: GroupCommands, Severity: manifest.Info,
		Summary: "a variable that a step exports and a later one uses",
		Explanation: "Each step has a container and a shell of its own: of what it sets, exports or changes to, only files in the workspace reach the next one. " +
			"Put the variable into `environment`, or write it to a file and read that.",
		Bad: `kind: pipeline
name: default
steps:
- {name: version, image: "alpine:3", commands: [export VERSION=$(cat version.txt)]}
- {name: build, image: "alpine:3", commands: [make VERSION=$VERSION]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: version, image: "alpine:3", commands: [cat version.txt]}
- {name: build, image: "alpine:3", commands: [make VERSION=$(cat version.txt)]}
`,
		Reference: "§5.7",
		check:     checkLostVariable,
	}, {
		ID: "lost-directory", Group: GroupCommands, Severity: manifest.Info,
		Summary: "a step that ends with `cd`",
		Explanation: "The next step begins in the workspace again, wherever this one has gone. Write the `cd` into the step that needs it, or join both steps; " +
			"a step that only ever works in one folder can have `working_dir`.",
		Bad: `kind: pipeline
name: default
steps:
- {name: web, image: "node:24", commands: [cd web]}
- {name: test, image: "node:24", commands: [npm test]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "node:24", commands: [cd web, npm test]}
`,
		Reference: "§5.7",
		check:     checkLostDirectory,
	}, {
		ID: "sleep-for-service", Group: GroupCommands, Severity: manifest.Info,
		Summary: "a fixed wait for a service",
		Explanation: "How long a service takes to start depends on the machine, so that a fixed time is too long or, now and then, too short. Ask the service " +
			"until it answers: `until pg_isready -h db; do sleep 1; done`.",
		Bad: `kind: pipeline
name: default
services:
- {name: db, image: "postgres:18"}
steps:
- {name: test, image: "golang:1.26", commands: [sleep 15, go test ./...]}
`,
		Good: `kind: pipeline
name: default
services:
- {name: db, image: "postgres:18"}
steps:
- {name: test, image: "postgres:18", commands: [until pg_isready -h db; do sleep 1; done, make test]}
`,
		Reference: "§7.4",
		check:     checkSleep,
	}}
}

// checkHiddenVariable looks at the environment of pipelines, beneath which is
// hardly anything. That of steps is looked at when the file is compiled.
func checkHiddenVariable(p *pass) {
	for pl := range p.pipelines() {
		if !containers(pl) {
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
		ofPipeline := names(pl.Environment)
		p.references(element{pipeline: pl, Step: &manifest.Step{}}, pl.Environment, ofPipeline)
		for e := range elements(pl) {
			if len(e.Environment) == 0 || slices.ContainsFunc(e.Commands, func(c manifest.String) bool { return expander.MatchString(c.Value) }) {
				continue
			}
			p.references(e, e.Environment, ofPipeline)
		}
	}
}

func names(list []manifest.EnvVar) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, v := range list {
		out[v.Name.Value] = true
	}
	return out
}

func (p *pass) references(e element, list []manifest.EnvVar, outer map[string]bool) {
	own := names(list)
	for _, v := range list {
		if !strings.Contains(v.Value.Value, "$") {
			continue
		}
		for _, at := range namedVariable.FindAllStringSubmatchIndex(v.Value.Value, -1) {
			whole, name := v.Value.Value[at[0]:at[1]], v.Value.Value[at[2]:at[3]]
			if strings.HasPrefix(whole, "${") || !own[name] && !outer[name] && !builtins().substituted[name] && !builtins().running[name] && !shellVariables[name] {
				continue // replaced before, or text
			}
			if v.Name.Value == "PATH" && !containers(e.pipeline) {
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
			p.valueText(element{pipeline: pl, Step: &manifest.Step{}}, v)
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
		if e.pipeline.Type.Value != "exec" {
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
	case v.Value.Null && e.pipeline.Type.Value == "exec": // null-variable
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

// operatorEnd matches what a command cannot end with.
var operatorEnd = regexp.MustCompile(`(\\|\|\||&&|\|)[ \t]*$`)

// scripts yields the services and steps whose commands a POSIX shell runs.
func (p *pass) scripts() iter.Seq[element] {
	return func(yield func(element) bool) {
		for e := range p.elements() {
			if len(e.Commands) > 0 && e.pipeline.Platform.OS.Value != "windows" && !yield(e) {
				return
			}
		}
	}
}

func checkSplitCommand(p *pass) {
	for e := range p.scripts() {
		for i, c := range e.Commands {
			if i+1 == len(e.Commands) {
				break
			}
			p.splitOperator(e, c)
			p.splitDocument(e, c, e.Commands[i+1:])
		}
	}
}

func (p *pass) splitOperator(e element, c manifest.String) {
	value := strings.TrimRight(c.Value, "\n")
	last := value[strings.LastIndexByte(value, '\n')+1:]
	at := operatorEnd.FindStringSubmatchIndex(last)
	if at == nil || strings.HasSuffix(last, `\\`) || strings.HasPrefix(strings.TrimSpace(last), "#") {
		return
	}
	operator := last[at[2]:at[3]]
	if operator != `\` && strings.TrimRight(code(value, allQuotes), " \t") != strings.TrimRight(value, " \t") && !strings.HasSuffix(strings.TrimRight(code(value, allQuotes), " \t"), operator) {
		return // in quotes, or in a comment
	}
	from := len(value) - len(last) + at[2]
	f := p.report(e, p.locate(c, from, at[3]-at[2]), fmt.Sprintf("a command of %s %q ends with `%s`, but does not go on in the next item", e.noun(), e.Name.Value, operator),
		"write both as one item, with `- |` and several lines")
	if operator == "&&" || operator == "||" {
		f.Severity = manifest.Warning
		f.Message = fmt.Sprintf("`%s` at the end of a command of %s %q has no effect on the next item", operator, e.noun(), e.Name.Value)
		if operator == "&&" {
			f.Hint = "remove it: the next command only runs when this one has succeeded"
		}
	}
}

func (p *pass) splitDocument(e element, c manifest.String, later []manifest.String) {
	if !strings.Contains(c.Value, "<<") {
		return
	}
	plain := code(c.Value, allQuotes)
	at := strings.LastIndex(plain, "<<")
	if at < 0 {
		return
	}
	m := hereDocument.FindStringSubmatch(c.Value[at:])
	if m == nil || strings.HasPrefix(c.Value[at:], "<<<") || at > 0 && (plain[at-1] == '<' || plain[at-1] == '(') {
		return
	}
	closes := func(text string) bool {
		return slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == m[1] })
	}
	if !closes(c.Value) && slices.ContainsFunc(later, func(c manifest.String) bool { return closes(c.Value) }) {
		p.report(e, p.locate(c, at, len(m[0])), fmt.Sprintf("the here-document %q of %s %q goes over several items, so that the lines that print them get into it", m[1], e.noun(), e.Name.Value),
			"write all of it as one item, with `- |` and several lines")
	}
}

var (
	plainExit = regexp.MustCompile(`^exit(\s+\d+)?\s*;?\s*$`)
	opening   = regexp.MustCompile(`(^|[\s;&|(])(if|for|while|until|case|select)\s|(^|[\s;])\{(\s|$)|\(\)\s*\{`)
	closing   = regexp.MustCompile(`(^|[\s;])(fi|done|esac|\})($|[\s;)&|>])`)
)

func checkDeadCommand(p *pass) {
	for e := range p.scripts() {
		if !slices.ContainsFunc(e.Commands, func(c manifest.String) bool { return strings.HasPrefix(strings.TrimSpace(c.Value), "exit") }) {
			continue
		}
		depth := 0
		for i, c := range e.Commands {
			plain := code(c.Value, allQuotes)
			if depth <= 0 && plainExit.MatchString(strings.TrimSpace(plain)) && i+1 < len(e.Commands) {
				f := p.report(e, c.Span, fmt.Sprintf("step %q ends here: its later commands never run", e.Name.Value), "remove it, or the commands after it")
				f.Related = []manifest.Related{{Span: e.Commands[i+1].Span, Message: "the first one that does not run"}}
				break
			}
			depth += len(opening.FindAllString(plain, -1)) - len(closing.FindAllString(plain, -1))
		}
	}
}

var backgroundEnd = regexp.MustCompile(`(?:^|[^&>|])(&)[ \t]*$`)

func checkBackgroundEnd(p *pass) {
	for e := range p.scripts() {
		c := e.Commands[len(e.Commands)-1]
		plain := strings.TrimRight(code(c.Value, allQuotes), " \t\n")
		if at := backgroundEnd.FindStringSubmatchIndex(plain); at != nil {
			p.report(e, p.locate(c, at[2], 1), fmt.Sprintf("the last command of %s %q goes into the background, where it is killed at once", e.noun(), e.Name.Value),
				"remove the `&`, or end with `wait`; a server for other steps is a service")
		}
	}
}

// shell is the /bin/sh of an image.
type shell struct {
	name  string
	lacks []*regexp.Regexp // each with the syntax in a group
}

var (
	arrays     = regexp.MustCompile(`(?m)(?:^|[;&|]\s*)((?:declare -a |local )?[A-Za-z_][A-Za-z0-9_]*\+?=\()`)
	hereString = regexp.MustCompile(`[^<](<<<)`)
	pipeBoth   = regexp.MustCompile(`(\|&)`)
	loopOfC    = regexp.MustCompile(`\bfor\s+(\(\()`)

	busyboxShell = &shell{"the shell of BusyBox", []*regexp.Regexp{arrays, hereString, pipeBoth, loopOfC}}
	dashShell    = &shell{"dash", []*regexp.Regexp{
		arrays, hereString, pipeBoth, loopOfC,
		regexp.MustCompile(`(?m)(?:^|[;&|!(]\s*|\b(?:if|elif|while|until|then|do|else)\s+)(\[\[)\s`),
		regexp.MustCompile(`(?m)(?:^|[;&|({]\s*|\b(?:then|do|else)\s+)(source)\s+\S`),
		regexp.MustCompile(`(?m)(?:^|[;&|]\s*)(function)\s+[A-Za-z_][\w-]*\s*(?:\(\))?\s*\{`),
		regexp.MustCompile(`\s(<\()[^)]`),
	}}
)

// debianImages are official images that are Debian or Ubuntu where the tag
// does not say otherwise.
var debianImages = map[string]bool{
	"debian": true, "ubuntu": true, "buildpack-deps": true, "golang": true, "node": true, "python": true, "ruby": true, "rust": true,
	"php": true, "perl": true, "gcc": true, "elixir": true, "erlang": true, "postgres": true, "redis": true, "nginx": true, "httpd": true,
}

// otherSystem matches tags of images that are not Debian.
var otherSystem = regexp.MustCompile(`windows|nanoserver|ubi|fedora|oracle`)

// shellOf is the shell of an image, nil when it is bash or not known.
func shellOf(image string) *shell {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil || reference.Domain(named) != "docker.io" {
		return nil
	}
	tag := ""
	if tagged, ok := named.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	name, official := strings.CutPrefix(reference.Path(named), "library/")
	if !official {
		return nil
	}
	switch {
	case name == "alpine", name == "busybox" && !strings.Contains(tag, "glibc"), strings.Contains(tag, "alpine"):
		return busyboxShell
	case debianImages[name] && !otherSystem.MatchString(tag):
		return dashShell
	}
	return nil
}

// otherShell matches what makes another shell run the commands or some of them.
var otherShell = regexp.MustCompile(`\b(bash|zsh|dpkg-reconfigure|update-alternatives|ln)\b.*\b(sh|dash|<<)|^\s*exec\s+(ba|z)sh|\b(ba|z)sh\b.*(<<|\s-s?c\b)`)

func checkBashSyntax(p *pass) {
	for e := range p.scripts() {
		if !containers(e.pipeline) {
			continue
		}
		if sh := shellOf(e.Image.Value); sh != nil {
			p.bashSyntax(e, sh)
		}
	}
}

// bashWords are in all commands that have syntax of bash.
var bashWords = []string{"[[", "=(", "((", "<(", "<<<", "|&", "source", "function"}

// bashSyntax reports the first construct that a shell does not know.
func (p *pass) bashSyntax(e element, sh *shell) {
	for _, c := range e.Commands {
		if !slices.ContainsFunc(bashWords, func(word string) bool { return strings.Contains(c.Value, word) }) {
			continue
		}
		if otherShell.MatchString(c.Value) {
			return
		}
		plain := code(c.Value, allQuotes)
		for _, syntax := range sh.lacks {
			if at := syntax.FindStringSubmatchIndex(plain); at != nil {
				word := c.Value[at[2]:at[3]]
				p.report(e, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("`%s` is of bash, but commands in %s are run by %s", strings.TrimSpace(word), cut(e.Image.Value), sh.name),
					posix(word))
				return
			}
		}
	}
}

// posix says what to write instead of something of bash.
func posix(word string) string {
	switch word {
	case "[[":
		return "write `[ \"$a\" = \"$b\" ]`, or `case`"
	case "source":
		return "write `.` instead: `. ./file`"
	case "function":
		return "write `name() { …; }`"
	case "|&":
		return "write `2>&1 |`"
	case "<<<":
		return "write `printf '%s\\n' … |` in front"
	}
	return "run it with bash, as a script or with `bash -c`, where the image has that"
}

func checkEchoEscape(p *pass) {
	for e := range p.scripts() {
		if !containers(e.pipeline) || shellOf(e.Image.Value) != dashShell {
			continue
		}
		for _, c := range e.Commands {
			if strings.Contains(c.Value, `\`) && p.echoEscape(e, c) {
				break
			}
		}
	}
}

// echoEscape reports the first escape of a command that makes a difference.
func (p *pass) echoEscape(e element, c manifest.String) bool {
	for i := 0; i+1 < len(c.Value); i++ {
		if c.Value[i] != '\\' {
			continue
		}
		escape := c.Value[i : i+2]
		made := ""
		switch escape[1] {
		case 'c':
			made = "the end of the script"
		case 'b', 'a', 'f', 'v', '0':
			made = "a control character"
		case 'n':
			if containsWord(lineAt(c.Value, i), "sed") {
				made = "a line break"
			}
		}
		if made != "" {
			f := p.report(e, p.locate(c, i, 2), fmt.Sprintf("on a server the shell of %s makes %s of `%s` before it runs the command", cut(e.Image.Value), made, escape),
				"put the command into a script of its own, or do without the backslash")
			if escape[1] != 'c' {
				f.Severity = manifest.Warning
			}
			return true
		}
		i++
	}
	return false
}

// stdinReaders match commands that read their standard input without being
// asked to.
var stdinReaders = []*regexp.Regexp{
	regexp.MustCompile(`(?m)(?:^|[;&]\s*|\b(?:then|do|else|sudo)\s+)(ssh|sshpass\b[^|;&\n]*?\bssh)\s+[^|;&<\n]*`),
	regexp.MustCompile(`(?m)(?:^|[;&]\s*|\b(?:then|do|else|sudo)\s+)(ffmpeg)\s+[^|;&<\n]*`),
	regexp.MustCompile(`(?m)(?:^|[;&]\s*|\b(?:then|do|else|sudo)\s+)((?:docker|kubectl|podman) (?:run|exec)\s+(?:-[a-zA-Z-]+\s+)*(?:-i|-it|-ti|--interactive))\s[^|;&<\n]*`),
}

var stdinClosed = regexp.MustCompile(`\s-(n|f|nostdin|[a-zA-Z]*n[a-zA-Z]*|N)\s|\s-nostdin\b|</dev/null|< /dev/null`)

func checkStdinEaten(p *pass) {
	for e := range p.scripts() {
		if !containers(e.pipeline) {
			continue
		}
		for i, c := range e.Commands {
			if i+1 == len(e.Commands) {
				break
			}
			if !strings.Contains(c.Value, "ssh") && !strings.Contains(c.Value, "ffmpeg") && !strings.Contains(c.Value, " -") {
				continue
			}
			if p.stdinEaten(e, c) {
				break
			}
		}
	}
}

func (p *pass) stdinEaten(e element, c manifest.String) bool {
	plain := code(c.Value, allQuotes)
	for _, reader := range stdinReaders {
		for _, at := range reader.FindAllStringSubmatchIndex(plain, -1) {
			line := plain[at[0]:at[1]]
			if stdinClosed.MatchString(line+" ") || at[1] < len(plain) && plain[at[1]] == '<' {
				continue
			}
			word := plain[at[2]:at[3]]
			if strings.Contains(word, "ssh") {
				word = "ssh"
			}
			hint := fmt.Sprintf("close its input: `%s … </dev/null`", word)
			switch word {
			case "ssh":
				hint = "write `ssh -n`, which leaves the input alone"
			case "ffmpeg":
				hint = "write `ffmpeg -nostdin`"
			}
			p.report(e, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("on a server `%s` reads the commands that follow it in step %q, which then do not run", word, e.Name.Value), hint)
			return true
		}
	}
	return false
}

var (
	pipeToTee = regexp.MustCompile(`(?m)[^|](\|&?)\s*tee\b`)
	pipefail  = regexp.MustCompile(`\bpipefail\b|PIPESTATUS`)
)

func checkPipeStatus(p *pass) {
	for e := range p.scripts() {
		for _, c := range e.Commands {
			if pipefail.MatchString(c.Value) {
				break
			}
			if !strings.Contains(c.Value, "tee") {
				continue
			}
			plain := code(c.Value, allQuotes)
			at := pipeToTee.FindStringSubmatchIndex(plain)
			if at == nil || harmlessSource.MatchString(lineBefore(plain, at[2])) {
				continue
			}
			p.report(e, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("a failure before `| tee` does not fail step %q", e.Name.Value),
				"write to a file and print that, or `set -o pipefail` where the shell knows it")
			break
		}
	}
}

// harmlessSource matches commands whose failure hardly matters.
var harmlessSource = regexp.MustCompile(`(^|[;&|]\s*)(echo|printf|cat|date|ls|env)\b[^;&|]*$`)

// lineBefore is what stands in front of a byte on its line.
func lineBefore(text string, at int) string {
	return text[strings.LastIndexByte(text[:at], '\n')+1 : at]
}

func checkBackquotes(p *pass) {
	for e := range p.scripts() {
		if !containers(e.pipeline) {
			continue
		}
		for _, c := range e.Commands {
			if !strings.Contains(c.Value, "`") {
				continue
			}
			at := strings.IndexByte(c.Value, '`')
			length := strings.IndexByte(c.Value[at+1:], '`')
			if length < 1 {
				continue
			}
			text := c.Value[at : at+length+2]
			f := p.report(e, p.locate(c, at, len(text)), fmt.Sprintf("a server runs %s twice, the first time when it prints the command", cut(text)), "write `$(…)` instead of backquotes")
			if quoted := code(c.Value, singleQuotes); quoted[at] != '`' {
				f.Message = fmt.Sprintf("a server runs %s, although it is quoted, when it prints the command", cut(text))
				f.Hint = "write `$(…)`, or put the text into a file"
			}
			break
		}
	}
}

var (
	exported     = regexp.MustCompile(`(?:^|[;&]\s*)export\s+([A-Za-z_][A-Za-z0-9_]*)=`)
	usedVariable = regexp.MustCompile(`\$(?:\$?\{)?([A-Za-z_][A-Za-z0-9_]*)([:\-=+]?)`)
)

// expansions are the places where a shell expands a variable, as usedVariable
// finds them. What is replaced before the YAML is read is none.
func expansions(text string) [][]int {
	return slices.DeleteFunc(usedVariable.FindAllStringSubmatchIndex(text, -1), func(at []int) bool {
		return strings.HasPrefix(text[at[0]:], "${")
	})
}

// exportOf is a variable that a step exports.
type exportOf struct {
	step string
	span manifest.Span
}

func checkLostVariable(p *pass) {
	for pl := range p.pipelines() {
		if pl.Platform.OS.Value == "windows" {
			continue
		}
		exports := map[string]exportOf{}
		shared := names(pl.Environment)
		for _, s := range pl.Steps {
			if s == nil {
				continue
			}
			e := element{s, pl, false}
			if len(exports) > 0 {
				p.lostVariable(e, exports, shared)
			}
			for _, c := range s.Commands {
				for _, at := range exported.FindAllStringSubmatchIndex(code(c.Value, allQuotes), -1) {
					name := c.Value[at[2]:at[3]]
					if _, known := exports[name]; !known && !commonVariable(name) {
						exports[name] = exportOf{s.Name.Value, p.locate(c, at[2], at[3]-at[2])}
					}
				}
			}
		}
	}
}

var lastCd = regexp.MustCompile(`(?:^|\n|&&|;)[ \t]*(cd[ \t]+[^\s;&|]+)\s*$`)

func checkLostDirectory(p *pass) {
	for pl := range p.pipelines() {
		for i, s := range pl.Steps {
			if s == nil || i+1 == len(pl.Steps) || len(s.Commands) == 0 {
				continue
			}
			c := s.Commands[len(s.Commands)-1]
			if !strings.Contains(c.Value, "cd") {
				continue
			}
			if at := lastCd.FindStringSubmatchIndex(code(c.Value, singleQuotes)); at != nil {
				p.report(element{s, pl, false}, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("step %q ends with `cd`, but the next step begins in the workspace again", s.Name.Value),
					"write it into the step that needs it")
			}
		}
	}
}

// commonVariable reports whether an image or a build may well set a variable.
func commonVariable(name string) bool {
	return shellVariables[name] || builtins().substituted[name] || builtins().running[name] || strings.HasSuffix(name, "PATH") || strings.HasSuffix(name, "_HOME") || strings.HasSuffix(name, "_VERSION")
}

func (p *pass) lostVariable(e element, exports map[string]exportOf, shared map[string]bool) {
	var own map[string]bool
	var set map[string]piece
	for _, c := range e.Commands {
		if !strings.Contains(c.Value, "$") {
			continue
		}
		plain := code(c.Value, singleQuotes)
		for _, at := range expansions(plain) {
			name := plain[at[2]:at[3]]
			export, ok := exports[name]
			if !ok || shared[name] || at[4] < at[5] {
				continue // a `:-` says that it may be missing
			}
			if own == nil {
				own, set = names(e.Environment), assigned(e.Commands)
			}
			if _, ok := set[name]; ok || own[name] || sources(e) {
				continue
			}
			delete(exports, name)
			f := p.report(e, p.locate(c, at[0], at[3]-at[0]), fmt.Sprintf("%s is empty in step %q: what step %q exports ends with it", name, e.Name.Value, export.step),
				"put it into `environment`, or write it to a file in the workspace and read that")
			f.Related = []manifest.Related{{Span: export.span, Message: "exported here"}}
		}
	}
}

// sources reports whether the commands of a step read a file with commands,
// which may set any variable.
func sources(e element) bool {
	return slices.ContainsFunc(e.Commands, func(c manifest.String) bool { return sourcing.MatchString(c.Value) })
}

var (
	sourcing   = regexp.MustCompile(`(?m)(^|[;&|]\s*)(\.|source|eval)\s`)
	fixedSleep = regexp.MustCompile(`^sleep\s+([0-9]+)(s|m)?$`)
)

func checkSleep(p *pass) {
	for pl := range p.pipelines() {
		waitsFor := ""
		for e := range elements(pl) {
			if (e.service || e.Detach.Value) && waitsFor == "" {
				waitsFor = e.Name.Value
			}
		}
		if waitsFor == "" {
			continue
		}
		for e := range elements(pl) {
			if e.service || e.Detach.Value {
				continue
			}
			for i, c := range e.Commands {
				if fixedSleep.MatchString(strings.TrimSpace(c.Value)) && (i == 0 || !backgroundEnd.MatchString(strings.TrimSpace(e.Commands[i-1].Value))) {
					p.report(e, c.Span, fmt.Sprintf("step %q waits a fixed time, probably for service %q", e.Name.Value, waitsFor),
						"ask the service until it answers: `until …; do sleep 1; done`")
					break
				}
			}
		}
	}
}
