package lint

import (
	"fmt"
	"slices"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/manifest"
)

// unmetRules are about conditions that no build meets.
func unmetRules() []Rule {
	return []Rule{{
		ID: "never-runs", Group: groupConditions, Severity: manifest.Warning,
		Summary: "conditions that no build can meet together",
		Explanation: "All keys of `when` and of the `trigger` of its pipeline have to hold at once. A tag has a ref below `refs/tags/` and usually no branch, " +
			"only a cron job has the name of one, only a promotion has a target. It is reported only where no build at all can meet them.",
		Bad: `kind: pipeline
name: default
trigger: {event: [push, pull_request]}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
- {name: release, image: "golang:1.26", commands: [make release], when: {event: [tag]}}
`,
		Good: `kind: pipeline
name: default
trigger: {event: [push, tag]}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
- {name: release, image: "golang:1.26", commands: [make release], when: {event: [tag]}}
`,
		Reference: "§6, §11.3, §11.4",
		check:     checkNeverRuns,
	}, {
		ID: "never-together", Group: groupConditions, Severity: manifest.Warning,
		Summary: "a dependency on what never runs in the same build",
		Explanation: "The conditions of the two exclude each other, so there is never anything to wait for. What is left out counts as done, so " +
			"the dependant starts without it.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
- {name: deploy, image: "alpine:3", commands: [./deploy.sh], when: {event: [tag]}, depends_on: [test]}
- {name: notify, image: "alpine:3", commands: [./notify.sh], when: {event: [push]}, depends_on: [deploy]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
- {name: deploy, image: "alpine:3", commands: [./deploy.sh], when: {event: [tag]}, depends_on: [test]}
- {name: notify, image: "alpine:3", commands: [./notify.sh], when: {event: [push, tag]}, depends_on: [deploy]}
`,
		Reference: "§8.2, §8.4",
		check:     checkNeverTogether,
	}, {
		ID: "branch-of-tag", Group: groupConditions, Severity: manifest.Warning,
		Summary: "a branch asked of a tag",
		Explanation: "GitHub, GitLab and Gitea do not say which branch a tag belongs to, so the branch of its build is usually empty, and `branch: main` " +
			"does not match. Ask for the ref instead: `ref: [refs/heads/main, refs/tags/*]`.",
		Bad:       stepWhen("when: {event: [tag], branch: [main]}"),
		Good:      stepWhen(`when: {ref: [refs/heads/main, "refs/tags/v*"]}`),
		Reference: "§11.3",
		check:     checkBranchOfTag,
	}, {
		ID: "status-without-dependency", Group: groupConditions, Severity: manifest.Warning,
		Summary:     "a trigger on a status, with no pipeline to wait for",
		Explanation: "`trigger.status` is looked at when the pipelines that it depends on are done. Without `depends_on` the pipeline starts with the build, whatever the status says.",
		Bad: `kind: pipeline
name: notify
trigger: {status: [failure]}
steps:
- {name: notify, image: "alpine:3", commands: [./notify.sh]}
`,
		Good: `kind: pipeline
name: test
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
---
kind: pipeline
name: notify
depends_on: [test]
trigger: {status: [failure]}
steps:
- {name: notify, image: "alpine:3", commands: [./notify.sh]}
`,
		Reference: "§8.4",
		check:     checkTriggerStatus,
	}}
}

// faulty reports conditions with a mistake that another rule explains.
func faulty(c *manifest.Conditions) bool {
	for _, v := range c.Event.Include {
		if !isGlob(v) && !slices.Contains(manifest.Events(), v.Value) {
			return true
		}
	}
	if slices.ContainsFunc(c.Ref.Include, refFault) {
		return true
	}
	for f := range factEvent {
		if slices.ContainsFunc(conditionOf(c, f).Include, func(v manifest.String) bool { message, _, _ := patternFault(v.Value); return message != "" }) {
			return true
		}
	}
	return slices.ContainsFunc(c.Cron.Include, schedule) || slices.ContainsFunc(c.Branch.Include, fullRef) ||
		slices.ContainsFunc(c.Action.Include, func(v manifest.String) bool {
			return !isGlob(v) && !slices.Contains(manifest.Actions(), v.Value)
		})
}

func checkNeverRuns(p *pass) {
	for pl := range p.pipelines() {
		trigger := triggerOf(pl)
		if faulty(trigger) {
			continue
		}
		if len(possibleEvents(trigger)) == 0 {
			key := guilty(trigger)
			p.reportIn(pl, key.Span, fmt.Sprintf("pipeline %q never runs: no build meets all of its trigger", pl.DisplayName()),
				fmt.Sprintf("look at `%s` beside the others", key.Value))
			continue
		}
		for e := range elements(pl) {
			if faulty(&e.When) || len(possibleEvents(trigger, &e.When)) > 0 {
				continue
			}
			key := guilty(&e.When, trigger)
			message := fmt.Sprintf("%s %q never runs: no build that the trigger of pipeline %q lets pass meets `when.%s`", e.noun(), e.Name.Value, pl.DisplayName(), key.Value)
			if len(possibleEvents(&e.When)) == 0 {
				message = fmt.Sprintf("%s %q never runs: no build meets all of its `when`", e.noun(), e.Name.Value)
			}
			p.report(e, key.Span, message, fmt.Sprintf("look at `%s` beside the others", key.Value))
		}
	}
}

// guilty is the key of the first condition without which the conditions could
// be met, together with others; or else the first key.
func guilty(c *manifest.Conditions, others ...*manifest.Conditions) manifest.String {
	var first manifest.String
	for f := range facts {
		without := *c
		condition := conditionOf(&without, f)
		key := condition.Key
		if !key.IsSet() {
			continue
		}
		if !first.IsSet() {
			first = key
		}
		*condition = manifest.Condition{}
		if len(possibleEvents(append([]*manifest.Conditions{&without}, others...)...)) > 0 {
			return key
		}
	}
	return first
}

func checkNeverTogether(p *pass) {
	byName := map[string]*manifest.Pipeline{}
	for pl := range p.pipelines() {
		byName[pl.DisplayName()] = pl
	}
	for pl := range p.pipelines() {
		trigger := triggerOf(pl)
		if faulty(trigger) || len(possibleEvents(trigger)) == 0 {
			continue
		}
		for _, d := range pl.DependsOn {
			other := byName[d.Value]
			if other == nil || other == pl {
				continue
			}
			if theirs := triggerOf(other); !faulty(theirs) && len(possibleEvents(theirs)) > 0 && len(possibleEvents(trigger, theirs)) == 0 {
				f := p.reportIn(pl, d.Span, fmt.Sprintf("pipeline %q waits for %q, which never runs in the same build", pl.DisplayName(), d.Value),
					"remove the dependency, or let the triggers of both match the same builds")
				f.Related = []manifest.Related{{Span: other.Name.Span, Message: "its trigger excludes that of the other"}}
			}
		}
		p.stepsNeverTogether(pl, trigger)
	}
}

func (p *pass) stepsNeverTogether(pl *manifest.Pipeline, trigger *manifest.Conditions) {
	byName := map[string]element{}
	for e := range elements(pl) {
		byName[e.Name.Value] = e
	}
	for e := range elements(pl) {
		if len(e.DependsOn) == 0 || faulty(&e.When) || len(possibleEvents(trigger, &e.When)) == 0 {
			continue
		}
		for _, d := range e.DependsOn {
			other, ok := byName[d.Value]
			if !ok || other.Step == e.Step || faulty(&other.When) || len(possibleEvents(trigger, &other.When)) == 0 ||
				len(possibleEvents(trigger, &e.When, &other.When)) > 0 {
				continue
			}
			f := p.report(e, d.Span, fmt.Sprintf("%s %q waits for %q, which never runs in the same build", e.noun(), e.Name.Value, d.Value),
				"remove the dependency, or let the conditions of both match the same builds")
			f.Related = []manifest.Related{{Span: other.span(), Message: "its conditions exclude those of the other"}}
		}
	}
}

func checkBranchOfTag(p *pass) {
	for pl := range p.pipelines() {
		trigger := triggerOf(pl)
		p.branchOfTag(triggerAt(pl), trigger)
		for e := range elements(pl) {
			p.branchOfTag(whenAt(e), trigger)
		}
	}
}

// branchOfTag reports a branch that is asked of tags: where there are only
// tags, or where the same conditions name them.
func (p *pass) branchOfTag(at spot, trigger *manifest.Conditions) {
	if len(at.Branch.Include) == 0 || compile.Matches(&at.Branch, "") {
		return
	}
	var left []string
	for _, event := range manifest.Events() {
		if compile.Matches(&trigger.Event, event) && compile.Matches(&at.Event, event) {
			left = append(left, event)
		}
	}
	named := slices.ContainsFunc(at.Event.Include, func(v manifest.String) bool { return v.Value == "tag" })
	if !slices.Contains(left, "tag") || !named && len(left) > 1 {
		return
	}
	branch := at.Branch.Include[0]
	f := p.reportAt(at, branch.Span, fmt.Sprintf("%s asks for branch %q, but the build of a tag usually has none", at.subject(), branch.Value),
		fmt.Sprintf("ask for refs instead of events: `ref: [refs/heads/%s, refs/tags/*]`", branch.Value))
	if len(left) == 1 {
		f.Hint = "remove `branch`, or ask for the tags with `ref: [refs/tags/*]`"
	}
}

func checkTriggerStatus(p *pass) {
	for pl := range p.pipelines() {
		if s := pl.Trigger.Status; len(pl.DependsOn) == 0 && s.Restricts() {
			p.reportIn(pl, s.Key.Span, fmt.Sprintf("trigger.status of pipeline %q has no say, because it waits for no other pipeline", pl.DisplayName()),
				"add `depends_on` with the pipelines whose status is meant")
		}
	}
}
