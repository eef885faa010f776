package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/internal/owner"
)

// The kinds of objects, in the order in which they can be removed.
const (
	KindContainer = "container"
	KindNetwork   = "network"
	KindVolume    = "volume"
)

// Object is something that an engine holds for a run.
type Object struct {
	Kind     string
	Name     string
	Run      string
	Pipeline string
	Step     string // of a container
	Made     time.Time
	Owner    owner.Identity
	Guard    owner.Identity // removes it when its owner is gone; without PID there is none
	// Size in bytes, -1 where it is not known: what a container has written, and
	// what is in a volume.
	Size int64
}

// Objects lists what the engine holds for a run, or for every run when run is
// "", by kind and name, with sizes unknown. Only what an Engine has made is in
// it: other programs label what is theirs alike, and a container of an image
// that was committed from one of ours has its labels, but not its name.
func (e *Engine) Objects(ctx context.Context, run string) ([]Object, error) {
	return e.objects(ctx, run, false)
}

// sizeTime is how long an engine may look for the sizes of volumes. Some look at
// everything that they have.
const sizeTime = 20 * time.Second

// SizedObjects is Objects with sizes, for which the engine looks at the disk. An
// engine that takes too long for it, or does not know the question, leaves those
// of volumes unknown.
func (e *Engine) SizedObjects(ctx context.Context, run string) ([]Object, error) {
	objects, err := e.objects(ctx, run, true)
	if err != nil || !slices.ContainsFunc(objects, func(o Object) bool { return o.Kind == KindVolume }) {
		return objects, err
	}
	bounded, cancel := context.WithTimeout(ctx, sizeTime)
	defer cancel()
	usage, err := e.client.DiskUsage(bounded, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.VolumeObject}})
	if err != nil {
		return objects, nil
	}
	for _, v := range usage.Volumes {
		i := slices.IndexFunc(objects, func(o Object) bool { return o.Kind == KindVolume && o.Name == v.Name })
		if i >= 0 && v.UsageData != nil {
			objects[i].Size = v.UsageData.Size
		}
	}
	return objects, nil
}

func (e *Engine) objects(ctx context.Context, run string, sized bool) ([]Object, error) {
	label := LabelRun
	if run != "" {
		label += "=" + run
	}
	only := filters.NewArgs(filters.Arg("label", label), filters.Arg("label", LabelOwnerPID))
	var found [3][]Object
	group, ctx := errgroup.WithContext(ctx)
	for i, list := range []func() ([]Object, error){
		func() ([]Object, error) { return e.containers(ctx, run, only, sized) },
		func() ([]Object, error) { return e.networks(ctx, run, only) },
		func() ([]Object, error) { return e.volumes(ctx, run, only) },
	} {
		group.Go(guarded(func() (err error) {
			found[i], err = list()
			slices.SortFunc(found[i], func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
			return err
		}))
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found[:]...), nil
}

func (e *Engine) containers(ctx context.Context, run string, only filters.Args, sized bool) (found []Object, err error) {
	containers, err := e.client.ContainerList(ctx, container.ListOptions{All: true, Filters: only, Size: sized})
	if err != nil {
		return nil, fmt.Errorf("cannot list containers: %s", oneLine(err))
	}
	for _, c := range containers {
		// Within other containers it has further names, such as /other/link.
		for _, name := range c.Names {
			o, ours := newObject(run, KindContainer, strings.TrimPrefix(name, "/"), c.Labels)
			if !ours {
				continue
			}
			o.Step, o.Made = c.Labels[LabelStep], time.Unix(c.Created, 0)
			if sized {
				o.Size = c.SizeRw
			}
			found = append(found, o)
		}
	}
	return found, nil
}

func (e *Engine) networks(ctx context.Context, run string, only filters.Args) (found []Object, err error) {
	networks, err := e.client.NetworkList(ctx, network.ListOptions{Filters: only})
	if err != nil {
		return nil, fmt.Errorf("cannot list networks: %s", oneLine(err))
	}
	for _, n := range networks {
		if o, ours := newObject(run, KindNetwork, n.Name, n.Labels); ours {
			o.Made = n.Created
			found = append(found, o)
		}
	}
	return found, nil
}

func (e *Engine) volumes(ctx context.Context, run string, only filters.Args) (found []Object, err error) {
	volumes, err := e.client.VolumeList(ctx, volume.ListOptions{Filters: only})
	if err != nil {
		return nil, fmt.Errorf("cannot list volumes: %s", oneLine(err))
	}
	for _, v := range volumes.Volumes {
		o, ours := newObject(run, KindVolume, v.Name, v.Labels)
		if !ours {
			continue
		}
		if made, err := time.Parse(time.RFC3339, v.CreatedAt); err == nil {
			o.Made = made
		}
		found = append(found, o)
	}
	return found, nil
}

// newObject reports whether an object is one that an Engine has made for the
// run that is asked for, or for any when that is "". Labels are compared here
// too: Podman's volumes need match only one of several (seen with 4.3).
func newObject(asked, kind, name string, labels map[string]string) (Object, bool) {
	run := labels[LabelRun]
	by := ownerOf(labels)
	return Object{
		Kind: kind, Name: name, Run: run, Pipeline: labels[LabelPipeline], Owner: by, Guard: guardOf(labels, by), Size: -1,
	}, run != "" && (asked == "" || asked == run) && labels[LabelOwnerPID] != "" && strings.HasPrefix(name, namePrefix(run))
}

// Remove removes objects, running containers too, and says for each why it is
// not gone: nil when it is, whoever has removed it. A network that something is
// connected to has a *HeldError, and whatever is just being removed by somebody else
// a conflict, as package errdefs has it. What is held up is tried again
// for a while, unless enough is closed, which nil never is.
func (e *Engine) Remove(ctx context.Context, enough <-chan struct{}, objects []Object) []error {
	failed := make([]error, len(objects))
	places := make(chan struct{}, removeAtOnce)
	remove := func(chosen []int) {
		var all sync.WaitGroup
		for _, i := range chosen {
			all.Go(func() {
				places <- struct{}{}
				defer func() { <-places }()
				if err := e.removeObject(ctx, enough, objects[i]); err != nil {
					failed[i] = &removeError{objects[i], err}
				}
			})
		}
		all.Wait()
	}
	// Networks and volumes cannot go before the containers that use them, which
	// are those of the same pipeline.
	type pipeline struct{ run, name string }
	type parts struct{ containers, others []int }
	pipelines := map[pipeline]*parts{}
	for i, o := range objects {
		p := pipeline{o.Run, o.Pipeline}
		if pipelines[p] == nil {
			pipelines[p] = &parts{}
		}
		if o.Kind == KindContainer {
			pipelines[p].containers = append(pipelines[p].containers, i)
		} else {
			pipelines[p].others = append(pipelines[p].others, i)
		}
	}
	var all sync.WaitGroup
	for _, p := range pipelines {
		all.Go(func() {
			remove(p.containers)
			remove(p.others)
		})
	}
	all.Wait()
	return failed
}

// removeError is why an object is not gone.
type removeError struct {
	object Object
	err    error
}

func (e *removeError) Error() string {
	return fmt.Sprintf("cannot remove %s %s: %s", e.object.Kind, e.object.Name, oneLine(e.err))
}

func (e *removeError) Unwrap() error { return e.err }
