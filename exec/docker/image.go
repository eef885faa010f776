package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

// firstAnswer bounds the wait for a registry when the image is here anyway.
const firstAnswer = 10 * time.Second

// errNoAnswer is a registry that took longer than firstAnswer.
var errNoAnswer = fmt.Errorf("no registry answered within %v", firstAnswer)

// images is what an engine knows about images: the pulls under way, which are
// shared, and the images whose freshness is settled for its lifetime.
type images struct {
	client *client.Client
	// offline keeps every registry from being asked.
	offline bool
	// arch is that of the engine, "" while it is not known.
	arch string

	mu      sync.Mutex
	flights map[string]*flight
	settled map[string]bool
	foreign map[string]bool // of those that are for another processor, who was told
}

// flight is a pull that several may wait for. It ends when all have left.
type flight struct {
	done    chan struct{}
	err     error // valid when done is closed
	waiters int
	cancel  context.CancelFunc
}

func newImages(api *client.Client, offline bool) *images {
	return &images{
		client: api, offline: offline,
		flights: map[string]*flight{}, settled: map[string]bool{}, foreign: map[string]bool{},
	}
}

// wanted is an image to be had, and who asks.
type wanted struct {
	image       string
	pull        exec.Pull
	credentials *dockerhost.Credentials
	notify      func(exec.Notice)
}

// before makes sure of an image before its container is created, as far as
// its policy asks for that; creating it finds out whether it is there
// (reference §7.6). The error is a *exec.StepError or the cause of ctx.
func (im *images) before(ctx context.Context, w wanted) error {
	switch {
	case im.offline:
		return nil
	case w.pull == exec.PullAlways:
		return im.always(ctx, w)
	case w.pull == "" && latest(w.image):
		return im.refresh(ctx, w)
	}
	return nil
}

// needsNobody reports whether an image that is here may be used without asking
// a registry now.
func (im *images) needsNobody(image string, pull exec.Pull) bool {
	switch {
	case im.offline:
		return true
	case pull == exec.PullAlways:
		return false
	case pull == "" && latest(image):
		return im.isSettled(image)
	}
	return true
}

// missing provides an image that creating a container did not find.
func (im *images) missing(ctx context.Context, w wanted) error {
	if w.pull == exec.PullNever {
		return &exec.StepError{
			Phase: exec.PhasePull, Err: fmt.Errorf("image %q is not on this engine, and the step has pull: never", w.image),
			Hint: "build or pull it first, or use pull: if-not-exists",
		}
	}
	if im.offline {
		return &exec.StepError{
			Phase: exec.PhasePull, Err: fmt.Errorf("image %q is not on this engine, and no registry may be asked", w.image),
			Hint: "fetch it with `drone pull`",
		}
	}
	return im.fetch(ctx, w, 0)
}

// refresh asks a registry for a newer image, once for each image. When there
// is none to be had and one is here, that one is used, with a warning: the
// server would fail, but a laptop is offline now and then.
func (im *images) refresh(ctx context.Context, w wanted) error {
	if im.isSettled(w.image) {
		return nil
	}
	if !im.present(ctx, w.image) {
		err := im.fetch(ctx, w, 0)
		if err == nil {
			im.settle(w.image)
		}
		return err
	}
	err := im.fetch(ctx, w, firstAnswer)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	im.useLocal(w, err)
	return nil
}

// always pulls each time it is asked to. An image that is here serves where no
// registry answers, but not where one refuses: then the user has to know.
func (im *images) always(ctx context.Context, w wanted) error {
	if !im.present(ctx, w.image) {
		return im.fetch(ctx, w, 0)
	}
	err := im.fetch(ctx, w, firstAnswer)
	if err == nil || ctx.Err() != nil || !unanswered(err) {
		return err
	}
	im.useLocal(w, err)
	return nil
}

// useLocal settles an image, with one warning when its pull failed.
func (im *images) useLocal(w wanted, err error) {
	if first := im.settle(w.image); err != nil && first {
		w.notify(exec.Notice{Warning: fmt.Sprintf("using the image %s as it is on this machine: %v", w.image, reason(err))})
	}
}

func (im *images) isSettled(image string) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.settled[image]
}

// settle reports whether it was the first to settle the image.
func (im *images) settle(image string) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	first := !im.settled[image]
	im.settled[image] = true
	return first
}

