package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"

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
	// own is the platform of the engine, as far as it is known.
	own ocispec.Platform

	mu      sync.Mutex
	flights map[string]*flight
	turns   map[string]chan struct{} // of those who pull, by the name
	names   map[string]*semaphore.Weighted
	settled map[string]bool
	told    map[string]bool // warnings
}

// flight is a pull that several may wait for. It ends when all have left.
type flight struct {
	done    chan struct{}
	got     *local // valid when done is closed, as is err
	err     error
	waiters int
	cancel  context.CancelFunc
}

func newImages(api *client.Client, offline bool) *images {
	return &images{
		client: api, offline: offline,
		flights: map[string]*flight{}, turns: map[string]chan struct{}{}, names: map[string]*semaphore.Weighted{},
		settled: map[string]bool{}, told: map[string]bool{},
	}
}

// wanted is an image to be had, and who asks.
type wanted struct {
	image       string
	pull        exec.Pull
	platform    *ocispec.Platform // nil when the file asks for none
	credentials *dockerhost.Credentials
	notify      func(exec.Notice)
}

// name names what is asked of a registry.
func (im *images) name(w wanted) string {
	return strings.TrimSpace(w.image + " " + im.named(w.platform))
}

// renews reports whether a step wants the newest image, whatever is here.
func (w wanted) renews() bool { return w.pull == exec.PullAlways || w.pull == "" && latest(w.image) }

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
func (im *images) needsNobody(w wanted) bool {
	switch {
	case im.offline:
		return true
	case w.pull == exec.PullAlways:
		return false
	case w.pull == "" && latest(w.image):
		return im.isSettled(w)
	}
	return true
}

// missing provides an image of which the engine could make no container: there
// is none by its name, or one for another platform. Where that is the one the
// file asks for, one that is here for another is used if the step wants no
// other, or no registry gives an answer to go by; a warning says so.
func (im *images) missing(ctx context.Context, w wanted) (*local, error) {
	var other *local
	if w.platform != nil {
		found, another, err := im.local(ctx, w)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, pullError(asked{image: w.image}, err)
		case found != nil:
			im.compare(w, found.info)
			return found, nil
		}
		other = another
	}
	switch {
	case other != nil && (w.pull == exec.PullNever || im.isSettled(w)):
		im.compare(w, other.info)
		return other, nil
	case w.pull == exec.PullNever:
		return nil, &exec.StepError{
			Phase: exec.PhasePull, Err: fmt.Errorf("image %q is not on this engine%s, and the step has pull: never", w.image, forPlatform(im.asks(w, other))),
			Hint: "build or pull it first, or use pull: if-not-exists",
		}
	case im.offline:
		return nil, &exec.StepError{
			Phase: exec.PhasePull, Err: fmt.Errorf("image %q is not on this engine%s, and no registry may be asked", w.image, forPlatform(im.asks(w, other))),
			Hint: "fetch it with `drone pull`",
		}
	case other == nil:
		return im.fetch(ctx, w, 0)
	}
	got, err := im.fetch(ctx, w, firstAnswer)
	if err == nil || ctx.Err() != nil || w.pull == exec.PullAlways || lacking(err) {
		return got, err
	}
	im.useLocal(w, err)
	im.compare(w, other.info)
	return other, nil
}

// asks names the platform of an image that is not here, where it matters: other
// is what is here by its name.
func (im *images) asks(w wanted, other *local) string {
	if other != nil {
		return platforms.Format(*w.platform)
	}
	return im.named(w.platform)
}

// here reports whether a name leads to an image.
func (im *images) here(ctx context.Context, name string) bool {
	_, err := im.client.ImageInspect(ctx, name)
	return err == nil
}

func forPlatform(platform string) string {
	if platform == "" {
		return ""
	}
	return " for " + platform
}

// refresh asks a registry for a newer image, once for each image. When there
// is none to be had and one is here, that one is used, with a warning: the
// server would fail, but a laptop is offline now and then.
func (im *images) refresh(ctx context.Context, w wanted) error {
	if im.isSettled(w) {
		return nil
	}
	found, other, _ := im.local(ctx, w) // what cannot be seen is pulled
	if found == nil && other == nil {
		_, err := im.fetch(ctx, w, 0)
		if err == nil {
			im.settle(w)
		}
		return err
	}
	_, err := im.fetch(ctx, w, firstAnswer)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case found == nil && lacking(err):
		return err
	}
	im.useLocal(w, err)
	return nil
}

