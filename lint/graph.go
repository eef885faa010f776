package lint

import (
	"fmt"

	"github.com/drone-laptop/drone/manifest"
)

// graphRules are about what waits for what.
func graphRules() []Rule {
	return []Rule{{
		ID: "unknown-step", Group: groupNames, Severity: manifest.Error,
		Summary:     "a step depends on one that does not exist",
		Explanation: "The runner refuses the pipeline. `depends_on` of a step names steps and services of the same pipeline, or `clone`.",
		Bad: `kind: pipeline
name: default
steps:
- {name: build, image: "golang:1.26", commands: [go build ./...]}
- {name: test, image: "golang:1.26", commands: [go test ./...], depends_on: [biuld]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: build, image: "golang:1.26", commands: [go build ./...]}
- {name: test, image: "golang:1.26", commands: [go test ./...], depends_on: [build]}
`,
		Reference: "§8.3",
	}, {
		ID: "unknown-pipeline", Group: groupNames, Severity: manifest.Error,
		Summary:     "a pipeline depends on one that does not exist",
		Explanation: "The server refuses the file. `depends_on` of a pipeline names other pipelines of the file, of whatever type.",
		Bad: `kind: pipeline
name: test
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: deploy
depends_on: [tests]
steps:
- {name: deploy, image: "alpine:3", commands: [./deploy.sh]}
`,
		Good: `kind: pipeline
type: exec
name: test
steps:
- {name: test, commands: [go test ./...]}
---
kind: pipeline
name: deploy
depends_on: [test]
steps:
- {name: deploy, image: "alpine:3", commands: [./deploy.sh]}
`,
		Reference: "§8.4, §10.4",
	}, {
		ID: "step-cycle", Group: groupNames, Severity: manifest.Error,
		Summary:     "steps that wait for each other",
		Explanation: "The runner refuses the pipeline: none of the steps could ever start.",
		Bad: `kind: pipeline
name: default
steps:
- {name: build, image: "golang:1.26", commands: [go build ./...], depends_on: [test]}
- {name: test, image: "golang:1.26", commands: [go test ./...], depends_on: [build]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: build, image: "golang:1.26", commands: [go build ./...]}
- {name: test, image: "golang:1.26", commands: [go test ./...], depends_on: [build]}
`,
		Reference: "§8.3",
	}, {
		ID: "pipeline-cycle", Group: groupNames, Severity: manifest.Error,
		Summary:     "pipelines that wait for each other",
		Explanation: "The server refuses the build: none of the pipelines could ever start.",
		Bad: `kind: pipeline
name: one
depends_on: [two]
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: two
depends_on: [one]
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: one
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: two
depends_on: [one]
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§8.4, §10.4",
	}, {
		ID: "forward-dependency", Group: groupNames, Severity: manifest.Warning,
		Summary: "a dependency on what comes later in the file",
		Explanation: "The meaning is clear, and `drone exec` runs it. The linters of the server and of its runner read from top to " +
			"bottom and refuse a name that they have not met yet.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...], depends_on: [build]}
- {name: build, image: "golang:1.26", commands: [go build ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: build, image: "golang:1.26", commands: [go build ./...]}
- {name: test, image: "golang:1.26", commands: [go test ./...], depends_on: [build]}
`,
		Reference: "§8.3, §8.4",
	}, {
		ID: "phantom-pipeline", Group: groupNames, Severity: manifest.Warning,
		Summary:     "a dependency on a document that is no pipeline",
		Explanation: "A server takes a document of an unknown kind for a pipeline that no runner ever takes, and waits for it for ever.",
		Bad: `kind: Pipeline
name: test
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: deploy
depends_on: [test]
steps:
- {name: deploy, image: "alpine:3", commands: [./deploy.sh]}
`,
		Good: `kind: pipeline
name: test
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: deploy
depends_on: [test]
steps:
- {name: deploy, image: "alpine:3", commands: [./deploy.sh]}
`,
		Reference: "§1.4",
	}, {
		ID: "lost-pipeline", Group: groupNames, Severity: manifest.Error,
		Summary: "a pipeline that is none any more once variables are substituted",
		Explanation: "Substitution works on the text before YAML is read. A value with a line break or a document separator " +
			"can make another document of it.",
		Untold:    "It depends on the values of a build, so a file alone cannot show it.",
		Good:      "kind: pipeline\nname: default\nsteps:\n- {name: test, image: \"golang:1.26\", commands: [go test ./...]}\n",
		Reference: "§4",
	}, {
		ID: "unsupported-pipeline", Group: groupNames, Severity: manifest.Error,
		Summary:     "a pipeline that was asked for by its name and cannot run on this machine",
		Explanation: "Pipelines of other types than docker and exec, and those for Windows, need a runner of their own.",
		Untold:      "Only `--pipeline` of the commands that run or plan a file asks for one.",
		Good:        "kind: pipeline\ntype: ssh\nname: default\nserver: {host: example.org, user: root}\nsteps:\n- {name: test, commands: [go test ./...]}\n",
	}, {
		ID: "step-left-out", Group: groupNames, Severity: manifest.Warning,
		Summary:     "a step that was asked for by its name and does not run",
		Explanation: "`--include`, `--exclude` or `--resume-at` names only steps of pipelines that this build does not select.",
		Untold:      "Only flags of the commands that run or plan a file ask for steps.",
		Good:        "kind: pipeline\nname: default\nsteps:\n- {name: test, image: \"golang:1.26\", commands: [go test ./...]}\n",
	}, {
		ID: "missing-remote", Group: groupNames, Severity: manifest.Error,
		Summary:     "a pipeline of type exec that cannot clone",
		Explanation: "With `--clone` its first step clones the repository, and the working tree has no remote to clone from.",
		Untold:      "Only `drone exec --clone` asks for it.",
		Good:        "kind: pipeline\ntype: exec\nname: default\nsteps:\n- {name: test, commands: [go test ./...]}\n",
	}, {
		ID: "implicit-order", Group: groupNames, Severity: manifest.Warning,
		Summary: "a step without `depends_on` in a pipeline where others have it",
		Explanation: "As soon as one step of a pipeline has `depends_on`, no step waits for the one above it any more: every step " +
			"without `depends_on` starts at once, beside the first. A step at the end that was meant to come last then runs " +
			"first. It is only reported where nothing waits for the step either; as a note where it may well be meant so.",
		Bad: `kind: pipeline
name: default
steps:
- {name: build, image: "golang:1.26", commands: [go build ./...]}
- {name: test, image: "golang:1.26", commands: [go test ./...], depends_on: [build]}
- {name: publish, image: "alpine:3", commands: [./publish.sh]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: build, image: "golang:1.26", commands: [go build ./...]}
- {name: test, image: "golang:1.26", commands: [go test ./...], depends_on: [build]}
- {name: publish, image: "alpine:3", commands: [./publish.sh], depends_on: [test]}
`,
		Reference: "§8.1",
		check:     checkImplicitOrder,
	}}
}

