package lint

import (
	"fmt"

	"github.com/drone-laptop/drone/manifest"
)

// conditionRules are about the shape of `trigger` and `when`.
func conditionRules() []Rule {
	return []Rule{{
		ID: "condition-shape", Group: groupConditions, Severity: manifest.Error,
		Summary:     "a condition that the server drops because of its shape",
		Explanation: "`include` and `exclude` take lists. With a single word behind them the condition is dropped without a sound, and everything matches.",
		Bad:         stepWhen("when: {branch: {exclude: main}}"),
		Good:        stepWhen("when: {branch: {exclude: [main]}}"),
		Reference:   "§6.2",
		grade:       func(f *manifest.Problem, _ string) { f.Severity = manifest.Error },
	}, {
		ID: "server-extension", Group: groupConditions, Severity: manifest.Warning,
		Summary: "a condition on changed files, which a plain server ignores",
		Explanation: "`paths` and `changeset` are read by extensions of the server. Without one the step runs whatever has changed. `drone exec` " +
			"compares the files that changed since `--base`. Where the server has the extension, switch the rule off in `.drone-lint.yml`.",
		Bad:       stepWhen("when: {paths: [src/**]}"),
		Good:      stepWhen("when: {event: [push]}"),
		Reference: "§6.1",
	}, {
		ID: "unknown-changes", Group: groupConditions, Severity: manifest.Warning,
		Summary:     "a condition on changed files that cannot be decided",
		Explanation: "The changed files are not known, for want of a commit to compare with, so the condition counts as met. Name one with `--base`.",
		Untold:      "It is found when a file is run or planned, not by looking at the file alone.",
		Good:        stepWhen("when: {event: [push]}"),
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

func triggerAt(pl *manifest.Pipeline) spot {
	return spot{element{pipeline: pl}, &pl.Trigger, "trigger"}
}

func whenAt(e element) spot { return spot{e, &e.When, "when"} }

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
		out = append(out, triggerAt(pl))
		for e := range elements(pl) {
			out = append(out, whenAt(e))
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
