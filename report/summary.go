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

// SummaryOptions say how WriteSummary looks.
type SummaryOptions struct {
	Style Style
	// Width is that of the terminal; 0 is unlimited.
	Width int
}

// WriteSummary writes how a run went: a table of its pipelines and steps, then
// for each failed step its last lines, the error and what to do.
func WriteSummary(w io.Writer, s *exec.Summary, o SummaryOptions) error {
	b := &summaryWriter{SummaryOptions: o, several: len(s.Selected) > 1}
	b.line("")
	b.table(s)
	for _, p := range s.Pipelines {
		b.failures(p)
	}
	if b.failed {
		b.line("")
	}
	b.wrapped(b.verdict(s))
	_, err := io.WriteString(w, b.String())
	return err
}

type summaryWriter struct {
	SummaryOptions
	strings.Builder
	several bool // steps have the name of their pipeline in front, as in the output
	failed  bool // a failure was explained
	name    int  // width of the name column
}

func (b *summaryWriter) line(text string) {
	if b.Width > 0 {
		text = ansi.Truncate(text, b.Width, "…")
	}
	b.WriteString(text + "\n")
}

// maxName is how wide a name may make its column.
const maxName = 32

func (b *summaryWriter) table(s *exec.Summary) {
	for _, p := range s.Pipelines {
		for _, step := range p.Steps {
			b.name = min(maxName, max(b.name, ansi.StringWidth(Visible(step.Name))))
		}
	}
	for _, p := range s.Pipelines {
		if b.several || len(s.Pipelines) > 1 || p.Status == exec.StatusSkipped {
			b.line(b.pipelineRow(p))
		}
		for _, step := range p.Steps {
			b.line(b.stepRow(step))
		}
	}
}

func (b *summaryWriter) pipelineRow(p *exec.PipelineSummary) string {
	row := b.glyph(p.Status, false) + " " + b.Style.Bold("pipeline "+Visible(p.Name))
	if p.Status == exec.StatusSkipped {
		return row + b.Style.Faint(" skipped: "+Visible(p.Reason))
	}
	return row + " " + b.Style.Faint(Duration(p.Duration))
}

func (b *summaryWriter) stepRow(s *exec.StepSummary) string {
	row := fmt.Sprintf("  %s %s  %-7s", b.glyph(s.Status, s.Ignored), pad(Visible(s.Name), b.name), s.Status)
	if s.Status != exec.StatusSkipped {
		row += fmt.Sprintf(" %7s", Duration(s.Duration))
	}
	if detail := stepDetail(s); detail != "" {
		row += "  " + b.Style.Faint(detail)
	}
	return strings.TrimRight(row, " ")
}

func stepDetail(s *exec.StepSummary) string {
	switch {
	case s.Status == exec.StatusSkipped:
		return Visible(s.Reason)
	case s.Status == exec.StatusError:
		return briefError(s.Phase)
	case s.Status == exec.StatusFailure && s.Ignored:
		return exitText(s.ExitCode, s.OOMKilled) + ", does not count"
	case s.Status == exec.StatusFailure:
		return exitText(s.ExitCode, s.OOMKilled)
	case s.Kind != exec.KindStep:
		return string(s.Kind)
	}
	return ""
}

// glyph shows a status by shape as well as by colour.
func (b *summaryWriter) glyph(status exec.Status, ignored bool) string {
	switch {
	case status == exec.StatusSuccess:
		return b.Style.Paint(Green, "✔")
	case status == exec.StatusSkipped:
		return b.Style.Paint(Grey, "○")
	case ignored:
		return b.Style.Paint(Yellow, "!")
	}
	return b.Style.Paint(Red, "✘")
}

func (b *summaryWriter) failures(p *exec.PipelineSummary) {
	for _, s := range p.Failed() {
		b.failure(p, s)
	}
	b.gone(p)
	// A pipeline that could not be set up has no step to blame.
	blamed := slices.ContainsFunc(p.Steps, func(s *exec.StepSummary) bool { return s.Status == exec.StatusError })
	if p.Status == exec.StatusError && !blamed {
		b.line("")
		b.failed = true
		b.wrapped(b.Style.Paint(Red, fmt.Sprintf("pipeline %s: %s", Visible(p.Name), Visible(p.Reason))))
		b.hint(p.Hint)
	}
}

// killed says how a step was, with the reason. A limit of the step itself is
// one that begins with the same word.
func killed(timedOut bool, reason string, after time.Duration) string {
	switch {
	case timedOut && strings.HasPrefix(reason, "killed "):
		return reason
	case reason == "":
		return "killed after " + Duration(after)
	}
	return "killed after " + Duration(after) + ": " + reason
}

