package compile

import (
	"fmt"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// subject is one condition together with the fact it is compared with.
type subject struct {
	key   string
	cond  *manifest.Condition
	value string
}

// subjects lists the conditions of a step in the order in which a mismatch is
// told best: the event explains most of them. Those of a trigger are all but
// the last. An array, since each of ten thousand steps has them looked at.
func (b *Build) subjects(c *manifest.Conditions) [8]subject {
	return [...]subject{
		{"event", &c.Event, b.Event},
		{"branch", &c.Branch, b.Branch},
		{"action", &c.Action, b.Action},
		{"ref", &c.Ref, b.Ref},
		{"repo", &c.Repo, b.Repo.Slug},
		{"target", &c.Target, b.Deploy},
		{"cron", &c.Cron, b.Cron},
		{"instance", &c.Instance, b.System.Host},
	}
}

// trigger says whether a pipeline is selected, and why (reference §11.4). The
// changed files are compared too, as a server with an extension does.
func (b Build) trigger(c *manifest.Conditions) (bool, string) {
	subjects := b.subjects(c)
	return b.evaluate("trigger", subjects[:7], fileConditions(c))
}

// when says whether a step may run, and why, its status aside; instance is
// compared for steps only (reference §6.1).
func (b Build) when(c *manifest.Conditions) (bool, string) {
	subjects := b.subjects(c)
	return b.evaluate("when", subjects[:], fileConditions(c))
}

func (b *Build) evaluate(what string, subjects []subject, files []manifest.Condition) (bool, string) {
	var met, notes []string
	for _, s := range subjects {
		ok, why := s.match(what)
		if !ok {
			return false, why
		}
		if s.cond.Restricts() {
			met = append(met, s.key+" "+orEmpty(s.value))
		}
	}
	for _, c := range files {
		ok, note, why := b.Changed.match(what, c)
		if !ok {
			return false, why
		}
		notes = append(notes, note)
	}
	if len(met) > 0 {
		notes = append([]string{what + " matches " + strings.Join(met, ", ")}, notes...)
	}
	if len(notes) == 0 {
		return true, noCondition(what)
	}
	return true, strings.Join(notes, "; ")
}

func noCondition(what string) string {
	if what == "when" {
		return "no condition"
	}
	return "no trigger"
}

// match is Matches, with the reason for a mismatch.
func (s subject) match(what string) (ok bool, why string) {
	if Matches(s.cond, s.value) {
		return true, ""
	}
	if p, hit := firstMatch(s.cond.Exclude, s.value); hit {
		why = fmt.Sprintf("%s.%s excludes %q", what, s.key, p)
		if p != s.value {
			why += fmt.Sprintf(", %s is %s", s.key, quoteOrEmpty(s.value))
		}
		return false, why
	}
	return false, fmt.Sprintf("%s.%s is [%s], %s is %s", what, s.key, join(s.cond.Include), s.key, quoteOrEmpty(s.value))
}

func firstMatch(patterns []manifest.String, value string) (string, bool) {
	for _, p := range patterns {
		if MatchGlob(p.Value, value) {
			return p.Value, true
		}
	}
	return "", false
}

// Matches applies one condition to the value of its fact (reference §6.3). One
// without patterns matches everything.
func Matches(c *manifest.Condition, value string) bool {
	if _, hit := firstMatch(c.Exclude, value); hit {
		return false
	}
	_, hit := firstMatch(c.Include, value)
	return hit || len(c.Include) == 0
}

// stepPolicy gives the run policy of a step whose other conditions are met
// (reference §6.4).
func stepPolicy(status *manifest.Condition) exec.Policy {
	if !status.Restricts() || !Matches(status, "failure") {
		return exec.OnSuccess
	}
	if Matches(status, "success") {
		return exec.Always
	}
	return exec.OnFailure
}

// pipelinePolicy gives the run policy of a pipeline with dependencies. Other
// than a step, one whose status matches neither word never runs (reference
// §8.4).
func pipelinePolicy(status *manifest.Condition) exec.Policy {
	success := Matches(status, "success")
	failure := Matches(status, "failure") && status.Restricts()
	switch {
	case success && failure:
		return exec.Always
	case success:
		return exec.OnSuccess
	case failure:
		return exec.OnFailure
	}
	return exec.Never
}

// policy is the run policy of the stage. Without a dependency its status has no
// say (reference §8.4).
func (st *stage) policy() exec.Policy {
	if len(st.deps) == 0 {
		return exec.OnSuccess
	}
	return pipelinePolicy(&st.raw.Trigger.Status)
}

// policyReason says in words what a policy other than the usual one means.
func policyReason(p exec.Policy) string {
	switch p {
	case exec.Always:
		return "; runs after a failure too"
	case exec.OnFailure:
		return "; runs only after a failure"
	}
	return ""
}

// policyReason is that of a pipeline.
func (st *stage) policyReason() string {
	status := st.raw.Trigger.Status
	switch {
	case !st.runs || !status.Restricts():
		return ""
	case len(st.deps) == 0:
		return "; trigger.status has no say without a pipeline to wait for"
	}
	return policyReason(st.policy())
}

func join(list []manifest.String) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = orEmpty(s.Value)
	}
	return strings.Join(out, ", ")
}

// orEmpty makes the empty text visible.
func orEmpty(text string) string {
	if text == "" {
		return `""`
	}
	return text
}

func quoteOrEmpty(text string) string {
	if text == "" {
		return "empty"
	}
	return fmt.Sprintf("%q", text)
}
