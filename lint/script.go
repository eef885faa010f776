package lint

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// scriptRules are about the commands of a step as the one script that they
// become.
func scriptRules() []Rule {
	return []Rule{{
		ID: "split-command", Group: groupCommands, Severity: manifest.Error,
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
		ID: "dead-command", Group: groupCommands, Severity: manifest.Warning,
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
		ID: "background-end", Group: groupCommands, Severity: manifest.Warning,
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
		ID: "pipe-status", Group: groupCommands, Severity: manifest.Info,
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
	}}
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
