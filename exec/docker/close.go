package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
)

const (
	// removeAtOnce is how many containers are removed at the same time.
	removeAtOnce = 8
	// retryEvery is the pause before a removal is tried again that another
	// one, still under way in the engine, holds up.
	retryEvery = 50 * time.Millisecond
)

// Close implements exec.Session. Everything goes at once, without a grace
// period: who had one coming was given it when its context ended, and the
// services of a pipeline that is over have no more work. It waits for the runs
// of detached steps to deliver their output.
func (s *session) Close(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		if s.running == 0 {
			close(s.idle)
		}
	}
	s.mu.Unlock()
	err := s.removeContainers(ctx)
	select {
	case <-s.idle:
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("steps of pipeline %q have not ended: %w", s.pipeline.Name, context.Cause(ctx)))
	}
	s.tidying.Wait()
	// A run that ended meanwhile may have left its container.
	err = errors.Join(err, s.removeContainers(ctx))
	var giving sync.WaitGroup
	var broken error
	giving.Go(func() { broken = exec.Guard(func() error { s.leaveWorkspace(ctx); return nil }) })
	err = errors.Join(err, s.removeShared(ctx))
	giving.Wait()
	return errors.Join(err, broken, s.broken)
}

func (s *session) removeContainers(ctx context.Context) error {
	s.mu.Lock()
	names := slices.Sorted(maps.Keys(s.containers))
	s.mu.Unlock()
	failed := make([]error, len(names))
	var group errgroup.Group
	group.SetLimit(removeAtOnce)
	for i, name := range names {
		group.Go(guarded(func() error {
			if err := s.engine.removeContainer(ctx, name); err != nil {
				failed[i] = fmt.Errorf("cannot remove container %s: %s", name, oneLine(err))
				return nil
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.containers, name)
			return nil
		}))
	}
	return errors.Join(append(failed, group.Wait())...)
}

// removeShared removes the network and the volumes.
func (s *session) removeShared(ctx context.Context) error {
	volumes := s.volumes()
	failed := make([]error, len(volumes)+1)
	var group errgroup.Group
	group.Go(guarded(func() error {
		if err := s.engine.removeNetwork(ctx, s.place.network); err != nil {
			failed[0] = fmt.Errorf("cannot remove network %s: %s", s.place.network, oneLine(err))
		}
		return nil
	}))
	for i, name := range volumes {
		group.Go(guarded(func() error {
			if err := s.engine.removeVolume(ctx, name); err != nil {
				failed[i+1] = fmt.Errorf("cannot remove volume %s: %s", name, oneLine(err))
			}
			return nil
		}))
	}
	return errors.Join(append(failed, group.Wait())...)
}

// removeContainer kills and removes a container with its anonymous volumes.
func (e *Engine) removeContainer(ctx context.Context, name string) error {
	return persist(ctx, func() error {
		return e.client.ContainerRemove(ctx, name, container.RemoveOptions{Force: true, RemoveVolumes: true})
	})
}

func (e *Engine) removeNetwork(ctx context.Context, name string) error {
	return persist(ctx, func() error { return e.client.NetworkRemove(ctx, name) })
}

func (e *Engine) removeVolume(ctx context.Context, name string) error {
	return persist(ctx, func() error { return e.client.VolumeRemove(ctx, name, true) })
}

// persist repeats a removal while the engine is still busy with the object or
// with one that uses it, for at most ten seconds.
func persist(ctx context.Context, remove func() error) error {
	for end := time.Now().Add(10 * time.Second); ; {
		err := remove()
		if gone(err) {
			return nil
		}
		if !busy(err) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryEvery):
		}
	}
}

func busy(err error) bool {
	return errdefs.IsConflict(err) || strings.Contains(err.Error(), "has active endpoints") || strings.Contains(err.Error(), "in use") || changing(err)
}
