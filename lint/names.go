package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/drone-laptop/drone/manifest"
)

// nameRules are about the names of pipelines and steps.
func nameRules() []Rule {
	return []Rule{{
		ID: "duplicate-pipeline", Group: groupNames, Severity: manifest.Error,
		Summary: "two pipelines of one name",
		Explanation: "The server refuses the whole file. A pipeline without a name counts as one called `default` where " +
			"others depend on it.",
		Bad: `kind: pipeline
name: test
steps:
- {name: go, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: test
steps:
- {name: js, image: "node:24", commands: [npm test]}
`,
		Good: `kind: pipeline
name: test-go
steps:
- {name: go, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: test-js
steps:
- {name: js, image: "node:24", commands: [npm test]}
`,
		Reference: "§8.4, §10.4",
	}, {
		ID: "duplicate-step", Group: groupNames, Severity: manifest.Error,
		Summary: "two steps or services of one name in a pipeline",
		Explanation: "The runner refuses the pipeline: a name is what other steps depend on and how a service is reached. " +
			"`clone` is the name of the automatic clone step unless `clone: {disable: true}` is set, and services and steps share their names.",
		Bad: `kind: pipeline
name: default
services:
- {name: redis, image: "redis:8"}
steps:
- {name: redis, image: "redis:8", commands: [redis-cli -h redis ping]}
`,
		Good: `kind: pipeline
name: default
services:
- {name: redis, image: "redis:8"}
steps:
- {name: ping, image: "redis:8", commands: [redis-cli -h redis ping]}
`,
		Reference: "§10.1, §10.2",
	}, {
		ID: "missing-name", Group: groupNames, Severity: manifest.Error,
		Summary:     "a step, service, volume or secret without a name",
		Explanation: "The runner refuses a pipeline with a step, service or volume that has no name. Nothing can ask for a secret without one.",
		Bad: `kind: pipeline
name: default
steps:
- image: golang:1.26
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
`,
		Reference: "§10.1, §10.2",
	}, {
		ID: "missing-image", Group: groupNames, Severity: manifest.Error,
		Summary:     "a step or service without an image",
		Explanation: "Whatever runs in a container needs an image. Only steps of pipelines of `type: exec` have none.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  commands: [make test]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands: [make test]
`,
		Reference: "§10.2",
	}, {
		ID: "long-name", Group: groupNames, Severity: manifest.Error,
		Summary:     "the name of a step has more than 100 bytes",
		Explanation: "The runner refuses the pipeline. Bytes count, so letters beyond ASCII count more than once.",
		Bad: `kind: pipeline
name: default
steps:
- name: ` + strings.Repeat("very-", 20) + `long
  image: alpine:3
  commands: [make test]
`,
		Good: `kind: pipeline
name: default
steps:
- name: short
  image: alpine:3
  commands: [make test]
`,
		Reference: "§10.1",
	}, {
		ID: "host-name", Group: groupNames, Severity: manifest.Warning,
		Summary: "the name of a service cannot be used as a host name",
		Explanation: "Steps reach a service under its name. One with a blank or another character that no host name has " +
			"can hardly be written in an address.",
		Bad: `kind: pipeline
name: default
services:
- name: my database
  image: postgres:18
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
services:
- name: database
  image: postgres:18
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§7.3",
		check:     checkHostNames,
	}, {
		ID: "unnamed-pipeline", Group: groupNames, Severity: manifest.Warning,
		Summary: "a pipeline without a name among pipelines that depend on each other",
		Explanation: "A server knows a pipeline without a name under no name at all: its own `depends_on` is forgotten, and " +
			"pipelines that depend on `default` do not wait for it.",
		Bad: `kind: pipeline
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: deploy
depends_on: [default]
steps:
- {name: deploy, image: "alpine:3", commands: [./deploy.sh]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: deploy
depends_on: [default]
steps:
- {name: deploy, image: "alpine:3", commands: [./deploy.sh]}
`,
		Reference: "§8.4",
		check:     checkUnnamed,
	}, {
		ID: "platform", Group: groupNames, Severity: manifest.Error,
		Summary: "an operating system or processor that the server does not know",
		Explanation: "The server refuses the file unless `platform.os` is linux or windows, and `platform.arch` amd64, arm64, arm, " +
			"ppc64le or s390x. The names are those of Go, not those of `uname -m`. Pipelines of other types than docker may name others.",
		Bad: `kind: pipeline
name: default
platform: {os: linux, arch: x86_64}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
platform: {os: linux, arch: arm64}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§10.4",
		check:     checkPlatform,
	}}
}

// hostName is what can stand in an address. The name server of Docker takes
// underscores too.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`)

func checkHostNames(p *pass) {
	for e := range p.elements() {
		name := e.Name.Value
		if !e.service || !e.pipeline.InContainers() || name == "" || hostName.MatchString(name) || strings.Contains(name, "${") {
			continue
		}
		hint := "use letters, digits and hyphens"
		if better := asHostName(name); better != "" {
			hint = fmt.Sprintf("name it, for example, %q", better)
		}
		p.report(e, e.span(), fmt.Sprintf("service %q is reached under its name, which is no host name", name), hint)
	}
}

var notInHostNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// asHostName makes a host name of any name, "" when nothing is left of it.
func asHostName(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return "" // what is left of such a word is none
	}
	return strings.ToLower(strings.Trim(notInHostNames.ReplaceAllString(name, "-"), "-"))
}

func checkUnnamed(p *pass) {
	all := slices.Collect(p.pipelines())
	if len(all) < 2 {
		return
	}
	for _, pl := range all {
		if pl.Name.Value != "" {
			continue
		}
		for _, other := range all {
			at := slices.IndexFunc(other.DependsOn, func(d manifest.String) bool { return d.Value == "default" })
			if at < 0 || other == pl {
				continue
			}
			f := p.reportIn(other, other.DependsOn[at].Span, fmt.Sprintf("pipeline %q does not wait for the pipeline without a name on a server", other.DisplayName()),
				"write `name: default` in that pipeline")
			f.Related = []manifest.Related{{Span: firstLine(pl.Span), Message: "this one has no name"}}
		}
		if len(pl.DependsOn) > 0 {
			p.reportIn(pl, pl.DependsOn[0].Span, "a pipeline without a name waits for no other on a server", "give the pipeline a `name`")
		}
	}
}

// firstLine is the beginning of a span, for what is too long to mark.
func firstLine(s manifest.Span) manifest.Span { return manifest.Span{Start: s.Start, End: s.Start} }

// The platforms that the server takes (reference §10.4), and what people call
// them otherwise.
var (
	knownOS    = []string{"linux", "windows"}
	hostOS     = []string{"darwin", "macos", "freebsd", "openbsd", "netbsd", "solaris", "aix"}
	knownArchs = []string{"amd64", "arm64", "arm", "ppc64le", "s390x"}
	otherArchs = map[string]string{
		"x86_64": "amd64", "x86-64": "amd64", "x64": "amd64", "intel": "amd64", "amd": "amd64",
		"aarch64": "arm64", "armv8": "arm64", "arm64v8": "arm64", "arm64/v8": "arm64",
		"armhf": "arm", "armv7": "arm", "armv7l": "arm", "armv6": "arm", "arm32v7": "arm", "arm32": "arm", "arm/v7": "arm",
		"ppc64": "ppc64le",
	}
)

func checkPlatform(p *pass) {
	for pl := range p.pipelines() {
		if !pl.InContainers() {
			continue
		}
		if os := pl.Platform.OS; os.Value != "" && !slices.Contains(knownOS, os.Value) && !strings.Contains(os.Value, "${") {
			f := p.reportIn(pl, os.Span, fmt.Sprintf("platform.os %q is unknown: a server refuses the file", os.Value), "write linux or windows")
			if best := closestOf(os.Value, knownOS); best != "" {
				f.Hint, f.Fix = fmt.Sprintf("did you mean `%s`?", best), p.replace(os, best)
			}
			if slices.Contains(hostOS, os.Value) {
				// It is a system, only that no container has it.
				f.Severity = manifest.Warning
				f.Message = fmt.Sprintf("no server takes a pipeline of containers for platform.os %q", os.Value)
				f.Hint, f.Fix = "write linux, or `type: exec` and no images if the commands are to run on such a machine", nil
			}
		}
		arch := pl.Platform.Arch
		if arch.Value == "" || slices.Contains(knownArchs, arch.Value) || strings.Contains(arch.Value, "${") {
			continue
		}
		best := otherArchs[strings.ToLower(arch.Value)]
		if best == "" {
			best = closestOf(arch.Value, knownArchs)
		}
		f := p.reportIn(pl, arch.Span, fmt.Sprintf("platform.arch %q is unknown: a server refuses the file", arch.Value),
			"write one of "+strings.Join(knownArchs, ", "))
		if best != "" {
			f.Hint, f.Fix = fmt.Sprintf("did you mean `%s`?", best), p.replace(arch, best)
		}
	}
}
