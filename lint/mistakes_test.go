package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mistake is one that people make, with the rule that finds it.
type mistake struct {
	row      string // of the list of what people get wrong
	title    string
	official string // what the official linter makes of it
	source   string // "" when a file alone cannot show it
	rule     string // "" when there must be no finding
	token    string // the words that are marked
	severity string
}

// mistakes are those that people were seen to make, each in a fragment of our
// own. The table of docs/lint.md is made of them.
var mistakes = []mistake{
	{"1", `misspelt step key`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commmands: [make]
`,
		`unknown-key`, `commmands`, `error`},
	{"2", `other people's key names`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  depends: [b]
`,
		`unknown-key`, `depends`, `error`},
	{"3", `plugin setting at step level`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: plugins/docker:20
  repo: o/x
`,
		`flat-settings`, `repo`, `error`},
	{"4", `kind misspelt`, "silent",
		`kind: pipline
name: default
steps:
- {name: a, image: "alpine:3", commands: [make]}
`,
		`kind`, `pipline`, `error`},
	{"5", `type misspelt`, "silent",
		`kind: pipeline
type: dokcer
name: default
steps:
- {name: a, image: "alpine:3", commands: [make]}
`,
		`unknown-type`, `dokcer`, `error`},
	{"6", `type omitted, and linted as docker`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  commands: [make]
`,
		`missing-image`, `a`, `error`},
	{"7", `a file of Drone 0.8`, "silent",
		`pipeline:
  build:
    image: golang
    commands: [make]
`,
		`legacy`, `pipeline`, `error`},
	{"8", `leftovers of Drone 0.8`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  group: build
`,
		`ignored-key`, `group`, `warning`},
	{"9", `steps as a map`, "refused, without a name",
		`kind: pipeline
name: default
steps:
  a:
    image: alpine:3
`,
		`wrong-shape`, `a`, `error`},
	{"10", `two pipelines without --- between them`, "silent",
		`kind: pipeline
name: default
steps:
- {name: a, image: "alpine:3", commands: [make]}
kind: pipeline
name: second
`,
		`duplicate-key`, `kind`, `error`},
	{"11", `a key twice in one map`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  image: alpine:4
`,
		`duplicate-key`, `image`, `error`},
	{"12", `when outdented to the pipeline`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
when: {event: push}
`,
		`unknown-key`, `when`, `error`},
	{"13", `exclude at the wrong level of a trigger`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
trigger:
  exclude: {branch: x}
`,
		`unknown-key`, `exclude`, `error`},
	{"14", `excludes for exclude`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
trigger:
  event: [push]
  branch: {excludes: [main]}
`,
		`unknown-key`, `excludes`, `error`},
	{"15", `when as a scalar`, "refused, without a name",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: manual
`,
		`wrong-shape`, `manual`, `error`},
	{"16", `a tab as indentation`, "refused, with the line",
		"kind: pipeline\nname: default\nsteps:\n- name: a\n\timage: alpine:3\n",
		`yaml-syntax`, "\t", `error`},
	{"17", `commands: is missing, the list folds into the image`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
    - echo hi
`,
		`image-name`, `alpine:3`, `error`},
	{"18", `two lines glued together`, "refused, without a name",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands:
  - docker push x:1when:
      event: push
`,
		`wrong-shape`, `docker push x:1when`, `error`},
	{"19", `a pipeline without steps`, "silent",
		`kind: pipeline
type: docker
name: default
`,
		`no-steps`, `default`, `error`},
	{"20", `no YAML, in the second document`, "refused, at a wrong line",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
---
kind: pipeline
name: x
bad: [
`,
		`yaml-syntax`, `[`, `error`},
	{"21", `an alias before its anchor`, "refused, at a wrong line",
		`kind: pipeline
name: default
steps:
- name: a
  image: *img
  commands: [make]
- name: b
  image: &img alpine:3
  commands: [make]
`,
		`yaml-alias`, `*img`, `error`},
	{"22", `keys that hold anchors`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
node-holder: {a: b}
`,
		`unknown-key`, `node-holder`, `warning`},
	{"23", `duplicate step name`, "found, without a place",
		`kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: [make]}
- {name: test, image: "alpine:4", commands: [make]}
`,
		`duplicate-step`, `test`, `error`},
	{"24", `a step named clone`, "found, without a place",
		`kind: pipeline
name: default
steps:
- name: clone
  image: alpine:3
  commands: [make]
`,
		`duplicate-step`, `clone`, `error`},
	{"25", `duplicate pipeline name`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
---
kind: pipeline
name: default
steps:
- {name: a, image: "alpine:3", commands: [make]}
`,
		`duplicate-pipeline`, `default`, `error`},
	{"26", `depends_on an unknown step`, "found where the type is written",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  depends_on: [nope]
`,
		`unknown-step`, `nope`, `error`},
	{"27", `depends_on an unknown pipeline`, "found, without a place",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
depends_on: [nope]
`,
		`unknown-pipeline`, `nope`, `error`},
	{"28", `a cycle of pipelines`, "silent",
		`kind: pipeline
name: one
depends_on: [two]
steps:
- {name: a, image: "alpine:3", commands: [make]}
---
kind: pipeline
name: two
depends_on: [one]
steps:
- {name: a, image: "alpine:3", commands: [make]}
`,
		`pipeline-cycle`, `one`, `error`},
	{"29", `a cycle of steps`, "found as another mistake",
		`kind: pipeline
name: default
steps:
- {name: a, image: "alpine:3", commands: [make], depends_on: [b]}
- {name: b, image: "alpine:3", commands: [make], depends_on: [a]}
`,
		`step-cycle`, `a`, `error`},
	{"30", `a later step is a dependency that works`, "refused wrongly",
		`kind: pipeline
name: default
steps:
- {name: a, image: "alpine:3", commands: [make], depends_on: [b]}
- {name: b, image: "alpine:3", commands: [make]}
`,
		`forward-dependency`, `b`, `warning`},
	{"31", `a dependency on a pipeline of another type`, "refused wrongly",
		`kind: pipeline
type: vm
name: win
steps:
- {name: a, commands: [make]}
---
kind: pipeline
name: default
depends_on: [win]
steps:
- {name: a, image: "alpine:3", commands: [make]}
`,
		"", "", ""},
	{"32", `some steps have depends_on, some not`, "silent",
		`kind: pipeline
name: default
steps:
- {name: a, image: "alpine:3", commands: [make]}
- {name: b, image: "alpine:3", commands: [make]}
- {name: c, image: "alpine:3", commands: [make]}
- {name: d, image: "alpine:3", commands: [make]}
- {name: e, image: "alpine:3", commands: [make], depends_on: [d]}
`,
		`implicit-order`, `a`, `warning`},
	{"33", `a dependency on what never runs in that event`, "silent",
		`kind: pipeline
name: default
steps:
- {name: a, image: "alpine:3", commands: [make], when: {event: tag}}
- {name: b, image: "alpine:3", commands: [make], when: {event: push}, depends_on: [a]}
`,
		`never-together`, `a`, `warning`},
	{"34", `an undeclared volume`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  volumes: [{name: cache, path: /c}]
`,
		`unknown-volume`, `cache`, `error`},
	{"35", `a volume that nobody mounts`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
volumes:
- {name: cache, temp: {}}
`,
		`unused-volume`, `cache`, `warning`},
	{"36", `path forgotten under host`, "refused, without a name",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  volumes: [{name: cache, path: /c}]
volumes:
- {name: cache, host: /tmp}
`,
		`wrong-shape`, `/tmp`, `error`},
	{"37", `a mount of Drone 0.8`, "refused, without a name",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  volumes: [/a:/b]
`,
		`wrong-shape`, `/a:/b`, `error`},
	{"38", `localhost for a service`, "silent",
		`kind: pipeline
name: default
services:
- {name: db, image: "postgres:18"}
steps:
- name: a
  image: postgres:18
  commands: [psql -h localhost]
`,
		`localhost`, `localhost`, `warning`},
	{"39", `a service name that is no host name`, "silent",
		`kind: pipeline
name: default
services:
- {name: my db!, image: "postgres:18"}
steps:
- {name: a, image: "alpine:3", commands: [make]}
`,
		`host-name`, `my db!`, `warning`},
	{"40", `no step name`, "found, without a place",
		`kind: pipeline
name: default
steps:
- image: alpine:3
  commands: [make]
`,
		`missing-name`, `image`, `error`},
	{"41", `an unknown event`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {event: pull-request}
`,
		`unknown-event`, `pull-request`, `error`},
	{"42", `an impossible event as off switch`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {event: never}
`,
		`unknown-event`, `never`, `info`},
	{"43", `an unknown status`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {status: [skipped]}
`,
		`unknown-status`, `skipped`, `error`},
	{"44", `status changed of Drone 0.8`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {status: [changed]}
`,
		`unknown-status`, `changed`, `warning`},
	{"45", `branches for branch`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {branches: [main]}
`,
		`unknown-key`, `branches`, `error`},
	{"46", `paths, which need an extension`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {paths: [src/**]}
`,
		`server-extension`, `paths`, `warning`},
	{"47", `a branch asked of tags`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {event: tag, branch: main}
`,
		`branch-of-tag`, `main`, `warning`},
	{"48", `ref without refs/`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {ref: [main]}
`,
		`ref-prefix`, `main`, `error`},
	{"49", `a branch condition that pull requests meet`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {branch: main}
`,
		`branch-and-pull-request`, `branch`, `info`},
	{"50", `a schedule for the name of a cron job`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {event: cron, cron: '0 0 * * *'}
`,
		`cron-name`, `'0 0 * * *'`, `error`},
	{"51", `promote without target`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {event: promote}
`,
		`promote-target`, `promote`, `warning`},
	{"52", `a regular expression for a glob`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  when: {event: push, branch: ^rel-.*$}
`,
		`pattern`, `^rel-.*$`, `warning`},
	{"53", `a plugin with secrets in pull requests`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: plugins/npm:1
  settings: {token: {from_secret: npm}}
`,
		`secret-in-pull-request`, `npm`, `warning`},
	{"54", `${…} meant for the shell`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands:
  - for i in a b; do echo ${i}; done
`,
		`undefined-variable`, `${i}`, `error`},
	{"55", `an expansion of bash alone`, "refused, without a line",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands:
  - echo ${arr[0]}
`,
		`substitution`, `${arr[0]}`, `error`},
	{"56", `${ in a comment`, "refused, without a line",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
# ${ todo
`,
		`substitution`, `${ todo`, `error`},
	{"57", `backslashes that collapse`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands:
  - printf 'a\\b' ${DRONE_BRANCH}
`,
		`backslash`, `\\`, `warning`},
	{"58", `an empty value makes other YAML`, "refused, without a line",
		`kind: pipeline
name: default
steps:
- name: a
  image: x:${DRONE_TAG}
  commands: [make]
`,
		`substitution`, `${DRONE_TAG}`, `warning`},
	{"59", `a value of several lines`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  environment:
    NOTE: ${DRONE_COMMIT_MESSAGE}
`,
		`foreign-text`, `${DRONE_COMMIT_MESSAGE}`, `warning`},
	{"60", `a command that is a map`, "refused, without a name",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands:
  - echo key: value
`,
		`wrong-shape`, `echo key: value`, `error`},
	{"61", `commands as one text`, "refused, without a name",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: echo hi
`,
		`wrong-shape`, `echo hi`, `error`},
	{"62", `environment as a list`, "refused, without a name",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  environment:
  - A=b
`,
		`wrong-shape`, `- A=b`, `error`},
	{"63", `a secret reference misspelt`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  environment: {A: {secret: foo}}
`,
		`unknown-key`, `secret`, `error`},
	{"64", `a variable that refers to another`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  environment: {A: $PATH:/x}
`,
		`variable-reference`, `$PATH`, `warning`},
	{"65", `values like numbers and booleans`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  environment: {GO111MODULE: on}
`,
		`value-text`, `on`, `info`},
	{"66", `cd expected to carry to the next step`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [cd web]
- name: b
  image: alpine:3
  commands: [make]
`,
		`lost-directory`, `cd web`, `info`},
	{"67", `sleep in place of readiness`, "silent",
		`kind: pipeline
name: default
services:
- {name: db, image: "postgres:18"}
steps:
- name: a
  image: postgres:18
  commands:
  - sleep 15
  - psql -h db
`,
		`sleep-for-service`, `sleep 15`, `info`},
	{"68", `a plain secret`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  environment: {SA_PASSWORD: Str0ngPa55wXrd9q}
`,
		`plain-secret`, `Str0ngPa55wXrd9q`, `warning`},
	{"69", `a secret printed`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands:
  - echo $TOKEN
  when: {event: push}
  environment: {TOKEN: {from_secret: token}}
`,
		`printed-secret`, `$TOKEN`, `warning`},
	{"69b", `from_secret in the environment of a pipeline`, "refused, at a wrong line",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
environment:
  T: {from_secret: t}
`,
		`wrong-shape`, `{from_secret: t}`, `error`},
	{"70", `no tag`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: golang
  commands: [make]
`,
		`image-tag`, `golang`, `info`},
	{"71", `an unknown pull`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  pull: IfNotPresent
`,
		`unknown-pull`, `IfNotPresent`, `error`},
	{"72", `settings with commands`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: plugins/docker:20
  settings: {repo: a/b}
  commands: [make]
`,
		`settings-with-commands`, `repo`, `error`},
	{"73", `a hyphen in a setting`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: plugins/docker:20
  settings: {pull-image: false}
`,
		`setting-hyphen`, `pull-image`, `warning`},
	{"74", `a step with nothing to do`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
`,
		`nothing-to-do`, `a`, `warning`},
	{"75", `an unknown failure`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  failure: ignored
`,
		`unknown-failure`, `ignored`, `error`},
	{"76", `privileged needs trust`, "refused, even on a laptop",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  privileged: true
`,
		`untrusted`, `true`, `warning`},
	{"77", `a mirrored plugin has no privileges`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: my.reg/plugins/docker:20
  settings: {repo: a/b}
`,
		`plugin-privilege`, `my.reg/plugins/docker:20`, `warning`},
	{"78", `an image in a pipeline of type exec`, "silent",
		`kind: pipeline
type: exec
name: default
steps:
- {name: a, image: alpine, commands: [make]}
`,
		`image-on-host`, `alpine`, `error`},
	{"79", `an unknown platform`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
platform: {arch: x86_64}
`,
		`platform`, `x86_64`, `error`},
	{"80", `a wrong shape`, "refused, without a name",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
clone: false
`,
		`wrong-shape`, `false`, `error`},
	{"81", `dind without privileges`, "silent",
		`kind: pipeline
name: default
services:
- {name: docker, image: "docker:28-dind"}
steps:
- {name: a, image: "alpine:3", commands: [make]}
`,
		`docker-service`, `"docker:28-dind"`, `warning`},
	{"82", `docker without an engine`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [docker build .]
`,
		`docker-without-daemon`, `docker build`, `warning`},
	{"83", `a secret without get`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
---
kind: secret
name: x
`,
		`empty-secret`, `x`, `error`},
	{"84", `a secret that nobody provides`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
  environment: {A: {from_secret: tokne}}
  when: {event: push}
---
kind: secret
name: token
get: {path: a, name: b}
`,
		`unknown-secret`, `tokne`, `warning`},
	{"85", `a template without load`, "silent",
		`kind: template
data: {a: b}
`,
		`template-load`, `template`, `error`},
	{"86", `changed after signing`, "not looked at",
		``,
		"", "", ""},
	{"87", `several signatures`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
---
kind: signature
hmac: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
---
kind: signature
hmac: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
`,
		`several-signatures`, `signature`, `error`},
	{"88", `a generated file that is stale`, "not looked at",
		``,
		"", "", ""},
	{"89", `CRLF in a signed file, which its signature does not count`, "not looked at",
		"kind: pipeline\r\nname: default\r\nsteps:\r\n- name: a\r\n  image: alpine:3\r\n  commands: [make]\r\n---\r\nkind: signature\r\nhmac: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
		"", "", ""},
	{"90", `an hmac of unexpected length`, "silent",
		`kind: pipeline
name: default
steps:
- name: a
  image: alpine:3
  commands: [make]
---
kind: signature
hmac: abc123
`,
		`signature-form`, `abc123`, `warning`},
}

