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
	// one, still under way in the engine, holds up. It grows to retryMost.
	retryEvery = 50 * time.Millisecond
	retryMost  = 250 * time.Millisecond
	// sayAfter is how long an engine may be gone before that is said.
	sayAfter = time.Second
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
	s.containers.close()
	s.forgetPrepared()
	ctx, giveUp, done := s.whileClosing(ctx)
	defer done()
	r := s.remove(ctx)
	var unended error
	select {
	case <-s.idle:
	case <-ctx.Done():
		unended = fmt.Errorf("steps of pipeline %q have not ended: %w", s.pipeline.Name, context.Cause(ctx))
	}
	if unended != nil || s.containers.mayRun() {
		<-r.containers // nobody may write to the workspace any more
	}
	broken := exec.Guard(func() error { s.leaveWorkspace(ctx); return nil })
	if unended == nil && broken == nil && ctx.Err() == nil && !s.givenUp() {
		s.tell(exec.Notice{Phase: exec.PhaseRemove})
	}
	select {
	case <-r.all:
	case <-s.inherited:
		giveUp(errInherited)
		<-r.all
		return errors.Join(broken, s.firstDefect())
	}
	if len(r.left) > 0 {
		unended = nil // the containers that are left say so
	}
	return errors.Join(unended, leftError(s.engine, s.hurry, r.left), r.broken, broken, s.firstDefect())
}

// removal is that of everything of a session.
type removal struct {
	containers chan struct{} // closed when they are gone, or stay
	all        chan struct{} // closed when the rest is valid
	left       []left
	broken     error // what panicked
}

// remove begins to remove everything.
func (s *session) remove(ctx context.Context) *removal {
	r := &removal{containers: make(chan struct{}), all: make(chan struct{})}
	go func() {
		defer close(r.all)
		var defects [3]error
		defer func() { r.broken = errors.Join(defects[:]...) }()
		_, defects[0] = s.removeContainers(ctx, false) // what is left is tried again below
		select {
		case <-s.idle:
		case <-ctx.Done():
		}
		s.tidying.Wait()
		// A run that ended meanwhile may have left its container.
		r.left, defects[1] = s.removeContainers(ctx, true)
		close(r.containers)
		shared, defect := s.removeShared(ctx)
		r.left, defects[2] = append(r.left, shared...), defect
	}()
	return r
}

// tell gives a notice to whoever listens.
func (s *session) tell(n exec.Notice) {
	if s.notify != nil {
		s.notify(n)
	}
}

// whileClosing gives a context for removals that also ends when the engine
// hangs, or when they are given up. The pulse of the session ends with done.
func (s *session) whileClosing(ctx context.Context) (_ context.Context, giveUp func(error), done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	watching, stop := context.WithCancel(ctx)
	var once sync.Once
	giveUp = func(why error) {
		once.Do(func() {
			cancel(why)
			close(s.hopeless)
		})
	}
	s.watching.Go(func() { s.engine.watchPulse(watching, time.Second, s.engine.patience.closing, giveUp) })
	s.watching.Go(func() {
		select {
		case <-watching.Done():
			return
		case <-s.hurry:
		}
		for s.engine.goneSince.Load() == nil {
			select {
			case <-watching.Done():
				return
			case <-time.After(retryEvery):
			}
		}
		giveUp(errGone)
	})
	patient := time.AfterFunc(sayAfter, func() {
		if s.engine.goneSince.Load() != nil {
			s.tell(exec.Notice{Warning: fmt.Sprintf("the engine at %s is gone: waiting up to %s for it to come back, to remove what the run made",
				s.engine.endpoint.Host, s.engine.patience.back)})
		}
	})
	return ctx, giveUp, func() {
		patient.Stop()
		stop()
		cancel(nil)
		s.leavePulse()
	}
}

// errInherited ends removals that somebody else goes on with.
var errInherited = errors.New("somebody else removes the rest")

// errGone ends the wait for an engine that is gone when there is no time left.
var errGone = errors.New("the engine is gone")

// left is an object that could not be removed.
type left struct {
	what string // kind and name
	err  error
}

// leftError names what could not be removed, on one line.
func leftError(e *Engine, hurry <-chan struct{}, all []left) error {
	if len(all) == 0 {
		return nil
	}
	names := make([]string, len(all))
	reasons := map[string]bool{}
	for i, l := range all {
		names[i] = l.what
		reason := oneLine(l.err)
		if lost(l.err) || errors.Is(l.err, errGone) || errors.Is(l.err, context.Canceled) || errors.Is(l.err, context.DeadlineExceeded) {
			reason = fmt.Sprintf("the engine at %s does not answer", e.endpoint.Host)
			select {
			case <-hurry:
				reason = "there was no time left"
			default:
			}
		}
		reasons[reason] = true
	}
	return fmt.Errorf("left behind: %s: %s",
		strings.Join(names, ", "), strings.Join(slices.Sorted(maps.Keys(reasons)), "; "))
}

