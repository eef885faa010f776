// Package host runs the steps of pipelines of type exec as processes of this
// machine, for the user who runs the program (reference §3).
//
// Nothing isolates such a step: it can do whatever the user can. Whether the
// commands of a file may run at all is for the caller to ask; this package runs
// what it is given. What it sees to is that a step finds a home and a workspace
// of its own, gets only the variables that the plan and two of this machine
// give it, and leaves nothing behind: no process and no file of its directory.
//
// Each pipeline has a directory, which only the user can enter:
//
//	drone-<run>-<random>/
//	  home/drone/   HOME, with the netrc
//	  drone/src/    the workspace, in which steps start
//	  opt/          the scripts
package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// Options say how steps run. The zero value works.
type Options struct {
	// Dir is the existing directory in which those of pipelines are made,
	// os.TempDir() when empty.
	Dir string
	// Workspace fills dir, the empty workspace of p, when p.Workspace.Host is
	// set. Files that it leaves in dir belong to the pipeline. When nil, such
	// a pipeline cannot be opened.
	Workspace func(ctx context.Context, p *exec.Pipeline, dir string, notify func(exec.Notice)) error
	// Keep is given the workspace of a pipeline that has ended, before it is
	// removed; it may move it elsewhere. It is not called when something that a
	// step has mounted there cannot be unmounted. It may be nil.
	Keep func(p *exec.Pipeline, env exec.Setting, dir string) error
	// Getenv gives a variable of this machine: PATH and USER are handed on, and
	// what marks the processes of a step in which this program runs; a step's
	// own PATH may name others. Nil knows none.
	Getenv func(name string) string
	// Grace is how long the processes of a step may take to end by themselves
	// after they were asked to, when its context ends; what it has left when
	// it ends itself gets a second at most. 0 kills at once.
	Grace time.Duration
}

// Engine runs pipelines on this machine. It implements exec.Engine and is safe
// for concurrent use. Nothing has to be closed.
type Engine struct{ opts Options }

var _ exec.Engine = (*Engine)(nil)

// New makes an engine.
func New(opts Options) *Engine {
	if opts.Dir == "" {
		opts.Dir = os.TempDir()
	}
	if opts.Getenv == nil {
		opts.Getenv = func(string) string { return "" }
	}
	return &Engine{opts: opts}
}

// Open implements exec.Engine: it makes the directory of a pipeline and fills
// the workspace. Everything that can go wrong is an *exec.StepError.
func (e *Engine) Open(ctx context.Context, p *exec.Pipeline, env exec.Setting) (exec.Session, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if !supported {
		return nil, &exec.StepError{
			Phase: exec.PhaseOpen,
			Err:   fmt.Errorf("pipeline %q of type exec cannot run on this system yet", p.Name),
			Hint:  "run it on Linux or macOS",
		}
	}
	at, err := newPlace(e.opts.Dir, env.Run)
	if err != nil {
		return nil, openError(p, err)
	}
	if err := e.furnish(ctx, at, p, env); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, errors.Join(err, at.remove())
	}
	return newSession(e, p, env, at), nil
}

// furnish puts into the directory of a pipeline what its steps find there.
func (e *Engine) furnish(ctx context.Context, at place, p *exec.Pipeline, env exec.Setting) error {
	if p.Netrc != nil {
		if line, ok := env.Secret(p.Netrc.File.Name); ok {
			if err := at.writeNetrc(line); err != nil {
				return openError(p, err)
			}
		}
	}
	if p.Workspace.Host == "" {
		return nil
	}
	if e.opts.Workspace == nil {
		return openError(p, fmt.Errorf("nobody fills its workspace from %s", p.Workspace.Host))
	}
	if err := e.opts.Workspace(ctx, p, at.source, env.Notify); err != nil {
		return openError(p, err)
	}
	return nil
}

// openError is an error of Open. A hint of what caused it is kept.
func openError(p *exec.Pipeline, err error) error {
	hint := ""
	if known, ok := errors.AsType[*exec.StepError](err); ok {
		hint = known.Hint
	}
	return &exec.StepError{Phase: exec.PhaseOpen, Err: fmt.Errorf("cannot set up pipeline %q: %w", p.Name, err), Hint: hint}
}
