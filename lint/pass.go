package lint

import (
	"iter"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// pass is one look of all rules at one file.
type pass struct {
	// file is the text as it stands: `${…}` is not substituted.
	file *manifest.File
	// plan is the file for one build, nil when it could not be compiled. Rules
	// about what can happen must not rest on what happens in this one.
	plan    *exec.Plan
	trusted bool // the repository is trusted
	strict  bool

	rule     *Rule // that looks now
	findings []manifest.Problem
}

// rules runs the rules that this package adds.
func rules(file *manifest.File, plan *exec.Plan, opts Options) []manifest.Problem {
	p := &pass{file: file, plan: plan, trusted: opts.Compile.Trusted, strict: opts.Strict}
	all := catalogue()
	for i := range all {
		if p.rule = &all[i]; p.rule.check != nil {
			p.rule.check(p)
		}
	}
	return p.findings
}

// element is a step or a service with where it stands.
type element struct {
	*manifest.Step
	pipeline *manifest.Pipeline
	service  bool
}

// noun is what the element is called in a message.
func (e element) noun() string {
	if e.service {
		return "service"
	}
	return "step"
}

// span is where the element is named, or else where it begins.
func (e element) span() manifest.Span {
	if e.Name.IsSet() {
		return e.Name.Span
	}
	return manifest.Span{Start: e.Span.Start, End: e.Span.Start}
}

// pipelines yields every pipeline of the file.
func (p *pass) pipelines() iter.Seq[*manifest.Pipeline] {
	return func(yield func(*manifest.Pipeline) bool) {
		for _, d := range p.file.Documents {
			if d.Pipeline != nil && !yield(d.Pipeline) {
				return
			}
		}
	}
}

// elements yields the services and then the steps of a pipeline.
func elements(pl *manifest.Pipeline) iter.Seq[element] {
	return func(yield func(element) bool) {
		for _, s := range pl.Services {
			if s != nil && !yield(element{s, pl, true}) {
				return
			}
		}
		for _, s := range pl.Steps {
			if s != nil && !yield(element{s, pl, false}) {
				return
			}
		}
	}
}

// elements yields the services and steps of every pipeline.
func (p *pass) elements() iter.Seq[element] {
	return func(yield func(element) bool) {
		for pl := range p.pipelines() {
			for e := range elements(pl) {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// containers reports whether the steps of a pipeline run in containers of
// docker: it has no type, or that.
func containers(pl *manifest.Pipeline) bool {
	return pl.Type.Value == "" || pl.Type.Value == "docker"
}

// report adds a finding of the current rule, with its severity, in an element.
// The finding may be changed further until the next one is reported.
func (p *pass) report(e element, span manifest.Span, message, hint string) *manifest.Problem {
	f := p.reportIn(e.pipeline, span, message, hint)
	f.Step = e.Name.Value
	return f
}

// reportIn adds a finding of the current rule in a pipeline, which may be nil.
func (p *pass) reportIn(pl *manifest.Pipeline, span manifest.Span, message, hint string) *manifest.Problem {
	f := manifest.Problem{Severity: p.rule.Severity, Rule: p.rule.ID, Span: span, Message: message, Hint: hint}
	if p.strict && p.rule.Strict != "" {
		f.Severity = p.rule.Strict
	}
	if pl != nil {
		f.Pipeline = pl.DisplayName()
	}
	p.findings = append(p.findings, f)
	return &p.findings[len(p.findings)-1]
}
