package compile

import (
	"strings"

	"github.com/distribution/reference"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// image is an image name of the file as the runner understands it.
type image struct {
	full       string // normalised, or as written when it is no valid name
	repository string // without tag and digest, "" when it is no valid name
}

// parseImage reads an image name (reference §7.7). The library's present
// version takes an upper-case first part for a registry, which the runner's
// did not.
func parseImage(name string) image {
	if first, _, found := strings.Cut(name, "/"); found && first != strings.ToLower(first) &&
		!strings.ContainsAny(first, ".:") {
		return image{full: name}
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return image{full: name}
	}
	named = reference.TagNameOnly(named)
	return image{full: named.String(), repository: named.Name()}
}

// image reads a name once, as large files repeat few names. It may be called
// for several known names at the same time.
func (c *compiler) image(name string) image {
	img, ok := c.images[name]
	if !ok {
		img = parseImage(name)
		c.images[name] = img
	}
	return img
}

// pullPolicy resolves `pull` (reference §7.6): anything but the three words is
// as if nothing was said, which the engine decides by the tag.
func pullPolicy(word string) exec.Pull {
	switch p := exec.Pull(strings.ToLower(word)); p {
	case exec.PullAlways, exec.PullIfNotExists, exec.PullNever:
		return p
	}
	return ""
}

// PrivilegedPlugins returns the repositories of images that run privileged
// without being asked to (reference §7.9).
func PrivilegedPlugins() []string {
	return []string{"plugins/docker", "plugins/acr", "plugins/ecr", "plugins/gcr", "plugins/heroku"}
}

// privilegedImages are those and the repositories of the user.
func privilegedImages(more []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range append(PrivilegedPlugins(), more...) {
		if repository := parseImage(name).repository; repository != "" {
			out[repository] = true
		}
	}
	return out
}

// autoPrivileged reports whether a step runs privileged because of its image
// (reference §7.9): only a plugin that the file leaves as it is.
func autoPrivileged(s *manifest.Step, img image, privileged map[string]bool) bool {
	if !privileged[img.repository] {
		return false
	}
	if len(s.Commands)+len(s.Command)+len(s.Entrypoint)+len(s.Volumes) > 0 {
		return false
	}
	for _, e := range s.Environment {
		if TakesPrivilege(e.Name.Value) {
			return false
		}
	}
	return true
}

// TakesPrivilege reports whether a variable of this name keeps a step from being
// privileged for its image (reference §7.9).
func TakesPrivilege(name string) bool {
	switch name {
	case "XDG_RUNTIME_DIR", "DOCKER_OPTS", "DOCKER_HOST", "PATH", "HOME":
		return true
	}
	return false
}
