package compile

import (
	"strings"

	"github.com/distribution/reference"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// parseImage reads an image name as the runner does. The library's present
// version takes an upper-case first part for a registry, which the runner's
// did not (reference §7.7).
func parseImage(image string) (reference.Named, bool) {
	if first, _, found := strings.Cut(image, "/"); found && first != strings.ToLower(first) &&
		!strings.ContainsAny(first, ".:") {
		return nil, false
	}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, false
	}
	return reference.TagNameOnly(named), true
}

// normalImage gives the full name of an image; an invalid one is unchanged.
func normalImage(image string) string {
	if named, ok := parseImage(image); ok {
		return named.String()
	}
	return image
}

// pullPolicy resolves `pull` (reference §7.6): anything but the three words is
// as if nothing was said.
func pullPolicy(pull, image string) exec.Pull {
	switch p := exec.Pull(strings.ToLower(pull)); p {
	case exec.PullAlways, exec.PullIfNotExists, exec.PullNever:
		return p
	}
	if named, ok := parseImage(image); ok {
		if tagged, ok := named.(reference.Tagged); ok && tagged.Tag() == "latest" {
			return exec.PullAlways
		}
	}
	return exec.PullIfNotExists
}

// privilegedImages are the repositories that run privileged without being
// asked to: the built-in ones and those of the user.
func privilegedImages(more []string) map[string]bool {
	out := map[string]bool{}
	builtin := []string{"plugins/docker", "plugins/acr", "plugins/ecr", "plugins/gcr", "plugins/heroku"}
	for _, image := range append(builtin, more...) {
		if named, ok := parseImage(image); ok {
			out[named.Name()] = true
		}
	}
	return out
}

// autoPrivileged reports whether a step runs privileged because of its image
// (reference §7.9): only a plugin that the file leaves as it is.
func autoPrivileged(s *manifest.Step, images map[string]bool) bool {
	if len(s.Commands)+len(s.Command)+len(s.Entrypoint)+len(s.Volumes) > 0 {
		return false
	}
	for _, e := range s.Environment {
		switch e.Name.Value {
		case "XDG_RUNTIME_DIR", "DOCKER_OPTS", "DOCKER_HOST", "PATH", "HOME":
			return false
		}
	}
	named, ok := parseImage(s.Image.Value)
	return ok && images[named.Name()]
}
