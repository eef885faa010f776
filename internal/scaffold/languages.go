package scaffold

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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

// The oldest releases that are maintained. A tree that asks for one of before, or
// a later one, gets the usual one.
const (
	oldestNode   = "22"
	oldestPython = "3.11"
	oldestGo     = "1.21" // the first for which the version of go.mod was a lower bound
)

// older reports whether a version comes before another one.
func older(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	return slices.CompareFunc(a, b, func(x, y string) int {
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		return cmp.Compare(m, n)
	}) < 0
}

// release is the one that a range of versions asks for, "" where any will do. A
// pattern has the form of a version; open are the operators that only exclude
// what is older, which is no reason to take one that nobody maintains any more.
func release(asked, pattern, oldest string, open ...string) string {
	m := regexp.MustCompile(`^\s*([<>=^~!]*)\s*v?(` + pattern + `)`).FindStringSubmatch(asked)
	switch {
	case m == nil, strings.HasPrefix(m[1], "!"):
		return ""
	case m[1] == "<":
		return before(m[2])
	case slices.Contains(open, m[1]) && !strings.Contains(asked, "<") && older(m[2], oldest):
		return ""
	}
	return m[2]
}

// before is the release before a version.
func before(version string) string {
	at := strings.LastIndex(version, ".") + 1
	n, err := strconv.Atoi(version[at:])
	if err != nil || n == 0 {
		return ""
	}
	return version[:at] + strconv.Itoa(n-1)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
