package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// keyRules are about the keys of maps and the shapes of their values.
func keyRules() []Rule {
	return []Rule{{
		ID: manifest.RuleDuplicateKey, Group: groupKeys, Severity: manifest.Error,
		Summary: "a key twice in one map, so that a value is lost",
		Explanation: "The later value wins, and the first has no effect. A whole pipeline is lost where the `---` between two of them is missing. " +
			"Where nothing is lost it is the rule `repeated-key`.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go vet ./...]
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go vet ./..., go test ./...]
`,
		Reference: "§1.5",
		grade:     gradeError,
	}, {
		ID: manifest.RuleRepeatedKey, Group: groupKeys, Severity: manifest.Warning,
		Summary: "a key twice in one map, without harm",
		Explanation: "The values are the same, or maps whose entries come together. It is easily overlooked when one of them is changed, and " +
			"other programs that read YAML refuse it.",
		Bad: `kind: pipeline
name: default
trigger: {branch: [main]}
trigger: {event: [push]}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
trigger: {branch: [main], event: [push]}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§1.5",
	}, {
		ID: manifest.RuleUnknownKey, Group: groupKeys, Severity: manifest.Error,
		Summary: "a key that nothing reads",
		Explanation: "Misspelt keys, and keys of other systems or at another level, have no effect and no server says a word. It is an error " +
			"where it is known what was meant, and else a warning. Keys that only hold anchors may be called anything if their value " +
			"has the anchor, or begin with `x-` or a dot at the top of a document.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  comands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
x-image: golang
.image: &image golang:1.26
steps:
- name: test
  image: *image
  commands: [go test ./...]
`,
		Reference: "§2, §12.2",
		grade:     gradeUnknownKey,
	}, {
		ID: manifest.RuleFlatSettings, Group: groupKeys, Severity: manifest.Error,
		Summary:     "parameters of a plugin outside `settings`",
		Explanation: "With Drone 0.8 they stood beside `image`. Since 1.0 they belong under `settings`, and anywhere else the plugin does not get them.",
		Bad: `kind: pipeline
name: default
steps:
- name: publish
  image: plugins/docker:20
  repo: octocat/hello
  tags: [latest]
`,
		Good: `kind: pipeline
name: default
steps:
- name: publish
  image: plugins/docker:20
  settings:
    repo: octocat/hello
    tags: [latest]
`,
		Reference: "§2.2, §2.5",
		grade:     gradeError,
	}, {
		ID: manifest.RuleIgnoredKey, Group: groupKeys, Severity: manifest.Warning,
		Summary: "a key that Drone knows and no runner reads",
		Explanation: "Some keys are left over from Drone 0.8, as `group`, `secrets` and `matrix`, or belong to another runner, or were planned. " +
			"They have no effect.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  secrets: [token]
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  environment: {TOKEN: {from_secret: token}}
  commands: [go test ./...]
  when: {event: push}
`,
		Reference: "§2.2",
	}, {
		ID: manifest.RuleShape, Group: groupKeys, Severity: manifest.Error,
		Summary: "a value of the wrong shape",
		Explanation: "A list where text is expected, text where a map is expected, and so on. The server refuses the file with a message of its " +
			"decoder that names neither the key nor the step.",
		Bad: `kind: pipeline
name: default
clone: false
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
clone: {disable: true}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§1.5, §12.2",
	}, {
		ID: manifest.RuleSize, Group: groupKeys, Severity: manifest.Error,
		Summary:     "a text that is no size of memory",
		Explanation: "Write a number of bytes, or a number with one of the units b, k, m, g, t, p, which count in 1024. The units of Kubernetes, as in `512Mi`, are not known.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", mem_limit: 512Mi, commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", mem_limit: 512MiB, commands: [go test ./...]}
`,
		Reference: "§2.6",
	}, {
		ID: manifest.RuleKind, Group: groupKeys, Severity: manifest.Error,
		Summary: "a document without `kind`, or of a kind that nobody knows",
		Explanation: "Without a `kind` the server refuses the file. It takes any other word than pipeline, secret, signature and template for a pipeline, " +
			"which waits in the queue for ever. Documents of kind cron and registry have no effect, which is a warning.",
		Bad: `kind: Pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§1.4",
		grade:     gradeKind,
	}, {
		ID: "unknown-type", Group: groupKeys, Severity: manifest.Error,
		Summary: "a type of pipeline that no known runner takes",
		Explanation: "The server gives a pipeline only to runners of its type: with a misspelt type it waits in the queue for ever. Without a " +
			"`type` it is a docker pipeline. A type that resembles none of the known ones is a warning, for somebody may have a runner for it.",
		Bad: `kind: pipeline
type: dokcer
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
type: docker
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§1.3",
		check:     checkType,
	}, {
		ID: manifest.RuleLegacy, Group: groupKeys, Severity: manifest.Error,
		Summary: "a file for Drone 0.8 or older",
		Explanation: "Up to Drone 0.8 a file was one document without `kind`, with the steps as a map under `pipeline`; with Drone 0.4 under " +
			"`build`, `publish`, `deploy` and `notify`. Today `steps` is a list in a document of `kind: pipeline`. `drone convert` rewrites such a file, and `drone exec` runs it as it is. For one that a server converts, since it has a line with nothing but `pipeline:`, `drone lint` has a warning; it looks at what the file becomes, and tells what has no equivalent.",
		Bad: `pipeline:
  test:
    image: golang:1.26
    commands: [go test ./...]
`,
		Good:      example,
		Reference: "§1.4",
	}, {
		ID: "no-pipeline", Group: groupKeys, Severity: manifest.Error,
		Summary:     "a file without a pipeline",
		Explanation: "A pipeline is a document with `kind: pipeline`. Without one there is nothing to run.",
		Bad:         "kind: secret\nname: token\ndata: 3Nd7pV1nYyLc0GkPqZ0rXw==\n",
		Good:        example,
		Reference:   "§1.4",
	}, {
		ID: "no-steps", Group: groupKeys, Severity: manifest.Error,
		Summary: "a pipeline without steps",
		Explanation: "The server runs the clone step and reports success, so that nothing is tested and nobody notices. With " +
			"`depends_on` it is where other pipelines come together, and fine.",
		Bad: `kind: pipeline
name: default
services:
- {name: redis, image: "redis:8"}
`,
		Good: `kind: pipeline
name: default
services:
- {name: redis, image: "redis:8"}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§2.1",
		check:     checkNoSteps,
	}}
}

// gradeError is for what the author loses, though the server runs it.
func gradeError(f *manifest.Problem, _ string) { f.Severity = manifest.Error }

// leftovers are keys of Drone 0.8 at the top of a file or in its conditions,
// which many files still have that otherwise do what they should.
var leftovers = []string{"branches", "matrix"}

// gradeUnknownKey makes it an error where the remedy is known.
func gradeUnknownKey(f *manifest.Problem, text string) {
	sure := f.Hint != "" && !strings.HasPrefix(f.Hint, "perhaps ")
	leftover := f.Step == "" && f.Fix == nil && slices.Contains(leftovers, strings.Trim(text, `"'`))
	if sure && !leftover {
		f.Severity = manifest.Error
	}
}

func gradeKind(f *manifest.Problem, text string) {
	switch strings.Trim(text, `"'`) {
	case "cron", "registry":
	default:
		f.Severity = manifest.Error
	}
}

// types are those of the pipelines that a known runner takes.
func types() []string {
	for _, o := range manifest.Schema() {
		for _, k := range o.Keys {
			if o.Name == "document" && k.Name == "type" {
				return k.Values
			}
		}
	}
	return nil
}

func checkType(p *pass) {
	var known []string
	for pl := range p.pipelines() {
		t := pl.Type
		if pl.InContainers() || pl.OnHost() || strings.Contains(t.Value, "${") {
			continue
		}
		if known == nil {
			known = types()
		}
		if slices.Contains(known, t.Value) {
			continue
		}
		if best := closestOf(t.Value, known); best != "" {
			f := p.reportIn(pl, t.Span, fmt.Sprintf("no runner takes pipelines of type %q", t.Value), fmt.Sprintf("did you mean `type: %s`?", best))
			f.Fix = p.replace(t, best)
			continue
		}
		f := p.reportIn(pl, t.Span, fmt.Sprintf("no known runner takes pipelines of type %q", t.Value),
			"the known types are "+strings.Join(known, ", ")+"; without a runner of that type the pipeline waits for ever")
		f.Severity = manifest.Warning
	}
}

func checkNoSteps(p *pass) {
	for pl := range p.pipelines() {
		if len(pl.Steps) > 0 || len(pl.DependsOn) > 0 || p.stepsElsewhere(pl) {
			continue
		}
		if !pl.InContainers() && !pl.OnHost() && !slices.Contains(types(), pl.Type.Value) {
			continue
		}
		at := firstLine(pl.Span)
		if pl.Name.IsSet() && !pl.Name.Null {
			at = pl.Name.Span
		}
		p.reportIn(pl, at, fmt.Sprintf("pipeline %q has no steps, so it succeeds without doing anything", pl.DisplayName()),
			"add `steps:`, or remove the pipeline")
	}
}

// stepsElsewhere reports whether something is wrong with the steps that a
// pipeline has: its `steps` are of another shape, or it has a key that was
// probably meant.
func (p *pass) stepsElsewhere(pl *manifest.Pipeline) bool {
	return slices.ContainsFunc(p.parsed, func(f manifest.Problem) bool {
		within := pl.Span.Start.Offset <= f.Span.Start.Offset && f.Span.Start.Offset < pl.Span.End.Offset
		switch {
		case !within || f.Step != "":
			return false
		case f.Rule == manifest.RuleShape:
			return true
		case f.Rule == manifest.RuleUnknownKey:
			return strings.Contains(f.Hint, "`steps`") || strings.Contains(f.Hint, "inside a step")
		}
		return false
	})
}
