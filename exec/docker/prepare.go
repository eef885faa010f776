package docker

import (
	"context"
	"os"
	"path"
	"strings"

	"github.com/docker/docker/api/types/image"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
)

var _ exec.Preparer = (*session)(nil)

// prepared is a step whose container is, or is being, made and started before
// its turn. It waits at the gate.
type prepared struct {
	cancel context.CancelFunc // of the preparation
	turn   *turn              // to start it
	done   chan struct{}      // closed when held is valid
	held   *held              // nil when the step has to be run without

	// The rest is guarded by session.mu.
	taken  bool // somebody has decided, or decides, what becomes of it
	closed bool // the session ended before it was done
}

// held is a container at the gate, and what has to be as it was when it was
// made.
type held struct {
	*process
	env     map[string]string
	image   *local
	sources map[string]os.FileInfo
}

// Prepare implements exec.Preparer. Steps are prepared that run commands, in
// an image that is here, and for which it makes no difference; see preparable.
func (s *session) Prepare(ctx context.Context, step *exec.Step, env map[string]string) {
	if ctx.Err() != nil || s.begin() != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &prepared{cancel: cancel, turn: s.engine.startQueue.turn(true), done: make(chan struct{})}
	if !s.remember(step, p) {
		cancel()
		s.end()
		return
	}
	go func() {
		defer s.end()
		var h *held
		s.defect(exec.Guard(func() error {
			alive, leave := s.whileAlive(ctx)
			defer leave()
			if s.preparable(step, env) {
				h = s.hold(alive, step, env, p.turn)
			}
			return nil
		}))
		s.settle(p, h)
		context.AfterFunc(ctx, func() { s.undo(step, p) })
	}()
}

// remember keeps a preparation for the turn of its step. It reports false when there
// is one already, which serves as well.
func (s *session) remember(step *exec.Step, p *prepared) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepared[step] != nil {
		return false
	}
	s.prepared[step] = p
	return true
}

// settle hands over what a preparation has made, unless the session has ended.
func (s *session) settle(p *prepared, h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.held = h
	if p.closed && h != nil {
		h.forget()
	}
	close(p.done)
}

// preparable reports whether a step can be prepared, as far as that can be seen
// without asking anybody. Left out is
//   - what nobody waits for, so that no name leads to something that is not
//     there yet;
//   - what sees more of this machine than files, or joins a network that others
//     use;
//   - what mounts something that an earlier step may have to fill first. A new
//     volume takes its first files from the image of the first container;
//   - what the engine makes a directory in the workspace for;
//   - what has to ask a registry.
func (s *session) preparable(step *exec.Step, env map[string]string) bool {
	p := s.pipeline
	switch {
	case s.engine.product != productDocker,
		len(step.Commands) == 0, step.Detach, step.Kind != exec.KindStep,
		step.Privileged, len(step.Devices) > 0, step.NetworkMode != "", len(p.Networks) > 0,
		p.Workspace.Host == "", step.WorkingDir != p.Workspace.Path,
		!s.engine.images.needsNobody(s.wants(step, unheard)),
		mentioned(p, step.Name), !fits(env, os.Getpagesize()):
		return false
	}
	for name := range env {
		if meddles(name) {
			return false
		}
	}
	for _, m := range step.Mounts {
		if v, err := declared(p, m.Volume); err != nil || v.Kind == exec.VolumeTemp {
			return false
		}
	}
	return !nested(s.targets(step))
}

// targets are the directories of a container that something is mounted at.
func (s *session) targets(step *exec.Step) []string {
	all := []string{s.pipeline.Workspace.Path}
	for _, m := range step.Mounts {
		all = append(all, m.Path)
	}
	for _, b := range step.Binds {
		all = append(all, b.Path)
	}
	return all
}

// nested reports whether one of several directories lies in another.
func nested(all []string) bool {
	for i, one := range all {
		for j, other := range all {
			if i != j && inside(one, other) {
				return true
			}
		}
	}
	return false
}

func inside(dir, parent string) bool {
	dir, parent = path.Clean("/"+dir), path.Clean("/"+parent)
	return dir == parent || strings.HasPrefix(dir, strings.TrimSuffix(parent, "/")+"/")
}

// hold makes and starts the container of a step, and leaves it at the gate.
func (s *session) hold(ctx context.Context, step *exec.Step, env map[string]string, turn *turn) *held {
	h := &held{env: env}
	want := s.wants(step, unheard)
	var err error
	if h.image, _, err = s.engine.images.local(ctx, want); err != nil || h.image == nil || !s.quiet(step, h.image.info) {
		return nil
	}
	if info := h.image.info; !suits(info, want.platform) || want.platform == nil && s.engine.images.emulated(info) {
		return nil // its turn comes with a warning
	}
	var ok bool
	if h.sources, ok = s.sources(step); !ok || s.workspace.ready(ctx) != nil {
		return nil
	}
	converted, err := containerSpec(s.pipeline, step, env, s.place)
	if err != nil {
		return nil
	}
	converted.behindGate()
	name, err := s.build(ctx, step, converted, want, h.image, func() (*local, error) { return nil, errNotPrepared })
	if err == nil && !s.ended() {
		h.process, err = s.launch(ctx, about{}, name, turn, unheard)
	}
	if err != nil || h.process == nil {
		if name != "" {
			s.discard(name)
		}
		return nil
	}
	return h
}

