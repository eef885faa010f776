// Package compile turns a configuration file, the facts of a build and the
// options of the user into an exec.Plan: which pipelines and steps run, why,
// in which order, and with what (reference §4 to §8 and §11).
//
// It is pure: no clock, disk, network, environment or Docker, and no secret
// values. It does not report style; what it finds wrong is what would keep the
// plan from being carried out.
package compile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// The names under which a plan asks for the secret parts of Options.Netrc.
// They cannot clash with names in a file that anybody would choose.
const (
	// NetrcPasswordSecret is the password alone.
	NetrcPasswordSecret = "drone:netrc-password"
	// NetrcFileSecret is the one line "machine M login U password P".
	NetrcFileSecret = "drone:netrc-file"
)

// Options say how a plan is made. The zero value plans every pipeline that the
// build selects, with a workspace volume of its own. Compile reads the maps
// and lists without changing them.
type Options struct {
	Build Build

	// Workspace is the absolute directory to mount as workspace. When empty,
	// or with Clone, steps get an empty volume and the clone step runs.
	Workspace string
	Clone     bool

	// Pipelines selects pipelines by name or glob instead of by trigger;
	// Include and Exclude do so for steps and services. A name that matches
	// nothing is an *UnknownNameError. A service that Include does not name
	// still runs when a step of its pipeline does.
	Pipelines []string
	Include   []string
	Exclude   []string
	// ResumeAt leaves out the steps that come before this one in its pipeline,
	// by name or glob; services stay.
	ResumeAt string

	// Trusted allows what a server allows trusted repositories only
	// (reference §10.2).
	Trusted bool

	// Env is added to every step, beneath all other variables.
	Env map[string]string
	// Vars are further variables for substitution, beneath the built-in ones:
	// the DRONE_* variables of the caller's environment.
	Vars map[string]string
	// Proxy are the proxy variables of the caller, by name in any case.
	Proxy map[string]string
	Netrc Netrc

	Binds      []exec.Bind
	Networks   []string
	Privileged []string // images that run privileged as the built-in ones do

	// Host is for pipelines of type exec. Their workspace is a copy of the
	// directory Workspace.
	Host Host

	// Machine is the host name for DRONE_STAGE_MACHINE.
	Machine string

	// Era is the version of Drone before 1.0 whose environment containers get,
	// "0.4", "0.5" or "0.8"; "" is for that of today. See era.
	Era string

	// CheckAll looks at the pipelines that this build leaves out as closely as
	// at those that run, where this machine could run them at all. The plan
	// stays the same. It is for those who look at a file and not at a build.
	CheckAll bool
}

// Netrc is the login for cloning; without a Machine there is none. The
// password is a secret of the run: see NetrcPasswordSecret, NetrcFileSecret.
type Netrc struct {
	Machine, Username string
}

// Compile makes the plan for a configuration file. name is used in positions.
//
// Pipelines are selected by the text as it stands, as the server does; their
// steps are those of the text after substitution (reference §4.1).
//
// The problems are everything found wrong, ordered by place; with one of
// severity manifest.Error the plan must not be run. It is nil when the file
// has no pipeline that could be read, or with an error. The error is an
// *UnknownNameError.
func Compile(name string, source []byte, opts Options) (*exec.Plan, []manifest.Problem, error) {
	file, found := manifest.Parse(name, source, nil)
	return File(file, found, opts)
}

// File makes the plan for a file that has been parsed, without a lookup, as
// Compile does. found are the problems of parsing it; they are among those that
// are returned.
func File(file *manifest.File, found []manifest.Problem, opts Options) (*exec.Plan, []manifest.Problem, error) {
	c := newCompiler(file, found, opts)
	if len(c.stages) == 0 {
		c.reportNoPipeline()
		return nil, c.problems.sorted(), nil
	}
	if err := c.selectStages(); err != nil {
		return nil, c.problems.sorted(), err
	}
	documents := c.substitute()
	plan := &exec.Plan{
		Version: exec.Version,
		File:    c.name,
		Event:   opts.Build.Event,
		Ref:     opts.Build.Ref,
		Branch:  opts.Build.Branch,
	}
	plan.Secrets = c.secretSources(documents)
	c.checkTemplates()
	for _, st := range c.stages {
		plan.Pipelines = append(plan.Pipelines, c.pipeline(st))
	}
	if err := c.selectSteps(plan); err != nil {
		return nil, c.problems.sorted(), err
	}
	for _, p := range plan.Pipelines {
		number(p)
	}
	return plan, c.problems.sorted(), nil
}

// compiler holds what one call of Compile works on.
type compiler struct {
	name       string
	source     []byte
	opts       Options
	raw        *manifest.File
	stages     []*stage
	problems   *problems
	privileged map[string]bool  // repositories
	images     map[string]image // by name in the file
	guesses    int              // similar names looked for so far
}

func newCompiler(file *manifest.File, found []manifest.Problem, opts Options) *compiler {
	c := &compiler{
		name: file.Name, source: file.Source, opts: opts, raw: file,
		problems:   newProblems(),
		privileged: privilegedImages(opts.Privileged),
		images:     map[string]image{},
	}
	c.problems.merge(found)
	for _, d := range c.raw.Documents {
		if d.Pipeline != nil {
			c.stages = append(c.stages, newStage(d, opts.Host))
		}
	}
	return c
}

