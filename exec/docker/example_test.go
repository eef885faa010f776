package docker_test

import (
	"context"
	"fmt"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

// The engine that the docker command would use runs a plan.
func Example() {
	ctx := context.Background()
	endpoint, err := dockerhost.Resolve(dockerhost.Process(), "")
	if err != nil {
		fmt.Println(err)
		return
	}
	engine, err := docker.New(ctx, docker.Options{Endpoint: endpoint, Grace: 10 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{{
		Name: "default", Type: "docker", Runs: true,
		Workspace: exec.Workspace{Base: "/drone/src", Path: "/drone/src"},
		Steps:     []*exec.Step{{Name: "test", Image: "golang:1.26", WorkingDir: "/drone/src", Commands: []string{"go version"}}},
	}}}
	summary, err := exec.Run(ctx, plan, engine, exec.Options{}, func(e exec.Event) { fmt.Printf("%+v\n", e) })
	fmt.Println(summary.Status, err)
}
