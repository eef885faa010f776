package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
)

// Leftovers lists what the engine holds for a run, or for every run when run
// is "": "container NAME", "network NAME" and "volume NAME", sorted.
func (e *Engine) Leftovers(ctx context.Context, run string) ([]string, error) {
	label := Label + "=true"
	if run != "" {
		label = LabelRun + "=" + run
	}
	only := filters.NewArgs(filters.Arg("label", label))
	var found []string
	containers, err := e.client.ContainerList(ctx, container.ListOptions{All: true, Filters: only})
	if err != nil {
		return nil, fmt.Errorf("cannot list containers: %s", oneLine(err))
	}
	for _, c := range containers {
		found = append(found, "container "+strings.TrimPrefix(strings.Join(c.Names, ","), "/"))
	}
	networks, err := e.client.NetworkList(ctx, network.ListOptions{Filters: only})
	if err != nil {
		return nil, fmt.Errorf("cannot list networks: %s", oneLine(err))
	}
	for _, n := range networks {
		found = append(found, "network "+n.Name)
	}
	volumes, err := e.client.VolumeList(ctx, volume.ListOptions{Filters: only})
	if err != nil {
		return nil, fmt.Errorf("cannot list volumes: %s", oneLine(err))
	}
	for _, v := range volumes.Volumes {
		found = append(found, "volume "+v.Name)
	}
	slices.Sort(found)
	return found, nil
}
