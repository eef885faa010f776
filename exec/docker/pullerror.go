package docker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/exec"
)

const (
	hintOffline = "without a network, use an image that is already here, with pull: if-not-exists"
	hintLimit   = "log in with `docker login`, or use images that are already here, with pull: if-not-exists"
)

// pullFailure is why an image could not be had.
type pullFailure struct {
	image  string
	reason string
}

func (e *pullFailure) Error() string {
	return fmt.Sprintf("image %q cannot be pulled: %s", e.image, e.reason)
}

// reason is the part of a pull's failure that does not name the image again.
func reason(err error) error {
	var failed *pullFailure
	if errors.As(err, &failed) {
		return errors.New(failed.reason)
	}
	return err
}

// pullError explains why an image could not be had. problem is why its
// credentials could not be found, or nil.
func pullError(image string, err, problem error) *exec.StepError {
	text := oneLine(err)
	said, hint := explainPull(image, text)
	if problem != nil {
		said += "; " + problem.Error()
	}
	return &exec.StepError{Phase: exec.PhasePull, Err: &pullFailure{image, said}, Hint: hint}
}

// explainPull keeps the registry's answer and adds what to do about it.
func explainPull(image, text string) (said, hint string) {
	domain := "the registry"
	if named, err := reference.ParseNormalizedNamed(image); err == nil {
		domain = reference.Domain(named)
	}
	switch {
	case containsAny(text, "toomanyrequests", "pull rate limit"):
		return domain + " has limited the pulls from here for now", hintLimit
	case containsAny(text, "no space left on device"):
		return "the disk of the engine is full", "`docker system df` shows what takes the space, `docker system prune` frees some"
	case containsAny(text, "no matching manifest"):
		return text, "choose a tag that has a variant for this platform"
	case containsAny(text, "manifest unknown", "not found: manifest", ": not found", "manifest for"):
		return fmt.Sprintf("%s has no such tag", domain), "check the name and the tag"
	case containsAny(text, "unauthorized", "authentication required", "access denied", "no basic auth", "denied:", "forbidden", "403"):
		return text, fmt.Sprintf("check the name; if the image is private, `docker login %s`, or name a secret with credentials in image_pull_secrets", domain)
	case containsAny(text, "invalid reference format", "repository name must be lowercase"):
		return "this is not the name of an image", "names of images are in lower case, with at most one tag"
	case containsAny(text, "server gave HTTP response to HTTPS client"):
		return domain + " does not speak TLS", "add it to insecure-registries in the settings of the engine, or with Podman to registries.conf"
	case containsAny(text, "x509:", "certificate"):
		return text, "make the engine trust the certificate of " + domain
	case unanswered(errors.New(text)):
		return text, hintOffline
	}
	return text, ""
}

// unanswered reports a pull that failed because no registry could be asked.
func unanswered(err error) bool {
	text := err.Error()
	return strings.Contains(text, errNoAnswer.Error()) || offline(text)
}

func offline(text string) bool {
	return containsAny(text, "no such host", "name resolution", "server misbehaving", "network is unreachable", "no route to host",
		"connection refused", "i/o timeout", "TLS handshake timeout", "Client.Timeout", "request canceled while waiting", "deadline exceeded",
		"lookup ", "dial tcp")
}
