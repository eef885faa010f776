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
	image   string
	reason  string
	variant bool // there is none for the platform
}

func (e *pullFailure) Error() string {
	return fmt.Sprintf("image %q cannot be pulled: %s", e.image, e.reason)
}

// reason is the part of a pull's failure that does not name the image again.
func reason(err error) error {
	if failed, ok := errors.AsType[*pullFailure](err); ok {
		return errors.New(failed.reason)
	}
	return err
}

// asked is what a registry was asked for, and with what.
type asked struct {
	image   string
	source  string // of the login, "" without one
	problem error  // why known credentials could not be had, or nil

	// platform is what it was asked for, when it has no image for that, and
	// offers what it has. chosen reports that the file asks for it.
	platform string
	chosen   bool
	offers   []string
}

// pullError explains why an image could not be had.
func pullError(a asked, err error) *exec.StepError {
	said, hint := explainPull(a, oneLine(err))
	if a.problem != nil {
		said += "; " + a.problem.Error()
	}
	return &exec.StepError{Phase: exec.PhasePull, Err: &pullFailure{a.image, said, a.platform != ""}, Hint: hint}
}

// refused explains an answer to a login that does not do, or to none: who gave
// it, what was asked with, and how to have another.
func (a asked) refused(domain, text string) (said, hint string) {
	login := "`docker login " + domain + "`"
	if domain == "docker.io" {
		login = "`docker login`"
	}
	switch {
	case a.source == "":
		return fmt.Sprintf("%s refuses it without a login: %s", domain, text),
			fmt.Sprintf("check the name; if the image is private, %s, or name a secret with credentials in image_pull_secrets", login)
	case strings.Contains(a.source, "image_pull_secrets"):
		hint = fmt.Sprintf("check the name, and that the secret has a login for %s that may pull the image", domain)
	default:
		hint = fmt.Sprintf("check the name; %s again, as somebody who may pull the image, or name a secret with credentials in image_pull_secrets", login)
	}
	return fmt.Sprintf("%s refuses it with the login of %s: %s", domain, a.source, text), hint
}

// lacking reports a pull that failed because there is no image for the platform.
func lacking(err error) bool {
	var failed *pullFailure
	return errors.As(err, &failed) && failed.variant
}

// noVariant recognises that in what an engine says.
func noVariant(text string) bool {
	return containsAny(text, "no matching manifest", "no match for platform in manifest", "no image found in manifest list", "no image found in image index")
}

// withoutVariant explains it.
func (a asked) withoutVariant(text string) (said, hint string) {
	said, hint = "it has no variant for "+a.platform, "choose a tag that has one"
	switch {
	case len(a.offers) == 0:
		said += ": " + text
	case len(a.offers) == 1:
		said += ", only for " + a.offers[0]
	default:
		last := len(a.offers) - 1
		said += ", only for " + strings.Join(a.offers[:last], ", ") + " and " + a.offers[last]
	}
	if a.chosen {
		return said, hint + ", or change the platform of the pipeline"
	}
	return said, hint + ", or set platform of the pipeline to one there is"
}

// explainPull keeps the registry's answer and adds what to do about it.
func explainPull(a asked, text string) (said, hint string) {
	domain := "the registry"
	if named, err := reference.ParseNormalizedNamed(a.image); err == nil {
		domain = reference.Domain(named)
	}
	switch {
	case containsAny(text, "toomanyrequests", "pull rate limit"):
		return domain + " has limited the pulls from here for now", hintLimit
	case containsAny(text, "no space left on device"):
		return "the disk of the engine is full", "`docker system df` shows what takes the space, `docker system prune` frees some"
	case a.platform != "":
		return a.withoutVariant(text)
	case containsAny(text, "Cannot overwrite digest", "cannot overwrite digest"):
		return "the engine has the variant of another platform by this digest, and keeps only one",
			fmt.Sprintf("name the digest of the variant itself, or take the other one away: `docker image rm %s`", a.image)
	case containsAny(text, "manifest unknown", "not found: manifest", ": not found", "manifest for"):
		return fmt.Sprintf("%s has no such tag", domain), "check the name and the tag"
	case containsAny(text, "unauthorized", "authentication required", "access denied", "no basic auth", "denied:", "forbidden", "403"):
		return a.refused(domain, text)
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
