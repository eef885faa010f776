package report

import (
	"io"

	"github.com/drone-laptop/drone/exec"
)

// Quiet writes warnings, and nothing else.
type Quiet struct{ plain *Plain }

// NewQuiet returns a renderer that writes to notes.
func NewQuiet(notes io.Writer, style Style) *Quiet {
	return &Quiet{NewPlain(io.Discard, notes, Style{}, style)}
}

// Handle implements Renderer.
func (q *Quiet) Handle(e exec.Event) error {
	switch e := e.(type) {
	case exec.RunStarted:
		return q.plain.Handle(e)
	case exec.Warning:
		return q.plain.Handle(e)
	}
	return nil
}

// Close implements Renderer.
func (q *Quiet) Close() error { return q.plain.Close() }
