package viewer

import (
	"context"

	"github.com/drone-laptop/drone/internal/logs"
)

// Log is the lines of one step, of which more may come. It is safe for
// concurrent use. *logs.Log is one.
type Log interface {
	// Len is how many rows there have been, also those that are lost.
	Len() int
	// Lost is how many rows cannot be read any more.
	Lost() int
	// Lines gives the n rows from a row on, as far as they are there.
	Lines(from, n int) ([]logs.Line, error)
	// Search gives the first row at from or after it that the pattern is in, or
	// the last one at from or before it.
	Search(ctx context.Context, p *logs.Pattern, from int, backwards bool) (row int, found bool, err error)
	// Count is how many rows the pattern is in, and how many of them are before
	// row.
	Count(ctx context.Context, p *logs.Pattern, row int) (before, total int, err error)
}

var _ Log = (*logs.Log)(nil)

// readable gives the n rows from a row on but for those that are damaged, which
// are left out as lost ones are.
func readable(l Log, from, n int) (lines []logs.Line, err error) {
	for end := from + n; from < end; {
		more, err := l.Lines(from, end-from)
		lines = append(lines, more...)
		damage, ok := logs.IsDamage(err)
		if !ok || damage.Rows == 0 || damage.Row+damage.Rows <= from {
			return lines, err
		}
		from = damage.Row + damage.Rows
	}
	return lines, nil
}

// nothing is the Log of a step that has none.
type nothing struct{}

func (nothing) Len() int                            { return 0 }
func (nothing) Lost() int                           { return 0 }
func (nothing) Lines(int, int) ([]logs.Line, error) { return nil, nil }
func (nothing) Search(context.Context, *logs.Pattern, int, bool) (int, bool, error) {
	return 0, false, nil
}
func (nothing) Count(context.Context, *logs.Pattern, int) (before, total int, err error) {
	return 0, 0, nil
}

// newPattern reads what somebody has typed: a regular expression, or the text
// itself where it is none. Case counts when there is a capital in it.
func newPattern(text string) (*logs.Pattern, error) {
	if p, err := (logs.Query{Text: text, Regexp: true}).Compile(); err == nil {
		return p, nil
	}
	return logs.Query{Text: text}.Compile()
}

// errorWords find lines that look like what went wrong, which is no more than a
// guess.
const errorWords = `\b(error|errors|fatal|panic|exception|traceback|failed|failure|fail)\b|no such file|not found|permission denied|cannot `
