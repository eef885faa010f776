package compile

import (
	"fmt"
	"slices"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// selectSteps applies Include and Exclude to the pipelines that run, and takes
// out the pipelines of which Include leaves nothing.
func (c *compiler) selectSteps(plan *exec.Plan) error {
	if len(c.opts.Include)+len(c.opts.Exclude) == 0 && c.opts.ResumeAt == "" {
		return nil
	}
	var resume []string
	if c.opts.ResumeAt != "" {
		resume = []string{c.opts.ResumeAt}
	}
	if err := c.knowSteps(plan, resume); err != nil {
		return err
	}
	for i, p := range plan.Pipelines {
		if !p.Runs {
			continue
		}
		resumeAt(p, resume)
		found := c.pick(p)
		if len(c.opts.Include) > 0 && !found {
			p.Runs, p.Reason = false, "none of its steps is named by --include"
			c.stages[i].runs = false
		}
	}
	c.relink(plan)
	return nil
}

// knowSteps refuses a name or pattern of the user that fits no step of the
// file, and warns of one that fits only steps of pipelines that do not run.
func (c *compiler) knowSteps(plan *exec.Plan, resume []string) error {
	var all, running []string
	for _, p := range plan.Pipelines {
		for _, s := range p.Steps {
			all = append(all, s.Name)
			if p.Runs {
				running = append(running, s.Name)
			}
		}
	}
	for _, flag := range []struct {
		name   string
		wanted []string
	}{{"--include", c.opts.Include}, {"--exclude", c.opts.Exclude}, {"--resume-at", resume}} {
		if err := unknownName("step", flag.wanted, unique(all)); err != nil {
			return err
		}
		for _, w := range flag.wanted {
			if !fits(w, running) {
				c.warnLeftOut(flag.name, w)
			}
		}
	}
	return nil
}

// warnLeftOut says why a name of the user has no effect.
func (c *compiler) warnLeftOut(flag, wanted string) {
	for _, st := range c.stages {
		for _, s := range slices.Concat(st.pipe.Services, st.pipe.Steps) {
			if named([]string{wanted}, s.Name.Value) {
				c.problems.add(manifest.Problem{
					Severity: manifest.Warning, Rule: "step-left-out", Span: s.Name.Span, Pipeline: st.name, Step: s.Name.Value,
					Message: fmt.Sprintf("%s names step %q of pipeline %q, which does not run: %s", flag, s.Name.Value, st.name, st.reason),
				})
				return
			}
		}
	}
}

func unique(names []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// resumeAt leaves out what comes before the first step that is named. A
// pipeline without such a step is left as it is.
func resumeAt(p *exec.Pipeline, names []string) {
	at := slices.IndexFunc(p.Steps, func(s *exec.Step) bool { return named(names, s.Name) })
	for _, s := range p.Steps[:max(at, 0)] {
		if s.Kind == exec.KindStep {
			never(s, "comes before --resume-at")
		}
	}
}

// pick sets the policies of the steps of a pipeline and reports whether
// Include names one of them.
func (c *compiler) pick(p *exec.Pipeline) (found bool) {
	needed := false // a step runs, so the services have to
	for _, s := range p.Steps {
		switch {
		case named(c.opts.Exclude, s.Name):
			found = found || named(c.opts.Include, s.Name)
			never(s, "named by --exclude")
		case len(c.opts.Include) == 0:
		case named(c.opts.Include, s.Name):
			found = true
			needed = needed || s.Kind == exec.KindStep && s.Policy != exec.Never
		case s.Kind == exec.KindStep:
			never(s, "not named by --include")
		}
	}
	for _, s := range p.Steps {
		if len(c.opts.Include) > 0 && s.Kind == exec.KindService && !needed && !named(c.opts.Include, s.Name) {
			never(s, "not named by --include, and no step of the pipeline runs")
		}
	}
	return found
}

// never keeps the reason of a step that would not have run anyway.
func never(s *exec.Step, reason string) {
	if s.Policy != exec.Never {
		s.Policy, s.Reason = exec.Never, reason
	}
}

// relink resolves the dependencies of the pipelines again.
func (c *compiler) relink(plan *exec.Plan) {
	c.nameDependencies()
	for i, p := range plan.Pipelines {
		p.DependsOn = c.stages[i].deps
	}
}

// number counts the steps that may run.
func number(p *exec.Pipeline) {
	n := 0
	for _, s := range p.Steps {
		if s.Policy != exec.Never {
			n++
			s.Number = n
		}
	}
}
