package compile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
)

// fileOf writes pipelines, each a line of keys, as documents with one step.
func fileOf(pipelines ...string) string {
	var docs []string
	for _, p := range pipelines {
		docs = append(docs, "{kind: pipeline, steps: [{name: s, image: x}], "+p+"}\n")
	}
	return strings.Join(docs, "---\n")
}

// The rows are those of reference §8.4 that a plan decides.
func TestPipelineGraph(t *testing.T) {
	const skipped = "trigger: {event: [tag]}"
	build := pushBuild()
	build.Changed = files("main.go")
	type testCase struct {
		name      string
		pipelines []string
		want      []string // "name < dependencies", "name out" for each
	}
	run := func(t *testing.T, tc testCase) {
		plan, problems, err := Compile("x.yml", []byte(fileOf(tc.pipelines...)), Options{Build: build, Workspace: "/w"})
		if err != nil || failed(problems) {
			t.Fatalf("got %v, %q", err, lines(problems))
		}
		var got []string
		for _, p := range plan.Pipelines {
			text := p.Name
			switch {
			case !p.Runs:
				text += " out"
			case len(p.DependsOn) > 0:
				text += " < " + strings.Join(p.DependsOn, " ")
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	for _, tc := range []testCase{
		{"no dependencies", []string{"name: a", "name: b"}, []string{"a", "b"}},
		{"dependencies", []string{"name: a", "name: b", "name: c, depends_on: [a, b]"}, []string{"a", "b", "c < a b"}},
		{"skipped without dependencies", []string{"name: a, " + skipped, "name: b, depends_on: [a]"}, []string{"a out", "b"}},
		{"skipped, its dependencies are inherited", []string{"name: a", "name: b, depends_on: [a], " + skipped, "name: c, depends_on: [b]"},
			[]string{"a", "b out", "c < a"}},
		{"nearest ancestors that run", []string{
			"name: a", "name: b, depends_on: [a]", "name: c, depends_on: [b], " + skipped, "name: d, depends_on: [c], " + skipped, "name: e, depends_on: [d]",
		}, []string{"a", "b < a", "c out", "d out", "e < b"}},
		{"one ancestor over two ways, once", []string{
			"name: a", "name: b, depends_on: [a], " + skipped, "name: c, depends_on: [a], " + skipped, "name: d, depends_on: [b, c, a]",
		}, []string{"a", "b out", "c out", "d < a"}},
		{"skipped by changed files", []string{
			"name: a", "name: b, depends_on: [a], trigger: {paths: [docs/**]}", "name: c, depends_on: [b]",
		}, []string{"a", "b out", "c < a"}},
		// The server loses both edges of a pipeline without a name, docs/parity.md.
		{"without a name", []string{"name: a", "depends_on: [a]", "name: c, depends_on: [default]"}, []string{"a", "default < a", "c < default"}},
		{"status that never comes", []string{"name: a", "name: b, depends_on: [a], trigger: {status: [always]}", "name: c, depends_on: [b]"},
			[]string{"a", "b out", "c < a"}},
		{"status that never comes, without dependencies", []string{"name: a, trigger: {status: [always]}"}, []string{"a"}},
		{"other system", []string{"name: a", "name: b, depends_on: [a], platform: {os: windows}", "name: c, depends_on: [b]"}, []string{"a", "b out", "c < a"}},
		{"other architecture", []string{"name: a, platform: {arch: arm64}"}, []string{"a"}},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// The rows are those of reference §8.4, trigger.status: only a pipeline that
// waits is asked for it.
func TestPipelineStatus(t *testing.T) {
	for status, want := range map[string]struct {
		policy exec.Policy
		runs   bool
	}{
		"":                              {exec.OnSuccess, true},
		"status: []":                    {exec.OnSuccess, true},
		"status: success":               {exec.OnSuccess, true},
		"status: failure":               {exec.OnFailure, true},
		"status: [success, failure]":    {exec.Always, true},
		`status: "*"`:                   {exec.Always, true},
		"status: {exclude: [success]}":  {exec.OnFailure, true},
		"status: {exclude: [failure]}":  {exec.OnSuccess, true},
		"status: {exclude: [whatever]}": {exec.Always, true},
		"status: changed":               {exec.Never, false},
	} {
		source := fileOf("name: a", "name: b, depends_on: [a], trigger: {"+status+"}", "name: c, trigger: {"+status+"}")
		plan, _, err := Compile("x.yml", []byte(source), Options{Build: pushBuild(), Workspace: "/w"})
		if err != nil {
			t.Fatal(err)
		}
		if b := plan.Pipelines[1]; b.Policy != want.policy || b.Runs != want.runs {
			t.Errorf("%q, waiting: got policy %q, runs %v", status, b.Policy, b.Runs)
		}
		if c := plan.Pipelines[2]; !c.Runs {
			t.Errorf("%q, without dependencies: does not run: %s", status, c.Reason)
		}
	}
}

// The rows are those of reference §8.4, validation, with the two differences
// of docs/parity.md: an order that does not matter is only a warning, and a
// pipeline without a name is default.
func TestPipelineNames(t *testing.T) {
	type testCase struct {
		name, source string
		want         string // severity, rule and message of the only problem
	}
	run := func(t *testing.T, tc testCase) {
		_, problems, err := Compile("x.yml", []byte(tc.source), Options{Build: pushBuild(), Workspace: "/w"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range problems {
			if p.Rule != "kind" {
				got = append(got, fmt.Sprintf("%s %s: %s", p.Severity, p.Rule, p.Message))
			}
		}
		if text := strings.Join(got, "\n"); text != tc.want {
			t.Errorf("got  %s\nwant %s", text, tc.want)
		}
	}
	for _, tc := range []testCase{
		{"used twice", fileOf("name: a", "name: a"), `error duplicate-pipeline: pipeline name "a" is used twice`},
		{"two without a name", fileOf("type: docker", "type: docker"), `error duplicate-pipeline: pipeline name "default" is used twice, a pipeline without a name is "default"`},
		{"without a name beside default", fileOf("name: default", "type: docker"), `error duplicate-pipeline: pipeline name "default" is used twice, a pipeline without a name is "default"`},
		{"unknown", fileOf("name: a", "name: b, depends_on: [c]"), `error unknown-pipeline: pipeline "b" depends on "c", which does not exist`},
		{"itself", fileOf("name: a, depends_on: [a]"), `error pipeline-cycle: pipeline "a" depends on itself`},
		{"later", fileOf("name: a, depends_on: [b]", "name: b"), `warning forward-dependency: pipeline "a" depends on "b", which comes later in the file: a server refuses that`},
		{"unknown kinds count as pipelines", "kind: phantom\nname: p\n---\n" + fileOf("name: a, depends_on: [p]"),
			`warning phantom-pipeline: pipeline "a" depends on "p", a document of kind "phantom": a server waits for it for ever`},
		{"secrets do not", "kind: secret\nname: p\ndata: x\n---\n" + fileOf("name: a, depends_on: [p]"), `error unknown-pipeline: pipeline "a" depends on "p", which does not exist`},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// The rows are those of reference §6.4 that need more than a status, and of
// §6.1 for keys that restrict nothing.
func TestStepPolicies(t *testing.T) {
	const source = `kind: pipeline
services:
- {name: always, image: x, when: {status: [success, failure]}}
- {name: unmet, image: x, when: {branch: other}}
steps:
- {name: plain, image: x}
- {name: failure, image: x, when: {status: failure}}
- {name: unknown keys, image: x, when: {local: true, environment: prod, platform: a/b, tag: v1, comment: x, matrix: {a: b}}}
- {name: unmet failure, image: x, when: {status: failure, branch: other}}
- {name: unmet always, image: x, when: {status: [success, failure], event: tag}}
- {name: unmet paths, image: x, when: {status: [success, failure], paths: [docs/**]}}
`
	build := pushBuild()
	build.Changed = files("main.go")
	want := map[string]exec.Policy{
		"clone": exec.Always, "always": exec.Always, "unmet": exec.Never, "plain": exec.OnSuccess, "failure": exec.OnFailure,
		"unknown keys":  exec.OnSuccess,
		"unmet failure": exec.Never, "unmet always": exec.Never, "unmet paths": exec.Never,
	}
	for _, clone := range []bool{true, false} {
		plan, _, err := Compile("x.yml", []byte(source), Options{Build: build, Workspace: "/w", Clone: clone})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]exec.Policy{}
		for _, s := range plan.Pipelines[0].Steps {
			got[s.Name] = s.Policy
		}
		if !clone {
			// In a tree that is mounted there is no clone step at all.
			delete(want, "clone")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("clone %v: -want +got\n%s", clone, diff)
		}
	}
}
