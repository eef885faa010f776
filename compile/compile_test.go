package compile

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func pushBuild() Build {
	return Build{
		Event: "push", Trigger: "@hook",
		Repo: Repo{
			Slug: "octocat/hello", Namespace: "octocat", Name: "hello", Link: "https://example.com/octocat/hello",
			HTTPURL: "https://example.com/octocat/hello.git", SSHURL: "git@example.com:octocat/hello.git",
			DefaultBranch: "main", Visibility: "public",
		},
		System: System{Proto: "https", Host: "ci.example.com", Version: "2.25.0"},
		Branch: "main", Source: "main", Ref: "refs/heads/main",
		Before: "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c", After: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
		Message: "subject\n\nbody", Number: 7,
		Author:  Author{Login: "octocat", Name: "The Octocat", Email: "octocat@example.com"},
		Created: time.Unix(1700000000, 0), Started: time.Unix(1700000001, 0),
	}
}

func tagBuild() Build {
	b := pushBuild()
	b.Event, b.Action, b.Ref, b.Branch, b.Source = "tag", "create", "refs/tags/v1.2.3", "", ""
	return b
}

func pullBuild() Build {
	b := pushBuild()
	b.Event, b.Action, b.Ref, b.Source, b.Title = "pull_request", "opened", "refs/pull/42/head", "feature", "a title"
	return b
}

// goldenCase is one plan of a file in testdata. The variables that all steps
// share are in the golden file only when env is set.
type goldenCase struct {
	name, file string
	opts       Options
	env        bool
}

func goldenCases() []goldenCase {
	full := Options{
		Build: pushBuild(), Workspace: "/home/me/hello", Machine: "laptop",
		Env:   map[string]string{"FROM_FILE": "1", "SHARED": "lowest", "DRONE_COMMIT": "no effect"},
		Vars:  map[string]string{"DRONE_FOO": "not in steps"},
		Proxy: map[string]string{"HTTP_PROXY": "http://upper:1", "http_proxy": "http://lower:1", "no_proxy": "localhost"},
		Netrc: Netrc{Machine: "example.com", Username: "octocat"},
		Binds: []exec.Bind{{Host: "/srv", Path: "/srv", ReadOnly: true}}, Networks: []string{"shared"},
	}
	full.Build.Params = map[string]string{"PARAM": "parameter", "DEPTH": "2", "DRONE_TAG": "from a parameter"}
	push := Options{Build: pushBuild(), Workspace: "/home/me/hello"}
	with := func(change func(*Options)) Options {
		o := push
		change(&o)
		return o
	}
	linux := Host{OS: "linux", Arch: "amd64", Consent: true}
	host := with(func(o *Options) { o.Host = linux })
	tag := with(func(o *Options) { o.Build = tagBuild() })
	pull := with(func(o *Options) { o.Build = pullBuild() })
	trusted := with(func(o *Options) { o.Trusted, o.Privileged = true, []string{"registry.example.com/build/kit"} })
	return []goldenCase{
		{"environment", "environment", full, true},
		{"environment-tag", "workspace", tag, true},
		{"workspace-mounted", "workspace", push, false},
		{"workspace-clone", "workspace", with(func(o *Options) { o.Clone, o.Netrc = true, full.Netrc }), false},
		{"pipelines-push", "pipelines", push, false},
		{"pipelines-tag", "pipelines", tag, false},
		{"pipelines-pull", "pipelines", with(func(o *Options) { o.Build = pullBuild(); o.Build.Changed = files("main.go") }), false},
		{"pipelines-named", "pipelines", with(func(o *Options) { o.Pipelines = []string{"re*", "docs", "windows"} }), false},
		{"conditions-push", "conditions", push, false},
		{"conditions-tag", "conditions", tag, false},
		{"conditions-pull", "conditions", pull, false},
		{"containers", "containers", push, false},
		{"containers-trusted", "containers", trusted, false},
		{"mistakes", "mistakes", with(func(o *Options) { o.Pipelines = []string{"test", "default"} }), false},
		{"cycles", "cycles", push, false},
		{"secrets", "secrets", push, false},
		{"oddities", "oddities", oddBuild(), false},
		{"host", "host", host, true},
		{"host-clone", "host", with(func(o *Options) { o.Host, o.Clone, o.Netrc = linux, true, full.Netrc }), false},
		{"host-refused", "host", push, false},
		{"host-refused-by-name", "host", with(func(o *Options) { o.Host.OS, o.Host.Arch, o.Pipelines = "linux", "amd64", []string{"build", "mac"} }), false},
		{"host-on-mac", "host", with(func(o *Options) { o.Host = Host{OS: "darwin", Arch: "arm64", Consent: true} }), false},
		{"host-on-windows", "host", with(func(o *Options) { o.Host = Host{OS: "windows", Arch: "amd64", Consent: true} }), false},
		{"host-mistakes", "host-mistakes", with(func(o *Options) { o.Host, o.Clone, o.Build.Repo = linux, true, Repo{} }), false},
		{"pick-include", "pick", with(func(o *Options) { o.Include = []string{"test*"} }), false},
		{"pick-service", "pick", with(func(o *Options) { o.Include = []string{"cache"} }), false},
		{"pick-exclude", "pick", with(func(o *Options) { o.Exclude = []string{"db", "test"} }), false},
		{"pick-resume", "pick", with(func(o *Options) { o.ResumeAt = "test" }), false},
		{"substitution", "substitution", with(func(o *Options) { o.Vars = map[string]string{"TARGET": "stable", "DRONE_BRANCH": "hidden"} }), false},
	}
}

