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
