package docker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"

	"github.com/drone-laptop/drone/exec"
)

// A name of an image leads to one image of an engine, for all pipelines and
// everybody else. So what a pipeline has fetched for another platform than the
// name leads to gets a name of its own, and the other one keeps it.

const (
	// keptHost begins the names of such images. No registry can have it.
	keptHost = "platform.drone.invalid"
	// longestName is what every engine takes of a name.
	longestName = 255
	// createsForPlatform is the first version of the API by which an engine
	// refuses to make a container of an image for another platform.
	createsForPlatform = "1.41"
	// inspectsPlatform is the first by which it tells of one platform of an
	// image, where it keeps several under one name.
	inspectsPlatform = "1.49"
	// offerTime bounds the question which platforms there are, which is asked
	// for the sake of a message.
	offerTime = 5 * time.Second
)

// platformOf is what the file asks the images of a pipeline for, in the usual
// spelling. It is nil when the file names no processor. A variant of one that
// images have no variants for, such as z15, is for the choice of a machine only.
func platformOf(p *exec.Pipeline) *ocispec.Platform {
	if p.Platform.Arch == "" {
		return nil
	}
	asked := platforms.Normalize(ocispec.Platform{
		OS: cmp.Or(p.Platform.OS, "linux"), Architecture: p.Platform.Arch, Variant: p.Platform.Variant,
	})
	switch asked.Architecture {
	case "amd64", "arm", "arm64":
	default:
		asked.Variant = ""
	}
	return &asked
}

// foreign reports whether a platform is another one than that of the engine,
// which is what images are for when nothing is said.
func (im *images) foreign(p *ocispec.Platform) bool {
	return p != nil && platforms.Format(*p) != platforms.Format(im.own)
}

// named names the platform in messages, and to a registry: "" is the engine's.
func (im *images) named(p *ocispec.Platform) string {
	if !im.foreign(p) {
		return ""
	}
	return platforms.Format(*p)
}

// emulated reports whether the engine runs an image only where it emulates its
// processor.
func (im *images) emulated(info image.InspectResponse) bool {
	return info.Architecture != "" && im.own.Architecture != "" && !platforms.Only(im.own).Match(platformIn(info))
}

func platformIn(info image.InspectResponse) ocispec.Platform {
	return platforms.Normalize(ocispec.Platform{OS: cmp.Or(info.Os, "linux"), Architecture: info.Architecture, Variant: info.Variant})
}

// suits reports whether an image is for a platform. One that does not say what
// it is for, as some tools make them, is taken for it.
func suits(info image.InspectResponse, p *ocispec.Platform) bool {
	return p == nil || info.Architecture == "" || platforms.Only(*p).Match(platformIn(info))
}

// local is an image on the engine.
type local struct {
	name string // to make a container of
	info image.InspectResponse
	// platform is what the engine is told to take of it, nil what it has.
	platform *ocispec.Platform
}

func asItIs(name string, info image.InspectResponse) *local {
	l := &local{name: name, info: info}
	if info.Architecture != "" {
		l.platform = &ocispec.Platform{OS: cmp.Or(info.Os, "linux"), Architecture: info.Architecture, Variant: info.Variant}
	}
	return l
}

// local looks for an image on the engine. Where there is none for the platform,
// other is what the name leads to, if anything.
func (im *images) local(ctx context.Context, w wanted) (found, other *local, err error) {
	info, err := im.inspect(ctx, w.image, w.platform)
	switch {
	case err == nil && suits(info, w.platform):
		return asItIs(w.image, info), nil, nil
	case err == nil:
		other = asItIs(w.image, info)
	case !errdefs.IsNotFound(err):
		return nil, nil, err
	case w.platform == nil:
		return nil, nil, nil
	}
	kept := keptName(w.image, *w.platform)
	info, err = im.inspect(ctx, kept, w.platform)
	switch {
	case err != nil && !errdefs.IsNotFound(err):
		return nil, nil, err
	case err == nil && (suits(info, w.platform) || other == nil || other.info.ID == info.ID):
		// What does not fit is what a registry gave when it was asked for the
		// platform, and it gives nothing else.
		return asItIs(kept, info), other, nil
	}
	return nil, other, nil
}

func (im *images) inspect(ctx context.Context, name string, p *ocispec.Platform) (image.InspectResponse, error) {
	if p != nil && versions.GreaterThanOrEqualTo(im.client.ClientVersion(), inspectsPlatform) {
		info, err := im.client.ImageInspect(ctx, name, client.ImageInspectWithPlatform(p))
		if err == nil || !errdefs.IsNotFound(err) {
			return info, err
		}
	}
	return im.client.ImageInspect(ctx, name)
}

// compare tells once when an image is not for the platform that was asked for
// or, when none was, not for that of the engine.
func (im *images) compare(w wanted, info image.InspectResponse) {
	misfit, emulated := !suits(info, w.platform), im.emulated(info)
	if !misfit && (w.platform != nil || !emulated) {
		return
	}
	text := fmt.Sprintf("the image %s is for %s, but ", w.image, platforms.Format(platformIn(info)))
	if misfit {
		text += "the pipeline asks for " + platforms.Format(*w.platform)
	}
	if misfit && emulated {
		text += ", and "
	}
	if emulated {
		text += fmt.Sprintf("the engine runs %s: it works only where the engine emulates that", platforms.Format(im.own))
	}
	im.warnOnce(w.notify, text)
}

// warnOnce tells a warning, unless the engine has told it already.
func (im *images) warnOnce(notify func(exec.Notice), text string) {
	im.mu.Lock()
	told := im.told[text]
	im.told[text] = true
	im.mu.Unlock()
	if !told {
		notify(exec.Notice{Warning: text})
	}
}