func (im *images) present(ctx context.Context, image string) bool {
	_, err := im.client.ImageInspect(ctx, image)
	return err == nil
}

// fetch pulls an image; patience bounds the wait for the first answer and is
// unlimited when 0.
func (im *images) fetch(ctx context.Context, w wanted, patience time.Duration) error {
	login, problem := w.credentials.For(ctx, w.image)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f := im.join(w, login.Header, patience)
	defer im.leave(w.image+"\n"+login.Header, f)
	select {
	case <-f.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if f.err == nil {
		im.warnForeign(ctx, w)
		return nil
	}
	return pullError(asked{w.image, login.Source, problem}, f.err)
}

// warnForeign tells once that an image is for another processor than that of
// the engine: a registry gives such a one where it has no other. A name means
// the same image for every pipeline of every repository, so none is asked for
// by processor, which would replace it for all of them.
func (im *images) warnForeign(ctx context.Context, w wanted) {
	// What cannot be found out now is said by the engine when the step starts.
	if info, err := im.client.ImageInspect(ctx, w.image); err == nil {
		im.compareArch(w, info.Architecture)
	}
}

func (im *images) compareArch(w wanted, arch string) {
	if arch == "" || im.arch == "" || arch == im.arch {
		return
	}
	im.mu.Lock()
	told := im.foreign[w.image]
	im.foreign[w.image] = true
	im.mu.Unlock()
	if !told {
		w.notify(exec.Notice{Warning: fmt.Sprintf("the image %s is for %s, but the engine runs %s: it works only where the engine emulates that",
			w.image, arch, im.arch)})
	}
}

// join starts the pull of an image or joins the one under way.
func (im *images) join(w wanted, auth string, patience time.Duration) *flight {
	im.mu.Lock()
	defer im.mu.Unlock()
	key := w.image + "\n" + auth
	if f := im.flights[key]; f != nil {
		f.waiters++
		return f
	}
	// The pull belongs to all who wait, so it must not end with the context
	// of the first; leave cancels it when nobody waits any more.
	ctx, cancel := context.WithCancel(context.Background())
	f := &flight{done: make(chan struct{}), waiters: 1, cancel: cancel}
	im.flights[key] = f
	go func() {
		defer cancel()
		err := exec.Guard(func() error { return im.pull(ctx, w, auth, patience) })
		im.mu.Lock()
		defer im.mu.Unlock()
		f.err = err
		if im.flights[key] == f {
			delete(im.flights, key)
		}
		close(f.done)
	}()
	return f
}

func (im *images) leave(key string, f *flight) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if f.waiters--; f.waiters > 0 {
		return
	}
	f.cancel()
	if im.flights[key] == f {
		delete(im.flights, key)
	}
}

func (im *images) pull(ctx context.Context, w wanted, auth string, patience time.Duration) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answered := func() {}
	if patience > 0 {
		timer := time.AfterFunc(patience, func() { cancel(errNoAnswer) })
		answered = func() { timer.Stop() }
		defer timer.Stop()
	}
	w.notify(exec.Notice{Pull: &exec.PullProgress{Image: w.image}})
	fetched := layers{}
	defer func() {
		current, total := fetched.sum()
		w.notify(exec.Notice{Pull: &exec.PullProgress{Image: w.image, Current: current, Total: total, Done: true, Failed: err != nil}})
	}()
	stream, err := im.client.ImagePull(ctx, w.image, image.PullOptions{RegistryAuth: auth})
	if err == nil {
		err = readPull(stream, w.image, fetched, answered, w.notify)
		stream.Close()
	}
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return errNoAnswer
	}
	return err
}

// latest reports whether an image has the tag latest, named or not.
func latest(image string) bool {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return false
	}
	if _, ok := named.(reference.Digested); ok {
		return false
	}
	tagged, ok := reference.TagNameOnly(named).(reference.Tagged)
	return ok && tagged.Tag() == "latest"
}

// unknownImage reports whether creating a container failed because the image
// is not there, in the words of Docker and of Podman.
func unknownImage(err error) bool {
	return errdefs.IsNotFound(err) && imageMissing.MatchString(err.Error())
}

var imageMissing = regexp.MustCompile(`(?i)no such image|image not known|unable to find image`)
