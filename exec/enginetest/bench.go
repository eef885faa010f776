package enginetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// patience bounds whatever a case waits for. It is no measurement: an engine
// that needs longer hangs.
const patience = 2 * time.Minute

// bench holds what one case works with.
type bench struct {
	*testing.T
	cfg    Config
	engine exec.Engine
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	return &bench{T: t, cfg: cfg, engine: cfg.Engine(t)}
}

// pipeline makes a pipeline of the steps, with an empty workspace.
func (b *bench) pipeline(steps ...*exec.Step) *exec.Pipeline {
	b.Helper()
	p := &exec.Pipeline{
		Name: "conformance", Type: "docker", Runs: true,
		Workspace: exec.Workspace{Base: b.cfg.Path, Path: b.cfg.Path},
		Steps:     steps,
	}
	if b.cfg.Workspace != nil {
		p.Workspace.Host = b.cfg.Workspace(b.T)
	}
	switch {
	case b.cfg.Features.Places:
		p.Workspace.Base, p.Workspace.Path = "", ""
	case b.cfg.Path == ".":
		p.Workspace.Base, p.Workspace.Path = p.Workspace.Host, p.Workspace.Host
	}
	for i, s := range steps {
		s.Number = i + 1
		if s.WorkingDir == "" {
			s.WorkingDir = p.Workspace.Path
		}
		if s.Image == "" {
			s.Image = b.cfg.Image
		}
	}
	return p
}

// step makes a step that runs commands.
func step(name string, commands ...string) *exec.Step {
	return &exec.Step{
		Name: name, Kind: exec.KindStep, Policy: exec.Always,
		Pull: exec.PullNever, Commands: commands,
	}
}

// session is an open pipeline under test. It is closed by the end of the case
// at the latest, and must leave nothing behind.
type session struct {
	*bench
	exec.Session
	run   string
	close sync.Once
}

// open opens p under a run of its own.
func (b *bench) open(p *exec.Pipeline) *session {
	b.Helper()
	return b.openAs(p, newRun())
}

func (b *bench) openAs(p *exec.Pipeline, run string) *session {
	b.Helper()
	return b.openWith(p, run, setting(run))
}

func (b *bench) openWith(p *exec.Pipeline, run string, env exec.Setting) *session {
	b.Helper()
	s := &session{bench: b, run: run}
	opened, err := b.engine.Open(b.context(), p, env)
	if err != nil {
		b.Fatalf("open: %v", err)
	}
	s.Session = opened
	b.Cleanup(s.end)
	return s
}

// end closes the session, once, and looks for leftovers.
func (s *session) end() {
	s.Helper()
	s.close.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			s.Errorf("close: %v", err)
		}
		s.nothingLeft(s.run)
	})
}

// nothingLeft fails when the engine still holds something for run.
func (b *bench) nothingLeft(run string) {
	b.Helper()
	if b.cfg.Leftovers == nil {
		return
	}
	if left := b.cfg.Leftovers(b.T, run); len(left) > 0 {
		b.Errorf("left behind: %s", strings.Join(left, ", "))
	}
}

// context gives a context that ends with the test, or when patience is over.
func (b *bench) context() context.Context {
	ctx, cancel := context.WithTimeoutCause(b.Context(), patience, errors.New("the engine hangs"))
	b.Cleanup(cancel)
	return ctx
}

func newRun() string { return strings.ToLower(rand.Text())[:12] }

func setting(run string) exec.Setting {
	return exec.Setting{
		Run:    run,
		Secret: func(string) (string, bool) { return "", false },
		Notify: func(exec.Notice) {},
	}
}

// result is what one run of a step gave.
type result struct {
	exec.Exit
	err     error
	output  string
	started int
	// early reports output before started was called.
	early bool
}

// recorder takes what an engine gives back while a step runs.
type recorder struct {
	mu      sync.Mutex
	output  bytes.Buffer
	started int
	early   bool
	// begun is closed when the step's process runs.
	begun chan struct{}
}

func newRecorder() *recorder { return &recorder{begun: make(chan struct{})} }

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.early = r.early || r.started == 0
	return r.output.Write(p)
}

func (r *recorder) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started++; r.started == 1 {
		close(r.begun)
	}
}

func (r *recorder) result(exit exec.Exit, err error) result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return result{Exit: exit, err: err, output: r.output.String(), started: r.started, early: r.early}
}

// do runs a step to its end, with env as its complete environment.
func (s *session) do(ctx context.Context, st *exec.Step, env map[string]string) result {
	return s.record(ctx, st, env, newRecorder())
}

func (s *session) record(ctx context.Context, st *exec.Step, env map[string]string, rec *recorder) result {
	if s.cfg.Ahead {
		env = s.prepare(ctx, st, env)
	}
	exit, err := s.Run(ctx, st, exec.IO{
		Env: env, Output: rec, Started: rec.start, Notify: func(exec.Notice) {},
	})
	return rec.result(exit, err)
}

// running is a step that runs in the background.
type running struct {
	*recorder
	done chan result
}

func (s *session) begin(ctx context.Context, st *exec.Step) *running {
	r := &running{recorder: newRecorder(), done: make(chan result, 1)}
	go func() { r.done <- s.record(ctx, st, nil, r.recorder) }()
	return r
}

// wait gives the result of the step, or fails when it does not come.
func (r *running) wait(b *bench) result {
	b.Helper()
	select {
	case res := <-r.done:
		return res
	case <-time.After(patience):
		b.Fatal("the step does not end")
		return result{}
	}
}

// untilBegun waits for the process of the step to run.
func (r *running) untilBegun(b *bench) {
	b.Helper()
	select {
	case <-r.begun:
	case res := <-r.done:
		b.Fatalf("the step ended before it was started: exit %d, error %v, output %q", res.Code, res.err, res.output)
	case <-time.After(patience):
		b.Fatal("the step does not start")
	}
}

// untilOutput waits until the output has text in it.
func (r *running) untilOutput(b *bench, text string) {
	b.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		r.mu.Lock()
		found := bytes.Contains(r.output.Bytes(), []byte(text))
		r.mu.Unlock()
		if found {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("no %q in the output", text)
		}
	}
}

// once opens a pipeline for one step of the commands, runs it and closes.
func (b *bench) once(env map[string]string, commands ...string) result {
	b.Helper()
	st := step("only", commands...)
	s := b.open(b.pipeline(st))
	res := s.do(b.context(), st, env)
	s.end()
	if res.err != nil {
		b.Fatalf("run: %v (output %s)", res.err, brief(res.output))
	}
	return res
}

// printed is the output without the trace lines.
func (r result) printed() string {
	var kept strings.Builder
	for line := range strings.Lines(r.output) {
		if !strings.HasPrefix(line, "+ ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// brief shows text that may be long.
func brief(text string) string {
	const most = 200
	if len(text) <= 2*most {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q … %q (%d bytes)", text[:most], text[len(text)-most:], len(text))
}

// same fails when got is not want.
func (b *bench) same(what, got, want string) {
	b.Helper()
	if got != want {
		b.Errorf("%s is %s, want %s", what, brief(got), brief(want))
	}
}
