package compile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
)

// The rows are those of reference §1.4: which documents are pipelines that run
// here. Kind and type are compared letter by letter.
func TestKindsAndTypes(t *testing.T) {
	type testCase struct {
		header string
		runs   bool
		reason string // why not; "" for a document that is no pipeline
	}
	run := func(t *testing.T, tc testCase) {
		source := "kind: pipeline\nname: first\nsteps: []\n---\n" + tc.header + "\nname: second\n"
		plan, _, err := Compile("x.yml", []byte(source), Options{Build: pushBuild(), Workspace: "/w"})
		if err != nil {
			t.Fatal(err)
		}
		var second *exec.Pipeline
		for _, p := range plan.Pipelines {
			if p.Name == "second" {
				second = p
			}
		}
		switch {
		case tc.runs && (second == nil || !second.Runs):
			t.Errorf("does not run: %+v", second)
		case !tc.runs && tc.reason == "" && second != nil:
			t.Errorf("is a pipeline: %+v", second)
		case tc.reason != "" && (second == nil || second.Runs || second.Reason != tc.reason):
			t.Errorf("got %+v, want reason %q", second, tc.reason)
		}
	}
	for _, tc := range []testCase{
		{"kind: pipeline", true, ""},
		{"kind: pipeline\ntype: docker", true, ""},
		{"kind: pipeline\ntype:", true, ""},
		{"kind: pipeline\ntype: docker\nversion: 2", true, ""},
		{"kind: pipeline\ntype: Docker", false, "type Docker cannot run on this machine"},
		{"kind: pipeline\ntype: kubernetes", false, "type kubernetes cannot run on this machine"},
		{"kind: pipeline\ntype: ssh", false, "type ssh cannot run on this machine"},
		{"kind: Pipeline", false, ""},
		{"kind: secret\ndata: x", false, ""},
		{"kind: signature\nhmac: x", false, ""},
		{"kind: cron", false, ""},
		{"kind: approval", false, ""},
	} {
		t.Run(tc.header, func(t *testing.T) { run(t, tc) })
	}
}

// A server takes a document of an unknown kind for a pipeline, so others may
// depend on it; on a secret they may not.
func TestDependsOnOtherKinds(t *testing.T) {
	for document, want := range map[string]string{
		"kind: approval\nname: other":                 "",
		"kind: pipeline\ntype: exec\nname: other":     "",
		"kind: pipeline\ntype: ssh\nname: other":      "",
		"kind: secret\nname: other\ndata: x":          "unknown-pipeline",
		"kind: template\nname: other\nload: x.star":   "unknown-pipeline",
		"kind: cron\nname: other\nspec: {branch: x}":  "unknown-pipeline",
		"kind: signature\nname: other\nhmac: 0123abc": "unknown-pipeline",
	} {
		source := document + "\n---\nkind: pipeline\nname: default\ndepends_on: [other]\nsteps: []\n"
		plan, problems, err := Compile("x.yml", []byte(source), Options{Build: pushBuild(), Workspace: "/w"})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && failed(problems) || want != "" && !strings.Contains(strings.Join(lines(problems), "\n"), want) {
			t.Errorf("%s: got %q, want %q", document, lines(problems), want)
		}
		if p := plan.Pipelines[len(plan.Pipelines)-1]; len(p.DependsOn) > 0 {
			t.Errorf("%s: waits for %q, which do not run", document, p.DependsOn)
		}
	}
}

// A pipeline without a name answers to "default" (reference §1.6), and what is
// no pipeline does not answer.
func TestNameDefault(t *testing.T) {
	for name, source := range map[string]string{
		"unnamed": "kind: secret\nname: default\ndata: x\n---\nkind: pipeline\nname: other\nsteps: []\n---\nkind: pipeline\nsteps: []\n",
		"named":   "kind: pipeline\nname: other\nsteps: []\n---\nkind: pipeline\nname: default\nsteps: []\n",
	} {
		plan, _, err := Compile("x.yml", []byte(source), Options{Pipelines: []string{"default"}, Workspace: "/w"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []bool
		for _, p := range plan.Pipelines {
			got = append(got, p.Runs)
		}
		if diff := cmp.Diff([]bool{false, true}, got); diff != "" {
			t.Errorf("%s: runs -want +got\n%s", name, diff)
		}
	}
}

// A volume that is declared without a source is never made, so that a mount of
// it cannot work (reference §12.2, rows 3 and 4).
func TestVolumeWithoutSource(t *testing.T) {
	for _, source := range []string{"temp:", "host:", "claim: {name: x}", "config_map: {name: x}"} {
		file := "kind: pipeline\nsteps:\n- name: s\n  image: x\n  volumes: [{name: v, path: /v}]\nvolumes:\n- name: v\n  " + source + "\n"
		_, problems, err := Compile("x.yml", []byte(file), Options{Workspace: "/w", Trusted: true})
		if err != nil {
			t.Fatal(err)
		}
		if want := `step "s" mounts volume "v", which has no source`; !hasError(problems, want) {
			t.Errorf("%s: %q is not among %q", source, want, lines(problems))
		}
	}
}
