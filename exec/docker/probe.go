package docker

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"

	"github.com/drone-laptop/drone/exec"
)

// The functions of this file find out what an engine is and whether it can do
// what runs need. A run does not call them.

// Facts are what an engine says about itself.
type Facts struct {
	Product string // Docker or Podman
	Version string
	API     string // that is spoken with it
	OS      string // of its machine, in its own words
	Arch    string
	Machine string // host name

	Rootless bool
	Userns   bool // root in a container is another user outside
	Cgroup   string
	// MemoryLimit and SwapLimit report whether the kernel can limit memory.
	MemoryLimit, SwapLimit bool

	Storage string // driver
	Root    string // directory on its machine where it keeps everything
	// Time is that of its machine, zero when it does not say. It was read at a
	// moment between Asked and Answered of this machine.
	Time, Asked, Answered time.Time
}

// Facts asks the engine what it is.
func (e *Engine) Facts(ctx context.Context) (Facts, error) {
	f := Facts{Product: e.product, Version: e.version, API: e.client.ClientVersion(), Asked: time.Now()}
	info, err := e.client.Info(ctx)
	if err != nil {
		return Facts{}, fmt.Errorf("the engine does not say how it is set up: %s", oneLine(err))
	}
	f.Answered = time.Now()
	f.OS, f.Arch, f.Machine = info.OperatingSystem, info.Architecture, info.Name
	f.Cgroup, f.MemoryLimit, f.SwapLimit = info.CgroupVersion, info.MemoryLimit, info.SwapLimit
	f.Storage, f.Root = info.Driver, info.DockerRootDir
	for _, option := range info.SecurityOptions {
		for part := range strings.SplitSeq(option, ",") {
			f.Rootless = f.Rootless || part == "name=rootless"
			f.Userns = f.Userns || part == "name=userns"
		}
	}
	if f.Product == productPodman {
		own, err := e.podmanFacts(ctx)
		if err != nil {
			return Facts{}, fmt.Errorf("the engine does not say how it is set up: %s", oneLine(err))
		}
		f.Rootless = own.Rootless
		if f.Rootless && f.Cgroup == "1" {
			// It says what the kernel could do, and ignores limits.
			f.MemoryLimit, f.SwapLimit = false, false
		}
	}
	// An engine that does not tell writes nothing, or the zero of the calendar.
	if t, err := time.Parse(time.RFC3339Nano, info.SystemTime); err == nil && t.Year() > 2000 {
		f.Time = t
	}
	return f, nil
}

// Local gives at most most images of those that the engine has: preferred ones
// in their order, then others, the smallest first.
func (e *Engine) Local(ctx context.Context, preferred []string, most int) ([]string, error) {
	var found []string
	for _, name := range preferred {
		if len(found) < most && !slices.Contains(found, name) && e.images.here(ctx, name) {
			found = append(found, name)
		}
	}
	list, err := e.client.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("cannot list images: %s", oneLine(err))
	}
	slices.SortStableFunc(list, func(a, b image.Summary) int { return cmp.Compare(a.Size, b.Size) })
	for _, i := range list {
		for _, tag := range i.RepoTags {
			if len(found) < most && !slices.Contains(found, tag) && tag != "<none>:<none>" && !strings.HasPrefix(tag, keptHost+"/") {
				found = append(found, tag)
				break
			}
		}
	}
	return found, nil
}

// mostProbed bounds what is read of a file through the engine.
const mostProbed = 1 << 20

// ReadMounted reads a file of a directory of this machine through a container
// of the image that has the directory mounted, and is never started. The
// container is removed before it returns, as long as ctx lets it.
func (e *Engine) ReadMounted(ctx context.Context, run, image, dir, file string) (text []byte, err error) {
	const target = "/drone/src"
	name := objectName(run)
	config := &container.Config{
		Image: image, Entrypoint: []string{"/bin/sh"},
		Labels: pipelineLabels(e.owner, &exec.Pipeline{Name: run}, run),
	}
	host := &container.HostConfig{
		NetworkMode: "none", LogConfig: container.LogConfig{Type: "none"},
		Mounts: []mount.Mount{{Type: mount.TypeBind, Source: dir, Target: target, ReadOnly: true}},
	}
	if e.product == productPodman {
		spellMounts(host)
	}
	defer func() {
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
		defer cancel()
		err = errors.Join(err, e.removeContainer(tidy, name))
	}()
	longer, cancel := outlive(ctx)
	defer cancel()
	if _, err := e.client.ContainerCreate(longer, config, host, nil, nil, name); err != nil {
		return nil, stepError(exec.PhaseCreate, about{image: image}, err)
	}
	stream, _, err := e.client.CopyFromContainer(ctx, name, path.Join(target, file))
	if err != nil {
		return nil, errors.New(oneLine(err))
	}
	defer stream.Close()
	archive := tar.NewReader(stream)
	if _, err := archive.Next(); err != nil {
		return nil, fmt.Errorf("the engine sends no archive: %w", err)
	}
	return io.ReadAll(io.LimitReader(archive, mostProbed))
}
