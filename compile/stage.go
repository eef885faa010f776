package compile

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// stage is one pipeline of the file on its way into the plan.
type stage struct {
	document *manifest.Document
	raw      *manifest.Pipeline // as written: trigger, name, dependencies, platform
	pipe     *manifest.Pipeline // after substitution: everything else
	name     string
	number   int    // 1-based among the selected ones, else 0
	os, arch string // where the file names none
	runs     bool
	reason   string
	deps     []string // names of stages that run

	before []int // indices of the stages it depends on
}

// newStage makes a stage of a pipeline's document. Where it asks for no
// platform, the server takes it for one of linux/amd64 (reference §11.5), but
// what runs on this machine runs on what this machine is.
func newStage(d *manifest.Document, host Host) *stage {
	st := &stage{document: d, raw: d.Pipeline, name: d.Pipeline.DisplayName(), os: "linux", arch: "amd64"}
	if st.onHost() && host.OS != "" {
		st.os, st.arch = host.OS, host.Arch
	}
	return st
}

// selectStages decides which pipelines run, and in which order.
func (c *compiler) selectStages() error {
	if err := c.knowPipelines(); err != nil {
		return err
	}
	selected := 0
	for _, st := range c.stages {
		st.runs, st.reason = c.selected(st)
		if st.runs {
			selected++
			st.number = selected
		}
		if why := c.cannotRun(st.raw); st.runs && why != "" {
			st.runs, st.reason = false, why
			c.reportNamed(st)
		}
		c.checkAsWritten(st)
	}
	c.checkDuplicates()
	c.linkStages()
	c.leaveOutNever()
	c.checkStageCycles()
	return nil
}

// knowPipelines refuses a name or pattern of the user that fits no pipeline.
func (c *compiler) knowPipelines() error {
	var known []string
	for _, st := range c.stages {
		known = append(known, st.name)
	}
	return unknownName("pipeline", c.opts.Pipelines, known)
}

func (c *compiler) selected(st *stage) (bool, string) {
	if len(c.opts.Pipelines) == 0 {
		return c.opts.Build.trigger(&st.raw.Trigger)
	}
	if named(c.opts.Pipelines, st.name) {
		return true, "named by --pipeline"
	}
	return false, "not named by --pipeline"
}

// cannotRun says why a pipeline has no place on this machine, "" when it has.
func (c *compiler) cannotRun(p *manifest.Pipeline) string {
	os := p.Platform.OS.Value
	switch {
	case p.OnHost():
		return c.opts.Host.refuses(p.Platform)
	case !p.InContainers():
		return fmt.Sprintf("type %s cannot run on this machine", p.Type.Value)
	case os != "" && os != "linux":
		return fmt.Sprintf("platform.os is %s, containers run linux on this machine", os)
	}
	return ""
}

// reportNamed makes it an error when the user asks for just the pipeline that
// cannot run; by a pattern it may come along.
func (c *compiler) reportNamed(st *stage) {
	for _, n := range c.opts.Pipelines {
		if n == st.name {
			c.problems.add(manifest.Problem{
				Severity: manifest.Error, Rule: "unsupported-pipeline", Span: st.raw.Span, Pipeline: st.name,
				Message: fmt.Sprintf("pipeline %q cannot run: %s", st.name, st.reason),
				Hint:    st.hint(),
			})
		}
	}
}

func (c *compiler) checkDuplicates() {
	first := map[string]*stage{}
	for _, st := range c.stages {
		other := first[st.name]
		if other == nil {
			first[st.name] = st
			continue
		}
		message := fmt.Sprintf("pipeline name %q is used twice", st.name)
		if st.raw.Name.Value != other.raw.Name.Value || st.raw.Name.Value == "" {
			message += `, a pipeline without a name is "default"`
		}
		c.problems.add(manifest.Problem{
			Severity: manifest.Error, Rule: "duplicate-pipeline", Pipeline: st.name,
			Span: nameSpan(st.raw.Name, st.raw.Span), Message: message,
			Hint:    "give each pipeline a name of its own",
			Related: []manifest.Related{{Span: nameSpan(other.raw.Name, other.raw.Span), Message: "first used here"}},
		})
	}
}

// linkStages resolves depends_on: to indices for the order, and to the names
// of what runs, where a pipeline that does not run passes its own dependencies
// on (reference §8.4). Other than on the server, later pipelines may be named.
func (c *compiler) linkStages() {
	index := map[string]int{}
	var known []string
	for i, st := range c.stages {
		if _, ok := index[st.name]; !ok {
			index[st.name] = i
			known = append(known, st.name)
		}
	}
	others := c.phantoms()
	for i, st := range c.stages {
		for _, d := range st.raw.DependsOn {
			n, ok := index[d.Value]
			switch {
			case ok && n == i:
				c.reportStage("pipeline-cycle", st, d.Span, fmt.Sprintf("pipeline %q depends on itself", st.name), "remove the entry")
			case ok:
				st.before = append(st.before, n)
				c.checkOrder(st, i, n, d.Span)
			case others[d.Value] != "":
				c.warnPhantom(st, d, others[d.Value])
			default:
				c.reportStage("unknown-pipeline", st, d.Span,
					fmt.Sprintf("pipeline %q depends on %q, which does not exist", st.name, d.Value),
					didYouMean(d.Value, known, "the file has "+strings.Join(known, ", ")))
			}
		}
	}
	c.nameDependencies()
}

// checkOrder warns of a dependency on a later pipeline, which a server refuses
// (reference §8.4).
func (c *compiler) checkOrder(st *stage, self, other int, span manifest.Span) {
	if other > self {
		c.problems.add(manifest.Problem{
			Severity: manifest.Warning, Rule: "forward-dependency", Span: span, Pipeline: st.name,
			Message: fmt.Sprintf("pipeline %q depends on %q, which comes later in the file: a server refuses that", st.name, c.stages[other].name),
			Hint:    "move the pipeline behind those it depends on",
		})
	}
}

