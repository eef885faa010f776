// Package fake is an exec.Engine for tests: steps do what a script says,
// without containers or processes. Its Shell runs real commands on this
// machine instead, and is what shows that the conformance suite itself is
// right.
//
// It is not for users: nothing isolates its steps from the machine.
package fake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/drone-laptop/drone/exec"
)

// Script says what a step does. The zero value succeeds at once without
// output. What is set happens in the order of the fields.
type Script struct {
	// Pull is told as notices before the step starts, as are Warnings.
	Pull     []exec.PullProgress
	Warnings []string
	// FailStart is returned in place of starting the step.
	FailStart error
	// Before is called just before the step is said to be started.
	Before func()
	// Output is written in these chunks.
	Output []string
	// Do is called with what the step was given. An error it returns is the
	// result of the step. It may panic.
	Do func(ctx context.Context, s *exec.Step, io exec.IO) error
	// Meet names steps of the pipeline that must be started, too, before this
	// one goes on: the proof that they run at the same time.
	Meet []string
	// Until blocks the step until it is closed.
	Until <-chan struct{}
	// Deaf steps do not notice that their context ends while they wait.
	Deaf bool
	// Forever steps run until their context ends.
	Forever bool
	// Lingering steps, once their context has ended, go on until there is no
	// time left (Setting.Hurry).
	Lingering bool
	// Last is written at the end, also when the context has ended.
	Last string
	// Exit and Err are the result.
	Exit exec.Exit
	Err  error
}

// Engine is a scripted engine. Set its fields before use; it is safe for
// concurrent use then.
type Engine struct {
	// Scripts are found by "pipeline/step", else by "step". A step without one
	// has the zero Script.
	Scripts map[string]Script
	// OpenErr and CloseErr are the errors of Open and Close, by pipeline; the
	// entry "" is for all others. An *exec.UnreachableError among them is
	// returned as it is.
	OpenErr  map[string]error
	CloseErr map[string]error
	// SessionEnv is what every session adds to the environment of its steps.
	SessionEnv map[string]string
	// OnOpen is called before Open does anything, OnClose after Close removed
	// everything. They may block or panic.
	OnOpen  func(ctx context.Context, p *exec.Pipeline, env exec.Setting)
	OnClose func(ctx context.Context, p *exec.Pipeline)
	// Removal, when set, is how long the removal of what a session leaves takes:
	// Close tells exec.PhaseRemove and returns when it is closed, or when the
	// run was left to an heir.
	Removal <-chan struct{}
	// OnPrepare is called when a step is prepared. It may panic.
	OnPrepare func(p *exec.Pipeline, s *exec.Step, env map[string]string)

	mu    sync.Mutex
	calls []string
	open  map[string]int // sessions by run
	envs  map[string]map[string]string
}

// Calls lists what was called so far, in order: "open p", "prepare p/s",
// "undo p/s" when a step that was prepared is not to run, "run p/s", "end p/s"
// and "close p".
func (e *Engine) Calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

// Env gives the environment a step was run with, by "pipeline/step".
func (e *Engine) Env(step string) map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.envs[step])
}

// Leftovers lists the sessions of a run that were not closed.
func (e *Engine) Leftovers(run string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := e.open[run]; n > 0 {
		return []string{fmt.Sprintf("%d sessions", n)}
	}
	return nil
}

func (e *Engine) record(call string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, call)
}

func (e *Engine) count(run string, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open == nil {
		e.open = make(map[string]int)
	}
	e.open[run] += n
}

// Open implements exec.Engine.
func (e *Engine) Open(ctx context.Context, p *exec.Pipeline, env exec.Setting) (exec.Session, error) {
	e.record("open " + p.Name)
	if e.OnOpen != nil {
		e.OnOpen(ctx, p, env)
	}
	if err := byName(e.OpenErr, p.Name); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	e.count(env.Run, 1)
	s := &session{engine: e, pipeline: p, run: env.Run, hurry: env.Hurry, notify: env.Notify, inherited: env.Inherited, started: make(map[string]chan struct{}), begun: map[string]bool{}}
	for _, st := range p.Steps {
		s.started[st.Name] = make(chan struct{})
	}
	return s, nil
}

func byName(errs map[string]error, name string) error {
	if err, ok := errs[name]; ok {
		return err
	}
	return errs[""]
}

