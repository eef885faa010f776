package docker

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
)

// pullAtOnce is how many images are pulled at the same time; the engine
// fetches the layers of each in parallel already.
const pullAtOnce = 3

// lookAtOnce is how many images are looked for at the same time.
const lookAtOnce = 8

// Pull implements exec.Puller.
func (e *Engine) Pull(ctx context.Context, ps []*exec.Pipeline, env exec.Setting) ([]exec.PullFailure, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if _, err := e.client.Ping(ctx); err != nil {
		return nil, e.unreachable(ctx, err)
	}
	needs := e.needs(ps, func(p *exec.Pipeline, w *wanted) {
		w.credentials, w.notify = e.pullSecrets(p, env), env.Notify
	})
	return e.pullAll(ctx, needs), nil
}

// present makes one image present, as far as its policy allows.
func (e *Engine) present(ctx context.Context, w wanted) error {
	if err := e.images.before(ctx, w); err != nil {
		return err
	}
	found, _, err := e.images.local(ctx, w)
	switch {
	case found != nil:
		e.images.compare(w, found.info)
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		_, err = e.images.missing(ctx, w)
		return err
	}
	return pullError(asked{image: w.image}, err)
}

// MissingImage is one that is not on the engine for the platform it is needed
// for.
type MissingImage struct {
	exec.NeededImage
	// Other is the platform of the image that the name leads to, if it does;
	// Platform is then set too.
	Other string
}

// Missing lists the images of the steps of ps that may run and that are not on
// the engine, in order of the plan. No registry is asked.
func (e *Engine) Missing(ctx context.Context, ps []*exec.Pipeline) ([]MissingImage, error) {
	needs := e.needs(ps, func(*exec.Pipeline, *wanted) {})
	absent := make([]*MissingImage, len(needs))
	group, looking := errgroup.WithContext(ctx)
	group.SetLimit(lookAtOnce)
	for i, n := range needs {
		group.Go(guarded(func() (err error) {
			absent[i], err = e.lookFor(looking, n)
			if err != nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}))
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var missing []MissingImage
	for _, m := range absent {
		if m != nil {
			missing = append(missing, *m)
		}
	}
	return missing, nil
}

// lookFor gives nil for an image that every step finds that needs it.
func (e *Engine) lookFor(ctx context.Context, n *need) (*MissingImage, error) {
	for _, w := range n.wanted {
		found, other, err := e.images.local(ctx, w)
		switch {
		case err == nil && (found != nil || other != nil && w.pull == exec.PullNever):
		case err == nil:
			m := &MissingImage{NeededImage: n.NeededImage}
			if other != nil {
				m.Platform, m.Other = platforms.Format(*w.platform), platforms.Format(platformIn(other.info))
			}
			return m, nil
		case lost(err):
			return nil, e.unreachable(ctx, err)
		case !errdefs.IsInvalidArgument(err): // creating the container explains a name that is none
			return nil, fmt.Errorf("cannot look for image %q: %s", w.image, oneLine(err))
		}
	}
	return nil, nil
}

// need is an image that is needed, in each way in which steps want it.
type need struct {
	exec.NeededImage
	wanted []wanted
}

// needs lists the images of the steps that may run, in the order of ps. login
// completes what a pipeline wants.
func (e *Engine) needs(ps []*exec.Pipeline, login func(*exec.Pipeline, *wanted)) []*need {
	known := map[string]*need{}
	var all []*need
	for _, p := range ps {
		if !p.Runs {
			continue
		}
		common := wanted{platform: platformOf(p)}
		login(p, &common)
		for _, s := range p.Steps {
			if s.Policy == exec.Never || s.Image == "" || s.ImageSecret != "" {
				continue
			}
			w := common
			w.image, w.pull = s.Image, s.Pull
			n := known[e.images.name(w)]
			if n == nil {
				n = &need{NeededImage: exec.NeededImage{Image: s.Image, Platform: e.images.named(w.platform)}}
				known[e.images.name(w)] = n
				all = append(all, n)
			}
			n.add(p, w)
		}
	}
	return all
}

func (n *need) add(p *exec.Pipeline, w wanted) {
	if !slices.Contains(n.Pipelines, p) {
		n.Pipelines = append(n.Pipelines, p)
	}
	// The platform is that of the engine in both, or the same other one.
	same := func(o wanted) bool { return o.pull == w.pull && (o.platform == nil) == (w.platform == nil) }
	if !slices.ContainsFunc(n.wanted, same) {
		n.wanted = append(n.wanted, w)
	}
}

// pullAll makes images present and reports failures.
func (e *Engine) pullAll(ctx context.Context, needs []*need) []exec.PullFailure {
	var mu sync.Mutex
	failed := make(map[*need]error)
	var group errgroup.Group
	group.SetLimit(pullAtOnce)
	for _, n := range needs {
		for _, w := range n.wanted {
			group.Go(func() error {
				if err := exec.Guard(func() error { return e.present(ctx, w) }); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed[n] = err
				}
				return nil
			})
		}
	}
	_ = group.Wait() // no function returns an error
	var all []exec.PullFailure
	for _, n := range needs {
		if failed[n] != nil {
			all = append(all, exec.PullFailure{NeededImage: n.NeededImage, Err: failed[n]})
		}
	}
	return all
}
