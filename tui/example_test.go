package tui_test

import (
	"context"
	"fmt"
	"os"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
	"github.com/drone-laptop/drone/tui"
)

// A run is shown on a terminal while it happens.
func Example() {
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{{Name: "default", Runs: true, Steps: []*exec.Step{{Name: "test"}}}}}
	live := tui.NewLive(os.Stdout, tui.Options{Plan: plan})
	_, err := exec.Run(context.Background(), plan, &fake.Engine{}, exec.Options{}, func(e exec.Event) {
		_ = live.Handle(e) // the first error comes back from Close
	})
	if failed := live.Close(); err != nil || failed != nil {
		fmt.Println(err, failed)
	}
}