var otherPlatform = regexp.MustCompile(`requested image's platform \(([^)]+)\) does not match`)

// compareWarned does so when that is what an engine has warned of as it made a
// container, and reports whether it is.
func (im *images) compareWarned(w wanted, text string) bool {
	found := otherPlatform.FindStringSubmatch(text)
	if found == nil {
		return false
	}
	p, err := platforms.Parse(found[1])
	if err != nil {
		return false
	}
	im.compare(w, image.InspectResponse{Os: p.OS, Architecture: p.Architecture, Variant: p.Variant})
	return true
}

// put sees to the names after a pull: before is what the name led to then.
func (im *images) put(ctx context.Context, w wanted, auth string, before *image.InspectResponse) (*local, error) {
	info, err := im.inspect(ctx, w.image, w.platform)
	if err != nil {
		// Whoever makes a container of it says why it cannot be had.
		return &local{name: w.image, platform: w.platform}, nil // see above
	}
	pulled := asItIs(w.image, info)
	if w.platform == nil {
		return pulled, nil
	}
	fit := suits(info, w.platform)
	if !fit && slices.ContainsFunc(im.offers(ctx, w, auth), platforms.Only(*w.platform).Match) {
		// The engine keeps several under one name and tells of another one.
		pulled.platform = w.platform
		return pulled, nil
	}
	taken := before != nil && !suits(*before, w.platform) && before.ID != info.ID
	stray := fit && before == nil && im.foreign(w.platform)
	switch {
	case fit && !taken && !stray:
		return pulled, nil
	case !fit && taken && w.renews():
		taken = false // as whenever a newer image is pulled
	case !fit && taken:
		// What is here may have been built here, and serves no worse.
		pulled = asItIs(w.image, *before)
	}
	pulled.name = keptName(w.image, *w.platform)
	if err := im.client.ImageTag(ctx, pulled.info.ID, pulled.name); err != nil {
		return nil, fmt.Errorf("it cannot be kept as %s: %w", pulled.name, err)
	}
	switch {
	case taken && !digested(w.image):
		err = im.client.ImageTag(ctx, before.ID, w.image)
	case stray:
		_, err = im.client.ImageRemove(ctx, w.image, image.RemoveOptions{})
	}
	if err != nil {
		w.notify(exec.Notice{Warning: fmt.Sprintf("the name %s leads to the image for %s now: %s", w.image, platforms.Format(platformIn(info)), oneLine(err))})
	}
	return pulled, nil
}

// offers lists the platforms that a registry has an image for, as far as that
// can be found out.
func (im *images) offers(ctx context.Context, w wanted, auth string) []ocispec.Platform {
	ctx, cancel := context.WithTimeout(ctx, offerTime)
	defer cancel()
	found, err := im.client.DistributionInspect(ctx, w.image, auth)
	if err != nil {
		return nil
	}
	var all []ocispec.Platform
	for _, p := range found.Platforms {
		if p.Architecture != "" && p.Architecture != "unknown" { // so call themselves attestations
			all = append(all, platforms.Normalize(p))
		}
	}
	return all
}

// alone waits until no other pull of the same name is under way: what a name
// leads to after one has to be what that one has pulled.
func (im *images) alone(ctx context.Context, name string) (leave func(), err error) {
	im.mu.Lock()
	turn := im.turns[name]
	if turn == nil {
		turn = make(chan struct{}, 1)
		im.turns[name] = turn
	}
	im.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// fixed waits while a name leads to another image than before or after, which it
// does during a pull for another platform, and keeps it from doing so until done
// is called.
func (im *images) fixed(ctx context.Context, name string) (done func(), err error) {
	return im.share(ctx, name, 1)
}

// moving waits until nobody needs a name fixed, and keeps everybody from it until
// done is called. From then on it has to lead to the right image again.
func (im *images) moving(ctx context.Context, name string) (done func(), err error) {
	return im.share(ctx, name, wholeName)
}

// wholeName is more than there are containers made at the same time.
const wholeName = 1 << 30

func (im *images) share(ctx context.Context, name string, weight int64) (done func(), err error) {
	im.mu.Lock()
	lock := im.names[name]
	if lock == nil {
		lock = semaphore.NewWeighted(wholeName)
		im.names[name] = lock
	}
	im.mu.Unlock()
	if err := lock.Acquire(ctx, weight); err != nil {
		return nil, context.Cause(ctx)
	}
	return func() { lock.Release(weight) }, nil
}

// keptName is the name of an image that is kept for a platform beside what its
// own name leads to.
func keptName(name string, p ocispec.Platform) string {
	if named, err := reference.ParseNormalizedNamed(name); err == nil {
		tag := ""
		switch named := reference.TagNameOnly(named).(type) {
		case reference.Digested:
			tag = strings.ReplaceAll(named.Digest().String(), ":", "-")
		case reference.Tagged:
			tag = named.Tag()
		}
		host := strings.ReplaceAll(strings.ToLower(reference.Domain(named)), ":", "__")
		kept := fmt.Sprintf("%s/%s/%s/%s:%s", keptHost, platforms.Format(p), host, reference.Path(named), tag)
		if _, err := reference.ParseNamed(kept); err == nil && len(kept) <= longestName {
			return kept
		}
	}
	// Too long, or with characters that no name of an image may have.
	return fmt.Sprintf("%s/%x", keptHost, sha256.Sum256([]byte(platforms.Format(p)+" "+name)))
}

func digested(name string) bool {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return false
	}
	_, ok := named.(reference.Digested)
	return ok
}
