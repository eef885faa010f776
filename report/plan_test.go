package report_test

import (
	"strings"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// planned returns a plan of one pipeline.
func planned(steps ...*exec.Step) *exec.Plan {
	return &exec.Plan{File: ".drone.yml", Pipelines: []*exec.Pipeline{
		{Name: "default", Runs: true, Reason: "no trigger", Steps: steps},
	}}
}

func after(name string, names ...string) *exec.Step {
	return &exec.Step{Name: name, Kind: exec.KindStep, Image: "i:1", DependsOn: names}
}

// TestPlanShowsEdges in every graph, and in no pipeline that runs in the order
// in which it is listed.
func TestPlanShowsEdges(t *testing.T) {
	skipped := after("d", "b", "c")
	skipped.Policy, skipped.Reason = exec.Never, "excluded"
	type testCase struct {
		steps []*exec.Step
		want  []string // the details of the steps
	}
	run := func(t *testing.T, tc testCase) {
		var out strings.Builder
		if err := report.WritePlan(&out, planned(tc.steps...), "event push", report.Style{}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		lines = lines[len(lines)-len(tc.steps):]
		for i, want := range tc.want {
			_, got, _ := strings.Cut(lines[i], "i:1")
			if got = strings.TrimSpace(got); got != want {
				t.Errorf("step %s: %q, want %q", tc.steps[i].Name, got, want)
			}
		}
	}
	t.Run("serial", func(t *testing.T) {
		run(t, testCase{[]*exec.Step{after("a"), after("b", "a"), after("c", "b")}, []string{"", "", ""}})
	})
	t.Run("one after the previous, one not", func(t *testing.T) {
		run(t, testCase{[]*exec.Step{after("a"), after("b", "a"), after("c", "a")}, []string{"at once", "after a", "after a"}})
	})
	t.Run("two roots", func(t *testing.T) {
		run(t, testCase{[]*exec.Step{after("a"), after("b"), after("c", "b")}, []string{"at once", "at once", "after b"}})
	})
	t.Run("a root that is skipped", func(t *testing.T) {
		out := after("a")
		out.Policy, out.Reason = exec.Never, "excluded"
		run(t, testCase{[]*exec.Step{out, after("b"), after("c", "a")}, []string{"skipped: excluded", "at once", "after a"}})
	})
	t.Run("the first waits", func(t *testing.T) {
		run(t, testCase{[]*exec.Step{after("a", "b"), after("b")}, []string{"after b", "at once"}})
	})
	t.Run("through a skipped step", func(t *testing.T) {
		run(t, testCase{
			[]*exec.Step{after("a"), after("b", "a"), after("c", "a"), skipped, after("e", "d")},
			[]string{"at once", "after a", "after a", "after b, c, skipped: excluded", "after d"},
		})
	})
}
