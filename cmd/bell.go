package cmd

import (
	"io"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// ringing rings the bell of the terminal, where there is one, when the first step
// has failed and when the run is over: after next was told, so that there is
// something to see.
func (s Streams) ringing(r report.Renderer, next func(exec.Event)) func(exec.Event) {
	ring := func() {
		if s.ErrTerminal {
			_, _ = io.WriteString(s.Err, "\a") // whoever does not hear it misses nothing
		}
	}
	if ringer, ok := r.(interface{ Ring() }); ok {
		ring = ringer.Ring
	}
	rung := false
	return func(e exec.Event) {
		next(e)
		switch e := e.(type) {
		case exec.StepFinished:
			bad := e.Status == exec.StatusFailure || e.Status == exec.StatusError
			if bad && !e.Ignored && !rung {
				rung = true
				ring()
			}
		case exec.RunFinished:
			ring()
		}
	}
}