// checkImplicitOrder looks for steps that are no part of the graph that other
// steps make.
func checkImplicitOrder(p *pass) {
	for pl := range p.pipelines() {
		wanted := map[string]bool{}
		var links []element
		for e := range elements(pl) {
			for _, d := range e.DependsOn {
				wanted[d.Value] = true
			}
			if len(e.DependsOn) > 0 && !onlyClone(e) {
				links = append(links, e)
			}
		}
		if len(links) == 0 {
			continue
		}
		var loose []element
		after := false // one of them comes after a step that is part of the graph
		steps, linked := 0, false
		for e := range elements(pl) {
			switch {
			case e.service:
			case len(e.DependsOn) > 0 || wanted[e.Name.Value]:
				steps++
				linked = true
			case e.Detach.Value:
			default:
				steps++
				loose = append(loose, e)
				after = after || linked
			}
		}
		if len(loose) == 0 || steps < 3 {
			continue
		}
		p.reportLoose(loose, links[0], after || len(links) == 1 && len(loose) > 1)
	}
}

// onlyClone reports whether a step waits for nothing but the clone step, which
// it would wait for anyway.
func onlyClone(e element) bool { return len(e.DependsOn) == 1 && e.DependsOn[0].Value == "clone" }

func (p *pass) reportLoose(loose []element, link element, surely bool) {
	var names []string
	for _, e := range loose {
		names = append(names, e.Name.Value)
	}
	first := loose[0]
	message := fmt.Sprintf("step %s starts at once and not after the one above it, because other steps have `depends_on`", quoted(names))
	if len(loose) > 1 {
		message = fmt.Sprintf("steps %s start at once and not one after another, because other steps have `depends_on`", quoted(names))
	}
	f := p.report(first, first.span(), message, "add `depends_on` with what each has to wait for, or `depends_on: [clone]` if it is meant so")
	f.Related = []manifest.Related{{Span: link.DependsOn[0].Span, Message: fmt.Sprintf("step %q makes a graph of the pipeline", link.Name.Value)}}
	if !surely && f.Severity == manifest.Warning {
		f.Severity = manifest.Info
	}
}
