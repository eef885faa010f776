package compile

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// MatchGlob reports whether the value matches a pattern of the dialect of
// conditions (reference §6.3): case-sensitive, separated by "/", and never an
// error, since a malformed pattern matches nothing.
//
// Each segment is left to the library; what lies between segments is decided
// here, because the dialect is that of the library's first version: there
// "a/**" does not match "a", and an alternative cannot hold a "/".
func MatchGlob(pattern, value string) bool {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		segments[i] = plainClass(s)
		if _, err := doublestar.Match(segments[i], ""); err != nil {
			return false
		}
	}
	segments = trimLast(segments)
	if n := len(segments); segments[n-1] == "**" {
		segments = append(segments[:n-1], "*", "**")
	}
	return matchSegments(segments, trimLast(strings.Split(value, "/")))
}

// IsGlob reports whether a pattern of that dialect is more than plain text.
func IsGlob(pattern string) bool {
	_, complete := LiteralPrefix(pattern)
	return !complete
}

// LiteralPrefix returns the plain text that all values begin with which match a
// pattern of that dialect; complete reports that it is the whole pattern.
func LiteralPrefix(pattern string) (prefix string, complete bool) {
	if at := strings.IndexAny(pattern, `*?[{\`); at >= 0 {
		return pattern[:at], false
	}
	return pattern, true
}

// matchSegments matches with "**" standing for any number of segments. Going
// back to the latest "**" only is enough and keeps the time a product of the
// two lengths.
func matchSegments(pattern, value []string) bool {
	p, v, star, mark := 0, 0, -1, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			star, mark = p, v
			p++
		case p < len(pattern) && matchSegment(pattern[p], value[v]):
			p++
			v++
		case star >= 0:
			mark++
			p, v = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

func matchSegment(pattern, value string) bool {
	ok, err := doublestar.Match(pattern, value)
	return err == nil && ok
}

// trimLast removes the empty segment that a "/" at the end makes.
func trimLast(segments []string) []string {
	if n := len(segments); n > 1 && segments[n-1] == "" {
		return segments[:n-1]
	}
	return segments
}

// plainClass takes the special meaning from a "!" that begins a class: in the
// dialect only "^" negates.
func plainClass(segment string) string {
	if !strings.Contains(segment, "[!") {
		return segment
	}
	var b strings.Builder
	for i := 0; i < len(segment); i++ {
		b.WriteByte(segment[i])
		switch {
		case segment[i] == '\\' && i+1 < len(segment):
			i++
			b.WriteByte(segment[i])
		case segment[i] == '[' && i+1 < len(segment) && segment[i+1] == '!':
			b.WriteByte('\\')
		}
	}
	return b.String()
}
