package manifest

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// The functions below give the map that was meant by a scalar in its place.

// mendClone reads `clone: false`, as Travis and others have it.
func mendClone(n *yaml.Node) string {
	if value, _ := resolve(n); value == false {
		return "{disable: true}"
	}
	return ""
}

func mendConcurrency(n *yaml.Node) string {
	if value, _ := resolve(n); value != nil {
		if _, number := value.(int64); number {
			return "{limit: " + n.Value + "}"
		}
	}
	return ""
}

func mendWorkspace(n *yaml.Node) string {
	if strings.HasPrefix(n.Value, "/") && !strings.ContainsAny(n.Value, ",{}[]#: ") {
		return "{path: " + n.Value + "}"
	}
	return ""
}

var platformPair = regexp.MustCompile(`^(linux|windows)/(amd64|arm64|arm|ppc64le|s390x)$`)

// mendPlatform reads `linux/arm64`, the form that Docker has for it.
func mendPlatform(n *yaml.Node) string {
	m := platformPair.FindStringSubmatch(n.Value)
	if m == nil {
		return ""
	}
	return "{os: " + m[1] + ", arch: " + m[2] + "}"
}
