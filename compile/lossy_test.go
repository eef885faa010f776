package compile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// warned compiles a file for a push and returns the rules of all that it finds,
// each with the text at its place.
func warned(t *testing.T, source string, build Build) []string {
	t.Helper()
	_, problems, err := Compile("x.yml", []byte(source), Options{Build: build, Workspace: "/w"})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range problems {
		out = append(out, p.Rule+" "+source[p.Span.Start.Offset:p.Span.End.Offset])
	}
	return out
}

// The rows are those of reference §12.2 (11) to (13); what arrives at a plugin
// is in TestSettingText.
func TestSettingWarnings(t *testing.T) {
	type testCase struct {
		setting string
		want    []string
	}
	run := func(t *testing.T, tc testCase) {
		source := "kind: pipeline\nsteps:\n- name: s\n  image: x\n  settings:\n    k: " + tc.setting + "\n"
		if diff := cmp.Diff(tc.want, warned(t, source, pushBuild())); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	for _, tc := range []testCase{
		{"0755", []string{"setting-text 0755"}},
		{"1_000", []string{"setting-text 1_000"}},
		{"1.10", []string{"setting-text 1.10"}},
		{"100000000.0", []string{"setting-text 100000000.0"}},
		{"y", []string{"setting-text y"}},
		{"off", []string{"setting-text off"}},
		{"[a, 010]", []string{"setting-text 010"}},
		{"{a: [no]}", []string{"setting-text no"}},
		{"[a, 'b,c']", []string{"setting-comma 'b,c'"}},
		{"{a: {from_secret: s}}", []string{"nested-secret from_secret"}},
		{"[{from_secret: s}]", []string{"nested-secret from_secret"}},
		{"{from_secret: ' '}", []string{"unnamed-secret from_secret"}},

		{"12", nil},
		{"1.5", nil},
		{"TRUE", nil},
		{"'0755'", nil},
		{"2020-01-01", nil},
		{"1e3", nil},
		{"18446744073709551616", nil},
		{"~", nil},
		{"'a,b'", nil},
		{"[{a: 'b,c'}, 'd,e']", nil},
		{"{from_secret: s, other: 0755}", nil},
	} {
		t.Run(tc.setting, func(t *testing.T) { run(t, tc) })
	}
}

// What a server reads before it substitutes stands for itself, and is named;
// what its runner reads is not.
func TestAsWritten(t *testing.T) {
	const source = `kind: pipeline
name: a ${DRONE_BRANCH}
trigger:
  branch: ["${DRONE_REPO_BRANCH}", main]
  event: {exclude: ["${X}"]}
  status: ["${Y}"]
platform: {arch: "${DRONE_STAGE_ARCH}"}
steps:
- name: s ${DRONE_BRANCH}
  image: x
  when: {branch: "${DRONE_BRANCH}"}
---
kind: pipeline
name: b
depends_on: ["a ${DRONE_BRANCH}"]
steps: []
`
	var got []string
	for _, line := range warned(t, source, pushBuild()) {
		if text, ok := strings.CutPrefix(line, "not-substituted "); ok {
			got = append(got, text)
		}
	}
	want := []string{
		"a ${DRONE_BRANCH}", `"${DRONE_REPO_BRANCH}"`, `"${X}"`, `"${Y}"`, `"${DRONE_STAGE_ARCH}"`, `"a ${DRONE_BRANCH}"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
