package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// Plain writes each line of a step to one writer, as `[step:N] text`, or as
// `[pipeline/step:N] text` when the run has several pipelines, and what
// happens beside output to another. It never moves a cursor, and on a terminal
// keeps steps from doing so.
type Plain struct {
	out       *lineWriter
	notes     *lineWriter
	style     Style
	noteStyle Style

	several  bool
	prefixes map[key]prefix
	open     place                // the line whose newline is still to be written
	pulls    map[string]time.Time // last report of each image under way
}

// place is a line of a step, counted from 1. The zero place is none.
type place struct {
	key
	line int
}

type key struct{ pipeline, step string }

// prefix is what stands around the number of a line.
type prefix struct{ before, after string }

// rotation is the order in which steps get their colours.
var rotation = []int{3, 4, 5, 6, 2, 11, 12, 13, 14, 10}

// NewPlain returns a renderer that writes output to out with outStyle, and
// notices to notes with noteStyle.
func NewPlain(out, notes io.Writer, outStyle, noteStyle Style) *Plain {
	return &Plain{
		out: newLineWriter(out), notes: newLineWriter(notes),
		style: outStyle, noteStyle: noteStyle,
		prefixes: map[key]prefix{}, pulls: map[string]time.Time{},
	}
}

// Handle implements Renderer.
func (p *Plain) Handle(e exec.Event) error {
	if e, ok := e.(exec.StepOutput); ok {
		return p.output(e)
	}
	if err := p.endLine(); err != nil {
		return err
	}
	switch e := e.(type) {
	case exec.RunStarted:
		p.several = len(e.Pipelines) > 1
	case exec.PipelineStarted:
		if p.several {
			return p.note("pipeline " + Visible(e.Pipeline))
		}
	case exec.PipelineFinished:
		return p.pipelineFinished(e)
	case exec.PipelineSkipped:
		return p.note(p.noteStyle.Faint(fmt.Sprintf("pipeline %s skipped: %s", Visible(e.Pipeline), Visible(e.Reason))))
	case exec.StepFinished:
		return p.stepFinished(e)
	case exec.PullProgress:
		return p.pull(e)
	case exec.Warning:
		return p.note(p.noteStyle.Paint(Yellow, "warning: ") + p.where(e.Pipeline, e.Step) + Visible(e.Message))
	}
	return nil
}

// Close implements Renderer.
func (p *Plain) Close() error {
	_ = p.endLine() // its error is that of flush
	noteErr := p.notes.flush()
	if err := p.out.flush(); err != nil {
		return err
	}
	return noteErr
}

// output writes a line. The pieces of a long one become one again where nothing
// else has happened between them, but not on a terminal: what draws beneath the
// lines keeps a line until it ends.
func (p *Plain) output(e exec.StepOutput) error {
	at := place{key{e.Pipeline, e.Step}, e.Line}
	if p.open == at {
		return p.proceed(e)
	}
	if err := p.endLine(); err != nil {
		return err
	}
	pre := p.prefix(at.key)
	switch {
	case p.style.terminal && obeyed(e.Text) >= 0:
		return p.tamed(e.Text, pre.before, strconv.Itoa(e.Line), pre.after)
	case p.style.terminal || !e.Partial:
		return p.out.line(pre.before, e.Line, pre.after, e.Text)
	}
	p.open = at
	return p.out.write(pre.before, strconv.Itoa(e.Line), pre.after, e.Text)
}

// proceed writes a further piece of the open line.
func (p *Plain) proceed(e exec.StepOutput) error {
	if err := p.out.write(e.Text); err != nil || e.Partial {
		return err
	}
	return p.endLine()
}

// endLine writes the newline of the open line, if there is one.
func (p *Plain) endLine() error {
	if p.open.line == 0 {
		return nil
	}
	p.open = place{}
	return p.out.write("\n")
}

// tamed writes a line with what a terminal must not obey.
func (p *Plain) tamed(text string, prefix ...string) error {
	if err := p.out.write(prefix...); err != nil {
		return err
	}
	t := tamer{out: p.out, prefix: prefix}
	t.line(text)
	return p.out.write("\n")
}

