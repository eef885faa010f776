package exec_test

import (
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

func TestValidate(t *testing.T) {
	type testCase struct {
		name string
		runs bool
		deps [2][]string // of steps a and b
		want string
	}
	run := func(t *testing.T, tc testCase) {
		plan := &exec.Plan{Pipelines: []*exec.Pipeline{{
			Name: "p", Runs: tc.runs,
			Steps: []*exec.Step{
				{Name: "a", Position: "f:1:1", DependsOn: tc.deps[0]},
				{Name: "b", Position: "f:2:1", DependsOn: tc.deps[1]},
			},
		}}}
		got := ""
		if err := plan.Validate(); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
		// Run takes what Validate takes.
		if _, err := exec.Run(t.Context(), plan, &fake.Engine{}, exec.Options{}, func(exec.Event) {}); (err == nil) != (tc.want == "") {
			t.Errorf("Run: %v", err)
		}
	}
	for _, tc := range []testCase{
		{"a graph", true, [2][]string{nil, {"a"}}, ""},
		{"unknown", true, [2][]string{nil, {"c"}}, `pipeline "p": f:2:1: step "b" depends on "c", which does not exist`},
		{"unknown in a pipeline that does not run", false, [2][]string{nil, {"c"}}, ""},
		{"cycle", true, [2][]string{{"b"}, {"a"}}, `pipeline "p": f:1:1: step "a" waits for itself: a → b → a`},
		{"cycle in a pipeline that does not run", false, [2][]string{{"b"}, {"a"}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}