// nameDependencies sets the names of what each stage waits for.
func (c *compiler) nameDependencies() {
	r := rewriter{stages: c.stages, done: make([][]int, len(c.stages)), state: make([]int, len(c.stages))}
	for i, st := range c.stages {
		st.deps = nil
		for _, n := range r.nearest(i) {
			st.deps = append(st.deps, c.stages[n].name)
		}
	}
}

// leaveOutNever takes out the stages that wait for a status that no pipeline
// ends with. One without dependencies waits for nothing, and runs (reference
// §8.4).
func (c *compiler) leaveOutNever() {
	for _, st := range c.stages {
		if st.runs && len(st.deps) > 0 && pipelinePolicy(&st.raw.Trigger.Status) == exec.Never {
			st.runs, st.reason = false, "trigger.status is neither success nor failure"
		}
	}
	c.nameDependencies()
}

// phantoms are the kinds, by name, of documents of a kind that a server takes
// for a pipeline although it knows nothing of it (reference §1.4).
func (c *compiler) phantoms() map[string]string {
	out := map[string]string{}
	for _, d := range c.raw.Documents {
		switch d.Kind.Value {
		case "", "pipeline", "secret", "signature", "template", "cron", "registry":
		default:
			out[d.Name.Value] = d.Kind.Value
		}
	}
	return out
}

// warnPhantom warns of a dependency on what no runner takes.
func (c *compiler) warnPhantom(st *stage, d manifest.String, kind string) {
	c.problems.add(manifest.Problem{
		Severity: manifest.Warning, Rule: "phantom-pipeline", Span: d.Span, Pipeline: st.name,
		Message: fmt.Sprintf("pipeline %q depends on %q, a document of kind %q: a server waits for it for ever", st.name, d.Value, kind),
		Hint:    "remove the dependency, or correct the kind",
	})
}

// rewriter finds, for each stage, the nearest stages before it that run.
type rewriter struct {
	stages []*stage
	done   [][]int
	state  []int // 0 new, 1 being visited, 2 done
}

func (r *rewriter) nearest(i int) []int {
	if r.state[i] != 0 {
		return r.done[i]
	}
	r.state[i] = 1
	var out []int
	seen := map[int]bool{i: true}
	for _, n := range r.stages[i].before {
		candidates := []int{n}
		if !r.stages[n].runs {
			candidates = r.nearest(n)
		}
		for _, m := range candidates {
			if !seen[m] {
				seen[m] = true
				out = append(out, m)
			}
		}
	}
	r.done[i], r.state[i] = out, 2
	return out
}

func (c *compiler) checkStageCycles() {
	next := make([][]int, len(c.stages))
	for i, st := range c.stages {
		next[i] = st.before
	}
	for _, cycle := range cycles(next) {
		var names []string
		var related []manifest.Related
		for _, n := range cycle {
			st := c.stages[n]
			names = append(names, st.name)
			related = append(related, manifest.Related{
				Span: nameSpan(st.raw.Name, st.raw.Span), Message: fmt.Sprintf("pipeline %q", st.name),
			})
		}
		first := c.stages[cycle[0]]
		c.problems.add(manifest.Problem{
			Severity: manifest.Error, Rule: "pipeline-cycle", Pipeline: first.name,
			Span:    nameSpan(first.raw.Name, first.raw.Span),
			Message: "pipelines wait for each other: " + strings.Join(append(names, names[0]), " → "),
			Hint:    "remove one of the entries in depends_on", Related: related,
		})
	}
}

func (c *compiler) reportStage(rule string, st *stage, span manifest.Span, message, hint string) {
	c.problems.add(manifest.Problem{
		Severity: manifest.Error, Rule: rule, Span: span, Pipeline: st.name, Message: message, Hint: hint,
	})
}

// facts are those of the server's record of the stage: from the text as
// written, with its defaults (reference §11.5).
func (st *stage) facts(machine string) Stage {
	p := st.raw
	return Stage{
		Name: st.name, Kind: "pipeline", Type: or(p.Type.Value, "docker"), Number: st.number,
		OS: or(p.Platform.OS.Value, st.os), Arch: or(p.Platform.Arch.Value, st.arch),
		Variant: p.Platform.Variant.Value, DependsOn: st.deps, Machine: machine,
	}
}

func (st *stage) platform() exec.Platform {
	p := st.raw.Platform
	return exec.Platform{
		OS: or(p.OS.Value, st.os), Arch: p.Arch.Value, Variant: p.Variant.Value, Version: p.Version.Value,
	}
}

// unknownName returns an *UnknownNameError for the first name or pattern that
// fits none of the known ones.
func unknownName(what string, wanted, known []string) error {
	for _, w := range wanted {
		if !fits(w, known) {
			return &UnknownNameError{What: what, Name: w, Known: known, Closest: closest(w, known)}
		}
	}
	return nil
}

func fits(wanted string, known []string) bool {
	for _, k := range known {
		if named([]string{wanted}, k) {
			return true
		}
	}
	return false
}

// named reports whether one of the names or patterns of the user is name.
func named(wanted []string, name string) bool {
	for _, w := range wanted {
		if w == name {
			return true
		}
		if ok, err := doublestar.Match(w, name); err == nil && ok {
			return true
		}
	}
	return false
}

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// nameSpan is the place of a name, or of the whole where it has none.
func nameSpan(name manifest.String, whole manifest.Span) manifest.Span {
	if name.IsSet() {
		return name.Span
	}
	return whole
}
