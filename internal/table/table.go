// Package table writes lists as tables, and single things as lines with names in
// front, for people to read.
//
// What it writes may come from anybody, such as the message of a commit: nothing
// of it can steer a terminal. It does not look for a terminal itself, and is
// safe for concurrent use.
package table

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/report"
)

// Column is one of a table, or one line about a single thing.
type Column[T any] struct {
	Name string
	Text func(*T) string
	// Paint says the colour, if there is one; nil is for none.
	Paint func(*T) (colour int, ok bool)
	// Single has it shown about a single thing, and not in tables.
	Single bool
	// Optional leaves its line out where it is empty.
	Optional bool
}

// Form is how something is written.
type Form struct {
	Style report.Style
	// Width is how wide the terminal is, 0 for none: then nothing is cut.
	Width int
}

// gap is between two columns.
const gap = 2

// Write writes a row for each of things, below the names of the columns. What is
// wider than the terminal is cut from the last column on, so the first ones tell
// one row from another. An empty cell is a dash. Of a text of several lines there
// is the first.
func Write[T any](w io.Writer, things []T, columns []Column[T], form Form) error {
	columns = slices.DeleteFunc(slices.Clone(columns), func(c Column[T]) bool { return c.Single })
	rows := make([][]string, len(things)+1)
	widths := make([]int, len(columns))
	for i, c := range columns {
		rows[0] = append(rows[0], strings.ToUpper(c.Name))
		for k := range things {
			rows[k+1] = append(rows[k+1], cell(c.Text(&things[k])))
		}
		for _, row := range rows {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
	}
	for k, row := range rows {
		paint := func(i int, text string) string {
			if k == 0 {
				return form.Style.Faint(text)
			}
			return columns[i].painted(form.Style, &things[k-1], text)
		}
		if _, err := fmt.Fprintln(w, line(row, widths, form.Width, paint)); err != nil {
			return err
		}
	}
	return nil
}

// line puts the cells of a row below the names of their columns. Room is that of
// the line, 0 for any.
func line(row []string, widths []int, room int, paint func(column int, text string) string) string {
	var b strings.Builder
	at, pad := 0, 0
	for i, text := range row {
		if room > 0 {
			if at >= room {
				break
			}
			text = ansi.Truncate(text, room-at, "…")
		}
		b.WriteString(strings.Repeat(" ", pad))
		b.WriteString(paint(i, text))
		pad = widths[i] - ansi.StringWidth(text) + gap
		at += widths[i] + gap
	}
	return b.String()
}

// WriteOne writes a line for each column.
func WriteOne[T any](w io.Writer, thing *T, columns []Column[T], form Form) error {
	width := 0
	for _, c := range columns {
		width = max(width, len(c.Name))
	}
	for _, c := range columns {
		text := c.Text(thing)
		if text == "" && c.Optional {
			continue
		}
		lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
		for i := range lines {
			lines[i] = report.Visible(lines[i])
		}
		lines[0] = c.painted(form.Style, thing, lines[0])
		text = strings.Join(lines, "\n"+strings.Repeat(" ", width+2))
		if _, err := fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-*s %s", width+1, c.Name+":", text), " ")); err != nil {
			return err
		}
	}
	return nil
}

func (c Column[T]) painted(style report.Style, thing *T, text string) string {
	if c.Paint != nil {
		if colour, ok := c.Paint(thing); ok {
			return style.Paint(colour, text)
		}
	}
	return text
}

// cell is a text as it stands in a table.
func cell(text string) string {
	text, _, _ = strings.Cut(strings.TrimRight(text, "\n"), "\n")
	if text = report.Visible(text); text == "" {
		return "-"
	}
	return text
}

// Age is an age as a number and one unit.
func Age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