func (p *Plain) prefix(k key) prefix {
	if pre, ok := p.prefixes[k]; ok {
		return pre
	}
	colour := rotation[len(p.prefixes)%len(rotation)]
	// The number changes with every line, the rest does not: paint once
	// around a placeholder that no visible name contains.
	const hole = "\x00"
	before, after, _ := strings.Cut(p.style.Paint(colour, "["+p.name(k)+":"+hole+"]"), hole)
	pre := prefix{before, after + " "}
	p.prefixes[k] = pre
	return pre
}

// name is a step's name as it is shown.
func (p *Plain) name(k key) string {
	if p.several {
		return Visible(k.pipeline) + "/" + Visible(k.step)
	}
	return Visible(k.step)
}

// where names the place of a notice, with a colon, or nothing.
func (p *Plain) where(pipeline, step string) string {
	switch {
	case step != "":
		return p.name(key{pipeline, step}) + ": "
	case pipeline != "" && p.several:
		return Visible(pipeline) + ": "
	}
	return ""
}

func (p *Plain) note(text string) error {
	if err := p.out.flush(); err != nil {
		return err
	}
	if err := p.notes.write(text, "\n"); err != nil {
		return err
	}
	return p.notes.flush()
}

func (p *Plain) stepFinished(e exec.StepFinished) error {
	what := p.where(e.Pipeline, e.Step)
	switch e.Status {
	case exec.StatusFailure:
		if e.Background && e.Ignored {
			return nil // a warning tells of it while that matters
		}
		text := fmt.Sprintf("%sfailed with %s after %s", what, exitText(e.ExitCode, e.OOMKilled), Duration(e.Duration))
		if e.Ignored {
			return p.note(p.noteStyle.Paint(Yellow, text+", which does not count"))
		}
		return p.note(p.noteStyle.Paint(Red, text))
	case exec.StatusError:
		// The summary has the error in full, with what to do about it.
		return p.note(p.noteStyle.Paint(Red, what+briefError(e.Phase)+" after "+Duration(e.Duration)))
	case exec.StatusKilled:
		reason := ""
		if e.TimedOut { // what ends the whole run is told once
			reason = Visible(e.Error)
		}
		return p.note(p.noteStyle.Paint(Red, what+killed(e.TimedOut, reason, e.Duration)))
	}
	return nil
}

// pipelineFinished tells how a pipeline ended where that is not seen from its
// steps; the reason is left to the summary.
func (p *Plain) pipelineFinished(e exec.PipelineFinished) error {
	if e.Status == exec.StatusSuccess || !p.several {
		return nil
	}
	return p.note(p.noteStyle.Paint(Red, fmt.Sprintf("pipeline %s: %s", Visible(e.Pipeline), e.Status)))
}

// pullEvery is how often the progress of one image is told.
const pullEvery = 5 * time.Second

func (p *Plain) pull(e exec.PullProgress) error {
	image := shownImage(e.Image)
	if e.Platform != "" {
		image += " for " + Visible(e.Platform)
	}
	last, known := p.pulls[image]
	switch {
	case e.Done && known:
		delete(p.pulls, image)
		if e.Failed {
			return nil
		}
		return p.note(p.noteStyle.Faint("pulled " + image + size(e.Total)))
	case e.Done:
		return nil
	case !known:
		p.pulls[image] = e.Time
		return p.note(p.noteStyle.Faint("pulling " + image))
	case e.Time.Sub(last) >= pullEvery:
		p.pulls[image] = e.Time
		return p.note(p.noteStyle.Faint(fmt.Sprintf("pulling %s: %s of %s", image, Bytes(e.Current), Bytes(e.Total))))
	}
	return nil
}

func size(n int64) string {
	if n == 0 {
		return ""
	}
	return " (" + Bytes(n) + ")"
}

func exitText(code int, oom bool) string {
	if oom {
		return fmt.Sprintf("exit code %d, out of memory", code)
	}
	return fmt.Sprintf("exit code %d", code)
}

// briefError is an error of which the details follow later.
func briefError(phase exec.Phase) string {
	if phase == "" {
		return "failed"
	}
	return string(phase) + " failed"
}

func errorText(phase exec.Phase, message string) string {
	if phase == "" {
		return message
	}
	return string(phase) + ": " + message
}
