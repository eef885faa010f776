package watch_test

import (
	"fmt"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/watch"
)

// What a server says of a build becomes the events of a run, each once, however
// often it says so.
func ExampleFold() {
	fold := watch.Fold{Name: "octo/cat#7", Emit: func(e exec.Event) {
		switch e := e.(type) {
		case exec.StepStarted:
			fmt.Println(e.Step, "starts")
		case exec.StepOutput:
			fmt.Printf("%s: %s\n", e.Step, e.Text)
		case exec.StepFinished:
			fmt.Println(e.Step, "ends:", e.Status)
		case exec.RunFinished:
			fmt.Println("the build:", e.Status)
		}
	}}
	build := func(status string, version int64) *remote.Build {
		step := remote.Step{Number: 1, Name: "test", Status: status, Version: version}
		stage := remote.Stage{Number: 1, Name: "default", Status: status, Version: version, Started: 1, Steps: []remote.Step{step}}
		return &remote.Build{Number: 7, Status: status, Version: version, Started: 1, Stages: []remote.Stage{stage}}
	}
	fold.Snapshot(build("running", 1))
	fold.Line(watch.Place{Stage: 1, Step: 1}, remote.Line{Number: 0, Message: "all is well\n"})
	fold.Snapshot(build("success", 2))
	fold.Snapshot(build("running", 1)) // late
	// Output:
	// test starts
	// test: all is well
	// test ends: success
	// the build: success
}
