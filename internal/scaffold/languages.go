package scaffold

import "regexp"

// The versions that are written where a tree names none. They are those of
// images that are maintained for long; whoever has another one changes it.
const (
	defaultGo     = "1.26"
	defaultNode   = "24"
	defaultPython = "3.13"
	defaultRust   = "1"
	defaultJava   = "21"
	waitImage     = "busybox:1.37"
	pluginDocker  = "plugins/docker:20"
)

// find gives the first group of a pattern in a text, "" without a match.
func find(text, pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}
