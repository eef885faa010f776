package origin

import (
	"fmt"
	"slices"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

// LegacyFindings are what the linter finds in the file name with the text source,
// which is for an old version: what it finds in the text that it was converted to,
// what has no equivalent, and what a server makes of such a file.
func LegacyFindings(old *convert.Converted, name string, source []byte, opts lint.Options) []manifest.Problem {
	p := manifest.Problem{
		Severity: manifest.Warning, Rule: manifest.RuleLegacy, Span: old.Key,
		Message: "the file is for Drone " + old.Version + ", and what a server of today makes of it is not all that it says",
		Hint:    "`drone convert --write` rewrites it",
	}
	if old.Version == convert.Version04 || !convert.Upstream(source) {
		p.Severity, p.Message = manifest.Error, "the file is for Drone "+old.Version+", and no server of today takes it for one"
	}
	level := opts.Levels[manifest.RuleLegacy]
	if level != "" && level != lint.Off {
		p.Severity = manifest.Severity(level)
	}
	out := append([]manifest.Problem{p}, InSource(Legacy(old, source), lint.Check(name, old.Text, opts))...)
	if level == lint.Off {
		out = slices.DeleteFunc(out, func(p manifest.Problem) bool { return p.Rule == manifest.RuleLegacy })
	}
	lint.Sort(out)
	return out
}

// MadeFindings are what the linter finds in what a program or a template makes, as
// findings of the file name with the text source, and those of a template itself.
func MadeFindings(made *convert.Result, name string, source []byte, opts lint.Options) []manifest.Problem {
	opts.Made = true
	findings := InSource(Made(made), lint.Check(made.Name, made.Text, opts))
	opts.Made = false
	findings = levelled(findings, manifest.RuleUnusedData, opts.Levels[manifest.RuleUnusedData])
	if convert.Detect(name, source) == convert.FormatTemplate {
		findings = append(findings, lint.Check(name, source, opts)...)
	}
	lint.Sort(findings)
	return findings
}

// FailedFindings are what is wrong with a program or a template that makes
// nothing. level is that of the rule about them, "" for its own.
func FailedFindings(e *convert.Error, level lint.Level) []manifest.Problem {
	p := manifest.Problem{
		Severity: manifest.Error, Rule: manifest.RuleProgram, Span: manifest.Span{Start: e.Pos, End: e.Pos}, Message: e.Message, Hint: e.Hint,
	}
	frames, left := e.Frames()
	for i, f := range frames {
		if i == len(frames)/2 && left > 0 {
			p.Related = append(p.Related, manifest.Related{Message: fmt.Sprintf("… %d more", left)})
		}
		message := "from here"
		if f.Name != "" {
			message += ", in " + f.Name
		}
		p.Related = append(p.Related, manifest.Related{Span: manifest.Span{Start: f.Pos, End: f.Pos}, Message: message})
	}
	return levelled([]manifest.Problem{p}, p.Rule, level)
}

// levelled gives the findings of a rule that is not of the linter the level that
// the user wants, "" for its own.
func levelled(findings []manifest.Problem, rule string, level lint.Level) []manifest.Problem {
	if level == lint.Off {
		return slices.DeleteFunc(findings, func(f manifest.Problem) bool { return f.Rule == rule })
	}
	for i := range findings {
		if findings[i].Rule == rule && level != "" {
			findings[i].Severity = manifest.Severity(level)
		}
	}
	return findings
}
