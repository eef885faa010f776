package exec

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEnviron(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	plain := moment{now: at(30), runStarted: at(10), stageStarted: at(20), first: true}
	// What a step without anything of its own gets at that moment.
	base := map[string]string{
		"CI_BUILD_FINISHED": "0", "CI_BUILD_STARTED": "0", "CI_BUILD_STATUS": "pending",
		"DRONE_BUILD_FINISHED": "30", "DRONE_BUILD_STARTED": "10", "DRONE_BUILD_STATUS": "success",
		"DRONE_STAGE_FINISHED": "30", "DRONE_STAGE_STARTED": "20", "DRONE_STAGE_STATUS": "success",
		"DRONE_STEP_NAME": "test", "DRONE_STEP_NUMBER": "2",
	}
	type testCase struct {
		env, step, fixed map[string]string
		keep             bool
		secrets          []SecretRef
		values           map[string]string
		moment           func(m *moment)
		want             map[string]string // in addition to base; "-" means absent
	}
	cases := map[string]testCase{
		"nothing": {},
		"layers": {
			env:   map[string]string{"A": "env", "B": "env", "C": "env"},
			step:  map[string]string{"B": "step", "C": "step"},
			fixed: map[string]string{"C": "fixed"},
			want:  map[string]string{"A": "env", "B": "step", "C": "fixed"},
		},
		"of the session": {
			env:   map[string]string{"A": "env", "B": "env", "C": "env", "D": "env"},
			step:  map[string]string{"B": "step", "C": ""},
			fixed: map[string]string{"D": "fixed"},
			moment: func(m *moment) {
				m.session = map[string]string{"A": "session", "B": "session", "C": "session", "D": "session"}
			},
			want: map[string]string{"A": "session", "B": "step", "D": "fixed"},
		},
		"empty values are dropped": {
			env:   map[string]string{"A": "env", "B": "env"},
			step:  map[string]string{"A": "", "C": "step", "D": ""},
			fixed: map[string]string{"C": ""},
			want:  map[string]string{"B": "env"},
		},
		"empty values are kept where the pipeline says so": {
			keep:  true,
			env:   map[string]string{"A": "env", "B": "env"},
			step:  map[string]string{"A": "", "C": "step", "DRONE_FAILED_STEPS": "mine"},
			fixed: map[string]string{"C": ""},
			want:  map[string]string{"A": "", "B": "env", "C": ""},
		},
		"a step cannot set what is known at its start": {
			step: map[string]string{
				"DRONE_BUILD_STATUS": "mine", "DRONE_FAILED_STEPS": "mine", "DRONE_FAILED_STAGES": "mine",
				"DRONE_STEP_NAME": "mine", "DRONE_STAGE_STARTED": "1", "CI_BUILD_STATUS": "mine",
			},
		},
		"times of the build": {
			fixed: map[string]string{
				"DRONE_BUILD_STARTED": "1", "CI_BUILD_STARTED": "2", "DRONE_BUILD_FINISHED": "3", "CI_BUILD_FINISHED": "4",
			},
			want: map[string]string{
				"DRONE_BUILD_STARTED": "1", "CI_BUILD_STARTED": "2", "DRONE_BUILD_FINISHED": "3", "CI_BUILD_FINISHED": "4",
			},
		},
		"secrets come last and stay when empty": {
			step:  map[string]string{"TOKEN": "static"},
			fixed: map[string]string{"EMPTY": "static"},
			secrets: []SecretRef{
				{Env: "TOKEN", Name: "token"}, {Env: "EMPTY", Name: "empty"}, {Env: "GONE", Name: "gone"},
				{Env: "DRONE_STEP_NAME", Name: "token"}, {Name: "no-variable"},
			},
			values: map[string]string{"token": "t0ken", "empty": ""},
			want:   map[string]string{"TOKEN": "t0ken", "EMPTY": "", "GONE": "", "DRONE_STEP_NAME": "t0ken"},
		},
		"a step has failed": {
			moment: func(m *moment) { m.failedSteps, m.failed = []string{"a", "b"}, StatusError },
			want: map[string]string{
				"DRONE_BUILD_STATUS": "failure", "DRONE_STAGE_STATUS": "failure", "CI_BUILD_STATUS": "error",
				"DRONE_FAILED_STEPS": "a,b",
			},
		},
		"a later pipeline": {
			moment: func(m *moment) { m.first = false },
			want:   map[string]string{"CI_BUILD_STATUS": "running"},
		},
		"a pipeline before has failed": {
			moment: func(m *moment) { m.first, m.failedStages = false, []string{"x", "y"} },
			want: map[string]string{
				"DRONE_BUILD_STATUS": "failure", "CI_BUILD_STATUS": "running", "DRONE_FAILED_STAGES": "x,y",
			},
		},
	}
	run := func(t *testing.T, tc testCase) {
		m := plain
		if tc.moment != nil {
			tc.moment(&m)
		}
		p := &Pipeline{Env: tc.env, Fixed: tc.fixed, KeepEmpty: tc.keep}
		s := &Step{Name: "test", Number: 2, Env: tc.step, Secrets: tc.secrets}
		want := maps.Clone(base)
		maps.Copy(want, tc.want)
		if diff := cmp.Diff(want, environ(p, s, m, tc.values)); diff != "" {
			t.Errorf("environment differs (-want +got):\n%s", diff)
		}
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) { run(t, tc) })
	}
}

// TestOldStatus: before Drone 1.0 a step asked CI_BUILD_STATUS whether the build
// had failed so far.
func TestOldStatus(t *testing.T) {
	p := &Pipeline{OldStatus: true}
	m := moment{now: time.Unix(7, 0), first: true}
	if env := environ(p, &Step{}, m, nil); env["CI_BUILD_STATUS"] != "success" || env["CI_BUILD_FINISHED"] != "7" {
		t.Errorf("got %v", env)
	}
	m.failedSteps, m.failed = []string{"a"}, StatusError
	if env := environ(p, &Step{}, m, nil); env["CI_BUILD_STATUS"] != "failure" {
		t.Errorf("got %v", env)
	}
}

func TestMissingSecrets(t *testing.T) {
	ref := func(name, position string) SecretRef { return SecretRef{Env: "X", Name: name, Position: position} }
	plan := &Plan{Pipelines: []*Pipeline{
		{Name: "out", Steps: []*Step{{Name: "a", Secrets: []SecretRef{ref("gone", "1")}}}},
		{Name: "in", Runs: true, PullSecrets: []SecretRef{ref("login", "2"), ref("have", "3")}, Steps: []*Step{
			{Name: "a", Policy: Never, Secrets: []SecretRef{ref("gone", "4")}},
			{Name: "b", Secrets: []SecretRef{ref("have", "5"), ref("gone", "6"), ref("empty", "7")}},
			{Name: "c", Policy: OnFailure, Secrets: []SecretRef{ref("gone", "8")}},
		}},
	}}
	values := map[string]string{"have": "x", "empty": ""}
	lookup := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	want := []MissingSecret{{"in", "", "login", "2"}, {"in", "b", "gone", "6"}, {"in", "c", "gone", "8"}}
	if diff := cmp.Diff(want, MissingSecrets(plan, lookup)); diff != "" {
		t.Error(diff)
	}
	if got := MissingSecrets(plan, nil); len(got) != 6 {
		t.Errorf("without a lookup %d are missing, want all 6", len(got))
	}
}
