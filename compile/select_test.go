package compile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// warnings of a pipeline that does not run are few, but a mistyped event is
// the reason why it does not.
func TestMistypedEventIsReported(t *testing.T) {
	source := "kind: pipeline\nname: a\ntrigger: {event: pull-request}\nsteps:\n- name: s\n  image: x\n  failure: typo\n"
	plan, problems, err := Compile("x.yml", []byte(source), Options{Build: pullBuild(), Workspace: "/w"})
	if err != nil || plan.Pipelines[0].Runs {
		t.Fatalf("got error %v, plan %v", err, plan)
	}
	want := []string{`x.yml:3:18: warning: trigger.event "pull-request" never occurs [unknown-event] hint: did you mean "pull_request"?`}
	if diff := cmp.Diff(want, lines(problems)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if want, got := `trigger.event is [pull-request], event is "pull_request"`, plan.Pipelines[0].Reason; got != want {
		t.Errorf("got reason %q, want %q", got, want)
	}
}

// A clone step of the file's own is the only one that may do harm: it works in
// the tree that is mounted.
func TestOwnCloneInMountedTree(t *testing.T) {
	type testCase struct {
		name string
		opts Options
		want int
	}
	run := func(t *testing.T, tc testCase) {
		_, problems, err := Compile("workspace.yml", read(t, "workspace.yml"), tc.opts)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, p := range problems {
			if p.Rule == "clone-in-tree" {
				got++
			}
		}
		if got != tc.want {
			t.Errorf("got %d warnings, want %d: %q", got, tc.want, lines(problems))
		}
	}
	for _, tc := range []testCase{
		{"mounted", Options{Workspace: "/w"}, 1},
		{"excluded", Options{Workspace: "/w", Exclude: []string{"clone"}}, 0},
		{"own workspace", Options{Workspace: "/w", Clone: true}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// The text is read for each pipeline only when it has to be; either way each
// gets its own variables, and a problem in it is told once.
func TestSubstitutionReportsOnce(t *testing.T) {
	source := "kind: pipeline\nname: a\nsteps: [{name: '${DRONE_STAGE_NAME}', image: x, nonsense: 1}]\n---\n" +
		"kind: pipeline\nname: b\nsteps: [{name: '${DRONE_STAGE_NAME}', image: x}]\n"
	plan, problems, err := Compile("x.yml", []byte(source), Options{Build: pushBuild(), Workspace: "/w"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range plan.Pipelines {
		names = append(names, p.Steps[0].Name)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
		t.Errorf("step names: -want +got\n%s", diff)
	}
	if len(problems) != 1 {
		t.Errorf("got %q, want the unknown key once", lines(problems))
	}
}

// Parameters win in substitution and lie low in the environment.
func TestParameterPrecedence(t *testing.T) {
	b := pushBuild()
	b.Params = map[string]string{"DRONE_BRANCH": "param", "X": "param"}
	opts := Options{Build: b, Workspace: "/w", Vars: map[string]string{"X": "caller", "Y": "caller", "DRONE_COMMIT": "caller"}, Env: map[string]string{"X": "file", "Z": "file"}}
	source := "kind: pipeline\nsteps: [{name: s, image: x, commands: ['${DRONE_BRANCH} ${X} ${Y} ${Z} ${DRONE_COMMIT:0:4}']}]\n"
	plan, _, err := Compile("x.yml", []byte(source), opts)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Pipelines[0]
	if diff := cmp.Diff([]string{"param param caller  7fd1"}, p.Steps[0].Commands); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	got := []string{p.Fixed["DRONE_BRANCH"], p.Env["X"], p.Env["Y"], p.Env["Z"]}
	if diff := cmp.Diff([]string{"main", "param", "", "file"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
