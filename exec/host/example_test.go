//go:build unix

package host_test

import (
	"context"
	"fmt"
	"os"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/host"
)

// Steps of a pipeline run one after another, in a directory of their own.
func Example() {
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{{
		Name: "default", Type: "exec", Runs: true,
		Steps: []*exec.Step{
			{Name: "write", Commands: []string{"echo kept > file"}},
			{Name: "read", Commands: []string{"cat file"}, DependsOn: []string{"write"}},
		},
	}}}
	engine := host.New(host.Options{Getenv: os.Getenv})
	summary, err := exec.Run(context.Background(), plan, engine, exec.Options{}, func(e exec.Event) {
		if e, ok := e.(exec.StepOutput); ok {
			fmt.Printf("%s: %s\n", e.Step, e.Text)
		}
	})
	fmt.Println(summary.Status, err)
	// Output:
	// write: + echo kept > file
	// read: + cat file
	// read: kept
	// success <nil>
}
