package report

import (
	"io"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// Text writes the lines of steps and nothing around them, as for one step whose
// output goes to another program. On a terminal it keeps them from moving the
// cursor.
type Text struct {
	out   *lineWriter
	style Style
	open  place // the line whose newline is still to be written
}

// NewText returns a renderer that writes to out.
func NewText(out io.Writer, style Style) *Text {
	return &Text{out: newLineWriter(out), style: style}
}

// Handle implements Renderer.
func (t *Text) Handle(e exec.Event) error {
	out, ok := e.(exec.StepOutput)
	if !ok {
		return nil
	}
	at := place{key{out.Pipeline, out.Step}, out.Line}
	if t.open.line > 0 && t.open != at {
		if err := t.out.write("\n"); err != nil {
			return err
		}
	}
	t.open = place{}
	switch {
	case t.style.terminal && obeyed(out.Text) >= 0:
		tame := tamer{out: t.out}
		tame.line(out.Text)
	case out.Partial && !t.style.terminal:
		t.open = at
		return t.out.write(out.Text)
	default:
		return t.out.write(out.Text, "\n")
	}
	return t.out.write("\n")
}

// Close implements Renderer.
func (t *Text) Close() error {
	if t.open.line > 0 {
		t.open = place{}
		_ = t.out.write("\n") // its error is that of flush
	}
	return t.out.flush()
}

// Stamped puts the time of each line in front of it, in the zone of this
// machine.
func Stamped(next Renderer) Renderer { return &stamped{Renderer: next} }

type stamped struct {
	Renderer
	begun place // the line of which a piece has come
}

// StampFormat is how the time is written: RFC 3339 with milliseconds.
const StampFormat = "2006-01-02T15:04:05.000Z07:00"

// Handle implements Renderer.
func (s *stamped) Handle(e exec.Event) error {
	out, ok := e.(exec.StepOutput)
	if !ok {
		return s.Renderer.Handle(e)
	}
	at := place{key{out.Pipeline, out.Step}, out.Line}
	if s.begun != at { // a further piece goes on where the line was
		out.Text = out.Time.In(time.Local).Format(StampFormat) + " " + out.Text
	}
	s.begun = place{}
	if out.Partial {
		s.begun = at
	}
	return s.Renderer.Handle(out)
}