func TestGolden(t *testing.T) {
	run := func(t *testing.T, tc goldenCase) {
		name := tc.file + ".yml"
		source, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		plan, problems, err := Compile(name, source, tc.opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.Validate(); err != nil && !failed(problems) {
			t.Errorf("there is no error, but the plan cannot be run: %v", err)
		}
		for i, p := range plan.Pipelines {
			if i > 0 || !tc.env {
				p.Env, p.Fixed, p.Labels = nil, nil, nil
			}
		}
		compareGolden(t, filepath.Join("testdata", tc.name+".golden.json"), map[string]any{
			"plan": plan, "problems": lines(problems),
		})
	}
	for _, tc := range goldenCases() {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func compareGolden(t *testing.T, file string, got any) {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), buf.String()); diff != "" {
		t.Errorf("%s: -want +got\n%s", file, diff)
	}
}

// lines writes problems as a user would see them.
func lines(problems []manifest.Problem) []string {
	out := []string{}
	for _, p := range problems {
		text := fmt.Sprintf("%s: %s: %s [%s]", place(p.Span.Start), p.Severity, p.Message, p.Rule)
		if p.Hint != "" {
			text += " hint: " + p.Hint
		}
		for _, r := range p.Related {
			text += fmt.Sprintf(" (%s: %s)", place(r.Span.Start), r.Message)
		}
		out = append(out, text)
	}
	return out
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestUnknownNames(t *testing.T) {
	type testCase struct {
		name string
		opts Options
		want UnknownNameError
	}
	pipelines := []string{"first", "second", "third"}
	steps := []string{"db", "cache", "build", "test", "test-slow", "deploy"}
	run := func(t *testing.T, tc testCase) {
		plan, _, err := Compile("pick.yml", read(t, "pick.yml"), tc.opts)
		var unknown *UnknownNameError
		if !errors.As(err, &unknown) {
			t.Fatalf("got error %v, want an UnknownNameError", err)
		}
		if diff := cmp.Diff(tc.want, *unknown); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if plan != nil {
			t.Error("there is a plan beside the error")
		}
	}
	for _, tc := range []testCase{
		{"pipeline", Options{Pipelines: []string{"frist"}}, UnknownNameError{What: "pipeline", Name: "frist", Known: pipelines, Closest: "first"}},
		{"pattern", Options{Pipelines: []string{"first", "x*"}}, UnknownNameError{What: "pipeline", Name: "x*", Known: pipelines}},
		{"include", Options{Include: []string{"tset"}}, UnknownNameError{What: "step", Name: "tset", Known: append([]string{"clone"}, steps...), Closest: "test"}},
		{"exclude", Options{Workspace: "/w", Exclude: []string{"nope-at-all"}}, UnknownNameError{What: "step", Name: "nope-at-all", Known: steps}},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestExcludeIsStrongerThanInclude(t *testing.T) {
	opts := Options{Workspace: "/w", Pipelines: []string{"third"}, Include: []string{"test"}, Exclude: []string{"test"}}
	plan, _, err := Compile("pick.yml", read(t, "pick.yml"), opts)
	if err != nil {
		t.Fatal(err)
	}
	third := plan.Pipelines[2]
	if got := third.Steps[0].Reason; !third.Runs || got != "named by --exclude" {
		t.Errorf("runs is %v (%s), its step is left out as %s", third.Runs, third.Reason, got)
	}
}

func TestNamesWithoutEffect(t *testing.T) {
	opts := Options{Workspace: "/w", Pipelines: []string{"third"}, Exclude: []string{"deploy", "test"}}
	_, problems, err := Compile("pick.yml", read(t, "pick.yml"), opts)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`pick.yml:23:11: warning: --exclude names step "deploy" of pipeline "second", which does not run: not named by --pipeline [step-left-out]`}
	if diff := cmp.Diff(want, lines(problems)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestNoPipeline(t *testing.T) {
	for name, tc := range map[string]struct{ source, want string }{
		"secret only": {"kind: secret\nname: x\ndata: y\n", "the file has no pipeline"},
		"template":    {"kind: template\nload: build.star\n", `the file only names a template, "build.star"`},
		"overlooked":  {"kind: template # c\nload: build.star\n", `the file only names a template, "build.star", which a server overlooks`},
	} {
		plan, problems, err := Compile("x.yml", []byte(tc.source), Options{})
		if plan != nil || err != nil {
			t.Errorf("%s: got plan %v, error %v", name, plan, err)
		}
		if !hasError(problems, tc.want) {
			t.Errorf("%s: %q is not among %q", name, tc.want, lines(problems))
		}
	}
	if plan, problems, _ := Compile("x.yml", nil, Options{}); plan != nil || len(problems) == 0 {
		t.Errorf("an empty file gives plan %v and problems %q", plan, lines(problems))
	}
}

func TestNamedPipelineThatCannotRun(t *testing.T) {
	_, problems, err := Compile("pipelines.yml", read(t, "pipelines.yml"), Options{Pipelines: []string{"cluster"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `pipeline "cluster" cannot run: type kubernetes cannot run on this machine`; !hasError(problems, want) {
		t.Errorf("%q is not among %q", want, lines(problems))
	}
}

func failed(problems []manifest.Problem) bool {
	for _, p := range problems {
		if p.Severity == manifest.Error {
			return true
		}
	}
	return false
}

func hasError(problems []manifest.Problem, message string) bool {
	for _, p := range problems {
		if p.Severity == manifest.Error && p.Message == message {
			return true
		}
	}
	return false
}

// The same input gives the same plan, and the options stay as they were.
func TestCompileIsPure(t *testing.T) {
	for _, tc := range goldenCases() {
		source := read(t, tc.file+".yml")
		kept, before := bytes.Clone(source), fmt.Sprintf("%#v", tc.opts)
		first := encode(t, source, tc.opts)
		t.Setenv("DRONE_BRANCH", "from the process")
		t.Setenv("HTTP_PROXY", "http://process")
		if second := encode(t, source, tc.opts); second != first {
			t.Errorf("%s: the second plan differs: -first +second\n%s", tc.name, cmp.Diff(first, second))
		}
		if !bytes.Equal(source, kept) || fmt.Sprintf("%#v", tc.opts) != before {
			t.Errorf("%s: the input was changed", tc.name)
		}
	}
}

func encode(t *testing.T, source []byte, opts Options) string {
	t.Helper()
	plan, problems, err := Compile("x.yml", source, opts)
	data, jsonErr := json.MarshalIndent([]any{plan, problems, err}, "", " ")
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return string(data)
}

// oddBuild has a message that breaks the YAML it is put into.
func oddBuild() Options {
	b := pushBuild()
	b.Message = "fix: a thing"
	return Options{Build: b, Workspace: "/w"}
}
