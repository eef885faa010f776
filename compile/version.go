package compile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// field is a variable that a tag gives.
type field struct{ name, value string }

// identifiers is the form of both the pre-release and the build part of a
// semantic version.
var identifiers = regexp.MustCompile(`^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$`)

// semver gives the DRONE_SEMVER variables of a tag, or only
// DRONE_SEMVER_ERROR (reference §5.3).
func semver(tag string) []field {
	version, build, _ := strings.Cut(strings.TrimPrefix(tag, "v"), "+")
	version, pre, _ := strings.Cut(version, "-")
	parts, err := semverParts(version, pre, build)
	if err != nil {
		return []field{{"DRONE_SEMVER_ERROR", err.Error()}}
	}
	short := fmt.Sprintf("%d.%d.%d", parts[0], parts[1], parts[2])
	out := []field{
		{"DRONE_SEMVER", short + prefixed("-", pre) + prefixed("+", build)},
		{"DRONE_SEMVER_MAJOR", strconv.FormatInt(parts[0], 10)},
		{"DRONE_SEMVER_MINOR", strconv.FormatInt(parts[1], 10)},
		{"DRONE_SEMVER_PATCH", strconv.FormatInt(parts[2], 10)},
		{"DRONE_SEMVER_SHORT", short},
	}
	if pre != "" {
		out = append(out, field{"DRONE_SEMVER_PRERELEASE", pre})
	}
	if build != "" {
		out = append(out, field{"DRONE_SEMVER_BUILD", build})
	}
	return out
}

// semverParts checks in the order of the original, so that a tag with several
// faults has the same error. It splits as the original does: at the first two
// dots, so that a fourth part shows up in the error about the third.
func semverParts(version, pre, build string) ([3]int64, error) {
	var out [3]int64
	parts := strings.SplitN(version, ".", 3)
	if len(parts) != 3 {
		return out, fmt.Errorf("%s is not in dotted-tri format", version)
	}
	for _, id := range []struct{ what, text string }{{"pre-release", pre}, {"metadata", build}} {
		if id.text != "" && !identifiers.MatchString(id.text) {
			return out, fmt.Errorf("failed to validate %s: %s is not a valid semver identifier", id.what, id.text)
		}
	}
	for i, p := range parts {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			return out, err
		}
		out[i] = n
	}
	return out, nil
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// calver gives the DRONE_CALVER variables of a tag, none when it is not a
// calendar version (reference §5.3).
func calver(tag string) []field {
	version := strings.TrimPrefix(tag, "v")
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return nil
	}
	year, err := strconv.Atoi(parts[0])
	if err != nil || year < 19 || year > 99 && year < 2019 || year > 9998 {
		return nil
	}
	if _, err := strconv.Atoi(parts[1]); err != nil {
		return nil
	}
	minor := parts[0] + "." + parts[1]
	micro, modifier := "", ""
	if len(parts) == 3 {
		micro, modifier, _ = strings.Cut(parts[2], "-")
	}
	short := minor + prefixed(".", micro)
	out := []field{
		{"DRONE_CALVER", short + prefixed("-", modifier)},
		{"DRONE_CALVER_MAJOR", parts[0]},
		{"DRONE_CALVER_MINOR", parts[1]},
		{"DRONE_CALVER_MAJOR_MINOR", minor},
	}
	if micro != "" {
		out = append(out, field{"DRONE_CALVER_MICRO", micro})
	}
	if modifier != "" {
		out = append(out, field{"DRONE_CALVER_MODIFIER", modifier})
	}
	return append(out, field{"DRONE_CALVER_SHORT", short})
}
