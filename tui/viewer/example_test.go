package viewer_test

import (
	"context"
	"fmt"
	"os"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
	"github.com/drone-laptop/drone/tui/viewer"
)

// A run has the whole terminal, and ctrl-c ends it.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{{Name: "default", Runs: true, Steps: []*exec.Step{{Name: "test"}}}}}
	view := viewer.New(viewer.Options{Input: os.Stdin, Terminal: os.Stdout, Plan: plan, Interrupt: cancel})
	_, err := exec.Run(ctx, plan, &fake.Engine{}, exec.Options{}, func(e exec.Event) { _ = view.Handle(e) })
	if failed := view.Close(); err != nil || failed != nil {
		fmt.Println(err, failed)
	}
}
