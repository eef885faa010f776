package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/drone-laptop/drone/exec"
)

const (
	// killTime bounds the wait for a killed container to end.
	killTime = 15 * time.Second
	// askTime bounds a question about a container that has ended.
	askTime = 5 * time.Second
	// askPause is the time between two waits for a container that broke off.
	askPause = 500 * time.Millisecond
	// oomTries and oomPause bound the wait for the news that a container ran
	// out of memory.
	oomTries = 6
	oomPause = 100 * time.Millisecond
)

// process is a container that was started.
type process struct {
	name   string
	feed   *feed
	output *pump
	ended  <-chan ending
	death  death  // perhaps before ended
	leave  func() // ends the wait for both
}

// launch starts a container. The stream is attached and the wait registered
// before the start, so that a container that ends at once is seen whole. The
// output waits until it is released.
func (s *session) launch(ctx context.Context, of about, name string, turn *turn, notify func(exec.Notice)) (*process, error) {
	notify(exec.Notice{Phase: exec.PhaseStart})
	checked := make(chan error, 1)
	go func() { checked <- exec.Guard(func() error { return s.intact(ctx) }) }()
	attached, err := s.engine.attach(ctx, name, turn.held, notify)
	if err != nil {
		return nil, s.failure(ctx, exec.PhaseStart, of, s.whyNotAttached(ctx, name, err))
	}
	if err := <-checked; err != nil {
		attached.close()
		return nil, s.failure(ctx, exec.PhaseStart, of, err)
	}
	waiting, stop := context.WithCancel(context.WithoutCancel(ctx))
	leave := func() {
		stop()
		s.deaths.forget(name)
	}
	p := &process{
		name: name, feed: attached, leave: leave, death: s.deaths.of(name), ended: s.wait(waiting, name, container.WaitConditionNextExit),
		output: newPump(attached.reader(), attached.again, io.Discard),
	}
	begun, err := turn.await(ctx)
	if err == nil {
		if !turn.held {
			s.containers.starts(name)
		}
		err = s.start(ctx, name)
		begun()
	}
	if err != nil {
		p.forget()
		return nil, s.failure(ctx, exec.PhaseStart, of, err)
	}
	return p, nil
}

// forget drops a process whose output nobody wants.
func (p *process) forget() {
	close(p.feed.over)
	p.output.abandon()
	p.leave()
	p.feed.close()
}

// watch follows a container to its end.
func (s *session) watch(ctx context.Context, step *exec.Step, of about, p *process, io exec.IO) (exec.Exit, error) {
	defer p.feed.close()
	defer p.leave()
	io.Started()
	output := p.output
	output.out, output.hurry = io.Output, s.hurry
	output.release()
	end := s.follow(ctx, step, p, output.read)
	if end.err == nil {
		s.containers.stopped(p.name)
	}
	close(p.feed.over)
	output.drain()
	if s.givenUp() {
		p.feed.close()
	}
	undelivered := output.finish(p.feed.close)
	if end.err == nil && end.exit.Code != 0 && ctx.Err() == nil && !s.ended() {
		end = s.explain(ctx, step, p.name, end.exit.Code, output.last)
	}
	switch {
	case ctx.Err() != nil:
		return end.exit, context.Cause(ctx)
	case end.err != nil:
		return exec.Exit{}, s.failure(ctx, exec.PhaseRun, of, end.err)
	case undelivered != nil:
		return end.exit, &exec.StepError{Phase: exec.PhaseRun, Err: fmt.Errorf("cannot deliver the output of the step: %w", undelivered)}
	}
	return end.exit, nil
}

// start starts a container; a start that is cut off may have happened.
func (s *session) start(ctx context.Context, name string) error {
	longer, cancel := outlive(ctx)
	defer cancel()
	return s.engine.client.ContainerStart(longer, name, container.StartOptions{})
}

// ending is how a container ended, or why that is not known.
type ending struct {
	exit exec.Exit
	err  error
}

// wait registers a wait for a container and gives its ending.
func (s *session) wait(ctx context.Context, name string, condition container.WaitCondition) <-chan ending {
	results, failures := s.engine.client.ContainerWait(ctx, name, condition)
	ended := make(chan ending, 1)
	go func() {
		var end ending
		if err := exec.Guard(func() error {
			end = endingOf(ctx, results, failures)
			return nil
		}); err != nil {
			end.err = err
		}
		ended <- end
	}()
	return ended
}

// endingOf takes what a wait gives.
func endingOf(ctx context.Context, results <-chan container.WaitResponse, failures <-chan error) ending {
	select {
	case res := <-results:
		end := ending{exit: exec.Exit{Code: int(res.StatusCode)}}
		if res.Error != nil && res.Error.Message != "" {
			end.err = errors.New(res.Error.Message)
		}
		return end
	case err := <-failures:
		return ending{err: err}
	case <-ctx.Done():
		return ending{err: ctx.Err()}
	}
}

