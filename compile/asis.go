package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// checkAsWritten warns of expressions where a server reads the text before it
// is substituted: in a trigger, a name, a dependency and the platform
// (reference §12.3, row 22). They then stand for themselves.
func (c *compiler) checkAsWritten(st *stage) {
	p := st.raw
	subjects := c.opts.Build.subjects(&p.Trigger)
	for _, s := range subjects[:7] {
		c.asWritten(st, "trigger."+s.key, slices.Concat(s.cond.Include, s.cond.Exclude))
	}
	for key, cond := range map[string]manifest.Condition{"trigger.paths": p.Trigger.Paths, "trigger.changeset": p.Trigger.Changeset} {
		c.asWritten(st, key, slices.Concat(cond.Include, cond.Exclude))
	}
	c.asWritten(st, "trigger.status", slices.Concat(p.Trigger.Status.Include, p.Trigger.Status.Exclude))
	c.asWritten(st, "name", []manifest.String{p.Name})
	c.asWritten(st, "depends_on", p.DependsOn)
	c.asWritten(st, "platform", []manifest.String{p.Platform.OS, p.Platform.Arch, p.Platform.Variant, p.Platform.Version})
}

func (c *compiler) asWritten(st *stage, key string, texts []manifest.String) {
	for _, t := range texts {
		if !strings.Contains(t.Value, "${") {
			continue
		}
		c.problems.add(manifest.Problem{
			Severity: manifest.Warning, Rule: "not-substituted", Span: t.Span, Pipeline: st.name,
			Message: fmt.Sprintf("%s %q is taken as it is written: a server reads it before variables are replaced", key, t.Value),
			Hint:    "write the text itself; the `when` of a step may have variables",
		})
	}
}
