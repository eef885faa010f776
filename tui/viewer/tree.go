package viewer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/report"
)

// tree is the list of pipelines and steps. What is selected is remembered by
// its name, so it stays selected when others appear.
type tree struct {
	selected key
	moved    bool // by the user: from then on nothing else selects
	folded   map[string]bool
	top      int // the first row that is shown
	detail   detail
}

// detail is how much the list has.
type detail int

const (
	allSteps detail = iota
	stepsOfTheRun
	stepsOfInterest
	details
)

// String says what there is in the list.
func (d detail) String() string {
	return [...]string{"all steps", "steps that are part of the run", "steps that run or have failed"}[d]
}

// has reports whether a step is in the list. That which is selected is.
func (t *tree) has(s *stepNode) bool {
	switch {
	case t.detail == allSteps || s.key() == t.selected:
		return true
	case t.detail == stepsOfTheRun:
		return !s.never
	}
	return s.Status == exec.StatusRunning || s.bad()
}

// treeRow is a pipeline, or a step of it.
type treeRow struct {
	pipeline *pipelineNode
	step     *stepNode // nil for the pipeline itself
	beside   string    // what joins it with steps that run at the same time
}

func (r treeRow) key() key {
	if r.step == nil {
		return key{r.pipeline.Name, ""}
	}
	return r.step.key()
}

// rows lists what is to be seen. A single pipeline needs no row of its own.
func (t *tree) rows(s *snapshot, g *glyphs) []treeRow {
	var rows []treeRow
	for _, p := range s.pipelines {
		steps := p.steps
		if t.detail != allSteps {
			steps = slices.DeleteFunc(slices.Clone(steps), func(s *stepNode) bool { return !t.has(s) })
			if len(steps) == 0 && t.selected != (key{p.Name, ""}) {
				continue
			}
		}
		if len(s.pipelines) > 1 {
			rows = append(rows, treeRow{pipeline: p})
			if t.isFolded(p) {
				continue
			}
		}
		for i, step := range steps {
			row := treeRow{pipeline: p, step: step}
			if step.group > 0 {
				first := i == 0 || steps[i-1].group != step.group
				last := i == len(steps)-1 || steps[i+1].group != step.group
				switch {
				case first && last:
				case first:
					row.beside = g.beside[0]
				case last:
					row.beside = g.beside[2]
				default:
					row.beside = g.beside[1]
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// isFolded reports whether the steps of a pipeline are hidden: as the user
// says, else those of pipelines that do not run.
func (t *tree) isFolded(p *pipelineNode) bool {
	if folded, said := t.folded[p.Name]; said {
		return folded
	}
	return p.Status == exec.StatusSkipped
}

func (t *tree) fold(pipeline string, folded bool) {
	if t.folded == nil {
		t.folded = map[string]bool{}
	}
	t.folded[pipeline] = folded
}

// index is the row that is selected, or that of its pipeline.
func (t *tree) index(rows []treeRow) int {
	i := slices.IndexFunc(rows, func(r treeRow) bool { return r.key() == t.selected })
	if i < 0 {
		i = slices.IndexFunc(rows, func(r treeRow) bool { return r.pipeline.Name == t.selected.pipeline })
	}
	return max(0, i)
}

// attend selects what is worth to be looked at, unless the user has moved.
func (t *tree) attend(s *snapshot, rows []treeRow) {
	if !t.moved {
		if k, ok := s.worthLooking(); ok {
			t.selected = k
			return
		}
	}
	if len(rows) == 0 {
		return
	}
	if s.find(t.selected) == nil && s.findPipeline(t.selected.pipeline) == nil {
		t.selected = rows[0].key()
	}
}

func (t *tree) move(rows []treeRow, by int) {
	if len(rows) == 0 {
		return
	}
	t.moved = true
	t.selected = rows[min(max(0, t.index(rows)+by), len(rows)-1)].key()
}

// keep scrolls so that the selected row is among height rows.
func (t *tree) keep(rows []treeRow, height int) {
	i := t.index(rows)
	t.top = min(max(t.top, i-height+1), i)
	t.top = max(0, min(t.top, len(rows)-height))
}

// view draws the rows.
func (t *tree) view(s *snapshot, th *theme, width, height int, focused bool, now time.Time) []line {
	rows := t.rows(s, &th.glyphs)
	t.keep(rows, height)
	selected := t.index(rows)
	var lines []line
	for i := t.top; i < min(len(rows), t.top+height); i++ {
		l := th.treeLine(rows[i], t.isFolded(rows[i].pipeline), len(s.pipelines) > 1, width-1, now)
		mark := span{text: " "}
		if i == selected {
			mark = span{th.cursor, th.title}
			if focused {
				l = l.restyled(style.chosen)
			} else {
				l = l.restyled(func(s style) style { return s.with(bold) })
			}
		}
		lines = append(lines, append(line{mark}, l...))
	}
	return lines
}

// treeLine is a row without the mark of the cursor.
func (th *theme) treeLine(r treeRow, folded, several bool, width int, now time.Time) line {
	var l line
	var clock string
	name := th.shown(report.Visible(r.pipeline.Name))
	look := style{}
	if r.step == nil {
		fold := th.open
		if folded {
			fold = th.closed
		}
		l = line{{text: fold + " "}, th.state(r.pipeline.Status, false), {text: " "}}
		look = th.title
		clock = clockOf(r.pipeline.Status, r.pipeline.took(now))
	} else {
		if several {
			l = append(l, span{text: " "})
		}
		beside := r.beside
		if beside == "" {
			beside = " "
		}
		l = append(l, span{beside, th.dim}, th.state(r.step.Status, r.step.Ignored), span{text: " "})
		name = th.shown(report.Visible(r.step.Name))
		if r.step.never || r.step.Status == exec.StatusSkipped {
			look = th.dim
		}
		clock = clockOf(r.step.Status, r.step.took(now))
		switch {
		case r.step.pulling != "":
			clock = th.pull + " " + clock
		case r.step.Kind == exec.KindService && r.step.Status == exec.StatusRunning && width >= leastTree-1:
			clock = "service " + clock
		}
	}
	room := width - l.width()
	if n := textWidth(clock) + 1; room-n < 8 {
		// Of a narrow list the names are worth more than the times.
		return append(l, span{name, look}).fit(width, th.more)
	}
	l = append(l, line{{name, look}}.fit(room-textWidth(clock)-1, th.more)...)
	return append(l, span{" " + clock, th.dim}).fit(width, th.more)
}

// clockOf is how long something took or takes, if it has begun.
func clockOf(status exec.Status, d time.Duration) string {
	switch status {
	case exec.StatusPending, exec.StatusSkipped, "":
		return ""
	}
	return clock(d)
}

// clock formats a duration as a clock does: 12s, 1:05, 2:03:04.
func clock(d time.Duration) string {
	s := max(0, int(d.Seconds()))
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// search selects the next step, or the one before, whose name a query finds.
func (t *tree) search(rows []treeRow, q *logs.Pattern, backwards bool) bool {
	n := len(rows)
	at := t.index(rows)
	for i := 1; i <= n; i++ {
		j := (at + i) % n
		if backwards {
			j = (at - i + n) % n
		}
		name := rows[j].pipeline.Name
		if rows[j].step != nil {
			name = rows[j].step.Name
		}
		if q.Match(name) {
			t.selected, t.moved = rows[j].key(), true
			return true
		}
	}
	return false
}

func joined(names []string) string {
	shown := make([]string, len(names))
	for i, n := range names {
		shown[i] = report.Visible(n)
	}
	return strings.Join(shown, ", ")
}
