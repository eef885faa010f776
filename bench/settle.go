package main

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/internal/dockerhost"
)

const (
	// dirLabel says which directory a run works in. drone puts it on everything
	// that it makes.
	dirLabel = "io.drone.desktop.pipeline.dir"
	// settleTime bounds the wait for what a run has made to be removed.
	settleTime = time.Minute
	settlePoll = 10 * time.Millisecond
)

// connect gives a client of the engine that drone uses.
func connect() (*client.Client, error) {
	endpoint, err := dockerhost.Resolve(dockerhost.Process(), "")
	if err != nil {
		return nil, err
	}
	options, err := endpoint.ClientOptions()
	if err != nil {
		return nil, err
	}
	return client.NewClientWithOpts(options...)
}

// settler waits until the engine holds nothing of runs in dir: what one leaves to
// be removed behind the prompt must neither be forgotten nor slow the next one
// down.
func settler(engine *client.Client, dir string) func(context.Context) error {
	mine := filters.NewArgs(filters.Arg("label", dirLabel+"="+dir))
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, settleTime, fmt.Errorf("%v after a run in %s it has not been removed", settleTime, dir))
		defer cancel()
		for {
			// Networks go last.
			networks, err := engine.NetworkList(ctx, network.ListOptions{Filters: mine})
			if err == nil && len(networks) == 0 {
				var containers []container.Summary
				var volumes volume.ListResponse
				if containers, err = engine.ContainerList(ctx, container.ListOptions{All: true, Filters: mine}); err == nil {
					volumes, err = engine.VolumeList(ctx, volume.ListOptions{Filters: mine})
				}
				if err == nil && len(containers) == 0 && len(volumes.Volumes) == 0 {
					return nil
				}
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				return err
			}
			time.Sleep(settlePoll)
		}
	}
}
