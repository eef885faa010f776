// Package lint finds what is wrong with a configuration file, all of it in one
// pass, and reports it as text for people or JSON for scripts.
//
// It gathers what reading and compiling the file finds. It does not change
// files, does not run anything, and knows nothing of commands or exit statuses.
package lint

import (
	"cmp"
	"slices"

	"github.com/drone-laptop/drone/manifest"
)

// Sort orders findings by file, place and rule, so that reports are stable.
func Sort(findings []manifest.Problem) {
	slices.SortStableFunc(findings, func(a, b manifest.Problem) int {
		return cmp.Or(
			cmp.Compare(a.Span.Start.File, b.Span.Start.File),
			cmp.Compare(a.Span.Start.Line, b.Span.Start.Line),
			cmp.Compare(a.Span.Start.Column, b.Span.Start.Column),
			cmp.Compare(a.Rule, b.Rule),
		)
	})
}

// Brief leaves out the warnings that only repeat a rule for which one is kept,
// and returns how many those are. Errors are all kept.
func Brief(findings []manifest.Problem) (kept []manifest.Problem, left int) {
	seen := map[string]bool{}
	for _, f := range findings {
		if f.Severity == manifest.Warning && seen[f.Rule] {
			left++
			continue
		}
		seen[f.Rule] = true
		kept = append(kept, f)
	}
	return kept, left
}

// Count returns how many findings are errors and how many are warnings.
func Count(findings []manifest.Problem) (errors, warnings int) {
	for _, f := range findings {
		if f.Severity == manifest.Error {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}
