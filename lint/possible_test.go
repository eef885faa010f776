package lint_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/exec"
)

// TestNeverRunsIsSure makes random conditions, and holds the rule to its word:
// what it says never runs is run by no build.
func TestNeverRunsIsSure(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	builds := manyBuilds()
	said := 0
	for range 400 {
		source := "kind: pipeline\nname: default\ntrigger: " + randomConditions(random) + "\nsteps:\n" +
			"- {name: a, image: \"alpine:3\", commands: [make], when: " + randomConditions(random) + "}\n" +
			"- {name: b, image: \"alpine:3\", commands: [make], when: " + randomConditions(random) + "}\n"
		never := map[string]bool{}
		for _, f := range check("f.yml", source) {
			if f.Rule == "never-runs" {
				never[f.Step] = true
				said++
			}
		}
		if len(never) == 0 {
			continue
		}
		for _, build := range builds {
			plan, _, err := compile.Compile("f.yml", []byte(source), compile.Options{Build: build})
			if err != nil || plan == nil {
				t.Fatalf("no plan: %v\n%s", err, source)
			}
			for _, s := range plan.Pipelines[0].Steps {
				if plan.Pipelines[0].Runs && s.Policy != exec.Never && s.Kind == exec.KindStep && (never[s.Name] || never[""]) {
					t.Errorf("step %q runs for %+v:\n%s", s.Name, build, source)
				}
			}
		}
	}
	if said < 50 {
		t.Errorf("the rule found %d steps only, which proves little", said)
	}
}

// manyBuilds are builds of every event with the facts that those have
// (reference §11.3).
func manyBuilds() (builds []compile.Build) {
	for _, branch := range []string{"main", "develop", "release/1.0", "feature/a/b"} {
		push := compile.Build{Event: "push", Branch: branch, Ref: "refs/heads/" + branch}
		request := compile.Build{Event: "pull_request", Branch: branch, Ref: "refs/pull/1/head", Action: "opened"}
		again := request
		again.Action = "synchronized"
		cron := push
		cron.Event, cron.Cron = "cron", "nightly"
		custom := push
		custom.Event, custom.Action = "custom", "opened"
		builds = append(builds, push, request, again, cron, custom)
		for _, target := range []string{"production", "staging"} {
			promote := push
			promote.Event, promote.Deploy = "promote", target
			rollback := compile.Build{Event: "rollback", Ref: "refs/tags/v1.0.0", Deploy: target, Action: "create"}
			builds = append(builds, promote, rollback)
		}
	}
	for _, branch := range []string{"", "main"} {
		builds = append(builds, compile.Build{Event: "tag", Branch: branch, Ref: "refs/tags/v1.0.0", Action: "create"})
	}
	for i := range builds {
		builds[i].Repo.Slug = "octocat/hello"
		builds[i].System.Host = "drone.example.org"
	}
	return builds
}

// randomConditions writes conditions in flow style.
func randomConditions(random *rand.Rand) string {
	pools := map[string][]string{
		"event":    {"push", "pull_request", "tag", "promote", "cron", "custom", "p*", "*"},
		"branch":   {"main", "develop", "release/*", "**", "feature/**", "m*", "*/1.0", "{main,develop}", ""},
		"ref":      {"refs/heads/main", "refs/tags/*", "refs/heads/**", "refs/pull/**", "**/main", "refs/*/v1.0.0"},
		"target":   {"production", "stag*", "staging"},
		"cron":     {"nightly", "week*"},
		"action":   {"opened", "create", "sync*"},
		"repo":     {"octocat/hello", "octocat/*", "other/hello"},
		"instance": {"drone.example.org", "*.example.com"},
	}
	var parts []string
	for _, key := range []string{"event", "branch", "ref", "target", "cron", "action", "repo", "instance"} {
		if random.IntN(3) > 0 {
			continue
		}
		pick := func() string { return fmt.Sprintf("%q", pools[key][random.IntN(len(pools[key]))]) }
		switch random.IntN(4) {
		case 0:
			parts = append(parts, key+": {exclude: ["+pick()+"]}")
		case 1:
			parts = append(parts, key+": {include: ["+pick()+", "+pick()+"], exclude: ["+pick()+"]}")
		default:
			parts = append(parts, key+": ["+pick()+"]")
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
