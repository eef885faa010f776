//go:build unix

package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"syscall"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/script"
)

const supported = true

// run runs the script of a step, in file, to its end.
func (s *session) run(ctx context.Context, step *exec.Step, file string, io exec.IO) (exec.Exit, error) {
	p, err := s.start(step, file, io.Env)
	if err != nil {
		return exec.Exit{}, startError(err)
	}
	if io.Started != nil {
		io.Started()
	}
	output := newPump(p.output, io.Output)
	output.hurry = s.setting.Hurry
	select {
	case <-p.exited:
		// What the shell has left in the background has no step any more.
		p.ask(min(s.engine.opts.Grace, endTime), s.setting.Hurry)
	case <-ctx.Done():
		p.ask(s.engine.opts.Grace, s.setting.Hurry)
	}
	left := p.kill(s.setting.Hurry)
	failed := p.reap()
	held, undelivered := output.finish()
	if io.Notify != nil {
		if len(left) > 0 {
			io.Notify(exec.Notice{Warning: "processes of the step could not be ended: " + strings.Join(left, ", ")})
		}
		if held && len(left) == 0 {
			io.Notify(exec.Notice{Warning: "a process of the step that could not be found still holds its output; what it writes from now on is lost"})
		}
	}
	switch {
	case ctx.Err() != nil:
		return exitOf(p.cmd), context.Cause(ctx)
	case failed != nil:
		return exec.Exit{}, &exec.StepError{Phase: exec.PhaseRun, Err: fmt.Errorf("cannot watch the shell of the step: %w", failed)}
	case undelivered != nil:
		return exitOf(p.cmd), &exec.StepError{Phase: exec.PhaseRun, Err: fmt.Errorf("cannot deliver the output of the step: %w", undelivered)}
	}
	return exitOf(p.cmd), nil
}

// start starts the shell of a step. Standard input is empty, and both outputs
// are one pipe, which keeps the order in which things were written. The shell
// leads a session of its own: its processes can be found by that, and none of
// them can ask at the terminal for a password that nobody is told of.
func (s *session) start(step *exec.Step, file string, env map[string]string) (*process, error) {
	p := &process{mark: newMark(s.place.run), exited: make(chan struct{})}
	// The text of the commands stays out of the arguments, which others on
	// this machine see. $0 is the script.
	p.cmd = osexec.Command("/bin/sh", "-e", "-c", `. "$0"`+script.End, file)
	p.cmd.Dir = s.place.source
	p.cmd.Env = environ(s.place, step, env, s.engine.opts.Getenv, p.mark)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr, p.output = in, in, out
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	go p.watch()
	return p, in.Close()
}

func startError(err error) error {
	failed := &exec.StepError{Phase: exec.PhaseStart, Err: fmt.Errorf("cannot start /bin/sh: %w", err)}
	if errors.Is(err, syscall.E2BIG) {
		failed.Err = errors.New("the variables of the step are too long for this machine")
		failed.Hint = "one variable may have 128 KiB: hand over more in a file"
	}
	return failed
}

// exitOf is how a shell that was reaped has ended, in the way of shells when a
// signal ended it.
func exitOf(cmd *osexec.Cmd) exec.Exit {
	if cmd.ProcessState == nil {
		return exec.Exit{}
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exec.Exit{Code: 128 + int(status.Signal())}
	}
	return exec.Exit{Code: cmd.ProcessState.ExitCode()}
}
