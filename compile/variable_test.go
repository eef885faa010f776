package compile

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func values(b Build, s Stage) map[string]string {
	out := map[string]string{}
	for _, v := range Variables(b, s) {
		out[v.Name] = v.Value
	}
	return out
}

// pick keeps the entries of m with the names of want; absent ones are "absent".
func pick(m, want map[string]string) map[string]string {
	out := map[string]string{}
	for name := range want {
		value, ok := m[name]
		if !ok {
			value = "absent"
		}
		out[name] = value
	}
	return out
}

func TestVariablesByEvent(t *testing.T) {
	promote := tagBuild()
	promote.Event, promote.Deploy, promote.Parent, promote.DeployID = "promote", "production", 6, 9
	request := pullBuild()
	request.Title = strings.Repeat("é", 2001)
	linked := pushBuild()
	linked.Link = "https://example.com/octocat/hello/compare/a...b"
	type testCase struct {
		name  string
		build Build
		want  map[string]string
	}
	run := func(t *testing.T, tc testCase) {
		if diff := cmp.Diff(tc.want, pick(values(tc.build, Stage{}), tc.want)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	for _, tc := range []testCase{
		{"push", pushBuild(), map[string]string{
			"DRONE_TAG": "absent", "DRONE_PULL_REQUEST": "absent", "DRONE_SEMVER": "absent", "DRONE_BUILD_PARENT": "0", "DRONE_DEPLOY_ID": "0",
			"DRONE_COMMIT_REF": "refs/heads/main", "DRONE_TARGET_BRANCH": "main", "CI_REPO_NAME": "octocat/hello",
			"CI_BUILD_LINK": "", "DRONE_BUILD_LINK": "https://ci.example.com/octocat/hello/7", "DRONE_REPO_PRIVATE": "false",
			"DRONE_SYSTEM_HOSTNAME": "ci.example.com", "DRONE_BUILD_CREATED": "1700000000", "DRONE_BUILD_STARTED": "1700000001",
			"DRONE_CARD_PATH": "/dev/stdout", "CI_BUILD_FINISHED": "0", "DRONE_FAILED_STEPS": "absent",
		}},
		{"names that mislead", linked, map[string]string{
			"CI_REPO_NAME": "octocat/hello", "DRONE_REPO_NAME": "hello", "CI_BUILD_LINK": linked.Link, "DRONE_COMMIT_LINK": linked.Link,
			"DRONE_BUILD_LINK": "https://ci.example.com/octocat/hello/7", "DRONE_STAGE_VERSION": "1",
		}},
		{"tag", tagBuild(), map[string]string{
			"DRONE_TAG": "v1.2.3", "DRONE_SEMVER": "1.2.3", "DRONE_CALVER": "absent", "DRONE_BRANCH": "", "DRONE_BUILD_ACTION": "create",
		}},
		{"pull request", request, map[string]string{
			"DRONE_PULL_REQUEST": "42", "DRONE_PULL_REQUEST_TITLE": strings.Repeat("é", 2000), "DRONE_TAG": "absent",
			"DRONE_SOURCE_BRANCH": "feature", "DRONE_TARGET_BRANCH": "main",
		}},
		{"promoted tag", promote, map[string]string{
			"DRONE_TAG": "v1.2.3", "DRONE_DEPLOY_TO": "production", "CI_BUILD_TARGET": "production", "DRONE_BUILD_PARENT": "6", "DRONE_DEPLOY_ID": "9",
		}},
		{"nothing known", Build{}, map[string]string{
			"DRONE_BUILD_LINK": "", "DRONE_BUILD_NUMBER": "0", "DRONE_BUILD_CREATED": "0", "DRONE_BRANCH": "", "CI": "true", "DRONE": "true",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestVariablesOfStage(t *testing.T) {
	got := values(pushBuild(), Stage{
		Name: "n", Kind: "pipeline", Type: "docker", Number: 2, OS: "linux", Arch: "arm64", Variant: "v8", DependsOn: []string{"a", "b"}, Machine: "m",
	})
	want := map[string]string{
		"DRONE_STAGE_NAME": "n", "DRONE_STAGE_KIND": "pipeline", "DRONE_STAGE_TYPE": "docker", "DRONE_STAGE_NUMBER": "2",
		"DRONE_STAGE_OS": "linux", "DRONE_STAGE_ARCH": "arm64", "DRONE_STAGE_VARIANT": "v8", "DRONE_STAGE_DEPENDS_ON": "a,b",
		"DRONE_STAGE_MACHINE": "m", "DRONE_STAGE_STATUS": "success",
	}
	if diff := cmp.Diff(want, pick(got, want)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestVariableOrigins(t *testing.T) {
	b := pushBuild()
	b.Origin = map[string]string{"branch": "git HEAD", "params.X": "flag --param"}
	b.Unknown = map[string]string{"repo.slug": "no git remote"}
	b.Repo.Slug = ""
	b.Params = map[string]string{"X": "1", "DRONE_BRANCH": "from a parameter"}
	b.Created, b.Started = time.Time{}, time.Time{}
	got := map[string]string{}
	last := ""
	for _, v := range Variables(b, Stage{}) {
		got[v.Name] = v.Origin
		if v.Name <= last {
			t.Errorf("%s comes after %s", v.Name, last)
		}
		last = v.Name
	}
	want := map[string]string{
		"CI_COMMIT_BRANCH": "git HEAD", "DRONE_BRANCH": "git HEAD", "X": "flag --param", "DRONE_REPO": "unknown: no git remote",
		"DRONE_COMMIT_REF": "derived from ref", "CI": "fixed", "DRONE_BUILD_STATUS": "state of the run", "DRONE_BUILD_PARENT": "default",
		"DRONE_SOURCE_BRANCH": "derived from source", "DRONE_BUILD_ACTION": "nothing for this event",
	}
	if diff := cmp.Diff(want, pick(got, want)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestVariablesThatParametersCannotReplace(t *testing.T) {
	b := pushBuild()
	b.Params = map[string]string{"DRONE_BRANCH": "evil", "DRONE_SOURCE_BRANCH": "evil", "DRONE_BUILD_STATUS": "evil", "CI": "evil", "COLOUR": "blue"}
	b.Source = ""
	want := map[string]string{"DRONE_BRANCH": b.Branch, "DRONE_SOURCE_BRANCH": "", "DRONE_BUILD_STATUS": "success", "CI": "true", "COLOUR": "blue"}
	if diff := cmp.Diff(want, pick(values(b, Stage{}), want)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestFirstDigits(t *testing.T) {
	for ref, want := range map[string]string{
		"refs/pull/42/head": "42", "refs/merge-requests/7/head": "7", "refs/pull-requests/12": "12", "refs/heads/main": "", "": "",
	} {
		if got := firstDigits(ref); got != want {
			t.Errorf("firstDigits(%q) = %q, want %q", ref, got, want)
		}
	}
}

// TestVariableNames holds the lists of names to what plans really have.
func TestVariableNames(t *testing.T) {
	substituted, running := VariableNames()
	known := map[string]bool{}
	for _, name := range slices.Concat(substituted, running) {
		if known[name] {
			t.Errorf("%s is in a list twice", name)
		}
		known[name] = true
	}
	if !slices.IsSorted(substituted) || !slices.IsSorted(running) {
		t.Error("a list is not sorted")
	}
	const file = "kind: pipeline\nname: default\nsteps:\n- {name: test, image: alpine, commands: [make]}\n"
	for _, build := range []Build{pushBuild(), tagBuild(), pullBuild()} {
		plan, problems, err := Compile("f.yml", []byte(file), Options{Build: build, Netrc: Netrc{Machine: "example.com", Username: "octocat"}})
		if err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
		var names []string
		for _, p := range plan.Pipelines {
			names = slices.AppendSeq(slices.AppendSeq(names, maps.Keys(p.Env)), maps.Keys(p.Fixed))
			for _, s := range p.Steps {
				for _, secret := range s.Secrets {
					names = append(names, secret.Env)
				}
			}
		}
		for _, name := range names {
			if strings.HasPrefix(name, "DRONE_") && !known[name] {
				t.Errorf("%s of a build of %s is in no list", name, build.Event)
			}
		}
	}
}
