package lint

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// containerRules are about how a step is run.
func containerRules() []Rule {
	return []Rule{{
		ID: "image-on-host", Group: groupImages, Severity: manifest.Error,
		Summary:     "an image in a pipeline of type exec",
		Explanation: "The runner refuses the pipeline: its commands run on the machine, not in containers.",
		Bad: `kind: pipeline
type: exec
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
type: exec
name: default
steps:
- {name: test, commands: [go test ./...]}
`,
		Reference: "§10.3",
	}, {
		ID: "no-effect", Group: groupImages, Severity: manifest.Warning,
		Summary:     "a key that only containers heed, in a pipeline of type exec",
		Explanation: "Runners that run commands on the machine itself read the key and do nothing with it.",
		Bad: `kind: pipeline
type: exec
name: default
steps:
- {name: test, pull: always, commands: [go test ./...]}
`,
		Good: `kind: pipeline
type: exec
name: default
steps:
- {name: test, commands: [go test ./...]}
`,
		Reference: "§3",
	}, {
		ID: "unknown-failure", Group: groupImages, Severity: manifest.Error,
		Summary:     "a word for `failure` that the runner does not know",
		Explanation: "`failure: ignore` keeps a failed step from failing the pipeline. Any other word has no effect but that of a failure.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", failure: ignored, commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", failure: ignore, commands: [go test ./...]}
`,
		Reference: "§12.2",
		grade:     gradeFailure,
	}, {
		ID: "nothing-to-do", Group: groupImages, Severity: manifest.Warning,
		Summary: "a step with neither commands nor settings",
		Explanation: "The step runs the program that the image names. Most images name a shell or an interpreter, which ends at once and " +
			"looks like success. A plugin without settings is fine; so are services.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
`,
		Reference: "§2.2",
		check:     checkNothingToDo,
	}, {
		ID: "commands-win", Group: groupImages, Severity: manifest.Warning,
		Summary:     "`entrypoint` or `command` beside `commands`",
		Explanation: "`commands` become a script that takes the place of both, so they have no effect.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", entrypoint: [/bin/ash], commands: [make test]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", entrypoint: [/bin/ash, -c], command: [make test]}
`,
		Reference: "§2.2",
		check:     checkCommandsWin,
	}, {
		ID: "exec-form", Group: groupImages, Severity: manifest.Warning,
		Summary: "several words in one item of `entrypoint` or `command`",
		Explanation: "Both are lists of words that reach the program as they are: no shell takes them apart. `command: [npm test]` asks for a program that is called " +
			"`npm test`, with the blank, or passes that on as one argument, so that the container does not start, or its program fails. Write an item for each word, or " +
			"`commands`, which a shell runs. Only what is behind `-c` of a shell belongs into one item.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "node:24", command: [npm test]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "node:24", command: [npm, test]}
`,
		Reference: "§2.2",
		check:     checkExecForm,
	}, {
		ID: "memory-limit", Group: groupImages, Severity: manifest.Error,
		Summary:     "a memory limit that the engine refuses",
		Explanation: "Docker refuses limits below 6 MB, and a `memswap_limit`, which counts memory and swap together, below `mem_limit`. A number without a unit counts bytes.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", mem_limit: 512, commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", mem_limit: 512m, memswap_limit: 1g, commands: [go test ./...]}
`,
		Reference: "§2.6",
		check:     checkMemory,
	}}
}

func gradeFailure(f *manifest.Problem, text string) {
	f.Severity = manifest.Error
	word := strings.ToLower(strings.Trim(text, `"'`))
	if strings.HasPrefix(word, "ign") || closestOf(word, []string{"ignore"}) != "" {
		f.Hint, f.Fix = "did you mean `ignore`?", &manifest.Edit{Span: f.Span, Text: "ignore"}
	}
}

func checkNothingToDo(p *pass) {
	for e := range p.elements() {
		switch {
		case !e.pipeline.InContainers() || e.service || e.Detach.Value || e.Image.Value == "":
		case len(e.Commands)+len(e.Settings)+len(e.Environment)+len(e.Command)+len(e.Entrypoint) > 0:
		case manifest.IsPlugin(e.Image.Value):
		case imageFault(e.Image.Value) != "" || p.misread(e):
		default:
			p.report(e, e.span(), fmt.Sprintf("step %q has neither commands nor settings, so it only starts what the image names", e.Name.Value),
				"add `commands:`, or `settings:` for a plugin")
		}
	}
}

func checkCommandsWin(p *pass) {
	for e := range p.elements() {
		if !e.pipeline.InContainers() || len(e.Commands) == 0 {
			continue
		}
		for key, list := range map[string][]manifest.String{"entrypoint": e.Entrypoint, "command": e.Command} {
			if len(list) > 0 {
				p.report(e, list[0].Span, fmt.Sprintf("`%s` of %s %q has no effect beside `commands`", key, e.noun(), e.Name.Value),
					"remove it, or `commands`")
			}
		}
	}
}

var (
	programAndWord = regexp.MustCompile(`^(?:[A-Za-z][\w+.-]*|\.{0,2}/[\w./+-]+)[ \t]+\S`)
	optionAndWord  = regexp.MustCompile(`^--[A-Za-z][\w.-]*[ \t]+\S`)
	shellOption    = regexp.MustCompile(`^-[a-z]*c$`)
	plainWords     = regexp.MustCompile(`^[\w./=+@ -]+$`)
)

func checkExecForm(p *pass) {
	for e := range p.elements() {
		if !e.pipeline.InContainers() || len(e.Commands) > 0 {
			continue // see commands-win
		}
		key, item := joinedWords(e)
		if key == "" {
			continue
		}
		hint := "write an item for each word, or `commands` for a shell"
		if words := strings.Fields(item.Value); plainWords.MatchString(item.Value) && len(words) < 8 {
			hint = fmt.Sprintf("write an item for each word, `[%s]`, or `commands` for a shell", strings.Join(words, ", "))
		}
		p.report(e, item.Span, fmt.Sprintf("`%s` of %s %q has %q as one word, as no shell takes it apart", key, e.noun(), e.Name.Value, cut(item.Value)), hint)
	}
}

// joinedWords is the first item of an element that was meant to be several, and
// its key, "" when there is none. What the words behind an `entrypoint` of the
// file are is for its program to say.
func joinedWords(e element) (key string, item manifest.String) {
	if len(e.Entrypoint) > 0 {
		if programAndWord.MatchString(e.Entrypoint[0].Value) {
			return "entrypoint", e.Entrypoint[0]
		}
		return "", item
	}
	for i, item := range e.Command {
		switch {
		case i == 0 && programAndWord.MatchString(item.Value), optionAndWord.MatchString(item.Value):
			return "command", item
		case shellOption.MatchString(item.Value):
			return "", item
		}
	}
	return "", item
}

func checkMemory(p *pass) {
	const least = 6 << 20
	for e := range p.elements() {
		if !e.pipeline.InContainers() {
			continue
		}
		limit, swap := e.MemLimit, e.MemSwapLimit
		if limit.Bytes > 0 && limit.Bytes < least {
			p.report(e, limit.Span, fmt.Sprintf("mem_limit of %s %q is %d bytes, and the engine refuses less than 6 MB", e.noun(), e.Name.Value, limit.Bytes),
				"write the unit, for example 512m")
		}
		if swap.Bytes > 0 && swap.Bytes < limit.Bytes {
			f := p.report(e, swap.Span, fmt.Sprintf("memswap_limit of %s %q is less than its mem_limit, which the engine refuses", e.noun(), e.Name.Value),
				"memswap_limit counts memory and swap together: write more than mem_limit")
			f.Related = []manifest.Related{{Span: limit.Span, Message: "mem_limit is here"}}
		}
	}
}
