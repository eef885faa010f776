package lint

import (
	"fmt"

	"github.com/drone-laptop/drone/manifest"
)

// wideRules are about conditions that more builds meet than is meant.
func wideRules() []Rule {
	return []Rule{{
		ID: "promote-target", Group: groupConditions, Severity: manifest.Warning,
		Summary: "a promotion or rollback to whatever target",
		Explanation: "`drone build promote` and `rollback` name a target, such as `production`. Without `target` the step runs for every one of them, " +
			"also for one that was misspelt.",
		Bad:       stepWhen("when: {event: [promote]}"),
		Good:      stepWhen("when: {event: [promote], target: [production]}"),
		Reference: "§11.3",
		check:     checkPromoteTarget,
	}, {
		ID: "branch-and-pull-request", Group: groupConditions, Severity: manifest.Info,
		Summary:     "a branch condition that pull requests meet, too",
		Explanation: "The branch of a pull request is the one it is to be merged into, so `branch: main` matches pull requests for main as well. Add `event: [push]` if that is not meant.",
		Bad:         stepWhen("when: {branch: [main]}"),
		Good:        stepWhen("when: {branch: [main], event: [push]}"),
		Reference:   "§11.3",
		check:       checkBranchAndPullRequest,
	}, {
		ID: "secret-in-pull-request", Group: groupConditions, Severity: manifest.Warning,
		Summary: "a plugin with secrets that runs for pull requests",
		Explanation: "A server gives secrets to pull requests only where each secret allows it; then a pull request can read them. Where it does not, " +
			"the plugin runs without and fails. Name the events: `when: {event: [push, tag]}`. A step with commands is a note only.",
		Bad: `kind: pipeline
name: default
steps:
- {name: publish, image: "plugins/npm:1", settings: {token: {from_secret: npm_token}}}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: publish, image: "plugins/npm:1", settings: {token: {from_secret: npm_token}}, when: {event: [tag]}}
`,
		Reference: "§6.1",
		check:     checkSecretInPullRequest,
	}}
}

func checkPromoteTarget(p *pass) {
	for pl := range p.pipelines() {
		targeted := pl.Trigger.Target.Key.IsSet()
		named := func(c *manifest.Conditions) *manifest.String {
			for i, v := range c.Event.Include {
				if v.Value == "promote" || v.Value == "rollback" {
					return &c.Event.Include[i]
				}
			}
			return nil
		}
		if targeted {
			continue
		}
		all, some := true, false // steps that have a target
		for e := range elements(pl) {
			all, some = all && (e.When.Target.Key.IsSet() || e.service), some || e.When.Target.Key.IsSet()
		}
		if v := named(&pl.Trigger); v != nil && !some {
			p.reportIn(pl, v.Span, fmt.Sprintf("pipeline %q runs for every target of a %s", pl.DisplayName(), v.Value), "add `target` with the targets it is for")
			continue
		}
		for e := range elements(pl) {
			if v := named(&e.When); v != nil && !e.When.Target.Key.IsSet() && !all {
				p.report(e, v.Span, fmt.Sprintf("%s %q runs for every target of a %s", e.noun(), e.Name.Value, v.Value), "add `target` with the targets it is for")
			}
		}
	}
}

func checkBranchAndPullRequest(p *pass) {
	for pl := range p.pipelines() {
		trigger := triggerOf(pl)
		look := func(at spot) bool {
			if len(at.Branch.Include) == 0 || at.Event.Key.IsSet() || at.Ref.Key.IsSet() || trigger.Event.Key.IsSet() || trigger.Ref.Key.IsSet() ||
				!possible("pull_request", trigger, at.Conditions) {
				return false
			}
			p.reportAt(at, at.Branch.Key.Span, fmt.Sprintf("%s.branch of %s matches pull requests into that branch, too", at.key, at.subject()),
				"add `event: [push]` if that is not meant")
			return true
		}
		if look(triggerAt(pl)) {
			continue
		}
		for e := range elements(pl) {
			if look(whenAt(e)) {
				break // once for all of the pipeline
			}
		}
	}
}

func checkSecretInPullRequest(p *pass) {
	for pl := range p.pipelines() {
		trigger := triggerOf(pl)
		if trigger.Event.Key.IsSet() {
			continue // whoever names the events means it
		}
		var plugins, others []element
		for e := range elements(pl) {
			switch {
			case e.service || e.When.Event.Key.IsSet() || len(secretsOf(e)) == 0 || !possible("pull_request", trigger, &e.When):
			case len(e.Commands) == 0 && manifest.IsPlugin(e.Image.Value):
				plugins = append(plugins, e)
			default:
				others = append(others, e)
			}
		}
		p.reportSecrets(plugins, "")
		p.reportSecrets(others, manifest.Info)
	}
}

// reportSecrets reports the first of the steps, for all of them.
func (p *pass) reportSecrets(steps []element, severity manifest.Severity) {
	if len(steps) == 0 {
		return
	}
	e := steps[0]
	secret := secretsOf(e)[0].name
	more := ""
	if n := len(steps) - 1; n > 0 {
		more = fmt.Sprintf(", and so do %d more of the pipeline", n)
		if n == 1 {
			more = fmt.Sprintf(", and so does step %q", steps[1].Name.Value)
		}
	}
	f := p.report(e, secret.Span, fmt.Sprintf("step %q uses secret %q and runs for pull requests, too%s", e.Name.Value, secret.Value, more),
		"name the events: `when: {event: [push, tag]}`")
	if severity != "" {
		f.Severity = severity
	}
}
