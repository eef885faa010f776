package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"golang.org/x/sync/errgroup"
)

// variant is a way to run a container.
type variant struct {
	name   string
	change func(l *lab, c *container.Config, h *container.HostConfig)
	late   bool // attached after the start
}

// variants are what is compared. The first is what a step has.
func variants() []variant {
	mode := func(mode string) func(*lab, *container.Config, *container.HostConfig) {
		return func(_ *lab, _ *container.Config, h *container.HostConfig) {
			h.NetworkMode = container.NetworkMode(mode)
		}
	}
	logs := func(driver string) func(*lab, *container.Config, *container.HostConfig) {
		return func(_ *lab, _ *container.Config, h *container.HostConfig) { h.LogConfig.Type = driver }
	}
	yes := true
	return []variant{
		{name: "own", change: func(*lab, *container.Config, *container.HostConfig) {}},
		{name: "bridge", change: mode("bridge")},
		{name: "joined", change: func(l *lab, c *container.Config, h *container.HostConfig) {
			h.NetworkMode = container.NetworkMode("container:" + l.name + "-holder")
		}},
		{name: "none", change: mode("none")},
		{name: "host", change: mode("host")},
		{name: "log-local", change: logs("local")},
		{name: "log-json", change: logs("json-file")},
		{name: "attach-late", late: true, change: func(*lab, *container.Config, *container.HostConfig) {}},
		{name: "auto-remove", change: func(_ *lab, _ *container.Config, h *container.HostConfig) { h.AutoRemove = true }},
		{name: "init", change: func(_ *lab, _ *container.Config, h *container.HostConfig) { h.Init = &yes }},
		{name: "limits", change: func(_ *lab, _ *container.Config, h *container.HostConfig) {
			h.Resources = container.Resources{Memory: 64 << 20, MemorySwap: 64 << 20, CPUShares: 512}
		}},
		{name: "volume", change: func(_ *lab, c *container.Config, _ *container.HostConfig) {
			c.Volumes = map[string]struct{}{"/data": {}}
		}},
	}
}

func names(all []variant) (out []string) {
	for _, v := range all {
		out = append(out, v.name)
	}
	return out
}

// phases are the pieces of a life. Between start and end a container waits, so
// that each can be seen for itself; with auto-remove, end includes the removal.
var phases = []string{"create", "start", "end", "remove"}

// sample is a life: a spell for each phase.
type sample []spell

// spell is how long something took, and how much of the processors, of the
// whole machine, that needed.
type spell struct{ took, busy time.Duration }

// lab is where containers live: a network and a container on it that waits.
type lab struct {
	api   *client.Client
	image string
	name  string // of the network, and beginning of all others
	busy  clock
	count int
}

func newLab(ctx context.Context, api *client.Client, image string, busy clock) (*lab, error) {
	l := &lab{api: api, image: image, busy: busy, name: "drone-bench-" + strings.ToLower(rand.Text()[:8])}
	if _, err := api.NetworkCreate(ctx, l.name, network.CreateOptions{Driver: "bridge"}); err != nil {
		return l, err
	}
	c, h := l.base()
	holder := l.name + "-holder"
	if _, err := api.ContainerCreate(ctx, c, h, nil, nil, holder); err != nil {
		return l, err
	}
	return l, api.ContainerStart(ctx, holder, container.StartOptions{})
}

// close removes everything.
func (l *lab) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	list, err := l.api.ContainerList(ctx, container.ListOptions{All: true})
	for _, c := range list {
		if strings.HasPrefix(strings.TrimPrefix(c.Names[0], "/"), l.name) {
			err = errors.Join(err, l.remove(ctx, c.ID))
		}
	}
	return errors.Join(err, l.api.NetworkRemove(ctx, l.name))
}

func (l *lab) remove(ctx context.Context, name string) error {
	return l.api.ContainerRemove(ctx, name, container.RemoveOptions{Force: true, RemoveVolumes: true})
}

// base is a container as a step has one: it reads until its input ends.
func (l *lab) base() (*container.Config, *container.HostConfig) {
	c := &container.Config{
		Image: l.image, Cmd: []string{"cat"}, OpenStdin: true, StdinOnce: true,
		AttachStdin: true, AttachStdout: true, AttachStderr: true,
	}
	return c, &container.HostConfig{NetworkMode: container.NetworkMode(l.name), LogConfig: container.LogConfig{Type: "none"}}
}

// life is one container of a sample.
type life struct {
	name    string
	conn    types.HijackedResponse
	results <-chan container.WaitResponse
	broken  <-chan error
}

// lives has n containers of a variant live at the same time.
func (l *lab) lives(ctx context.Context, v variant, n int) (sample, error) {
	all := make([]life, n)
	for i := range all {
		l.count++
		all[i].name = fmt.Sprintf("%s-%d", l.name, l.count)
	}
	c, h := l.base()
	v.change(l, c, h)
	condition := container.WaitConditionNextExit
	if h.AutoRemove {
		condition = container.WaitConditionRemoved
	}
	create := func(x *life) error {
		_, err := l.api.ContainerCreate(ctx, c, h, nil, nil, x.name)
		return err
	}
	attach := func(x *life) (err error) {
		x.conn, err = l.api.ContainerAttach(ctx, x.name, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
		return err
	}
	start := func(x *life) error {
		if !v.late {
			if err := attach(x); err != nil {
				return err
			}
		}
		x.results, x.broken = l.api.ContainerWait(ctx, x.name, condition)
		if err := l.api.ContainerStart(ctx, x.name, container.StartOptions{}); err != nil || !v.late {
			return err
		}
		return attach(x)
	}
	end := func(x *life) error {
		defer x.conn.Close()
		if err := x.conn.CloseWrite(); err != nil {
			return err
		}
		select {
		case <-x.results:
			return nil
		case err := <-x.broken:
			return err
		}
	}
	remove := func(x *life) error { return l.remove(ctx, x.name) }
	var s sample
	for _, do := range []func(*life) error{create, start, end, remove} {
		if h.AutoRemove && len(s) == len(phases)-1 {
			s = append(s, spell{})
			continue
		}
		part, err := l.together(all, do)
		if err != nil {
			return nil, err
		}
		s = append(s, part)
	}
	return s, nil
}

// together does something with all containers at once.
func (l *lab) together(all []life, do func(*life) error) (spell, error) {
	var group errgroup.Group
	m := l.busy.begin()
	for i := range all {
		group.Go(func() error { return do(&all[i]) })
	}
	err := group.Wait()
	s := m.end()
	n := time.Duration(len(all))
	return spell{s.took / n, s.busy / n}, err
}

// network makes a network and removes it.
func (l *lab) network(ctx context.Context) (sample, error) {
	l.count++
	name := fmt.Sprintf("%s-%d", l.name, l.count)
	m := l.busy.begin()
	if _, err := l.api.NetworkCreate(ctx, name, network.CreateOptions{Driver: "bridge"}); err != nil {
		return nil, err
	}
	made := m.end()
	m = l.busy.begin()
	err := l.api.NetworkRemove(ctx, name)
	return sample{made, {}, {}, m.end()}, err
}
