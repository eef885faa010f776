package viewer

import "github.com/drone-laptop/drone/internal/logs"

// lossy is a Log that has lost its first rows.
type lossy struct {
	Log
	lost int
}

func (l lossy) Lost() int { return l.lost }

func (l lossy) Lines(from, n int) ([]logs.Line, error) {
	if from < l.lost {
		n -= l.lost - from
		from = l.lost
	}
	if n <= 0 {
		return nil, nil
	}
	return l.Log.Lines(from, n)
}

// torn is a Log with rows that are damaged.
type torn struct {
	Log
	row, rows int
}

func (l torn) Lines(from, n int) ([]logs.Line, error) {
	if from >= l.row+l.rows || from+n <= l.row {
		return l.Log.Lines(from, n)
	}
	lines, err := l.Log.Lines(from, max(0, l.row-from))
	if err != nil {
		return lines, err
	}
	return lines, &logs.DamageError{Path: "1.log", Row: l.row, Rows: l.rows, Why: "a checksum is wrong"}
}