// always pulls each time it is asked to. An image that is here serves where no
// registry answers, but not where one refuses: then the user has to know.
func (im *images) always(ctx context.Context, w wanted) error {
	found, other, _ := im.local(ctx, w) // what cannot be seen is pulled
	if found == nil && other == nil {
		_, err := im.fetch(ctx, w, 0)
		return err
	}
	_, err := im.fetch(ctx, w, firstAnswer)
	if err == nil || ctx.Err() != nil || !unanswered(err) {
		return err
	}
	im.useLocal(w, err)
	return nil
}

// useLocal settles an image, with one warning when its pull failed.
func (im *images) useLocal(w wanted, err error) {
	if first := im.settle(w); err != nil && first {
		w.notify(exec.Notice{Warning: fmt.Sprintf("using the image %s as it is on this machine: %v", w.image, reason(err))})
	}
}

func (im *images) isSettled(w wanted) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.settled[im.name(w)]
}

// settle reports whether it was the first to settle the image.
func (im *images) settle(w wanted) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	first := !im.settled[im.name(w)]
	im.settled[im.name(w)] = true
	return first
}

// fetch pulls an image; patience bounds the wait for the first answer and is
// unlimited when 0.
func (im *images) fetch(ctx context.Context, w wanted, patience time.Duration) (*local, error) {
	login, problem := w.credentials.For(ctx, w.image)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	f := im.join(w, login.Header, patience)
	defer im.leave(im.flightKey(w, login.Header), f)
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if f.err == nil {
		im.compare(w, f.got.info)
		return f.got, nil
	}
	a := asked{image: w.image, source: login.Source, problem: problem}
	if noVariant(f.err.Error()) {
		a.platform, a.chosen = platforms.Format(im.own), w.platform != nil
		if w.platform != nil {
			a.platform = platforms.Format(*w.platform)
		}
		for _, p := range im.offers(ctx, w, login.Header) {
			a.offers = append(a.offers, platforms.Format(p))
		}
	}
	return nil, pullError(a, f.err)
}

func (im *images) flightKey(w wanted, auth string) string { return im.name(w) + "\n" + auth }

// join starts the pull of an image or joins the one under way.
func (im *images) join(w wanted, auth string, patience time.Duration) *flight {
	im.mu.Lock()
	defer im.mu.Unlock()
	key := im.flightKey(w, auth)
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
		var got *local
		err := exec.Guard(func() (err error) {
			got, err = im.pull(ctx, w, auth, patience)
			return err
		})
		im.mu.Lock()
		defer im.mu.Unlock()
		f.got, f.err = got, err
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

// pull has the engine pull an image, and sees to what the name leads to then.
func (im *images) pull(ctx context.Context, w wanted, auth string, patience time.Duration) (*local, error) {
	leave, err := im.alone(ctx, w.image)
	if err != nil {
		return nil, err
	}
	defer leave()
	var before *image.InspectResponse
	if w.platform != nil {
		if info, err := im.inspect(ctx, w.image, w.platform); err == nil {
			before = &info
		}
	}
	if im.foreign(w.platform) || before != nil && !suits(*before, w.platform) {
		done, err := im.moving(ctx, w.image)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	if err := im.transfer(ctx, w, auth, patience); err != nil {
		return nil, err
	}
	// Names are not left half changed when nobody waits any more.
	longer, cancel := outlive(ctx)
	defer cancel()
	return im.put(longer, w, auth, before)
}

// transfer has the engine pull an image, and tells of its progress.
func (im *images) transfer(ctx context.Context, w wanted, auth string, patience time.Duration) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answered := func() {}
	if patience > 0 {
		timer := time.AfterFunc(patience, func() { cancel(errNoAnswer) })
		answered = func() { timer.Stop() }
		defer timer.Stop()
	}
	progress := exec.PullProgress{Image: w.image, Platform: im.named(w.platform)}
	fetched := layers{}
	tell := func() {
		now := progress
		now.Current, now.Total = fetched.sum()
		w.notify(exec.Notice{Pull: &now})
	}
	tell()
	defer func() {
		progress.Done, progress.Failed = true, err != nil
		tell()
	}()
	stream, err := im.client.ImagePull(ctx, w.image, image.PullOptions{RegistryAuth: auth, Platform: progress.Platform})
	if err == nil {
		err = readPull(stream, fetched, answered, tell)
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
// is not there, or not for the platform, in the words of Docker and of Podman.
func unknownImage(err error) bool {
	return errdefs.IsNotFound(err) && imageMissing.MatchString(err.Error())
}

var imageMissing = regexp.MustCompile(`(?i)no such image|image not known|unable to find image|image with reference .* was found but `)
