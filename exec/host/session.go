package host

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/script"
	"github.com/drone-laptop/drone/internal/rundir"
)

// errClosed ends a step that runs, or begins, while its session ends.
var errClosed = errors.New("the pipeline has ended")

// session is one open pipeline.
type session struct {
	engine   *Engine
	pipeline *exec.Pipeline
	setting  exec.Setting
	place    place
	life     context.Context // ends when the session is closed
	end      context.CancelCauseFunc

	mu      sync.Mutex
	closed  bool
	scripts int
	running sync.WaitGroup // runs under way; none is added once closed
}

func newSession(e *Engine, p *exec.Pipeline, env exec.Setting, at place) *session {
	s := &session{engine: e, pipeline: p, setting: env, place: at}
	s.life, s.end = context.WithCancelCause(context.Background())
	return s
}

// Run implements exec.Session. Whatever the step has started ends with it, also
// in the background and in sessions of its own.
func (s *session) Run(ctx context.Context, step *exec.Step, io exec.IO) (exec.Exit, error) {
	if ctx.Err() != nil {
		return exec.Exit{}, context.Cause(ctx)
	}
	number, err := s.begin()
	if err != nil {
		return exec.Exit{}, &exec.StepError{Phase: exec.PhaseCreate, Err: err}
	}
	defer s.running.Done()
	file, err := s.place.writeScript(number, step.Name, script.Body(step.Commands))
	if err != nil {
		return exec.Exit{}, &exec.StepError{Phase: exec.PhaseCreate, Err: fmt.Errorf("cannot write the script of the step: %w", err)}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.life, func() { cancel(context.Cause(s.life)) })()
	return s.run(ctx, step, file, io)
}

// begin counts a run in, unless the session has ended.
func (s *session) begin() (number int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errClosed
	}
	s.running.Add(1)
	s.scripts++
	return s.scripts, nil
}

// Close implements exec.Session.
func (s *session) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end(errClosed)
	idle := make(chan struct{})
	go func() {
		s.running.Wait()
		close(idle)
	}()
	var late error
	select {
	case <-idle:
	case <-ctx.Done():
		late = fmt.Errorf("steps have not ended: %w", context.Cause(ctx))
	}
	return errors.Join(late, s.keep(), s.place.remove())
}

// keep hands the workspace over. What is mounted in it would go along.
func (s *session) keep() error {
	if s.engine.opts.Keep == nil || rundir.Detach(s.place.root) != nil {
		return nil // what cannot be unmounted is named by the removal
	}
	return s.engine.opts.Keep(s.pipeline, s.setting, s.place.source)
}