// follow waits for the end of a container, which it brings about when ctx
// ends. silent is closed when the stream of the container's output has ended.
func (s *session) follow(ctx context.Context, step *exec.Step, p *process, silent <-chan struct{}) ending {
	var end ending
	select {
	case end = <-p.ended:
	case <-p.death.well:
		return ending{}
	case <-ctx.Done():
		return s.stop(ctx, step, p)
	}
	if end.err != nil {
		end = s.askAgain(ctx, p.name, end.err, silent)
	}
	return end
}

// stop ends a container: it is asked to end, given the grace period, and
// killed. What serves a pipeline whose steps are over is killed at once, and how
// it ends says nothing, so that the first news will do.
func (s *session) stop(ctx context.Context, step *exec.Step, p *process) ending {
	if s.givenUp() {
		return ending{err: context.Cause(ctx)}
	}
	grace, dead := s.engine.grace, (<-chan struct{})(nil)
	if errors.Is(context.Cause(ctx), exec.ErrOver) {
		grace, dead = 0, p.death.any
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace+killTime)
	defer cancel()
	if grace > 0 {
		if end, ok := s.askToEnd(bounded, step, p.name, grace, p.ended); ok {
			return end
		}
	}
	// A failure is seen by the wait below; Close tries once more.
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		_ = exec.Guard(func() error { return s.engine.client.ContainerKill(bounded, p.name, "KILL") })
	}()
	defer func() { cancel(); <-killed }()
	select {
	case end := <-p.ended:
		return end
	case <-dead:
		return ending{exit: exec.Exit{Code: sigkilled}}
	case <-bounded.Done():
		return ending{err: context.Cause(bounded)}
	}
}

// askToEnd asks a container to end and gives its ending when it comes within
// the grace period, which is over early when there is no time left.
func (s *session) askToEnd(ctx context.Context, step *exec.Step, name string, grace time.Duration, ended <-chan ending) (ending, bool) {
	asking, stopAsking := context.WithCancel(ctx)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		// What goes wrong here is left to the kill that follows.
		_ = exec.Guard(func() error { s.ask(asking, step, name); return nil })
	}()
	defer func() {
		stopAsking()
		<-asked
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case end := <-ended:
		return end, true
	case <-timer.C:
	case <-s.hurry:
	}
	return ending{}, false
}

// ask sends PID 1 the stop signal: that of the image or, where our shell runs
// commands, TERM. Since a shell hands no signal on, all other processes there
// get it, too.
func (s *session) ask(ctx context.Context, step *exec.Step, name string) {
	api := s.engine.client
	if len(step.Commands) == 0 {
		_ = api.ContainerKill(ctx, name, s.stopSignal(ctx, name))
		return
	}
	_ = api.ContainerKill(ctx, name, "TERM")
	kill, err := api.ContainerExecCreate(ctx, name, container.ExecOptions{Cmd: []string{"/bin/sh", "-c", "kill -TERM -1"}})
	if err == nil {
		_ = api.ContainerExecStart(ctx, kill.ID, container.ExecStartOptions{Detach: true})
	}
}

// stopSignal is what the engine would send a container to stop it.
func (s *session) stopSignal(ctx context.Context, name string) string {
	info, err := s.engine.client.ContainerInspect(ctx, name)
	if err != nil || info.Config == nil || info.Config.StopSignal == "" {
		return "TERM"
	}
	return info.Config.StopSignal
}

// askAgain finds out how a container ended when the wait for it broke off: a
// proxy may cut a connection on which nothing moves, an engine may be
// restarted with its containers kept. When the output has been cut off too, a
// running container is given up, because what it prints would be lost.
func (s *session) askAgain(ctx context.Context, name string, broken error, silent <-chan struct{}) ending {
	for {
		state, err := s.state(ctx, name)
		switch {
		case errdefs.IsNotFound(err):
			return ending{err: errors.New(removedByOthers)}
		case err != nil:
			return ending{err: broken}
		case !state.Running:
			return ending{exit: exec.Exit{Code: state.ExitCode}}
		}
		select {
		case <-silent:
			return ending{err: broken}
		case <-ctx.Done():
			return ending{err: context.Cause(ctx)}
		case <-time.After(askPause):
		}
		waiting, cancel := context.WithCancel(ctx)
		end := <-s.wait(waiting, name, container.WaitConditionNotRunning)
		cancel()
		if end.err == nil || ctx.Err() != nil {
			return end
		}
		broken = end.err
	}
}

// oomState is the state of a container that has ended. The engine hears of the
// end and of a lack of memory in either order, so where a limit and the exit
// code speak for the second, it is asked again for a while.
func (s *session) oomState(ctx context.Context, step *exec.Step, name string, code int) (*container.State, error) {
	tries := 1
	switch {
	case step.MemLimit > 0 && code == sigkilled:
		tries = oomTries
	case step.MemLimit > 0:
		tries = 2 // of a shell whose child was killed
	}
	for {
		state, err := s.state(ctx, name)
		tries--
		if err != nil || state.OOMKilled || tries == 0 || ctx.Err() != nil {
			return state, err
		}
		time.Sleep(oomPause)
	}
}

func (s *session) state(ctx context.Context, name string) (*container.State, error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	info, err := s.engine.client.ContainerInspect(bounded, name)
	if err != nil {
		return nil, err
	}
	return info.State, nil
}
