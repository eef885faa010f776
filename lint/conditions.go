package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/drone-laptop/drone/manifest"
)

// conditionRules are about `trigger` and `when`.
func conditionRules() []Rule {
	return []Rule{{
		ID: "condition-shape", Group: GroupConditions, Severity: manifest.Error,
		Summary:     "a condition that the server drops because of its shape",
		Explanation: "`include` and `exclude` take lists. With a single word behind them the condition is dropped without a sound, and everything matches.",
		Bad:         stepWhen("when: {branch: {exclude: main}}"),
		Good:        stepWhen("when: {branch: {exclude: [main]}}"),
		Reference:   "§6.2",
		grade:       func(f *manifest.Problem, _ string) { f.Severity = manifest.Error },
	}, {
		ID: "server-extension", Group: GroupConditions, Severity: manifest.Warning,
		Summary: "a condition on changed files, which a plain server ignores",
		Explanation: "`paths` and `changeset` are read by extensions of the server. Without one the step runs whatever has changed. `drone exec` " +
			"compares the files that changed since `--base`. Where the server has the extension, switch the rule off in `.drone-lint.yml`.",
		Bad:       stepWhen("when: {paths: [src/**]}"),
		Good:      stepWhen("when: {event: [push]}"),
		Reference: "§6.1",
	}, {
		ID: "path-pattern", Group: GroupConditions, Severity: manifest.Warning,
		Summary:     "a pattern for changed files that matches none",
		Explanation: "Paths are counted from the top of the repository, without `./` or a slash at the beginning, and only files are compared, not folders.",
		Bad:         stepWhen("when: {paths: [./src/]} # drone-lint: disable=server-extension"),
		Good:        stepWhen("when: {paths: [src/**]} # drone-lint: disable=server-extension"),
		Reference:   "§6.1",
	}, {
		ID: "unknown-changes", Group: GroupConditions, Severity: manifest.Warning,
		Summary:     "a condition on changed files that cannot be decided",
		Explanation: "The changed files are not known, for want of a commit to compare with, so the condition counts as met. Name one with `--base`.",
		Untold:      "It is found when a file is run or planned, not by looking at the file alone.",
		Good:        stepWhen("when: {event: [push]}"),
	}, {
		ID: "unknown-event", Group: GroupConditions, Severity: manifest.Error,
		Summary: "an event that never occurs",
		Explanation: "The events are push, pull_request, tag, promote, rollback, cron and custom; a condition with another word never matches. Such a word " +
			"as off switch, `never` for example, is a note.",
		Bad:       stepWhen("when: {event: [pull-request]}"),
		Good:      stepWhen("when: {event: [pull_request]}"),
		Reference: "§6.1",
		grade:     gradeEvent,
	}, {
		ID: "unknown-status", Group: GroupConditions, Severity: manifest.Error,
		Summary:     "a status that never occurs",
		Explanation: "Steps and pipelines can ask for success and failure. `changed` is of Drone 0.8 and has no effect any more, which is a warning.",
		Bad:         stepWhen("when: {status: [skipped]}"),
		Good:        stepWhen("when: {status: [failure]}"),
		Reference:   "§6.1, §6.4",
		grade:       gradeStatus,
	}, {
		ID: "unknown-action", Group: GroupConditions, Severity: manifest.Warning,
		Summary:     "an action that no server reports",
		Explanation: "Pull requests come with the actions opened and synchronized, and tags with create. Closing and merging start no build.",
		Bad:         stepWhen("when: {event: [pull_request], action: [synchronize]}"),
		Good:        stepWhen("when: {event: [pull_request], action: [synchronized]}"),
		Reference:   "§6.1, §11.2",
		check:       checkActions,
	}, {
		ID: "never-runs", Group: GroupConditions, Severity: manifest.Warning,
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
		ID: "never-together", Group: GroupConditions, Severity: manifest.Warning,
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
		ID: "branch-of-tag", Group: GroupConditions, Severity: manifest.Warning,
		Summary: "a branch asked of a tag",
		Explanation: "GitHub, GitLab and Gitea do not say which branch a tag belongs to, so the branch of its build is usually empty, and `branch: main` " +
			"does not match. Ask for the ref instead: `ref: [refs/heads/main, refs/tags/*]`.",
		Bad:       stepWhen("when: {event: [tag], branch: [main]}"),
		Good:      stepWhen(`when: {ref: [refs/heads/main, "refs/tags/v*"]}`),
		Reference: "§11.3",
		check:     checkBranchOfTag,
	}, {
		ID: "ref-prefix", Group: GroupConditions, Severity: manifest.Error,
		Summary:     "a ref without `refs/`, or a branch with it",
		Explanation: "`ref` is compared with the whole ref, `refs/heads/main` or `refs/tags/v1.0.0`, and `branch` with the name alone, so neither ever matches the other's form.",
		Bad:         stepWhen("when: {ref: [main]}"),
		Good:        stepWhen("when: {ref: [refs/heads/main]}"),
		Reference:   "§11.3",
		check:       checkRefPrefix,
	}, {
		ID: "pattern", Group: GroupConditions, Severity: manifest.Warning,
		Summary: "a pattern that is no glob",
		Explanation: "Conditions are globs: `*` is any text without a slash, `**` between slashes any number of folders, `{a,b}` alternatives without a slash. " +
			"Regular expressions and `!` have no meaning, and a broken pattern matches nothing. A pattern that can match nothing at all is an error.",
		Bad:       stepWhen("when: {branch: [^release-.*$]}"),
		Good:      stepWhen("when: {event: [push], branch: [release-*]}"),
		Reference: "§6.3",
		check:     checkPatterns,
	}, {
		ID: "cron-name", Group: GroupConditions, Severity: manifest.Error,
		Summary:     "the schedule of a cron job in place of its name",
		Explanation: "`cron` is compared with the name of the job in the settings of the repository. When it runs is said there.",
		Bad:         stepWhen(`when: {event: [cron], cron: ["0 0 * * *"]}`),
		Good:        stepWhen("when: {event: [cron], cron: [nightly]}"),
		Reference:   "§6.1",
		check:       checkCronName,
	}, {
		ID: "promote-target", Group: GroupConditions, Severity: manifest.Warning,
		Summary: "a promotion or rollback to whatever target",
		Explanation: "`drone build promote` and `rollback` name a target, such as `production`. Without `target` the step runs for every one of them, " +
			"also for one that was misspelt.",
		Bad:       stepWhen("when: {event: [promote]}"),
		Good:      stepWhen("when: {event: [promote], target: [production]}"),
		Reference: "§11.3",
		check:     checkPromoteTarget,
	}, {
		ID: "branch-and-pull-request", Group: GroupConditions, Severity: manifest.Info,
		Summary:     "a branch condition that pull requests meet, too",
		Explanation: "The branch of a pull request is the one it is to be merged into, so `branch: main` matches pull requests for main as well. Add `event: [push]` if that is not meant.",
		Bad:         stepWhen("when: {branch: [main]}"),
		Good:        stepWhen("when: {branch: [main], event: [push]}"),
		Reference:   "§11.3",
		check:       checkBranchAndPullRequest,
	}, {
		ID: "status-without-dependency", Group: GroupConditions, Severity: manifest.Warning,
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
	}, {
		ID: "secret-in-pull-request", Group: GroupConditions, Severity: manifest.Warning,
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

// stepWhen is a file with one step that has one more line.
func stepWhen(line string) string {
	return "kind: pipeline\nname: default\nsteps:\n- name: test\n  image: golang:1.26\n  commands: [go test ./...]\n  " + line + "\n"
}

// spot is a `trigger` or `when` of a file.
type spot struct {
	element // of a pipeline only when it has no step
	*manifest.Conditions
	key string // trigger or when
}

// subject names what has the conditions.
func (at spot) subject() string {
	if at.Step == nil {
		return fmt.Sprintf("pipeline %q", at.pipeline.DisplayName())
	}
	return fmt.Sprintf("%s %q", at.noun(), at.Name.Value)
}

// conditions returns every trigger and when of a file.
func (p *pass) conditions() []spot {
	var out []spot
	for pl := range p.pipelines() {
		out = append(out, spot{element{pipeline: pl}, &pl.Trigger, "trigger"})
		for e := range elements(pl) {
			out = append(out, spot{e, &e.When, "when"})
		}
	}
	return out
}

// reportAt adds a finding of the current rule about conditions.
func (p *pass) reportAt(at spot, span manifest.Span, message, hint string) *manifest.Problem {
	if at.Step == nil {
		return p.reportIn(at.pipeline, span, message, hint)
	}
	return p.report(at.element, span, message, hint)
}

// triggerOf is what of a trigger a server looks at before a pipeline is made.
func triggerOf(pl *manifest.Pipeline) *manifest.Conditions {
	c := pl.Trigger
	c.Instance, c.Status = manifest.Condition{}, manifest.Condition{}
	return &c
}

// What people call events otherwise, and what they write to switch something
// off.
var (
	otherEvents = map[string]string{
		"pr": "pull_request", "pull": "pull_request", "pull-request": "pull_request", "pullrequest": "pull_request", "pull_requests": "pull_request",
		"merge_request": "pull_request", "mr": "pull_request", "merge": "push", "commit": "push", "tags": "tag", "release": "tag", "deployment": "promote", "deploy": "promote",
		"schedule": "cron", "scheduled": "cron", "manual": "custom", "api": "custom", "dispatch": "custom",
	}
	offSwitches = []string{"never", "none", "no", "off", "false", "disabled", "disable", "nothing", "skip", "nil", "x", "-"}
)

func gradeEvent(f *manifest.Problem, text string) {
	word := strings.ToLower(strings.Trim(text, `"'`))
	f.Severity = manifest.Error
	if slices.Contains(offSwitches, word) {
		f.Severity = manifest.Info
		f.Hint = "as an off switch it works; a comment tells others that it is meant"
		return
	}
	meant := otherEvents[word]
	if meant == "" {
		meant = closestOf(word, manifest.Events())
	}
	if meant != "" {
		f.Hint, f.Fix = fmt.Sprintf("did you mean `%s`?", meant), &manifest.Edit{Span: f.Span, Text: meant}
	}
}

func gradeStatus(f *manifest.Problem, text string) {
	f.Severity = manifest.Error
	switch word := strings.ToLower(strings.Trim(text, `"'`)); word {
	case "changed", "change", "killed", "always":
		f.Severity = manifest.Warning
		f.Hint = "success and failure are the only ones; write `[success, failure]` for both"
	default:
		meant := closestOf(word, manifest.Statuses())
		if strings.HasPrefix(word, "fail") || word == "error" {
			meant = "failure"
		}
		if meant != "" {
			f.Hint, f.Fix = fmt.Sprintf("did you mean `%s`?", meant), &manifest.Edit{Span: f.Span, Text: meant}
		}
	}
}

func checkActions(p *pass) {
	known := []string{"opened", "synchronized", "create"}
	for _, at := range p.conditions() {
		if possible("custom", &manifest.Conditions{Event: at.Event}) && len(at.Event.Include) > 0 {
			continue // those name what they like
		}
		for _, v := range at.Action.Include {
			if v.Value == "" || isGlob(v) || slices.Contains(known, v.Value) {
				continue
			}
			f := p.reportAt(at, v.Span, fmt.Sprintf("%s.action %q of %s never occurs", at.key, v.Value, at.subject()), "it is one of "+strings.Join(known, ", "))
			if best := closestOf(v.Value, known); best != "" {
				f.Hint, f.Fix = fmt.Sprintf("did you mean `%s`?", best), p.replace(v, best)
			}
		}
	}
}

// faulty reports conditions with a mistake that another rule explains.
func faulty(c *manifest.Conditions) bool {
	for _, v := range c.Event.Include {
		if !isGlob(v) && !slices.Contains(manifest.Events(), v.Value) {
			return true
		}
	}
	for _, v := range c.Ref.Include {
		if refFault(v) {
			return true
		}
	}
	for f := range facts {
		if slices.ContainsFunc(conditionOf(c, f).Include, func(v manifest.String) bool { message, _, _ := patternFault(v.Value); return message != "" }) {
			return true
		}
	}
	return slices.ContainsFunc(c.Cron.Include, schedule) || slices.ContainsFunc(c.Branch.Include, fullRef) ||
		slices.ContainsFunc(c.Action.Include, func(v manifest.String) bool {
			return !isGlob(v) && !slices.Contains([]string{"opened", "synchronized", "create"}, v.Value)
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
	for _, pick := range []func(*manifest.Conditions) *manifest.Condition{
		func(c *manifest.Conditions) *manifest.Condition { return &c.Branch },
		func(c *manifest.Conditions) *manifest.Condition { return &c.Ref },
		func(c *manifest.Conditions) *manifest.Condition { return &c.Target },
		func(c *manifest.Conditions) *manifest.Condition { return &c.Cron },
		func(c *manifest.Conditions) *manifest.Condition { return &c.Action },
		func(c *manifest.Conditions) *manifest.Condition { return &c.Repo },
		func(c *manifest.Conditions) *manifest.Condition { return &c.Instance },
		func(c *manifest.Conditions) *manifest.Condition { return &c.Event },
	} {
		without := *c
		condition := pick(&without)
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
		p.branchOfTag(spot{element{pipeline: pl}, &pl.Trigger, "trigger"}, trigger)
		for e := range elements(pl) {
			p.branchOfTag(spot{e, &e.When, "when"}, trigger)
		}
	}
}

// branchOfTag reports a branch that is asked of tags: where there are only
// tags, or where the same conditions name them.
func (p *pass) branchOfTag(at spot, trigger *manifest.Conditions) {
	if len(at.Branch.Include) == 0 || matches(&at.Branch, "") {
		return
	}
	var left []string
	for _, event := range manifest.Events() {
		if matches(&trigger.Event, event) && matches(&at.Event, event) {
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

// refFault reports a pattern that no ref can match, for want of "refs/".
func refFault(v manifest.String) bool {
	return v.Value != "" && !canBegin(domain{prefixes: []string{"refs/"}}, v.Value)
}

func fullRef(v manifest.String) bool { return strings.HasPrefix(v.Value, "refs/") }

func checkRefPrefix(p *pass) {
	for _, at := range p.conditions() {
		for _, v := range slices.Concat(at.Ref.Include, at.Ref.Exclude) {
			if refFault(v) {
				p.reportAt(at, v.Span, fmt.Sprintf("%s.ref %q of %s matches no ref, which all begin with refs/", at.key, v.Value, at.subject()), refHint(v.Value))
			}
		}
		for _, v := range slices.Concat(at.Branch.Include, at.Branch.Exclude) {
			if !fullRef(v) {
				continue
			}
			f := p.reportAt(at, v.Span, fmt.Sprintf("%s.branch %q of %s is a ref, and matches no branch", at.key, v.Value, at.subject()), "write `ref` instead of `branch`")
			if name, ok := strings.CutPrefix(v.Value, "refs/heads/"); ok {
				f.Hint, f.Fix = fmt.Sprintf("write the name alone: `%s`", name), p.replace(v, name)
			}
		}
	}
}

// refHint guesses whether a branch or a tag is meant.
func refHint(value string) string {
	switch value = strings.TrimPrefix(value, "/"); {
	case strings.HasPrefix(value, "refs/"):
		return fmt.Sprintf("write `%s`", value)
	case strings.HasPrefix(value, "heads/"), strings.HasPrefix(value, "tags/"), strings.HasPrefix(value, "pull/"):
		return fmt.Sprintf("write `refs/%s`", value)
	case strings.HasPrefix(value, "v") && len(value) > 1 && strings.ContainsAny(value[1:2], "*0123456789["):
		return fmt.Sprintf("write `refs/tags/%s`", value)
	}
	return fmt.Sprintf("write `refs/heads/%s`, or `branch` instead of `ref`", value)
}

// regularExpression are signs that no glob and no name has.
var regularExpression = regexp.MustCompile(`^\^|\$$|^\.\*|\.\+|\(\?|\\[dwsb.]|\|`)

func checkPatterns(p *pass) {
	for _, at := range p.conditions() {
		for f := range facts {
			c := conditionOf(at.Conditions, f)
			for _, v := range slices.Concat(c.Include, c.Exclude) {
				if f == factCron && schedule(v) {
					continue
				}
				if message, hint, surely := patternFault(v.Value); message != "" {
					found := p.reportAt(at, v.Span, fmt.Sprintf("pattern %q in %s.%s of %s %s", v.Value, at.key, c.Key.Value, at.subject(), message), hint)
					if surely {
						found.Severity = manifest.Error
					}
				}
			}
		}
	}
}

// patternFault says what is wrong with a pattern; surely reports that it can
// match nothing that is meant.
func patternFault(pattern string) (message, hint string, surely bool) {
	if strings.Contains(pattern, "${") {
		return "", "", false // compare not-substituted
	}
	segments := strings.Split(pattern, "/")
	switch {
	case len(segments) > 2 && segments[0] == "" && segments[len(segments)-1] == "" || regularExpression.MatchString(pattern):
		return "looks like a regular expression, and is compared as a glob", "write a glob: `release-*` for `^release-.*$`", false
	case strings.HasPrefix(pattern, "!"):
		return "begins with `!`, which has no special meaning", fmt.Sprintf("write `exclude: [%s]`", quoteGlob(pattern[1:])), false
	}
	for _, s := range segments {
		if strings.Count(s, "{") != strings.Count(s, "}") {
			return "has a slash between braces, so it matches nothing", "write each alternative as an item of its own", true
		}
		if !doublestar.ValidatePattern(s) {
			return "is broken, so it matches nothing", "close every bracket", true
		}
	}
	return "", "", false
}

// quoteGlob writes a pattern so that YAML reads it as text.
func quoteGlob(pattern string) string {
	if strings.ContainsAny(pattern, "*[{!&%@`") {
		return `"` + pattern + `"`
	}
	return pattern
}

// schedule reports a cron expression.
func schedule(v manifest.String) bool {
	fields := strings.Fields(v.Value)
	if len(fields) == 5 || len(fields) == 6 {
		return strings.Trim(strings.Join(fields, ""), "0123456789*/,-?LW#ABCDEFGHIJKMNOPQRSTUVXYZabcdefghijklmnopqrstuvwxyz") == "" && strings.ContainsAny(v.Value, "0123456789*")
	}
	return strings.HasPrefix(v.Value, "@") && len(fields) <= 2
}

func checkCronName(p *pass) {
	for _, at := range p.conditions() {
		for _, v := range slices.Concat(at.Cron.Include, at.Cron.Exclude) {
			if schedule(v) {
				p.reportAt(at, v.Span, fmt.Sprintf("%s.cron %q of %s is a schedule, and is compared with the names of cron jobs", at.key, v.Value, at.subject()),
					"write the name that the job has in the settings of the repository")
			}
		}
	}
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
		if look(spot{element{pipeline: pl}, &pl.Trigger, "trigger"}) {
			continue
		}
		for e := range elements(pl) {
			if look(spot{e, &e.When, "when"}) {
				break // once for all of the pipeline
			}
		}
	}
}

func checkTriggerStatus(p *pass) {
	for pl := range p.pipelines() {
		if s := pl.Trigger.Status; len(pl.DependsOn) == 0 && len(s.Include)+len(s.Exclude) > 0 {
			p.reportIn(pl, s.Key.Span, fmt.Sprintf("trigger.status of pipeline %q has no say, because it waits for no other pipeline", pl.DisplayName()),
				"add `depends_on` with the pipelines whose status is meant")
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
			case e.service || e.When.Event.Key.IsSet() || firstSecret(e) == nil || !possible("pull_request", trigger, &e.When):
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
	secret := firstSecret(e)
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

// firstSecret is the first secret that a step asks for, nil without one.
func firstSecret(e element) *manifest.String {
	for i := range e.Settings {
		entries, _ := e.Settings[i].Value.Any.([]manifest.Entry)
		for _, entry := range entries {
			if name, ok := entry.Value.Any.(string); ok && entry.Key.Value == "from_secret" {
				return &manifest.String{Value: name, Span: entry.Value.Span}
			}
		}
	}
	for i := range e.Environment {
		if e.Environment[i].FromSecret.IsSet() {
			return &e.Environment[i].FromSecret
		}
	}
	return nil
}
