package cmd

import (
	"time"

	"github.com/drone-laptop/drone/report"
)

// stopwatch measures what comes before a run. A nil one measures nothing.
type stopwatch struct {
	began, last time.Time
	laps        []report.Lap
}

func newStopwatch() *stopwatch {
	now := time.Now()
	return &stopwatch{began: now, last: now}
}

// lap ends a part of the time that name says the work of.
func (w *stopwatch) lap(name string) {
	if w == nil {
		return
	}
	now := time.Now()
	w.laps = append(w.laps, report.Lap{Name: name, Duration: now.Sub(w.last)})
	w.last = now
}

// timing is what was measured so far.
func (w *stopwatch) timing() *report.Timing {
	if w == nil {
		return nil
	}
	return &report.Timing{Before: w.laps, Total: func() time.Duration { return time.Since(w.began) }}
}
