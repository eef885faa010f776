package lint

import (
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// withoutConsequences leaves out of what reading and compiling has found what
// only follows from another finding, which is the mistake to mend.
func (p *pass) withoutConsequences(found []manifest.Problem) []manifest.Problem {
	return slices.DeleteFunc(found, func(f manifest.Problem) bool {
		switch f.Rule {
		case "no-pipeline":
			return p.pipelineElsewhere()
		case "missing-name":
			return p.saidOf(f, "`name`")
		case "missing-image":
			return p.saidOf(f, "`image`")
		}
		return false
	})
}

// pipelineElsewhere reports whether it is known why there is no pipeline: its
// document is of another kind or joined to another, or a template makes it.
func (p *pass) pipelineElsewhere() bool {
	templated := !p.made && manifest.TemplateLine(p.file.Source) >= 0
	return templated && slices.ContainsFunc(p.file.Documents, func(d *manifest.Document) bool { return d.Template != nil }) ||
		slices.ContainsFunc(p.parsed, func(f manifest.Problem) bool {
			switch f.Rule {
			case manifest.RuleKind:
				return true
			case manifest.RuleDuplicateKey:
				return strings.Trim(p.text(f.Span), `"'`) == "kind"
			}
			return false
		})
}

// saidOf reports whether reading the file has found that a key is misspelt or
// of the wrong shape, in the step or at the place for which it is missing.
func (p *pass) saidOf(missing manifest.Problem, key string) bool {
	return slices.ContainsFunc(p.parsedIn(missing.Pipeline, missing.Step), func(f manifest.Problem) bool {
		if f.Step == "" && !inside(f.Span, missing.Span) {
			return false
		}
		return f.Rule == manifest.RuleUnknownKey && strings.Contains(f.Hint, key) ||
			f.Rule == manifest.RuleShape && strings.HasPrefix(f.Message, key)
	})
}

// parsedIn returns what reading the file has found in a step.
func (p *pass) parsedIn(pipeline, step string) []manifest.Problem {
	if p.parsedBy == nil {
		p.parsedBy = map[[2]string][]manifest.Problem{}
		for _, f := range p.parsed {
			at := [2]string{f.Pipeline, f.Step}
			p.parsedBy[at] = append(p.parsedBy[at], f)
		}
	}
	return p.parsedBy[[2]string{pipeline, step}]
}

func inside(s, outer manifest.Span) bool {
	return outer.Start.Offset <= s.Start.Offset && s.End.Offset <= outer.End.Offset
}

// misread reports whether reading the file has found something wrong with the
// keys of a step or the shapes of their values, so that what the step seems to
// lack may be there.
func (p *pass) misread(e element) bool {
	return slices.ContainsFunc(p.parsedIn(e.pipeline.DisplayName(), e.Name.Value), func(f manifest.Problem) bool {
		return f.Rule == manifest.RuleUnknownKey || f.Rule == manifest.RuleFlatSettings || f.Rule == manifest.RuleShape
	})
}

// unexplained leaves out what is found of an expression of which it is told
// already that it breaks the YAML.
func unexplained(findings, told []manifest.Problem) []manifest.Problem {
	broken := map[manifest.Span]bool{}
	for _, f := range told {
		if f.Rule == manifest.RuleSubstitution {
			broken[f.Span] = true
		}
	}
	return slices.DeleteFunc(findings, func(f manifest.Problem) bool { return broken[f.Span] })
}