// removeContainers removes the containers, those that are being discarded only
// if asked to.
func (s *session) removeContainers(ctx context.Context, discarded bool) ([]left, error) {
	names := s.containers.names(discarded)
	failed := make([]error, len(names))
	var group errgroup.Group
	group.SetLimit(removeAtOnce)
	for i, name := range names {
		group.Go(guarded(func() error {
			if err := s.engine.removeContainer(ctx, name); err != nil {
				failed[i] = err
				return nil
			}
			s.containers.removed(name)
			return nil
		}))
	}
	broken := group.Wait()
	return leftOf("container", names, failed), broken
}

func leftOf(kind string, names []string, failed []error) (all []left) {
	for i, err := range failed {
		if err != nil {
			all = append(all, left{kind + " " + names[i], err})
		}
	}
	return all
}

// removeShared removes the network and the volumes.
func (s *session) removeShared(ctx context.Context) ([]left, error) {
	volumes := s.volumes()
	failed := make([]error, len(volumes)+1)
	var group errgroup.Group
	group.Go(guarded(func() error {
		failed[len(volumes)] = s.engine.removeNetwork(ctx, s.place.network)
		return nil
	}))
	for i, name := range volumes {
		group.Go(guarded(func() error {
			failed[i] = s.engine.removeVolume(ctx, name)
			return nil
		}))
	}
	broken := group.Wait()
	return append(leftOf("volume", volumes, failed[:len(volumes)]),
		leftOf("network", []string{s.place.network}, failed[len(volumes):])...), broken
}

// removeContainer kills and removes a container with its anonymous volumes.
func (e *Engine) removeContainer(ctx context.Context, name string) error {
	return e.removeObject(ctx, nil, Object{Kind: KindContainer, Name: name})
}

func (e *Engine) removeNetwork(ctx context.Context, name string) error {
	return e.removeObject(ctx, nil, Object{Kind: KindNetwork, Name: name})
}

func (e *Engine) removeVolume(ctx context.Context, name string) error {
	return e.removeObject(ctx, nil, Object{Kind: KindVolume, Name: name})
}

// removeObject removes an object. What holds it up is waited for, unless enough
// is closed.
func (e *Engine) removeObject(ctx context.Context, enough <-chan struct{}, o Object) error {
	switch o.Kind {
	case KindContainer:
		return e.persist(ctx, enough, func() error {
			return e.client.ContainerRemove(ctx, o.Name, container.RemoveOptions{Force: true, RemoveVolumes: true})
		})
	case KindNetwork:
		h := &holders{engine: e, network: o.Name}
		return e.persist(ctx, enough, func() error { return h.explain(ctx, e.client.NetworkRemove(ctx, o.Name)) })
	case KindVolume:
		return e.persist(ctx, enough, func() error { return e.client.VolumeRemove(ctx, o.Name, true) })
	}
	return errors.New("nothing is known of this kind")
}

// persist repeats a removal while the engine is still busy with the object or
// with one that uses it, for at most ten seconds, and while the engine is gone
// and may come back, as one does that is restarted. It does not when enough is
// closed.
func (e *Engine) persist(ctx context.Context, enough <-chan struct{}, remove func() error) error {
	pause := retryEvery
	for end := time.Now().Add(10 * time.Second); ; {
		err := remove()
		if gone(err) {
			e.here()
			return nil
		}
		again := busy(err) && time.Now().Before(end)
		if lost(err) {
			again = e.mayReturn()
		}
		if !again || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-enough:
			return err
		case <-time.After(pause):
		}
		pause = min(pause*3/2, retryMost)
	}
}

// mayReturn reports whether an engine that is gone is still waited for. All
// removals share the time for that, from the first one that found it gone.
func (e *Engine) mayReturn() bool {
	now := time.Now()
	first := e.goneSince.Load()
	if first == nil && e.goneSince.CompareAndSwap(nil, &now) {
		return true
	}
	first = e.goneSince.Load()
	return first == nil || now.Sub(*first) < e.patience.back
}

// here says that the engine answers.
func (e *Engine) here() { e.goneSince.Store(nil) }

func busy(err error) bool {
	if held, ok := errors.AsType[*HeldError](err); ok {
		return !held.Lost
	}
	return errdefs.IsConflict(err) || connected(err) || strings.Contains(err.Error(), "in use") || changing(err)
}
