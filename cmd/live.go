package cmd

import (
	"os"
	"runtime"
	"sync"

	"golang.org/x/term"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/tui"
)

// sharedTerminal is the terminal that standard output and standard error both
// are, or nil. On Windows it is nil: there a console has to be told first to
// understand sequences.
func sharedTerminal() *os.File {
	if runtime.GOOS == "windows" || !term.IsTerminal(int(os.Stdout.Fd())) {
		return nil
	}
	out, err := os.Stdout.Stat()
	if err != nil {
		return nil
	}
	other, err := os.Stderr.Stat()
	if err != nil || !os.SameFile(out, other) {
		return nil
	}
	return os.Stdout
}

// live reports whether lines may be drawn over again.
func (s Streams) live() bool {
	return s.Terminal != nil && s.getenv("TERM") != "" && s.getenv("TERM") != "dumb" && s.getenv("CI") == ""
}

// liveRenderer shows a run of plan until stopping is closed and it has ended. A
// terminal that takes nothing is given up when hurry is closed.
func (s Streams) liveRenderer(plan *exec.Plan, stopping, hurry <-chan struct{}) *tui.Live {
	return s.newLive(tui.Options{Plan: plan, Stopping: stopping}, hurry)
}

// livePulls shows images being fetched until stopping is closed.
func (s Streams) livePulls(stopping, hurry <-chan struct{}) *tui.Live {
	return s.newLive(tui.Options{Pulls: true, Stopping: stopping}, hurry)
}

func (s Streams) newLive(o tui.Options, hurry <-chan struct{}) *tui.Live {
	o.Style = s.outStyle()
	o.Size = func() (width, height int) {
		width, height, err := term.GetSize(int(s.Terminal.Fd()))
		if err != nil {
			return 0, 0
		}
		return width, height
	}
	terminal := newOutlet(s.Terminal)
	terminal.bound(o.Stopping, hurry)
	return tui.NewLive(terminal, o)
}

// notices are what the program itself has to say during a run. They go to
// standard error, or through the renderer while that has the terminal. It is
// safe for concurrent use.
type notices struct {
	streams Streams

	mu      sync.Mutex
	through func(string) // nil is standard error
}

// note prints something that is good to know.
func (n *notices) note(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.through != nil {
		n.through("drone: " + text)
		return
	}
	n.streams.note(text)
}

// warn prints something that should not be.
func (n *notices) warn(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.through != nil {
		n.through("drone: warning: " + text)
		return
	}
	n.streams.warn(text)
}

// hand has a renderer write the notices, if it can, until the returned
// function is called.
func (n *notices) hand(r report.Renderer) (back func()) {
	noter, ok := r.(interface{ Note(string) })
	if !ok {
		return func() {}
	}
	n.set(noter.Note)
	return func() { n.set(nil) }
}

func (n *notices) set(through func(string)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.through = through
}
