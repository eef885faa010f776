package facts

import (
	"cmp"
	"strconv"
	"strings"
)

// version is a tag read as a semantic version (reference §5.3).
type version struct {
	numbers    [3]int
	prerelease []string
}

func parseVersion(tag string) (version, bool) {
	var v version
	text := strings.TrimPrefix(tag, "v")
	text, _, _ = strings.Cut(text, "+")
	text, pre, found := strings.Cut(text, "-")
	if found {
		v.prerelease = strings.Split(pre, ".")
	}
	parts := strings.Split(text, ".")
	if len(parts) != len(v.numbers) {
		return version{}, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return version{}, false
		}
		v.numbers[i] = int(n)
	}
	return v, true
}

// compareTags orders tags: names that are no version first, by text, then
// versions by precedence, equal ones by text.
func compareTags(a, b string) int {
	va, oka := parseVersion(a)
	vb, okb := parseVersion(b)
	switch {
	case oka && okb:
		return cmp.Or(va.compare(vb), strings.Compare(a, b))
	case oka:
		return 1
	case okb:
		return -1
	}
	return strings.Compare(a, b)
}

func (v version) compare(w version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], w.numbers[i]); c != 0 {
			return c
		}
	}
	// A version comes after its own prereleases.
	if len(v.prerelease) == 0 || len(w.prerelease) == 0 {
		return cmp.Compare(len(w.prerelease), len(v.prerelease))
	}
	for i := range min(len(v.prerelease), len(w.prerelease)) {
		if c := compareIdentifiers(v.prerelease[i], w.prerelease[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(v.prerelease), len(w.prerelease))
}

// compareIdentifiers puts numbers before words, as semantic versions do.
func compareIdentifiers(a, b string) int {
	na, erra := strconv.Atoi(a)
	nb, errb := strconv.Atoi(b)
	switch {
	case erra == nil && errb == nil:
		return cmp.Compare(na, nb)
	case erra == nil:
		return -1
	case errb == nil:
		return 1
	}
	return strings.Compare(a, b)
}
