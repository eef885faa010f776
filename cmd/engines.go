package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/exec/host"
	"github.com/drone-laptop/drone/internal/isolate"
	"github.com/drone-laptop/drone/internal/owner"
)

// engines runs each pipeline with the engine for its type.
type engines struct {
	docker *docker.Engine // nil when no pipeline needs it
	host   *host.Engine
	copies *isolate.Copies
}

// openEngines connects to the container engine if a pipeline of the plan needs
// it. The caller closes the engines, also after an error.
func openEngines(ctx context.Context, s Streams, flags *engineFlags, plan *exec.Plan, copies *isolate.Copies, say func(string)) (engines, error) {
	e := engines{host: host.New(host.Options{Workspace: copies.FillHost, Keep: copies.KeepHost, Getenv: s.getenv, Grace: flags.grace}), copies: copies}
	if !runsType(plan, "docker") {
		return e, nil
	}
	var err error
	if e.docker, err = flags.open(ctx, s, say); err == nil && flags.offline {
		err = refuseMissing(ctx, s, e.docker, plan)
	}
	return e, err
}

// running are the pipelines of a type that run.
func running(plan *exec.Plan, kind string) []*exec.Pipeline {
	var list []*exec.Pipeline
	for _, p := range plan.Pipelines {
		if p.Runs && p.Type == kind {
			list = append(list, p)
		}
	}
	return list
}

func runsType(plan *exec.Plan, kind string) bool { return len(running(plan, kind)) > 0 }

// reachCopies refuses an engine that cannot mount copies of the working tree.
func (e engines) reachCopies() error {
	if e.docker == nil || !e.copies.Isolated() || e.docker.SharesFiles() {
		return nil
	}
	return usage(errors.New("--isolate needs an engine on this machine: another one cannot mount the copy"),
		"leave out --isolate, or use --clone, which needs no files of this machine")
}

// guarded says who removes what the run leaves.
func (e engines) guarded(by owner.Identity) {
	if e.docker != nil {
		e.docker.Guarded(by)
	}
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
	case e.docker != nil && e.copies.Isolated() && p.Workspace.Host != "":
		return e.copies.Open(ctx, e.docker, p, env)
	case e.docker != nil:
		return e.docker.Open(ctx, p, env)
	}
	return nil, &exec.StepError{Phase: exec.PhaseOpen, Err: fmt.Errorf("no engine is open for pipelines of type %s", p.Type)}
}
