package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/report"
)

const (
	// The size of a terminal that does not tell it.
	usualWidth, usualHeight = 80, 24
	// maxRows is how many lines there are for what runs.
	maxRows = 8
	// maxName is how wide a name may make its column, maxFailed that of the
	// step that failed last.
	maxName, maxFailed = 40, 24
	// minDetail is the width from which a detail is worth showing.
	minDetail = 8
)

// spinner shows that the program is alive.
var spinner = [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// view draws the board: one line or more, each narrower than the terminal, and
// at most half as many as the terminal has. A line as wide as the terminal would
// leave the cursor in a place that terminals do not agree on.
func view(f frame, style report.Style) string {
	if f.board == nil {
		return ""
	}
	if f.width <= 0 {
		f.width = usualWidth
	}
	if f.height <= 0 {
		f.height = usualHeight
	}
	v := viewer{frame: f, style: style, width: max(1, f.width-1)}
	lines := append(v.rows(), v.last())
	for i, line := range lines {
		// What stood there before is removed behind the text.
		lines[i] = ansi.Truncate(line, v.width, "…") + ansi.EraseLineRight
	}
	return strings.Join(lines, "\n")
}

type viewer struct {
	frame
	style report.Style
	width int // for text
}

// rows are the lines of what runs.
func (v viewer) rows() []string {
	rows, more := v.board.rows, 0
	// A low terminal keeps two thirds of its lines for the output, a very low
	// one has the last line only.
	if limit := max(0, min(maxRows, v.height/3, v.height/2-1)); len(rows) > limit {
		shown := limit
		if limit > 1 {
			shown--
			more = len(rows) - shown
		}
		rows = rows[:shown]
	}
	times := make([]string, len(rows))
	name, clock := 0, 3
	for i, r := range rows {
		times[i] = elapsed(v.now.Sub(r.since))
		name, clock = max(name, ansi.StringWidth(r.name)), max(clock, len(times[i]))
	}
	name = max(1, min(name, maxName, v.width-clock-4))
	var lines []string
	for i, r := range rows {
		line := fmt.Sprintf("%s %s  %*s", v.style.Paint(report.Yellow, v.spin()), pad(r.name, name), clock, times[i])
		if room := v.width - name - clock - 6; r.detail != "" && room >= minDetail {
			line += "  " + v.style.Faint(ansi.Truncate(r.detail, room, "…"))
		}
		lines = append(lines, line)
	}
	if more > 0 {
		lines = append(lines, v.style.Faint(fmt.Sprintf("  … and %d more", more)))
	}
	return lines
}

func (v viewer) spin() string {
	n := v.now.UnixMilli() / spinEvery.Milliseconds() % int64(len(spinner))
	return spinner[max(0, n)]
}

// detail is how much the last line says.
type detail struct{ words, failed, hint bool }

// last is the line with the counts, as detailed as there is room.
func (v viewer) last() string {
	line := ""
	for _, d := range []detail{{true, true, true}, {true, true, false}, {true, false, false}, {}} {
		line = v.counts(d)
		if ansi.StringWidth(line) <= v.width {
			break
		}
	}
	return line
}

func (v viewer) counts(d detail) string {
	c := v.board.counts
	var parts []string
	add := func(n, colour int, glyph, word string) {
		if n == 0 {
			return
		}
		text := fmt.Sprintf("%s %d", v.style.Paint(colour, glyph), n)
		if d.words && word != "" {
			text += " " + word
		}
		parts = append(parts, text)
	}
	if f := v.board.fetched; f.shown {
		add(f.images, report.Green, "✔", "pulled")
		add(f.failed, report.Red, "✘", "failed")
		if f.total > 0 {
			parts = append(parts, fmt.Sprintf("%s %s of %s", v.style.Paint(report.Yellow, "↓"), report.Bytes(f.current), report.Bytes(f.total)))
		}
	}
	add(c.succeeded, report.Green, "✔", "")
	failed := ""
	if d.failed && v.board.failed != "" {
		failed = v.style.Paint(report.Red, ansi.Truncate(v.board.failed, maxFailed, "…"))
	}
	add(c.failed, report.Red, "✘", failed)
	add(c.ignored, report.Yellow, "!", "ignored")
	add(c.running, report.Yellow, "●", "running")
	add(c.waiting, report.Grey, "○", "waiting")
	if d.words {
		add(c.skipped, report.Grey, "–", "skipped")
	}
	parts = append(parts, v.style.Bold(elapsed(v.now.Sub(v.board.started))))
	switch {
	case d.hint && v.board.stopping:
		parts = append(parts, v.style.Paint(report.Yellow, "stopping"))
	case d.hint:
		parts = append(parts, v.style.Faint("ctrl-c stops"))
	}
	return strings.Join(parts, "  ")
}

func pad(text string, width int) string {
	text = ansi.Truncate(text, width, "…")
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

// elapsed formats a duration as a clock does: 12s, 1:05, 2:03:04.
func elapsed(d time.Duration) string {
	s := max(0, int(d.Seconds()))
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
