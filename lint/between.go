package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// betweenRules are about what one step can count on from another.
func betweenRules() []Rule {
	return []Rule{{
		ID: "lost-variable", Group: groupCommands, Severity: manifest.Info,
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
		ID: "lost-directory", Group: groupCommands, Severity: manifest.Info,
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
		ID: "sleep-for-service", Group: groupCommands, Severity: manifest.Info,
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
		shared := namesOf(pl.Environment)
		for _, s := range pl.Steps {
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
			if i+1 == len(pl.Steps) || len(s.Commands) == 0 {
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
				own, set = namesOf(e.Environment), assigned(e.Commands)
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
