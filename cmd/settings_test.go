package cmd

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/manifest"
)

// TestVariablesOfSettings sees to it that a variable names one setting, and none
// that somebody who starts drone in a pipeline has set.
func TestVariablesOfSettings(t *testing.T) {
	build := map[string]bool{}
	for _, event := range manifest.Events() {
		resolved, _, err := facts.Resolve(facts.Read(t.TempDir()), facts.Overrides{
			Event: event, Tag: map[bool]string{true: "v1.2.3"}[event == "tag"], PullRequest: map[bool]string{true: "1"}[event == "pull_request"],
			DeployTo: map[bool]string{true: "x"}[event == "promote" || event == "rollback"], Cron: map[bool]string{true: "x"}[event == "cron"],
		}, time.Now())
		if err != nil {
			t.Fatal(event, err)
		}
		for _, v := range compile.Variables(resolved, compile.Stage{}) {
			build[v.Name] = true
		}
	}
	if len(build) < 50 {
		t.Fatalf("only %d variables of builds are known", len(build))
	}
	seen := map[string]string{}
	for _, o := range allSettings(New(Streams{}, Build{})) {
		if build[o.variable] {
			t.Errorf("%s: %s is a variable of a build", o.key, o.variable)
		}
		if other := seen[o.variable]; other != "" {
			t.Errorf("%s and %s have the same variable %s", o.key, other, o.variable)
		}
		seen[o.variable] = o.key
	}
	for _, name := range []string{"DRONE_EXEC_TIMEOUT", "DRONE_RUNS_RM_OLDER_THAN", "DRONE_LINT_STRICT"} {
		if seen[name] == "" {
			t.Errorf("%s sets nothing", name)
		}
	}
}

// TestWhatARepositoryMaySet lists it: a flag that is new is not added by itself.
func TestWhatARepositoryMaySet(t *testing.T) {
	known := map[string]bool{}
	for _, o := range allSettings(New(Streams{}, Build{})) {
		if o.mayBeOfRepository() {
			known[o.flag.Name] = true
		}
	}
	for _, name := range harmless {
		if !known[name] {
			t.Errorf("--%s is no flag of %s", name, strings.Join(harmlessCommands, ", "))
		}
	}
	for name := range known {
		if slices.Contains(slices.Concat(hostSettings, secretSettings, []string{
			"docker-host", "env", "env-file", "secret-file", "registry", "key-file", "key-env", "remembered-key", "out", "jpath", "template-dir",
			"require-signature", "require-jose", "network", "netrc-machine", "netrc-username", "ext-var", "write", "fix", "config", "repo",
		}), name) {
			t.Errorf("a file of a repository may set --%s", name)
		}
	}
}
