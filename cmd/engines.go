package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/exec/host"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/snapshot"
)

// hostGrace is how long processes on this machine may take to tidy up when a
// run is ended. Containers get none: what is in them goes anyway.
const hostGrace = 5 * time.Second

// engines runs each pipeline with the engine for its type.
type engines struct {
	docker *docker.Engine // nil when no pipeline needs it
	host   *host.Engine
}

// openEngines connects to the container engine if a pipeline of the plan needs
// it. The caller closes the engines.
func openEngines(ctx context.Context, s Streams, flags *engineFlags, plan *exec.Plan, say func(string)) (engines, error) {
	e := engines{host: host.New(host.Options{Workspace: fillWorkspace, Getenv: s.getenv, Grace: hostGrace})}
	if !runsType(plan, "docker") {
		return e, nil
	}
	var err error
	if e.docker, err = flags.open(ctx, say); err != nil {
		return e, err
	}
	if flags.offline {
		if err := refuseMissing(ctx, s, e.docker, plan); err != nil {
			e.docker.Close()
			return e, err
		}
	}
	return e, nil
}

func (e engines) Close() error {
	if e.docker == nil {
		return nil
	}
	return e.docker.Close()
}

// Open implements exec.Engine.
func (e engines) Open(ctx context.Context, p *exec.Pipeline, env exec.Setting) (exec.Session, error) {
	switch {
	case p.Type == "exec":
		return e.host.Open(ctx, p, env)
	case e.docker != nil:
		return e.docker.Open(ctx, p, env)
	}
	return nil, &exec.StepError{Phase: exec.PhaseOpen, Err: fmt.Errorf("no engine is open for pipelines of type %s", p.Type)}
}

// fillWorkspace copies the working tree for a pipeline on this machine, as it
// is when the pipeline starts.
func fillWorkspace(ctx context.Context, p *exec.Pipeline, dir string, notify func(exec.Notice)) error {
	from := p.Workspace.Host
	warn := func(text string) {
		if notify != nil {
			notify(exec.Notice{Warning: text})
		}
	}
	own, common, err := facts.GitDir(from)
	if err != nil {
		// Without knowing where git works it might work on the original.
		return &exec.StepError{
			Phase: exec.PhaseOpen,
			Err:   fmt.Errorf("cannot copy the git repository of the working tree: %w", err),
			Hint:  "`git status` has to work there: repair or remove " + filepath.Join(from, ".git"),
		}
	}
	tree := facts.Read(from)
	source := snapshot.Source{
		Dir:    from,
		Files:  func(visit func(string, fs.DirEntry) error) error { return tree.Files(from, visit, warn) },
		GitDir: own, CommonDir: common, Warn: warn,
		Around: filepath.Dir(filepath.Dir(dir)), // home and scripts of the pipeline
	}
	_, err = snapshot.Copy(ctx, source, dir)
	if err == nil {
		return nil
	}
	return &exec.StepError{Phase: exec.PhaseOpen, Err: fmt.Errorf("cannot copy the working tree: %w", err), Hint: copyHint(err)}
}

func copyHint(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "make it readable, or name it in .gitignore if the pipeline does not need it"
	case errors.Is(err, syscall.ENOSPC):
		return "the copy is made in " + os.TempDir() + "; TMPDIR names another place"
	}
	return ""
}