// gone tells of services that had ended before a step failed, which may be why
// it did.
func (b *summaryWriter) gone(p *exec.PipelineSummary) {
	told := map[*exec.StepSummary]bool{}
	for _, failed := range p.Failed() {
		for _, s := range failed.Gone {
			if told[s] {
				continue
			}
			told[s] = true
			what := "detached step "
			if s.Kind == exec.KindService {
				what = "service "
			}
			how := "ended with " + exitText(s.ExitCode, s.OOMKilled)
			if s.Status == exec.StatusError {
				how = errorText(s.Phase, s.Error)
			} else if s.Error != "" {
				how += ": " + s.Error
			}
			b.line("")
			b.wrapped(b.Style.Paint(Yellow, fmt.Sprintf("%s%s was gone before step %s failed: %s",
				what, b.stepName(p, s), b.stepName(p, failed), Visible(how))))
			b.hint(s.Hint)
			b.lastLines(s, exec.TailLines)
		}
	}
}

func (b *summaryWriter) stepName(p *exec.PipelineSummary, s *exec.StepSummary) string {
	if b.several {
		return Visible(p.Name) + "/" + Visible(s.Name)
	}
	return Visible(s.Name)
}

func (b *summaryWriter) failure(p *exec.PipelineSummary, s *exec.StepSummary) {
	name := b.stepName(p, s)
	b.line("")
	b.failed = true
	switch s.Status {
	case exec.StatusError:
		b.wrapped(b.Style.Paint(Red, fmt.Sprintf("step %s: %s", name, errorText(s.Phase, Visible(s.Error)))))
		if s.Position != "" {
			b.wrapped("  at " + Visible(s.Position))
		}
		b.hint(s.Hint)
	case exec.StatusKilled:
		b.wrapped(b.Style.Paint(Red, "step "+name+" was "+killed(s.TimedOut, Visible(s.Error), s.Duration)))
		if !s.TimedOut {
			// Nothing is wrong with the step: where it was is enough.
			b.lastLines(s, bystanderLines)
			return
		}
	default:
		text := fmt.Sprintf("step %s failed with %s", name, exitText(s.ExitCode, s.OOMKilled))
		if s.Error != "" {
			text += ": " + Visible(s.Error)
		}
		b.wrapped(b.Style.Paint(Red, text))
		b.hint(s.Hint)
	}
	b.lastLines(s, exec.TailLines)
}

const (
	// bystanderLines is how many lines are repeated of a step that was ended
	// for the sake of something else, such as an interrupt.
	bystanderLines = 3
	// tailRows is how many rows of the terminal a repeated line may take.
	tailRows = 4
)

// lastLines repeats the end of what a step printed, most lines of it. What is
// looked for is seldom in the first columns, so a line may take several rows.
func (b *summaryWriter) lastLines(s *exec.StepSummary, most int) {
	lines := s.Tail[max(0, len(s.Tail)-most):]
	if s.Lines > len(lines) && len(lines) > 0 {
		b.line(b.Style.Faint(fmt.Sprintf("  … %s before", Plural(s.Lines-len(lines), "line"))))
	}
	for _, text := range lines {
		text = "  " + b.tail(text)
		if b.Width > 0 {
			text = ansi.Truncate(text, tailRows*b.Width, "…")
		}
		b.wrapped(text)
	}
}

// tail is a line of a step as it can be repeated.
func (b *summaryWriter) tail(text string) string {
	if b.Style.terminal {
		return tamed(text)
	}
	return strings.TrimRight(text, "\r")
}

// wrapped writes text that must not be cut: an error is read, not glanced at.
func (b *summaryWriter) wrapped(text string) { b.WriteString(text + "\n") }

func (b *summaryWriter) hint(hint string) {
	if hint != "" {
		b.wrapped("  hint: " + Visible(hint))
	}
}

func (b *summaryWriter) verdict(s *exec.Summary) string {
	n, ignored := s.Counts(), ignoredFailures(s)
	n[exec.StatusFailure] -= ignored
	parts := []string{}
	for _, status := range []exec.Status{exec.StatusSuccess, exec.StatusFailure, exec.StatusError, exec.StatusKilled, exec.StatusSkipped} {
		if n[status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[status], status))
		}
		if status == exec.StatusFailure && ignored > 0 {
			parts = append(parts, fmt.Sprintf("%d ignored", ignored))
		}
	}
	detail := strings.Join(parts, ", ")
	if detail == "" {
		detail = "no step ran"
	}
	text := fmt.Sprintf("%s in %s (%s)", s.Status, Duration(s.Duration), detail)
	if s.Status == exec.StatusSuccess {
		return b.Style.Paint(Green, "✔ ") + text
	}
	return b.Style.Paint(Red, "✘ ") + text
}

// ignoredFailures is how many failures do not count.
func ignoredFailures(s *exec.Summary) (n int) {
	for _, p := range s.Pipelines {
		for _, step := range p.Steps {
			if step.Status == exec.StatusFailure && step.Ignored {
				n++
			}
		}
	}
	return n
}
