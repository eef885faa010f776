package viewer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/report"
)

// logPane is the log of one step, as far as it is on the screen.
type logPane struct {
	log Log
	// follow keeps the end in view.
	follow bool
	// top is the first line that is shown, and sub the first row of it where
	// lines are wrapped.
	top, sub int
	// left is the first column that is shown where lines are not wrapped.
	left int
	// end is the line behind the last one that is shown.
	end int
	// found is the line that was searched for, -1 for none.
	found int
}

func newLogPane(log Log) *logPane { return &logPane{log: log, follow: true, found: -1} }

// logLook says how lines are shown. It is the same for all steps.
type logLook struct {
	wrap, times, numbers bool
	zone                 *time.Location
}

// logFrame is a size and how lines are shown in it.
type logFrame struct {
	*theme
	logLook
	pattern       *logs.Pattern
	width, height int
	digits        int // of line numbers
}

// frame completes a frame.
func (p *logPane) frame(f logFrame) logFrame {
	f.digits = max(3, len(strconv.Itoa(p.log.Len())))
	return f
}

// gutter is what stands in front of a line.
func (f *logFrame) gutter(l logs.Line, first bool) line {
	var g line
	if f.numbers {
		text := strconv.Itoa(l.Number)
		if !first {
			text = ""
		}
		g = append(g, span{fmt.Sprintf("%*s ", f.digits, text), f.dim})
	}
	if f.times {
		text := l.Time.In(f.zone).Format("15:04:05.000")
		if !first {
			text = strings.Repeat(" ", len(text))
		}
		g = append(g, span{text + " ", f.dim})
	}
	return g
}

// room is the width that is left for the text.
func (f *logFrame) room() int {
	return max(1, f.width-f.gutter(logs.Line{}, false).width())
}

// rows lays one line out.
func (f *logFrame) rows(l logs.Line, left int, hit bool) []line {
	text := f.shownLine(emulate(l.Text))
	if f.pattern != nil {
		look := f.found
		if hit {
			look = f.hit
		}
		text = text.marked(f.pattern.Find(text.text()), func(style) style { return look })
	}
	var rows []line
	if f.wrap {
		rows = text.rows(f.room())
	} else {
		rest := text.cut(left, maxColumns)
		if rest.width() > f.room() {
			rest = append(rest.cut(0, f.room()-1), span{f.more, f.dim})
		}
		rows = []line{rest}
	}
	for i, row := range rows {
		if g := f.gutter(l, i == 0); len(g) > 0 {
			rows[i] = append(g, row...)
		}
	}
	return rows
}

// count is how many rows a line takes.
func (f *logFrame) count(l logs.Line) int {
	if !f.wrap {
		return 1
	}
	return len(f.shownLine(emulate(l.Text)).rows(f.room()))
}

// settle moves the top so that the end is in view, or no more than the end, and
// reports an error of the log.
func (p *logPane) settle(f logFrame) error {
	n := p.log.Len()
	end, endSub, err := p.back(f, n, 0, f.height)
	if err != nil {
		return err
	}
	if p.follow || p.top > end || p.top == end && p.sub > endSub {
		p.top, p.sub = end, endSub
	}
	return nil
}

// back gives the place that many rows before one.
func (p *logPane) back(f logFrame, top, sub, rows int) (int, int, error) {
	if sub >= rows {
		return top, sub - rows, nil
	}
	rows -= sub
	if !f.wrap {
		return max(0, top-rows), 0, nil
	}
	from := max(0, top-rows)
	lines, err := readable(p.log, from, top-from)
	if err != nil {
		return 0, 0, err
	}
	for _, line := range slices.Backward(lines) {
		n := f.count(line)
		if n >= rows {
			return line.Row, n - rows, nil
		}
		rows -= n
	}
	return from, 0, nil
}

