package exec_test

import (
	"context"
	"fmt"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// A plan is run on an engine, and what happens is told as events. The scripted
// engine stands for Docker here.
func ExampleRun() {
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{{
		Name: "default", Runs: true,
		Steps: []*exec.Step{{Name: "test"}, {Name: "publish", DependsOn: []string{"test"}}},
	}}}
	engine := &fake.Engine{Scripts: map[string]fake.Script{
		"test": {Output: []string{"one test failed\n"}, Exit: exec.Exit{Code: 1}},
	}}
	summary, err := exec.Run(context.Background(), plan, engine, exec.Options{}, func(e exec.Event) {
		switch e := e.(type) {
		case exec.StepOutput:
			fmt.Printf("%s: %s\n", e.Step, e.Text)
		case exec.StepFinished:
			fmt.Printf("%s: exit code %d\n", e.Step, e.ExitCode)
		case exec.StepSkipped:
			fmt.Printf("%s: skipped, %s\n", e.Step, e.Reason)
		}
	})
	fmt.Println(summary.Status, err)
	// Output:
	// test: one test failed
	// test: exit code 1
	// publish: skipped, step test failed
	// failure <nil>
}
