//go:build unix

package fake

import (
	"context"
	"errors"
	"fmt"
	stdio "io"
	"maps"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/drone-laptop/drone/exec"
)

// Shell is an engine that runs the commands of steps with /bin/sh of this
// machine, in the directory that is the workspace, each step in a process
// group of its own. Images, mounts and limits mean nothing to it; a step
// without commands runs its entrypoint and command. The zero value works.
type Shell struct {
	mu   sync.Mutex
	held map[string]map[string]bool // run → directories and processes
}

// Leftovers lists the processes and directories of a run that are still there.
func (e *Shell) Leftovers(run string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var left []string
	for what := range e.held[run] {
		left = append(left, what)
	}
	return left
}

func (e *Shell) hold(run, what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held == nil {
		e.held = make(map[string]map[string]bool)
	}
	if e.held[run] == nil {
		e.held[run] = make(map[string]bool)
	}
	e.held[run][what] = true
}

func (e *Shell) drop(run, what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.held[run], what)
}

// Open implements exec.Engine. Without a workspace of the host it makes a
// directory, which Close removes.
func (e *Shell) Open(ctx context.Context, p *exec.Pipeline, env exec.Setting) (exec.Session, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	scratch, err := os.MkdirTemp("", "drone-shell-")
	if err != nil {
		return nil, &exec.StepError{Phase: exec.PhaseOpen, Err: err}
	}
	s := &shellSession{
		engine: e, run: env.Run, scratch: scratch, workspace: p.Workspace.Host,
		groups: make(map[int]context.CancelFunc),
	}
	if s.workspace == "" {
		s.workspace = filepath.Join(scratch, "workspace")
		err = os.Mkdir(s.workspace, 0o755)
	} else {
		_, err = os.Stat(s.workspace)
	}
	if err != nil {
		return nil, errors.Join(&exec.StepError{Phase: exec.PhaseOpen, Err: err}, os.RemoveAll(scratch))
	}
	e.hold(env.Run, scratch)
	return s, nil
}

type shellSession struct {
	engine             *Shell
	run                string
	scratch, workspace string

	mu      sync.Mutex
	scripts int
	groups  map[int]context.CancelFunc // running steps
	active  sync.WaitGroup
}

// Run implements exec.Session.
func (s *shellSession) Run(ctx context.Context, st *exec.Step, io exec.IO) (exec.Exit, error) {
	if ctx.Err() != nil {
		return exec.Exit{}, context.Cause(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd, err := s.command(ctx, st)
	if err != nil {
		return exec.Exit{}, &exec.StepError{Phase: exec.PhaseCreate, Err: err}
	}
	env := map[string]string{"PATH": os.Getenv("PATH")}
	maps.Copy(env, io.Env)
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := capture(cmd)
	if err != nil {
		return exec.Exit{}, &exec.StepError{Phase: exec.PhaseStart, Err: err}
	}
	group := cmd.Process.Pid
	s.begin(group, func() { cancel(errClosed) })
	defer s.end(group)
	io.Started()
	copied := make(chan error, 1)
	go func() {
		_, err := stdio.Copy(io.Output, out)
		copied <- errors.Join(err, out.Close())
	}()
	err = cmd.Wait()
	// What the step left in the background would hold its output open. The
	// group is usually gone, which is no error here.
	_ = syscall.Kill(-group, syscall.SIGKILL)
	if failed := <-copied; failed != nil {
		return exec.Exit{}, &exec.StepError{Phase: exec.PhaseRun, Err: failed}
	}
	if ctx.Err() != nil {
		return exec.Exit{}, context.Cause(ctx)
	}
	return exitOf(cmd, err)
}

// capture starts cmd with stdout and stderr in one pipe.
func capture(cmd *osexec.Cmd) (*os.File, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	return out, in.Close()
}

var errClosed = errors.New("session was closed")

func exitOf(cmd *osexec.Cmd, err error) (exec.Exit, error) {
	failed, ok := errors.AsType[*osexec.ExitError](err)
	if err != nil && !ok {
		return exec.Exit{}, &exec.StepError{Phase: exec.PhaseRun, Err: err}
	}
	if ok {
		if status, ok := failed.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return exec.Exit{Code: 128 + int(status.Signal())}, nil
		}
	}
	return exec.Exit{Code: cmd.ProcessState.ExitCode()}, nil
}

// command prepares the process of a step. Its whole group is killed when ctx
// ends, so nobody holds the output open.
func (s *shellSession) command(ctx context.Context, st *exec.Step) (*osexec.Cmd, error) {
	argv := append(append([]string{}, st.Entrypoint...), st.Command...)
	if len(st.Commands) > 0 {
		file, err := s.write(st.Commands)
		if err != nil {
			return nil, err
		}
		argv = []string{"/bin/sh", file}
	}
	if len(argv) == 0 {
		return nil, fmt.Errorf("step %q has nothing to run", st.Name)
	}
	cmd := osexec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = s.workspace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd, nil
}

// write makes the script of commands (reference §5.7).
func (s *shellSession) write(commands []string) (string, error) {
	var text strings.Builder
	text.WriteString("set -e\n")
	for _, c := range commands {
		shown := strings.ReplaceAll(strings.ReplaceAll(c, "\n", `\n`), "'", `'\''`)
		fmt.Fprintf(&text, "\nprintf '%%s\\n' '+ %s'\n%s\n", shown, c)
	}
	s.mu.Lock()
	s.scripts++
	file := filepath.Join(s.scratch, "script-"+strconv.Itoa(s.scripts))
	s.mu.Unlock()
	return file, os.WriteFile(file, []byte(text.String()), 0o600)
}

func (s *shellSession) begin(group int, cancel func()) {
	s.active.Add(1)
	s.mu.Lock()
	s.groups[group] = cancel
	s.mu.Unlock()
	s.engine.hold(s.run, fmt.Sprintf("process group %d", group))
}

func (s *shellSession) end(group int) {
	s.mu.Lock()
	delete(s.groups, group)
	s.mu.Unlock()
	s.engine.drop(s.run, fmt.Sprintf("process group %d", group))
	s.active.Done()
}

// Close implements exec.Session.
func (s *shellSession) Close(ctx context.Context) error {
	s.mu.Lock()
	for _, cancel := range s.groups {
		cancel()
	}
	s.mu.Unlock()
	s.active.Wait()
	if err := os.RemoveAll(s.scratch); err != nil {
		return fmt.Errorf("cannot remove %s: %w", s.scratch, err)
	}
	s.engine.drop(s.run, s.scratch)
	return nil
}