// mounted reports whether steps work in a directory of this machine.
func (c *compiler) mounted() bool { return c.opts.Workspace != "" && !c.opts.Clone }

// substitute gives each stage its pipeline out of the substituted text. The
// text is read once for all of them; where it asks for a variable that differs
// from one stage to the next, each document is read again for its own. It
// returns the file for what belongs to no stage.
func (c *compiler) substitute() *manifest.File {
	shared := c.raw
	if changesText(c.source) {
		shared = c.parseFor(c.stages[0])
	}
	pipelines := map[int]*manifest.Pipeline{}
	for _, d := range shared.Documents {
		pipelines[d.Index] = d.Pipeline
	}
	own := asksForStage(shared)
	for i, st := range c.stages {
		if own && i > 0 {
			st.pipe = c.substituteFor(st)
		} else {
			st.pipe = pipelines[st.document.Index]
		}
		if st.pipe == nil {
			c.reportLost(st)
			st.pipe = st.raw
		}
	}
	return shared
}

// reportLost reports a pipeline that substitution made unreadable, unless that
// has been explained.
func (c *compiler) reportLost(st *stage) {
	if c.problems.failedIn(st.document.Span) {
		return
	}
	c.problems.add(manifest.Problem{
		Severity: manifest.Error, Rule: "lost-pipeline", Span: st.raw.Span, Pipeline: st.name,
		Message: "the text of this pipeline is no pipeline any more after substitution",
		Hint:    "look for a variable whose value holds a line break or a document separator",
	})
}

// parseFor reads the whole file as the runner of a stage does.
func (c *compiler) parseFor(st *stage) *manifest.File {
	file, found := manifest.Parse(c.name, c.source, c.lookupFor(st))
	c.problems.merge(found)
	for _, use := range file.Substituted {
		c.checkUse(use)
	}
	return file
}

// substituteFor reads the document of a stage as its runner does, nil when it
// is no pipeline.
func (c *compiler) substituteFor(st *stage) *manifest.Pipeline {
	document, uses, found := c.raw.Substitute(st.document, c.lookupFor(st))
	c.problems.merge(found)
	for _, use := range uses {
		c.checkUse(use)
	}
	if document == nil {
		return nil
	}
	return document.Pipeline
}

func (c *compiler) lookupFor(st *stage) manifest.Lookup {
	values := substitution(c.opts, st.facts(c.opts.Machine))
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// checkUse warns of a name that no build defines: it was surely meant for the
// shell, which never sees it (reference §12.3, row 16). A variable of the
// server that this build does not have is fine.
func (c *compiler) checkUse(use manifest.Use) {
	if use.Defined || use.Comment || strings.HasPrefix(use.Name, "DRONE_") || strings.HasPrefix(use.Name, "CI_") {
		return
	}
	by := "nothing"
	if use.Default {
		by = "its default"
	}
	c.problems.add(manifest.Problem{
		Severity: manifest.Warning, Rule: "undefined-variable", Span: use.Span,
		Message: fmt.Sprintf("%q is no variable of the build, so it is replaced by %s before the YAML is read", use.Name, by),
		Hint:    fmt.Sprintf("write `$%s` or `$${%s}` where the shell is to see it", use.Name, use.Name),
	})
}

// changesText reports whether substitution can change a text at all.
func changesText(source []byte) bool {
	return bytes.Contains(source, []byte("${")) || bytes.Contains(source, []byte("$$"))
}

func asksForStage(f *manifest.File) bool {
	for _, use := range f.Substituted {
		if strings.HasPrefix(use.Name, "DRONE_STAGE_") {
			return true
		}
	}
	return false
}

// checkTemplates warns of a template that nothing reads: on a server as here it
// counts only where `kind: template` is a line of its own, and then instead of
// all other documents (reference §11.6). Such a file is not for this package.
func (c *compiler) checkTemplates() {
	for _, d := range c.raw.Documents {
		if d.Template == nil {
			continue
		}
		message := "a document of kind \"template\" beside pipelines has no effect"
		if manifest.TemplateLine(c.raw.Source) >= 0 {
			message = "the template takes the place of the whole file, so the pipelines beside it never run"
		}
		c.problems.add(manifest.Problem{
			Severity: manifest.Warning, Rule: "template", Span: nameSpan(d.Kind, d.Span), Message: message,
			Hint: "keep templates in files of their own",
		})
	}
}

// reportNoPipeline explains an empty plan, unless an error does so already.
func (c *compiler) reportNoPipeline() {
	if c.problems.failed() {
		return
	}
	top := manifest.Pos{File: c.name, Line: 1, Column: 1}
	p := manifest.Problem{
		Severity: manifest.Error, Rule: "no-pipeline", Span: manifest.Span{Start: top, End: top},
		Message: "the file has no pipeline",
		Hint:    "a pipeline is a document with `kind: pipeline`",
	}
	for _, d := range c.raw.Documents {
		if d.Template != nil {
			p.Span = d.Span
			p.Message = "the file only names a template, " + quoteOrEmpty(d.Template.Load.Value)
			p.Hint = "convert the file with its template first: the template itself is kept by the server"
			if manifest.TemplateLine(c.raw.Source) < 0 {
				p.Span = nameSpan(d.Kind, d.Span)
				p.Message += ", which a server overlooks"
				p.Hint = "write `kind: template` on a line of its own, without quotes or a comment behind it"
			}
		}
	}
	c.problems.add(p)
}
