package compile

import (
	"fmt"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// link sets what each step waits for (reference §8.1): its predecessor when
// nothing in the pipeline says depends_on, else what it names, and the clone
// step where it names nothing.
func (b *builder) link(steps []*exec.Step) {
	if b.serial() {
		for i := 1; i < len(steps); i++ {
			steps[i].DependsOn = []string{steps[i-1].Name}
		}
		return
	}
	index := map[string]int{}
	for i, s := range steps {
		if _, ok := index[s.Name]; !ok {
			index[s.Name] = i
		}
	}
	first := 0
	if b.clones() {
		first = 1
	}
	next := make([][]int, len(steps))
	for i, e := range b.elements {
		n := first + i
		steps[n].DependsOn, next[n] = b.dependencies(e, n, index)
		if len(e.DependsOn) == 0 && b.clones() {
			steps[n].DependsOn = []string{"clone"}
		}
	}
	if b.checked() {
		b.checkCycles(next, first)
	}
}

// serial reports whether the steps run one after the other.
func (b *builder) serial() bool {
	for _, e := range b.elements {
		if len(e.DependsOn) > 0 {
			return false
		}
	}
	return true
}

// dependencies resolves depends_on of the step with index self. Later steps
// may be named. The clone step is taken for done where the directory of this
// machine is mounted.
func (b *builder) dependencies(e element, self int, index map[string]int) (names []string, next []int) {
	seen := map[int]bool{}
	for _, d := range e.DependsOn {
		n, ok := index[d.Value]
		switch {
		case ok && n == self:
			b.reportLink(e, "step-cycle", d.Span, fmt.Sprintf("step %q depends on itself", e.Name.Value), "remove the entry")
		case ok:
			if n > self && b.checked() {
				b.warn(e, "forward-dependency", d.Span,
					fmt.Sprintf("step %q depends on %q, which comes later in the file: a server refuses that", e.Name.Value, d.Value),
					"move the step behind those it depends on")
			}
			if !seen[n] {
				seen[n] = true
				names, next = append(names, d.Value), append(next, n)
			}
		case d.Value == "clone" && !b.pipe.Clone.Disable.Value:
		default:
			b.reportUnknown(e, d, index)
		}
	}
	return names, next
}

// reportLink reports a wrong dependency, which matters only where it is
// followed.
func (b *builder) reportLink(e element, rule string, span manifest.Span, message, hint string) {
	if b.checked() {
		b.reportAt(e, rule, span, message, hint)
	}
}

func (b *builder) reportUnknown(e element, d manifest.String, index map[string]int) {
	hint := "name a step or a service of the same pipeline"
	if d.Value == "clone" {
		hint = "clone.disable is set, so there is no clone step"
	} else if b.c.mayGuess() {
		hint = didYouMean(d.Value, sortedKeys(index), hint)
	}
	b.reportLink(e, "unknown-step", d.Span,
		fmt.Sprintf("step %q depends on %q, which does not exist in pipeline %q", e.Name.Value, d.Value, b.st.name), hint)
}

// checkCycles reports steps that wait for each other, by their names in the
// order of the waiting.
func (b *builder) checkCycles(next [][]int, first int) {
	for _, cycle := range cycles(next) {
		var names []string
		var related []manifest.Related
		for _, n := range cycle {
			e := b.elements[n-first]
			names = append(names, e.Name.Value)
			related = append(related, manifest.Related{
				Span: nameSpan(e.Name, e.Span), Message: fmt.Sprintf("step %q", e.Name.Value),
			})
		}
		e := b.elements[cycle[0]-first]
		b.c.problems.add(manifest.Problem{
			Severity: manifest.Error, Rule: "step-cycle", Span: nameSpan(e.Name, e.Span),
			Pipeline: b.st.name, Step: e.Name.Value,
			Message: "steps wait for each other: " + strings.Join(append(names, names[0]), " → "),
			Hint:    "remove one of the entries in depends_on", Related: related,
		})
	}
}
