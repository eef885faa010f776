package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/drone-laptop/drone/manifest"
)

// patternRules are about the patterns of conditions.
func patternRules() []Rule {
	return []Rule{{
		ID: "path-pattern", Group: groupConditions, Severity: manifest.Warning,
		Summary:     "a pattern for changed files that matches none",
		Explanation: "Paths are counted from the top of the repository, without `./` or a slash at the beginning, and only files are compared, not folders.",
		Bad:         stepWhen("when: {paths: [./src/]} # drone-lint: disable=server-extension"),
		Good:        stepWhen("when: {paths: [src/**]} # drone-lint: disable=server-extension"),
		Reference:   "§6.1",
	}, {
		ID: "ref-prefix", Group: groupConditions, Severity: manifest.Error,
		Summary:     "a ref without `refs/`, or a branch with it",
		Explanation: "`ref` is compared with the whole ref, `refs/heads/main` or `refs/tags/v1.0.0`, and `branch` with the name alone, so neither ever matches the other's form.",
		Bad:         stepWhen("when: {ref: [main]}"),
		Good:        stepWhen("when: {ref: [refs/heads/main]}"),
		Reference:   "§11.3",
		check:       checkRefPrefix,
	}, {
		ID: "pattern", Group: groupConditions, Severity: manifest.Warning,
		Summary: "a pattern that is no glob",
		Explanation: "Conditions are globs: `*` is any text without a slash, `**` between slashes any number of folders, `{a,b}` alternatives without a slash. " +
			"Regular expressions and `!` have no meaning, and a broken pattern matches nothing. A pattern that can match nothing at all is an error.",
		Bad:       stepWhen("when: {branch: [^release-.*$]}"),
		Good:      stepWhen("when: {event: [push], branch: [release-*]}"),
		Reference: "§6.3",
		check:     checkPatterns,
	}, {
		ID: "cron-name", Group: groupConditions, Severity: manifest.Error,
		Summary:     "the schedule of a cron job in place of its name",
		Explanation: "`cron` is compared with the name of the job in the settings of the repository. When it runs is said there.",
		Bad:         stepWhen(`when: {event: [cron], cron: ["0 0 * * *"]}`),
		Good:        stepWhen("when: {event: [cron], cron: [nightly]}"),
		Reference:   "§6.1",
		check:       checkCronName,
	}}
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
		for f := range factEvent { // unknown-event looks at those
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
