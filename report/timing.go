package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/exec"
)

// Timing is what an account of a run's time needs beside its summary.
type Timing struct {
	// Before are the parts of the time before the run began, in order.
	Before []Lap
	// Total gives the time since the program began.
	Total func() time.Duration
}

// Lap is a part of the time, with a word that says what was done.
type Lap struct {
	Name     string
	Duration time.Duration
}

// WriteTiming writes where the time of a run went: before it, in each phase of
// each step, and at the end. The last line says how much of it commands of the
// user's ran.
func WriteTiming(w io.Writer, s *exec.Summary, t Timing, style Style) error {
	b := &timingWriter{style: style, several: len(s.Selected) > 1}
	b.row("where the time went", "total", "pull", "create", "start", "run")
	for _, lap := range t.Before {
		b.row(lap.Name, short(lap.Duration))
	}
	for _, p := range s.Pipelines {
		b.pipeline(p)
	}
	b.row("removing", short(s.Cleanup))
	total, commands := t.Total(), commandsTime(s)
	_, err := fmt.Fprintf(w, "\n%s%s of %s were your commands%s\n", b.text(), short(commands), short(total), share(commands, total))
	return err
}

// share is a part of the whole in percent.
func share(part, whole time.Duration) string {
	if whole <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%d %%)", int(100*part/whole))
}

type timingWriter struct {
	style   Style
	several bool
	rows    [][]string
}

func (b *timingWriter) row(cells ...string) { b.rows = append(b.rows, cells) }

func (b *timingWriter) pipeline(p *exec.PipelineSummary) {
	if p.Status == exec.StatusSkipped {
		return
	}
	indent := ""
	if b.several {
		b.row("pipeline "+Visible(p.Name), short(p.Duration))
		indent = "  "
	}
	b.row(indent+"setting up", short(p.Setup))
	for _, step := range p.Steps {
		if step.Status == exec.StatusSkipped {
			continue
		}
		cells := []string{indent + Visible(step.Name), short(step.Duration)}
		for _, phase := range phases {
			cells = append(cells, shortOrNone(spent(step, phase)))
		}
		b.row(cells...)
	}
}

// phases are those of a step, in order.
var phases = [...]exec.Phase{exec.PhasePull, exec.PhaseCreate, exec.PhaseStart, exec.PhaseRun}

// text is the table: names to the left, times to the right.
func (b *timingWriter) text() string {
	var widths [6]int
	for _, row := range b.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	widths[0] = min(widths[0], maxPlanName)
	var out strings.Builder
	for n, row := range b.rows {
		var line strings.Builder
		line.WriteString(pad(row[0], widths[0]))
		for i, cell := range row[1:] {
			line.WriteString(strings.Repeat(" ", 2+widths[i+1]-ansi.StringWidth(cell)) + cell)
		}
		text := strings.TrimRight(line.String(), " ")
		if n == 0 {
			text = b.style.Faint(text)
		}
		out.WriteString(text + "\n")
	}
	return out.String()
}

// short is a time in the unit that shows what is worth knowing of it.
func short(d time.Duration) string {
	if d < 10*time.Second && d >= time.Second {
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return Duration(d)
}

func shortOrNone(d time.Duration) string {
	if d < time.Millisecond {
		return "–"
	}
	return short(d)
}

// spent is the time that a step was in a phase.
func spent(s *exec.StepSummary, phase exec.Phase) (total time.Duration) {
	for _, t := range s.Spent {
		if t.Phase == phase {
			total += t.Duration
		}
	}
	return total
}

// commandsTime is how long at least one step ran that others wait for. Running
// is the last phase of a step, so it ends with it.
func commandsTime(s *exec.Summary) (total time.Duration) {
	type interval struct{ begin, end time.Time }
	var all []interval
	for _, p := range s.Pipelines {
		for _, step := range p.Steps {
			if run := spent(step, exec.PhaseRun); run > 0 && step.Kind != exec.KindService {
				end := step.Started.Add(step.Duration)
				all = append(all, interval{end.Add(-run), end})
			}
		}
	}
	slices.SortFunc(all, func(a, b interval) int { return a.begin.Compare(b.begin) })
	var last time.Time
	for _, i := range all {
		if i.begin.Before(last) {
			i.begin = last
		}
		if i.end.After(i.begin) {
			total += i.end.Sub(i.begin)
			last = i.end
		}
	}
	return total
}

// timing is the account of a run in JSON, in milliseconds.
type timing struct {
	TotalMS    int64            `json:"total_ms"`
	CommandsMS int64            `json:"commands_ms"`
	CleanupMS  int64            `json:"cleanup_ms"`
	BeforeMS   map[string]int64 `json:"before_ms"`
}

func (t *Timing) record(s *exec.Summary, cleanup time.Duration) *timing {
	if t == nil {
		return nil
	}
	out := &timing{
		TotalMS: t.Total().Milliseconds(), CommandsMS: commandsTime(s).Milliseconds(), CleanupMS: cleanup.Milliseconds(),
		BeforeMS: map[string]int64{},
	}
	for _, lap := range t.Before {
		out.BeforeMS[lap.Name] = lap.Duration.Milliseconds()
	}
	return out
}

// phasesMS are the phases of a step in JSON, in milliseconds.
func (t *Timing) phasesMS(all []exec.Spent) map[exec.Phase]int64 {
	if t == nil {
		return nil
	}
	out := map[exec.Phase]int64{}
	for _, s := range all {
		out[s.Phase] += s.Duration.Milliseconds()
	}
	return out
}

// setupMS is the time that a pipeline took to be set up, in milliseconds.
func (t *Timing) setupMS(setup time.Duration) *int64 {
	if t == nil {
		return nil
	}
	ms := setup.Milliseconds()
	return &ms
}
