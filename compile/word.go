package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// The words that the file knows, which are looked up in every step.
var (
	failureModes = manifest.FailureModes()
	pullPolicies = manifest.PullPolicies()
	events       = manifest.Events()
	statuses     = manifest.Statuses()
)

// checkWords warns of words that mean nothing, where the runner falls back to
// its default without a sound (reference §12.2, rows 2 and 5).
func (b *builder) checkWords(e element) {
	if f := e.Failure.Value; f != "" && !slices.Contains(failureModes, f) {
		b.reportFailure(e, b.wordHint(f, failureModes))
	}
	// "default" is no word of the runner either, but means what it says.
	if p := e.Pull; p.Value != "" && !strings.EqualFold(p.Value, "default") && !slices.Contains(pullPolicies, strings.ToLower(p.Value)) {
		b.warn(e, "unknown-pull", p.Span, fmt.Sprintf("pull %q of step %q has no meaning", p.Value, e.Name.Value),
			b.wordHint(p.Value, pullPolicies))
	}
	b.checkConditions(e.Name.Value, &e.When, "when")
}

func (b *builder) reportFailure(e element, hint string) {
	b.warn(e, "unknown-failure", e.Failure.Span, fmt.Sprintf("failure %q of step %q has no meaning", e.Failure.Value, e.Name.Value), hint)
}

// checkConditions looks at the conditions whose values come from a fixed set.
// A pattern is left alone: it may well match one of them.
func (b *builder) checkConditions(step string, c *manifest.Conditions, what string) {
	for _, patterns := range [][]manifest.String{c.Event.Include, c.Event.Exclude} {
		b.checkPatterns(step, what+".event", patterns, "unknown-event", events)
	}
	for _, patterns := range [][]manifest.String{c.Status.Include, c.Status.Exclude} {
		b.checkPatterns(step, what+".status", patterns, "unknown-status", statuses)
	}
}

// checkInstance warns of a condition that a server has no function for in a
// trigger (reference §6.1).
func (b *builder) checkInstance() {
	if key := b.st.raw.Trigger.Instance.Key; key.IsSet() {
		b.warn(element{}, "ignored-key", key.Span, "trigger.instance is never evaluated", "the `when` of steps can have it")
	}
}

func (b *builder) checkPatterns(step, key string, patterns []manifest.String, rule string, known []string) {
	for _, v := range patterns {
		if v.Value == "" || IsGlob(v.Value) || slices.Contains(known, v.Value) {
			continue
		}
		b.c.problems.add(manifest.Problem{
			Severity: manifest.Warning, Rule: rule, Span: v.Span, Pipeline: b.st.name, Step: step,
			Message: fmt.Sprintf("%s %q never occurs", key, v.Value),
			Hint:    b.wordHint(v.Value, known),
		})
	}
}

func (b *builder) wordHint(word string, known []string) string {
	return didYouMean(word, known, "it is one of "+strings.Join(known, ", "))
}

// checkOverrides warns of variables that the runner sets again when the step
// starts (reference §5.1).
func (b *builder) checkOverrides(e element) {
	for _, v := range e.Environment {
		if v.FromSecret.Value == "" && b.shared.overrides(v.Name.Value) {
			b.warn(e, "overridden-variable", v.Name.Span,
				fmt.Sprintf("step %q cannot set %s, which the build sets when the step starts", e.Name.Value, v.Name.Value),
				"use a variable of another name")
		}
	}
}

// checkSettingNames reports names that would set another variable.
func (b *builder) checkSettingNames(e element) {
	for _, s := range e.Settings {
		if strings.ContainsAny(s.Name.Value, "=\x00") {
			b.reportAt(e, "variable-name", s.Name.Span, fmt.Sprintf("%q cannot be the name of a setting, which becomes a variable", s.Name.Value),
				"write the name alone before the colon, and the value behind it")
		}
	}
}

// checkVariables reports names that no process can have. An engine would
// refuse the container, or set another variable. Without a value nothing is
// set.
func (b *builder) checkVariables(e element, list []manifest.EnvVar) {
	for _, v := range list {
		name := v.Name.Value
		if v.FromSecret.Value == "" && v.Value.Value == "" {
			continue
		}
		span := nameSpan(v.Name, v.Value.Span)
		switch {
		case name == "":
			b.reportAt(e, "variable-name", span, "a variable has no name",
				"YAML reads `NULL` and `~` as nothing: put such a name in quotes")
		case strings.ContainsAny(name, "=\x00"):
			b.reportAt(e, "variable-name", span, fmt.Sprintf("%q cannot be the name of a variable", name),
				"write the name alone before the colon, and the value behind it")
		}
	}
}

func (b *builder) warn(e element, rule string, span manifest.Span, message, hint string) {
	b.report(e, manifest.Problem{Severity: manifest.Warning, Rule: rule, Span: span, Message: message, Hint: hint})
}
