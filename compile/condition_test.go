package compile

import (
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

func condition(include, exclude []string) manifest.Condition {
	c := manifest.Condition{Key: manifest.String{Value: "key", Span: manifest.Span{Start: manifest.Pos{Line: 1}}}}
	for _, v := range include {
		c.Include = append(c.Include, manifest.String{Value: v})
	}
	for _, v := range exclude {
		c.Exclude = append(c.Exclude, manifest.String{Value: v})
	}
	return c
}

func only(values ...string) manifest.Condition { return condition(values, nil) }

func TestTriggerReasons(t *testing.T) {
	build := Build{Event: "push", Branch: "feature/x", Ref: "refs/heads/feature/x", Repo: Repo{Slug: "o/n"}, System: System{Host: "ci"}}
	type testCase struct {
		name string
		cond manifest.Conditions
		ok   bool
		want string
	}
	run := func(t *testing.T, tc testCase) {
		ok, reason := build.trigger(&tc.cond)
		if ok != tc.ok || reason != tc.want {
			t.Errorf("got %v, %q\nwant %v, %q", ok, reason, tc.ok, tc.want)
		}
	}
	for _, tc := range []testCase{
		{"none", manifest.Conditions{}, true, "no trigger"},
		{"matches", manifest.Conditions{Event: only("push"), Branch: only("main", "feature/*")}, true, "trigger matches event push, branch feature/x"},
		{"other branch", manifest.Conditions{Branch: only("main", "v*")}, false, `trigger.branch is [main, v*], branch is "feature/x"`},
		{"excluded by name", manifest.Conditions{Event: condition(nil, []string{"push"})}, false, `trigger.event excludes "push"`},
		{"excluded by pattern", manifest.Conditions{Branch: condition([]string{"feature/x"}, []string{"feature/*"})}, false,
			`trigger.branch excludes "feature/*", branch is "feature/x"`},
		{"value unknown", manifest.Conditions{Cron: only("nightly")}, false, `trigger.cron is [nightly], cron is empty`},
		{"only the empty value", manifest.Conditions{Target: only("")}, true, `trigger matches target ""`},
		{"empty name in a list", manifest.Conditions{Branch: only("")}, false, `trigger.branch is [""], branch is "feature/x"`},
		{"exclude alone", manifest.Conditions{Ref: condition(nil, []string{"refs/tags/**"})}, true, "trigger matches ref refs/heads/feature/x"},
		{"instance is not part of it", manifest.Conditions{Instance: only("other")}, true, "no trigger"},
		{"exclude before include", manifest.Conditions{Branch: condition([]string{"*/x"}, []string{"feature/x"})}, false, `trigger.branch excludes "feature/x"`},
		{"include where exclude does not match", manifest.Conditions{Branch: condition([]string{"*/x"}, []string{"main"})}, true, "trigger matches branch feature/x"},
		{"neither", manifest.Conditions{Branch: condition([]string{"a"}, []string{"b"})}, false, `trigger.branch is [a], branch is "feature/x"`},
		{"all have to match", manifest.Conditions{Event: only("push"), Branch: only("main")}, false, `trigger.branch is [main], branch is "feature/x"`},
		{"repo", manifest.Conditions{Repo: only("o/*")}, true, "trigger matches repo o/n"},
		{"other repo", manifest.Conditions{Repo: only("x/n")}, false, `trigger.repo is [x/n], repo is "o/n"`},
		{"action", manifest.Conditions{Action: only("opened")}, false, "trigger.action is [opened], action is empty"},
		{"case differs", manifest.Conditions{Event: only("Push")}, false, `trigger.event is [Push], event is "push"`},
		{"status is no condition of the trigger", manifest.Conditions{Status: only("failure")}, true, "no trigger"},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
	if ok, reason := build.when(&manifest.Conditions{Instance: only("other")}); ok || reason != `when.instance is [other], instance is "ci"` {
		t.Errorf("instance of a step: got %v, %q", ok, reason)
	}
}

// The rows are those of reference §6.4, and §8.4 for pipelines.
func TestPolicies(t *testing.T) {
	for _, tc := range []struct {
		name           string
		status         manifest.Condition
		step, pipeline exec.Policy
	}{
		{"absent", manifest.Condition{}, exec.OnSuccess, exec.OnSuccess},
		{"empty list", only(), exec.OnSuccess, exec.OnSuccess},
		{"changed", only("changed"), exec.OnSuccess, exec.Never},
		{"killed", only("killed"), exec.OnSuccess, exec.Never},
		{"success", only("success"), exec.OnSuccess, exec.OnSuccess},
		{"typo", only("sucess"), exec.OnSuccess, exec.Never},
		{"always", only("always"), exec.OnSuccess, exec.Never},
		{"failure", only("failure"), exec.OnFailure, exec.OnFailure},
		{"both", only("success", "failure"), exec.Always, exec.Always},
		{"pattern", only("*"), exec.Always, exec.Always},
		{"exclude other", condition(nil, []string{"foo"}), exec.Always, exec.Always},
		{"exclude success", condition(nil, []string{"success"}), exec.OnFailure, exec.OnFailure},
		{"exclude failure", condition(nil, []string{"failure"}), exec.OnSuccess, exec.OnSuccess},
	} {
		if got := stepPolicy(&tc.status); got != tc.step {
			t.Errorf("%s: step policy %q, want %q", tc.name, got, tc.step)
		}
		if got := pipelinePolicy(&tc.status); got != tc.pipeline {
			t.Errorf("%s: pipeline policy %q, want %q", tc.name, got, tc.pipeline)
		}
	}
}