type session struct {
	engine   *Engine
	pipeline *exec.Pipeline
	run      string
	hurry    <-chan struct{}

	notify    func(exec.Notice)
	inherited <-chan struct{}

	mu      sync.Mutex
	started map[string]chan struct{} // closed when the step is started
	closed  bool
	begun   map[string]bool // steps whose turn has come
}

// Prepare implements exec.Preparer: it only remembers that it was called.
func (s *session) Prepare(ctx context.Context, st *exec.Step, env map[string]string) {
	name := s.pipeline.Name + "/" + st.Name
	s.engine.record("prepare " + name)
	if s.engine.OnPrepare != nil {
		s.engine.OnPrepare(s.pipeline, st, env)
	}
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		begun := s.begun[st.Name]
		s.mu.Unlock()
		if !begun {
			s.engine.record("undo " + name)
		}
	})
}

// Env implements exec.Environer.
func (s *session) Env() map[string]string { return s.engine.SessionEnv }

// Run implements exec.Session.
func (s *session) Run(ctx context.Context, st *exec.Step, io exec.IO) (exec.Exit, error) {
	name := s.pipeline.Name + "/" + st.Name
	script, ok := s.engine.Scripts[name]
	if !ok {
		script = s.engine.Scripts[st.Name]
	}
	s.mu.Lock()
	s.begun[st.Name] = true
	s.mu.Unlock()
	s.engine.begin(name, io.Env)
	defer s.engine.record("end " + name)
	for i := range script.Pull {
		io.Notify(exec.Notice{Pull: &script.Pull[i]})
	}
	for _, w := range script.Warnings {
		io.Notify(exec.Notice{Warning: w})
	}
	if script.FailStart != nil {
		return exec.Exit{}, script.FailStart
	}
	if ctx.Err() != nil {
		return exec.Exit{}, context.Cause(ctx)
	}
	if script.Before != nil {
		script.Before()
	}
	io.Started()
	s.meet(st.Name)
	return s.play(ctx, st, script, io)
}

// play does what comes after the start.
func (s *session) play(ctx context.Context, st *exec.Step, script Script, io exec.IO) (exec.Exit, error) {
	for _, chunk := range script.Output {
		if _, err := io.Output.Write([]byte(chunk)); err != nil {
			return exec.Exit{}, err
		}
	}
	if script.Do != nil {
		if err := script.Do(ctx, st, io); err != nil {
			return exec.Exit{}, err
		}
	}
	err := s.wait(ctx, script)
	if script.Last != "" {
		if _, failed := io.Output.Write([]byte(script.Last)); failed != nil {
			return exec.Exit{}, failed
		}
	}
	if err != nil {
		return exec.Exit{}, err
	}
	return script.Exit, script.Err
}

// wait blocks for what the script waits for.
func (s *session) wait(ctx context.Context, script Script) error {
	stop := ctx.Done()
	if script.Deaf {
		stop = nil
	}
	var all []<-chan struct{}
	for _, name := range script.Meet {
		met, ok := s.started[name]
		if !ok {
			return fmt.Errorf("no step %q to meet", name)
		}
		all = append(all, met)
	}
	if script.Until != nil {
		all = append(all, script.Until)
	}
	if script.Forever {
		all = append(all, nil)
	}
	for _, c := range all {
		select {
		case <-c:
		case <-stop:
			if script.Lingering {
				<-s.hurry
			}
			return context.Cause(ctx)
		}
	}
	return nil
}

// meet says that a step is started.
func (s *session) meet(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.started[step]
	select {
	case <-c:
	default:
		close(c)
	}
}

func (e *Engine) begin(name string, env map[string]string) {
	e.record("run " + name)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.envs == nil {
		e.envs = make(map[string]map[string]string)
	}
	e.envs[name] = maps.Clone(env)
}

func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("session was closed before")
	}
	s.closed = true
	s.engine.count(s.run, -1)
	return nil
}

// Close implements exec.Session.
func (s *session) Close(ctx context.Context) error {
	s.engine.record("close " + s.pipeline.Name)
	if err := s.close(); err != nil {
		return err
	}
	if s.engine.OnClose != nil {
		s.engine.OnClose(ctx, s.pipeline)
	}
	if s.engine.Removal != nil {
		s.notify(exec.Notice{Phase: exec.PhaseRemove})
		select {
		case <-s.engine.Removal:
		case <-s.inherited:
		}
	}
	return byName(s.engine.CloseErr, s.pipeline.Name)
}