// forth gives the place that many rows behind one.
func (p *logPane) forth(f logFrame, top, sub, rows int) (int, int, error) {
	if !f.wrap {
		return top + rows, 0, nil
	}
	lines, err := readable(p.log, top, rows+1)
	if err != nil {
		return 0, 0, err
	}
	if len(lines) == 0 {
		return top + rows, 0, nil // through what is lost
	}
	rows += sub
	for _, l := range lines {
		n := f.count(l)
		if n > rows {
			return l.Row, rows, nil
		}
		rows -= n
		top = l.Row + 1
	}
	return top, 0, nil
}

// scroll moves by rows. Upwards it stops following; at the end it follows
// again.
func (p *logPane) scroll(f logFrame, rows int) error {
	f = p.frame(f)
	if err := p.settle(f); err != nil {
		return err
	}
	var err error
	if rows < 0 {
		p.follow = false
		p.top, p.sub, err = p.back(f, p.top, p.sub, -rows)
		return err
	}
	if p.top, p.sub, err = p.forth(f, p.top, p.sub, rows); err != nil {
		return err
	}
	end, endSub, err := p.back(f, p.log.Len(), 0, f.height)
	if p.top > end || p.top == end && p.sub >= endSub {
		p.follow = true
	}
	return err
}

// first goes to the beginning.
func (p *logPane) first() { p.follow, p.top, p.sub, p.left = false, 0, 0, 0 }

// show goes to a line that was found: a third of the height stands above it.
func (p *logPane) show(f logFrame, index int) error {
	f = p.frame(f)
	p.follow, p.found = false, index
	var err error
	if p.top, p.sub, err = p.back(f, index, 0, f.height/3); err != nil {
		return err
	}
	if f.pattern == nil || f.wrap {
		return nil
	}
	lines, err := p.log.Lines(index, 1)
	if err != nil || len(lines) == 0 {
		return err
	}
	// What was found may stand far to the right.
	text := emulate(lines[0].Text).text()
	if r := f.pattern.Find(text); len(r) > 0 {
		start, end := textWidth(text[:r[0][0]]), textWidth(text[:r[0][1]])
		if start < p.left || end > p.left+f.room()-1 {
			p.left = max(0, end-f.room()*2/3)
			if end < f.room() {
				p.left = 0
			}
		}
	}
	return nil
}

// view draws the lines that are on the screen.
func (p *logPane) view(f logFrame) []line {
	f = p.frame(f)
	if err := p.settle(f); err != nil {
		return f.failure(err)
	}
	var rows []line
	next := p.top
	for next < p.log.Len() {
		lines, err := readable(p.log, next, f.height+1)
		if err != nil {
			return f.failure(err)
		}
		if len(lines) == 0 {
			break
		}
		for _, l := range lines { // fewer than fit, where some are lost
			if l.Row > next {
				rows = append(rows, f.lost(l.Row-next))
			}
			made := f.rows(l, p.left, l.Row == p.found)
			if l.Row == p.top && p.sub < len(made) {
				made = made[p.sub:]
			}
			rows = append(rows, made...)
			next = l.Row + 1
			p.end = next
			if len(rows) >= f.height {
				return rows[:f.height]
			}
		}
	}
	if missing := min(p.log.Len(), p.top+f.height) - next; missing > 0 {
		rows = append(rows, f.lost(missing))
		p.end = next + missing
	}
	return rows
}

// lost stands for rows that are not there any more.
func (f *logFrame) lost(n int) line {
	return line{{f.shown("… " + report.Plural(n, "line") + " not kept"), f.warn}}
}

func (f *logFrame) failure(err error) []line {
	return []line{{{f.shown("the log cannot be read: " + err.Error()), f.bad}}}
}

// at says which lines are on the screen, of how many.
func (p *logPane) at() string {
	n := p.log.Len()
	if n == 0 {
		return ""
	}
	text := fmt.Sprintf("%d-%d/%d", p.top+1, max(p.top+1, p.end), n)
	if lost := p.log.Lost(); lost > 0 {
		text += fmt.Sprintf(" (%d lost)", lost)
	}
	return text
}