// unheard is where the notices of a step go before its turn.
func unheard(exec.Notice) {}

// errNotPrepared says that a step is left to its own turn.
const errNotPrepared = notPrepared("not prepared")

type notPrepared string

func (e notPrepared) Error() string { return string(e) }

// quiet reports whether a container of an image does nothing by itself, and has
// nothing made for it in what is mounted.
func (s *session) quiet(step *exec.Step, info image.InspectResponse) bool {
	c := info.Config
	if c == nil || c.Healthcheck != nil && len(c.Healthcheck.Test) > 0 && c.Healthcheck.Test[0] != "NONE" {
		return false
	}
	for _, v := range c.Env {
		if name, _, _ := strings.Cut(v, "="); meddles(name) {
			return false
		}
	}
	targets := s.targets(step)
	for volume := range c.Volumes {
		targets = append(targets, volume)
	}
	return !nested(targets)
}

// sources are the files of this machine that are mounted. Without one of them,
// or where they cannot be looked at, there is nothing to mount ahead.
func (s *session) sources(step *exec.Step) (map[string]os.FileInfo, bool) {
	all := map[string]os.FileInfo{}
	paths := []string{s.pipeline.Workspace.Host}
	for _, m := range step.Mounts {
		if v, err := declared(s.pipeline, m.Volume); err == nil && v.Kind == exec.VolumeHost {
			paths = append(paths, v.HostPath)
		}
	}
	for _, b := range step.Binds {
		paths = append(paths, b.Host)
	}
	if !s.engine.endpoint.Local() {
		// The workspace of another machine is nobody's to replace here.
		return all, len(paths) == 1
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, false
		}
		all[p] = info
	}
	return all, true
}

// released gives the process of a step that was prepared, when it is exactly
// what would be made for it now, and lets it go on. Otherwise nothing of it is
// left, and nothing has run.
func (s *session) released(ctx context.Context, step *exec.Step, io exec.IO) *process {
	p := s.take(step)
	if p == nil {
		return nil
	}
	p.turn.hurry()
	select {
	case <-p.done:
	case <-ctx.Done():
		p.cancel()
		<-p.done
	}
	defer p.cancel()
	h := p.held
	if h == nil {
		return nil
	}
	words, ok := gateWords(h.env, io.Env)
	if !ok || ctx.Err() != nil || !fits(io.Env, os.Getpagesize()) || !s.same(ctx, step, h) || !h.lives() {
		s.drop(h)
		return nil
	}
	s.containers.starts(h.name)
	// Once this is said the container counts as one that runs, whatever
	// becomes of it: no step may run twice.
	if !h.feed.release(words, io.Notify) {
		s.drop(h)
		return nil
	}
	return h.process
}

// same reports whether a container would still be made of the same.
func (s *session) same(ctx context.Context, step *exec.Step, h *held) bool {
	for path, before := range h.sources {
		now, err := os.Stat(path)
		if err != nil || !os.SameFile(before, now) {
			return false
		}
	}
	want := s.wants(step, unheard)
	if !s.engine.images.needsNobody(want) {
		return false
	}
	var group errgroup.Group
	group.Go(guarded(func() error { return s.intact(ctx) }))
	group.Go(guarded(func() error {
		now, _, err := s.engine.images.local(ctx, want)
		if err == nil && (now == nil || now.info.ID != h.image.info.ID) {
			return errNotPrepared
		}
		return err
	}))
	return group.Wait() == nil
}

// lives reports whether the container still waits, as far as is known.
func (h *held) lives() bool {
	select {
	case <-h.output.read:
		return false
	default:
		return true
	}
}

// take gives what was prepared of a step to the caller alone, or nil.
func (s *session) take(step *exec.Step) *prepared {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.prepared[step]
	delete(s.prepared, step)
	if p == nil || p.taken {
		return nil
	}
	p.taken = true
	return p
}

// undo removes what was prepared for a step that will not run.
func (s *session) undo(step *exec.Step, p *prepared) {
	if s.begin() != nil {
		return // Close does it
	}
	defer s.end()
	s.mu.Lock()
	mine := !p.taken
	p.taken = true
	if s.prepared[step] == p {
		delete(s.prepared, step)
	}
	s.mu.Unlock()
	if mine && p.held != nil {
		s.drop(p.held)
	}
}

// drop removes a container at the gate.
func (s *session) drop(h *held) {
	h.forget()
	s.discard(h.name)
}

// forgetPrepared ends all preparations, when the session does. It waits for
// none, and leaves the removal of containers to Close.
func (s *session) forgetPrepared() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.prepared {
		if p.taken {
			continue
		}
		p.taken, p.closed = true, true
		p.cancel()
		select {
		case <-p.done:
			if p.held != nil {
				p.held.forget()
			}
		default:
		}
	}
}
