package compile

import (
	"runtime"
	"testing"

	"github.com/drone-laptop/drone/manifest"
)

// TestPlanningIsLinear compiles files of n and 2n steps and compares what is
// allocated, never how long it takes: the second may cost twice as much and a
// little more.
func TestPlanningIsLinear(t *testing.T) {
	const n, most = 500, 2.4
	for name, graph := range map[string]bool{"in a row": false, "as a graph": true} {
		t.Run(name, func(t *testing.T) {
			objects, bytes := compileCost(t, n, graph)
			moreObjects, moreBytes := compileCost(t, 2*n, graph)
			if ratio := moreObjects / objects; ratio > most {
				t.Errorf("twice the steps cost %.1f times the objects", ratio)
			}
			if ratio := moreBytes / bytes; ratio > most {
				t.Errorf("twice the steps cost %.1f times the bytes", ratio)
			}
			if perStep := objects / n; perStep > 180 {
				t.Errorf("a step costs %.0f objects", perStep)
			}
			if perStep := bytes / n; perStep > 16_500 {
				t.Errorf("a step costs %.0f bytes", perStep)
			}
		})
	}
}

// compileCost is what compiling a file of so many steps allocates.
func compileCost(t *testing.T, steps int, graph bool) (objects, bytes float64) {
	t.Helper()
	source := manySteps(steps, graph)
	var before, after runtime.MemStats
	for range 2 { // the first fills what is kept for good
		runtime.ReadMemStats(&before)
		plan, problems, err := Compile("x.yml", source, Options{Build: pushBuild(), Workspace: "/w"})
		runtime.ReadMemStats(&after)
		if err != nil || len(problems) > 0 || len(plan.Pipelines[0].Steps) != steps {
			t.Fatal(err, lines(problems))
		}
	}
	return float64(after.Mallocs - before.Mallocs), float64(after.TotalAlloc - before.TotalAlloc)
}

// TestConditionsCostNothing says that nothing is allocated to find that a step
// without conditions runs: most have none, and there may be ten thousand.
func TestConditionsCostNothing(t *testing.T) {
	build, none := pushBuild(), manifest.Conditions{}
	if n := testing.AllocsPerRun(100, func() { build.when(&none) }); n > 0 {
		t.Errorf("a step without conditions costs %.0f objects", n)
	}
}

// TestCostOfMismatch: whoever only asks whether a condition is met pays for no
// reason. The linter asks so for each step and each event.
func TestCostOfMismatch(t *testing.T) {
	c := manifest.Condition{Include: []manifest.String{{Value: "main"}}}
	glob := testing.AllocsPerRun(100, func() { MatchGlob("main", "develop") })
	if n := testing.AllocsPerRun(100, func() { Matches(&c, "develop") }); n > glob {
		t.Errorf("%v allocations for a condition, and %v for its only pattern", n, glob)
	}
}
