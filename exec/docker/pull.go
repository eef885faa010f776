package docker

import (
	"context"
	"sync"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
)

// pullAtOnce is how many images are pulled at the same time; the engine
// fetches the layers of each in parallel already.
const pullAtOnce = 3

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
	_, err := e.client.ImageInspect(ctx, w.image)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errdefs.IsNotFound(err):
		return e.images.missing(ctx, w)
	}
	return pullError(w.image, err, nil)
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
