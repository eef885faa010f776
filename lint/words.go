package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// wordRules are about words in conditions that never occur.
func wordRules() []Rule {
	return []Rule{{
		ID: "unknown-event", Group: groupConditions, Severity: manifest.Error,
		Summary: "an event that never occurs",
		Explanation: "The events are push, pull_request, tag, promote, rollback, cron and custom; a condition with another word never matches. Such a word " +
			"as off switch, `never` for example, is a note.",
		Bad:       stepWhen("when: {event: [pull-request]}"),
		Good:      stepWhen("when: {event: [pull_request]}"),
		Reference: "§6.1",
		grade:     gradeEvent,
	}, {
		ID: "unknown-status", Group: groupConditions, Severity: manifest.Error,
		Summary:     "a status that never occurs",
		Explanation: "Steps and pipelines can ask for success and failure. `changed` is of Drone 0.8 and has no effect any more, which is a warning.",
		Bad:         stepWhen("when: {status: [skipped]}"),
		Good:        stepWhen("when: {status: [failure]}"),
		Reference:   "§6.1, §6.4",
		grade:       gradeStatus,
	}, {
		ID: "unknown-action", Group: groupConditions, Severity: manifest.Warning,
		Summary:     "an action that no server reports",
		Explanation: "Pull requests come with the actions opened and synchronized, and tags with create. Closing and merging start no build.",
		Bad:         stepWhen("when: {event: [pull_request], action: [synchronize]}"),
		Good:        stepWhen("when: {event: [pull_request], action: [synchronized]}"),
		Reference:   "§6.1, §11.2",
		check:       checkActions,
	}}
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
	known := manifest.Actions()
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
