package docker

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
)

// pullAtOnce is how many images are pulled at the same time; the engine
// fetches the layers of each in parallel already.
const pullAtOnce = 3

// lookAtOnce is how many images are looked for at the same time.
const lookAtOnce = 8

// Pull implements exec.Puller.
func (e *Engine) Pull(ctx context.Context, ps []*exec.Pipeline, env exec.Setting) (map[string]error, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if _, err := e.client.Ping(ctx); err != nil {
		return nil, e.unreachable(ctx, err)
	}
	return e.pullAll(ctx, e.wantedBy(ps, env)), nil
}

// present makes one image present, as far as its policy allows.
func (e *Engine) present(ctx context.Context, w wanted) error {
	if err := e.images.before(ctx, w); err != nil {
		return err
	}
	info, err := e.client.ImageInspect(ctx, w.image)
	switch {
	case err == nil:
		e.images.compareArch(w, info.Architecture)
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errdefs.IsNotFound(err):
		return e.images.missing(ctx, w)
	}
	return pullError(asked{image: w.image}, err)
}

// Missing lists the images of the steps of ps that may run and that are not on
// the engine, in order of the plan. No registry is asked.
func (e *Engine) Missing(ctx context.Context, ps []*exec.Pipeline) ([]string, error) {
	var names []string
	for _, p := range ps {
		for _, s := range p.Steps {
			if p.Runs && s.Policy != exec.Never && s.Image != "" && !slices.Contains(names, s.Image) {
				names = append(names, s.Image)
			}
		}
	}
	absent := make([]bool, len(names))
	group, looking := errgroup.WithContext(ctx)
	group.SetLimit(lookAtOnce)
	for i, name := range names {
		group.Go(func() error {
			_, err := e.client.ImageInspect(looking, name)
			switch {
			case err == nil:
			case errdefs.IsNotFound(err):
				absent[i] = true
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case lost(err):
				return e.unreachable(ctx, err)
			case !errdefs.IsInvalidArgument(err): // creating the container explains a name that is none
				return fmt.Errorf("cannot look for image %q: %s", name, oneLine(err))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var missing []string
	for i, name := range names {
		if absent[i] {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// wantedBy lists the images of the steps that may run, each once for each
// policy.
func (e *Engine) wantedBy(ps []*exec.Pipeline, env exec.Setting) []wanted {
	type key struct {
		image string
		pull  exec.Pull
	}
	seen := map[key]bool{}
	var all []wanted
	for _, p := range ps {
		if !p.Runs {
			continue
		}
		credentials := e.pullSecrets(p, env)
		for _, s := range p.Steps {
			k := key{s.Image, s.Pull}
			if s.Policy == exec.Never || s.Image == "" || seen[k] {
				continue
			}
			seen[k] = true
			all = append(all, wanted{image: s.Image, pull: s.Pull, credentials: credentials, notify: env.Notify})
		}
	}
	return all
}

// pullAll makes images present and reports failures by image.
func (e *Engine) pullAll(ctx context.Context, all []wanted) map[string]error {
	var mu sync.Mutex
	failed := map[string]error{}
	var group errgroup.Group
	group.SetLimit(pullAtOnce)
	for _, w := range all {
		group.Go(func() error {
			if err := exec.Guard(func() error { return e.present(ctx, w) }); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[w.image] = err
			}
			return nil
		})
	}
	_ = group.Wait() // no function returns an error
	return failed
}