// TestMistakesTable compares the table of docs/lint.md with the mistakes.
func TestMistakesTable(t *testing.T) {
	page := filepath.Join("..", "docs", "lint.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), "<!-- mistakes -->\n")
	_, tail, closed := strings.Cut(rest, "<!-- /mistakes -->\n")
	if !ok || !closed {
		t.Fatal("docs/lint.md lost its markers")
	}
	var table strings.Builder
	table.WriteString("| # | Mistake | Official | Here | Marked |\n|---|---|---|---|---|\n")
	for _, m := range mistakes {
		ours, token := "says nothing, rightly", ""
		switch {
		case m.source == "":
			ours = "needs more than the file, see below"
		case m.rule != "":
			ours = fmt.Sprintf("%s [%s](lint-rules.md#%s)", m.severity, m.rule, m.rule)
			token = "`" + strings.NewReplacer("|", "\\|", "\t", "→").Replace(m.token) + "`"
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s |\n", m.row, m.title, m.official, ours, token)
	}
	compareGolden(t, page, head+"<!-- mistakes -->\n"+table.String()+"<!-- /mistakes -->\n"+tail)
}

func TestMistakes(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.row, func(t *testing.T) {
			if m.source == "" {
				return
			}
			found := check("f.yml", m.source)
			if m.rule == "" {
				if len(found) > 0 {
					t.Errorf("there is nothing wrong in it, but there is found:\n%s", text(t, m.source, found))
				}
				return
			}
			for _, f := range found {
				if f.Rule != m.rule {
					continue
				}
				start, end := f.Span.Start.Offset, f.Span.End.Offset
				if got := m.source[start:end]; string(f.Severity) == m.severity && strings.HasPrefix(got, m.token) {
					return
				}
			}
			t.Errorf("want %s: %s at %q, got:\n%s", m.severity, m.rule, m.token, text(t, m.source, found))
		})
	}
}
