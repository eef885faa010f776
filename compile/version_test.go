package compile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fieldMap(prefix string, fields []field) map[string]string {
	out := map[string]string{}
	for _, f := range fields {
		out[f.name[len(prefix):]] = f.value
	}
	return out
}

// The rows are those of reference §5.3. The texts of the errors are those of
// the library that the runner uses, github.com/coreos/go-semver v0.3.0.
func TestSemver(t *testing.T) {
	full := map[string]string{"": "1.2.3-rc.1+b.5", "_MAJOR": "1", "_MINOR": "2", "_PATCH": "3", "_SHORT": "1.2.3", "_PRERELEASE": "rc.1", "_BUILD": "b.5"}
	short := map[string]string{"": "1.2.3", "_MAJOR": "1", "_MINOR": "2", "_PATCH": "3", "_SHORT": "1.2.3"}
	failed := func(text string) map[string]string { return map[string]string{"_ERROR": text} }
	for tag, want := range map[string]map[string]string{
		"v1.2.3":                   short,
		"1.2.3":                    short,
		"v01.02.03":                short,
		"v1.2.3-rc.1+b.5":          full,
		"1.2":                      failed("1.2 is not in dotted-tri format"),
		"1.2.3.4":                  failed(`strconv.ParseInt: parsing "3.4": invalid syntax`),
		"20.10":                    failed("20.10 is not in dotted-tri format"),
		"":                         failed(" is not in dotted-tri format"),
		"latest":                   failed("latest is not in dotted-tri format"),
		"v1.2-rc.1":                failed("1.2 is not in dotted-tri format"),
		"1..3":                     failed(`strconv.ParseInt: parsing "": invalid syntax`),
		"1.x.3":                    failed(`strconv.ParseInt: parsing "x": invalid syntax`),
		"1.2.99999999999999999999": failed(`strconv.ParseInt: parsing "99999999999999999999": value out of range`),
		"x.y.z-a_b":                failed("failed to validate pre-release: a_b is not a valid semver identifier"),
		"1.2.3-a_b+c_d":            failed("failed to validate pre-release: a_b is not a valid semver identifier"),
		"1.2.3-":                   short,
		"1.2.3+":                   short,
		"1.2.3-rc-1":               {"": "1.2.3-rc-1", "_MAJOR": "1", "_MINOR": "2", "_PATCH": "3", "_SHORT": "1.2.3", "_PRERELEASE": "rc-1"},
		"V1.2.3":                   failed(`strconv.ParseInt: parsing "V1": invalid syntax`),
		"vv1.2.3":                  failed(`strconv.ParseInt: parsing "v1": invalid syntax`),
		"release/1.2.3":            failed(`strconv.ParseInt: parsing "release/1": invalid syntax`),
		"1.2.3-a_b":                failed("failed to validate pre-release: a_b is not a valid semver identifier"),
		"1.2.3+a..b":               failed("failed to validate metadata: a..b is not a valid semver identifier"),
		"19.1.0":                   {"": "19.1.0", "_MAJOR": "19", "_MINOR": "1", "_PATCH": "0", "_SHORT": "19.1.0"},
		"v1.2.3+only-build":        {"": "1.2.3+only-build", "_MAJOR": "1", "_MINOR": "2", "_PATCH": "3", "_SHORT": "1.2.3", "_BUILD": "only-build"},
	} {
		if diff := cmp.Diff(want, fieldMap("DRONE_SEMVER", semver(tag))); diff != "" {
			t.Errorf("semver(%q): -want +got\n%s", tag, diff)
		}
	}
}

// The rows are those of reference §5.3.
func TestCalver(t *testing.T) {
	for tag, want := range map[string]map[string]string{
		"20.10":         {"": "20.10", "_MAJOR": "20", "_MINOR": "10", "_MAJOR_MINOR": "20.10", "_SHORT": "20.10"},
		"v2024.01.07":   {"": "2024.01.07", "_MAJOR": "2024", "_MINOR": "01", "_MAJOR_MINOR": "2024.01", "_MICRO": "07", "_SHORT": "2024.01.07"},
		"19.1.0":        {"": "19.1.0", "_MAJOR": "19", "_MINOR": "1", "_MAJOR_MINOR": "19.1", "_MICRO": "0", "_SHORT": "19.1.0"},
		"21.4.1-beta-2": {"": "21.4.1-beta-2", "_MAJOR": "21", "_MINOR": "4", "_MAJOR_MINOR": "21.4", "_MICRO": "1", "_SHORT": "21.4.1", "_MODIFIER": "beta-2"},
		"21.4.1+x":      {"": "21.4.1+x", "_MAJOR": "21", "_MINOR": "4", "_MAJOR_MINOR": "21.4", "_MICRO": "1+x", "_SHORT": "21.4.1+x"},
		// Micro may be empty, and the modifier begins at the first dash of it.
		"20.10.":    {"": "20.10", "_MAJOR": "20", "_MINOR": "10", "_MAJOR_MINOR": "20.10", "_SHORT": "20.10"},
		"20.10.-rc": {"": "20.10-rc", "_MAJOR": "20", "_MINOR": "10", "_MAJOR_MINOR": "20.10", "_SHORT": "20.10", "_MODIFIER": "rc"},
		"20.1.2.3":  {"": "20.1.2.3", "_MAJOR": "20", "_MINOR": "1", "_MAJOR_MINOR": "20.1", "_MICRO": "2.3", "_SHORT": "20.1.2.3"},
		"2019.1":    {"": "2019.1", "_MAJOR": "2019", "_MINOR": "1", "_MAJOR_MINOR": "2019.1", "_SHORT": "2019.1"},
		"9998.1":    {"": "9998.1", "_MAJOR": "9998", "_MINOR": "1", "_MAJOR_MINOR": "9998.1", "_SHORT": "9998.1"},
		"99.1":      {"": "99.1", "_MAJOR": "99", "_MINOR": "1", "_MAJOR_MINOR": "99.1", "_SHORT": "99.1"},
		"1.2.3":     {}, "release/20.10": {}, "20.10-rc": {}, "vv20.10": {}, "V20.10": {}, "20.": {},
		"20": {}, "18.1": {}, "100.1": {}, "2018.1": {}, "9999.1": {}, "20.x": {}, "": {},
	} {
		if diff := cmp.Diff(want, fieldMap("DRONE_CALVER", calver(tag))); diff != "" {
			t.Errorf("calver(%q): -want +got\n%s", tag, diff)
		}
	}
}
