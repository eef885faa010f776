// Package lint finds what is wrong with a configuration file, all of it in one
// pass, and reports it as text for people, and as JSON, SARIF or commands of a
// GitHub workflow for programs.
//
// It gathers what reading and compiling the file finds, and adds rules of its
// own about what a server takes without a word and gets wrong. Rules are data:
// see Rules. It does not run anything, reads no files, writes none, and knows
// nothing of commands or exit statuses.
//
// Functions may be called concurrently.
package lint

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// Options say how a file is looked at. The zero value is how a server looks at
// the file of a repository that is not trusted.
type Options struct {
	// Compile is the build for which the file is compiled. All pipelines are
	// looked at, also those that the build would leave out.
	Compile compile.Options
	// Levels are the wishes of the user, by rule. They win over what a rule
	// says; comments in the file win over them.
	Levels map[string]Level
	// Generated is what the program beside the file makes, of which the file
	// should be a copy; nil when there is none.
	Generated *Generated
	// Made tells that a program or a template has made the file: a server makes
	// nothing more of it.
	Made bool
	// Strict takes some things more gravely, see Rule.Strict.
	Strict bool
	// Key is the key of the repository, with which the signature of the file is
	// compared; nil leaves that out.
	Key []byte
	// Sign is the command that signs the file, for hints; "" is the plain one.
	Sign string
}

// Generated is the text that a program makes.
type Generated struct {
	Program string // its file, for messages
	Text    []byte
}

// Check looks at a configuration file of Drone 1.0 and later, in YAML. name is
// used in positions. The findings are in the order of their places; those that
// a comment in the file or a level of the options switches off are left out.
func Check(name string, source []byte, opts Options) []manifest.Problem {
	file, parsed := manifest.Parse(name, source, nil)
	opts.Compile.CheckAll = true
	if opts.Compile.Build.Changed == nil {
		// It is no build of which somebody wants to know what has changed.
		opts.Compile.Build.Changed = &compile.ChangedFiles{}
	}
	plan, found, err := compile.File(file, parsed, opts.Compile)
	if err != nil {
		// The name of a pipeline or step that the user asks for, which is not
		// what is wrong with the file.
		plan = nil
	}
	found = slices.DeleteFunc(slices.Clone(found), replaced)
	p := newPass(file, plan, opts)
	p.parsed = parsed
	for i := range found {
		p.grade(&found[i])
	}
	found = once(p.withoutConsequences(found))
	return finish(file, append(found, unexplained(p.run(), found)...), opts.Levels)
}

// Advice returns what only the rules of this package find in a file that has
// been compiled: what a server would take, so that it need not keep anybody
// from running the file.
func Advice(file *manifest.File, plan *exec.Plan, opts Options) []manifest.Problem {
	return finish(file, slices.DeleteFunc(newPass(file, plan, opts).run(), replaced), opts.Levels)
}

// replaced reports whether a finding is of a rule that compiling and checking
// a file both know, so that only one of them is to be heard.
func replaced(f manifest.Problem) bool {
	r := index()[f.Rule]
	return r != nil && r.replaces
}

// finish applies the wishes of the user, first those for all files and then
// those in the file itself.
func finish(file *manifest.File, found []manifest.Problem, levels map[string]Level) []manifest.Problem {
	found = slices.DeleteFunc(found, func(f manifest.Problem) bool { return levels[f.Rule] == Off })
	for i, f := range found {
		if level, ok := levels[f.Rule]; ok {
			found[i].Severity = manifest.Severity(level)
		}
	}
	found = suppress(file, distinct(found), levels)
	Sort(found)
	return found
}

// distinct leaves out what is found again at the same place for what is the
// same thing: after substitution a step may have another name than before, so
// of those the first, which has the name as it is written, is kept.
func distinct(found []manifest.Problem) []manifest.Problem {
	type place struct {
		rule string
		span manifest.Span
	}
	seen := make(map[place][]manifest.Problem, len(found))
	return slices.DeleteFunc(found, func(f manifest.Problem) bool {
		at := place{f.Rule, f.Span}
		again := slices.ContainsFunc(seen[at], func(before manifest.Problem) bool {
			return before.Message == f.Message || before.Step != f.Step || before.Pipeline != f.Pipeline
		})
		seen[at] = append(seen[at], f)
		return again
	})
}

// Sort orders findings by file, place and rule, so that reports are stable.
func Sort(findings []manifest.Problem) {
	slices.SortStableFunc(findings, func(a, b manifest.Problem) int {
		return cmp.Or(
			cmp.Compare(a.Span.Start.File, b.Span.Start.File),
			cmp.Compare(a.Span.Start.Line, b.Span.Start.Line),
			cmp.Compare(a.Span.Start.Column, b.Span.Start.Column),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// quotedNames are those that a message quotes.
var quotedNames = regexp.MustCompile(`"[^"]*"`)

// Brief leaves out the warnings that only repeat a rule for which one is kept,
// and returns how many those are. Errors are all kept. What an old file has and
// nothing does any more is of many kinds under one rule.
func Brief(findings []manifest.Problem) (kept []manifest.Problem, left int) {
	seen := map[string]bool{}
	for _, f := range findings {
		kind := f.Rule
		if kind == manifest.RuleLegacy {
			kind += quotedNames.ReplaceAllString(f.Message, "")
		}
		if f.Severity == manifest.Warning && seen[kind] {
			left++
			continue
		}
		seen[kind] = true
		kept = append(kept, f)
	}
	return kept, left
}

// Count returns how many findings are errors, how many are warnings, and how
// many are neither.
func Count(findings []manifest.Problem) (errors, warnings, infos int) {
	for _, f := range findings {
		switch f.Severity {
		case manifest.Error:
			errors++
		case manifest.Warning:
			warnings++
		default:
			infos++
		}
	}
	return errors, warnings, infos
}
