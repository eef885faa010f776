package compile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/compile"
)

// TestEra compares the environment of a step with what each Drone before 1.0 gave
// it (reference E): what was set, what was not, and who won.
func TestEra(t *testing.T) {
	source := `kind: pipeline
type: docker
name: default
environment: {CI_TAG: "${DRONE_TAG}", DRONE_PARENT_BUILD_NUMBER: "${DRONE_BUILD_PARENT}", CI_JOB_NUMBER: "1"}
steps:
- name: a
  image: busybox:1
  environment: {EMPTY: "", FLAG: "false", DRONE_REPO: mine, DRONE_DEPLOY_TO: mine, DRONE_REPO_PRIVATE: mine, HOME: /mine}
  commands: ["true"]
`
	names := []string{
		"CI", "CI_JOB_NUMBER", "CI_REPO_PRIVATE", "CI_TAG", "CI_WORKSPACE", "DRONE_DEPLOY_TO", "DRONE_PARENT_BUILD_NUMBER",
		"DRONE_REPO", "DRONE_REPO_PRIVATE", "DRONE_WORKSPACE_PATH", "EMPTY", "FLAG", "HOME", "SHELL",
	}
	for era, want := range map[string]map[string]string{
		"": {
			"CI": "true", "CI_JOB_NUMBER": "1", "CI_REPO_PRIVATE": "false", "DRONE_PARENT_BUILD_NUMBER": "0",
			"DRONE_REPO": "mine", "DRONE_REPO_PRIVATE": "mine", "FLAG": "false", "HOME": "/mine", "DRONE_DEPLOY_TO": "",
		},
		"0.4": {
			"CI": "true", "CI_JOB_NUMBER": "1", "CI_REPO_PRIVATE": "false", "DRONE_PARENT_BUILD_NUMBER": "0", "DRONE_DEPLOY_TO": "mine",
			"DRONE_REPO": "a/b", "DRONE_REPO_PRIVATE": "false", "EMPTY": "", "FLAG": "false", "HOME": "/root", "SHELL": "/bin/sh",
		},
		"0.5": {
			"CI": "drone", "CI_JOB_NUMBER": "1", "CI_REPO_PRIVATE": "false", "DRONE_PARENT_BUILD_NUMBER": "0", "DRONE_DEPLOY_TO": "mine",
			"DRONE_REPO": "a/b", "DRONE_REPO_PRIVATE": "false", "EMPTY": "", "FLAG": "false", "HOME": "/root", "SHELL": "/bin/sh",
		},
		"0.8": {
			"CI": "drone", "CI_JOB_NUMBER": "1", "CI_WORKSPACE": "/drone/src", "DRONE_DEPLOY_TO": "mine",
			"DRONE_REPO": "a/b", "DRONE_REPO_PRIVATE": "mine", "EMPTY": "", "FLAG": "false", "HOME": "/root", "SHELL": "/bin/sh",
		},
	} {
		build := compile.Build{Event: "push", Branch: "main", Repo: compile.Repo{Slug: "a/b", Namespace: "a", Name: "b"}}
		plan, problems, err := compile.Compile("f.yml", []byte(source), compile.Options{Build: build, Workspace: "/work", Era: era})
		if err != nil || plan == nil {
			t.Fatal(problems, err)
		}
		p, got := plan.Pipelines[0], map[string]string{}
		for _, name := range names {
			for _, layer := range []map[string]string{p.Env, p.Steps[0].Env, p.Fixed} {
				if value, ok := layer[name]; ok {
					got[name] = value
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", era, diff)
		}
	}
}
