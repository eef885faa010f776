// Package report renders the events of a run without a terminal's cursor:
// as plain lines, as JSON lines, and as the summary at the end.
//
// It only writes what events and the Summary folded from them say. It decides
// nothing, knows no engine, and never asks for input. A renderer is used from
// one goroutine; its own timer that flushes waiting output is the exception
// and is guarded inside.
package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"github.com/drone-laptop/drone/exec"
)

// Renderer shows events as they happen.
type Renderer interface {
	// Handle shows one event. The error is that of the writer; after one the
	// renderer writes nothing more and returns the same error again.
	Handle(exec.Event) error
	// Close writes what is waiting. The writers stay open.
	Close() error
}

// Style decides how text is written: how it is coloured, and whether for a
// terminal. The zero Style writes no colours, and not for a terminal.
type Style struct {
	renderer *lipgloss.Renderer
	terminal bool
}

// NewStyle returns a Style that writes colours of the terminal's own palette
// when colour is true and none otherwise. It is one for a terminal when it has
// colours; where that is not the same, OnTerminal says so.
func NewStyle(colour bool) Style {
	if !colour {
		return Style{}
	}
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.ANSI)
	return Style{renderer: r, terminal: true}
}

// OnTerminal returns the Style for a terminal, or for something else. On a
// terminal the output of steps is written without the sequences and control
// characters by which it could do more than show text in colours. Elsewhere
// each of its bytes is written as it came.
func (s Style) OnTerminal(terminal bool) Style {
	s.terminal = terminal
	return s
}

// Paint colours text with a colour of the terminal's palette, 0 to 15.
func (s Style) Paint(colour int, text string) string {
	if s.renderer == nil {
		return text
	}
	return s.renderer.NewStyle().Foreground(lipgloss.ANSIColor(colour)).Render(text)
}

// Faint dims text.
func (s Style) Faint(text string) string {
	if s.renderer == nil {
		return text
	}
	return s.renderer.NewStyle().Faint(true).Render(text)
}

// Bold emphasises text.
func (s Style) Bold(text string) string {
	if s.renderer == nil {
		return text
	}
	return s.renderer.NewStyle().Bold(true).Render(text)
}

// The colours that mean something, in the terminal's palette.
const (
	Red    = 1
	Green  = 2
	Yellow = 3
	Cyan   = 6
	Grey   = 8
)

// flushAfter is how long a line may wait for company before it is written: too
// short to be seen, long enough to make one write of a thousand lines.
const flushAfter = 10 * time.Millisecond

// lineWriter gathers lines and writes them at the latest flushAfter later. It
// keeps the first error.
type lineWriter struct {
	mu    sync.Mutex
	buf   *bufio.Writer
	timer *time.Timer
	armed bool
	err   error
}

func newLineWriter(w io.Writer) *lineWriter {
	l := &lineWriter{buf: bufio.NewWriterSize(w, 64<<10)}
	l.timer = time.AfterFunc(time.Hour, func() {
		if err := exec.Guard(l.flush); err != nil {
			l.fail(err)
		}
	})
	l.timer.Stop()
	return l
}

// write adds the parts of one piece of output.
func (l *lineWriter) write(parts ...string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, part := range parts {
		if l.err != nil {
			return l.err
		}
		_, l.err = l.buf.WriteString(part)
	}
	if !l.armed && l.err == nil {
		l.armed = true
		l.timer.Reset(flushAfter)
	}
	return l.err
}

// line writes one whole line with its number between two texts.
func (l *lineWriter) line(before string, number int, after, text string) error {
	l.mu.Lock()
	if l.err == nil {
		_, _ = l.buf.WriteString(before) // its error is that of the last write
		_, _ = l.buf.Write(strconv.AppendInt(l.buf.AvailableBuffer(), int64(number), 10))
		_, _ = l.buf.WriteString(after)
	}
	l.mu.Unlock()
	return l.write(text, "\n")
}

// WriteString implements io.StringWriter.
func (l *lineWriter) WriteString(text string) (int, error) { return len(text), l.write(text) }

// fail keeps an error, if it is the first.
func (l *lineWriter) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

func (l *lineWriter) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	l.timer.Stop()
	if err := l.buf.Flush(); l.err == nil {
		l.err = err
	}
	return l.err
}

// Duration formats a duration for people: 80ms, 3.2s, 1m05s, 2h03m.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Bytes formats a size for people, in powers of 1000.
func Bytes(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1000, 0
	for value >= 1000 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	return fmt.Sprintf("%.1f %cB", value, units[unit])
}

// Plural writes a count with its noun: 1 error, 2 errors, 2 directories, 2
// processes.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	ending := "s"
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		noun, ending = stem, "ies"
	} else if strings.HasSuffix(noun, "s") {
		ending = "es"
	}
	return fmt.Sprintf("%d %s%s", n, noun, ending)
}
