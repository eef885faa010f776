package lint

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// pass is one look of all rules at one file.
type pass struct {
	// file is the text as it stands: `${…}` is not substituted.
	file *manifest.File
	all  []*manifest.Pipeline // of the file
	// plan is the file for one build, nil when it could not be compiled. Rules
	// about what can happen must not rest on what happens in this one.
	plan    *exec.Plan
	trusted bool // the repository is trusted
	strict  bool
	made    bool // a program or a template has made the file
	// privileged are the repositories of images that the user says are
	// privileged.
	privileged []string
	// generated is what the file should be a copy of, nil for nothing.
	generated *Generated
	key       []byte // that signs the file, nil when it is not known
	sign      string // the command that signs the file
	// defined are the names that substitution knows besides those of every build.
	defined map[string]bool

	// parsed is what reading the file has found.
	parsed   []manifest.Problem
	parsedBy map[[2]string][]manifest.Problem // the same by pipeline and step, see parsedIn

	written  []writing // see writingAt
	counted  int       // see locate
	rule     *Rule     // that looks now
	findings []manifest.Problem
}

func newPass(file *manifest.File, plan *exec.Plan, opts Options) *pass {
	p := &pass{
		file: file, all: file.Pipelines(), plan: plan,
		trusted: opts.Compile.Trusted, strict: opts.Strict, made: opts.Made, generated: opts.Generated,
		key: opts.Key, sign: cmp.Or(opts.Sign, "drone sign --save"),
	}
	for _, image := range opts.Compile.Privileged {
		if named, err := reference.ParseNormalizedNamed(image); err == nil {
			p.privileged = append(p.privileged, named.Name())
		}
	}
	p.defined = make(map[string]bool, len(opts.Compile.Vars)+len(opts.Compile.Build.Params))
	for name := range opts.Compile.Vars {
		p.defined[name] = true
	}
	for name := range opts.Compile.Build.Params {
		p.defined[name] = true
	}
	return p
}

// run applies the rules that this package adds.
func (p *pass) run() []manifest.Problem {
	all := catalogue()
	for i := range all {
		if p.rule = &all[i]; p.rule.check != nil {
			from := len(p.findings)
			p.rule.check(p)
			p.findings = append(p.findings[:from], once(p.findings[from:])...)
		}
	}
	return p.findings
}

// once leaves out what a rule finds again at the same place: what an anchor
// brings to several steps is wrong in one.
func once(findings []manifest.Problem) []manifest.Problem {
	type place struct {
		rule string
		span manifest.Span
	}
	seen := make(map[place]bool, len(findings))
	return slices.DeleteFunc(findings, func(f manifest.Problem) bool {
		at := place{f.Rule, f.Span}
		again := seen[at]
		seen[at] = true
		return again
	})
}

// element is a step or a service with where it stands.
type element struct {
	*manifest.Step
	pipeline *manifest.Pipeline
	service  bool
}

// ofPipeline stands for what a pipeline itself says of all its elements.
func ofPipeline(pl *manifest.Pipeline) element {
	return element{pipeline: pl, Step: &manifest.Step{}}
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
func (p *pass) pipelines() iter.Seq[*manifest.Pipeline] { return slices.Values(p.all) }

// elements yields the services and then the steps of a pipeline.
func elements(pl *manifest.Pipeline) iter.Seq[element] {
	return func(yield func(element) bool) {
		for _, s := range pl.Services {
			if !yield(element{s, pl, true}) {
				return
			}
		}
		for _, s := range pl.Steps {
			if !yield(element{s, pl, false}) {
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

// find returns the place of word in the source of a span, or the span when it
// is not written there in one piece.
func (p *pass) find(s manifest.Span, word string) manifest.Span {
	text := p.text(s)
	at := strings.Index(text, word)
	if at < 0 || word == "" {
		return s
	}
	return p.part(s, at, len(word))
}

// text returns the source of a span as it is written.
func (p *pass) text(s manifest.Span) string {
	start, end := s.Start.Offset, s.End.Offset
	if start > end || end > len(p.file.Source) {
		return ""
	}
	return string(p.file.Source[start:end])
}

// part returns the span of the length bytes of the source of s that begin at
// byte at.
func (p *pass) part(s manifest.Span, at, length int) manifest.Span {
	text := p.text(s)
	start := advance(s.Start, text[:at])
	return manifest.Span{Start: start, End: advance(start, text[at:at+length])}
}

// advance is the place after a text that begins at pos.
func advance(pos manifest.Pos, text string) manifest.Pos {
	pos.Offset += len(text)
	if lines := strings.Count(text, "\n"); lines > 0 {
		pos.Line += lines
		pos.Column = 1
		text = text[strings.LastIndexByte(text, '\n')+1:]
	}
	pos.Column += utf8.RuneCountInString(text)
	return pos
}

// quoted lists names for a message, the first few of them.
func quoted(names []string) string {
	const few = 3
	var list []string
	for _, n := range names[:min(few, len(names))] {
		list = append(list, strconv.Quote(n))
	}
	switch rest := len(names) - len(list); {
	case rest > 0:
		return fmt.Sprintf("%s and %d more", strings.Join(list, ", "), rest)
	case len(list) > 1:
		return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
	}
	return strings.Join(list, "")
}

// closestOf returns the known word that was probably meant, or "".
func closestOf(word string, known []string) string {
	best, least := "", 1+len(word)/3
	for _, k := range known {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(k), nil); d <= least && d < len(k) && (best == "" || d < least) {
			best, least = k, d
		}
	}
	return best
}

// replace proposes another text for a scalar, in the quotes that it has.
func (p *pass) replace(s manifest.String, text string) *manifest.Edit {
	if old := p.text(s.Span); len(old) > 1 && (old[0] == '"' || old[0] == '\'') {
		text = old[:1] + text + old[:1]
	}
	return &manifest.Edit{Span: s.Span, Text: text}
}
