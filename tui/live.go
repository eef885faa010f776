// Package tui shows a run on a terminal while it happens: the lines that
// package report writes scroll by as ever, and beneath them stands a board, a
// few lines that are drawn again and again, with what runs at the moment.
//
// It reads no keyboard, handles no signal and changes no mode of the terminal;
// an interrupt reaches the program as without it. It knows no engine and
// decides nothing. Whether there is a terminal is for the caller to find out.
package tui

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/tui/noquery"
)

var _ = noquery.Restore()

// Options are what a Live needs beside its terminal. The zero value works.
type Options struct {
	// Plan is what is run. Its steps that have not begun count as waiting.
	Plan *exec.Plan
	// Pulls reports that nothing but images is fetched: the board then counts
	// these, and their bytes, in place of steps.
	Pulls bool
	// Style colours the lines and the board.
	Style report.Style
	// Size gives the columns and rows of the terminal, 0 for unknown ones. It
	// is asked before each frame, from a goroutine of its own. Nil means
	// unknown.
	Size func() (width, height int)
	// Stopping is closed when the run is being ended early, which the board
	// then says. Nil means never.
	Stopping <-chan struct{}
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

const (
	// frameEvery is the least time between two frames, except when so much
	// output waits that it must be written for more to be accepted.
	frameEvery = 50 * time.Millisecond
	// spinEvery is the time between frames when nothing happens.
	spinEvery = 250 * time.Millisecond
	// flushRate is how often a second Bubble Tea looks for something to draw.
	// It bounds how long a full screen waits, not how often it is drawn.
	flushRate = 60
)

// Live is a report.Renderer for a terminal. Handle and Close are called from
// one goroutine, Note from any.
//
// The board appears with the first event and is gone after Close; nothing else
// should write to the terminal in between. The cursor stays visible. Should
// the board fail by a defect, that is said once and the lines go on without it.
type Live struct {
	opts   Options
	plain  *report.Plain
	screen *screen

	program *tea.Program  // nil before the first event
	quit    chan struct{} // closed to end the pacing of frames
	pacing  sync.WaitGroup
	ended   chan struct{} // closed when the program has ended
	closing sync.Once
	broken  atomic.Bool // the view has panicked

	mu    sync.Mutex // guards state
	state *state

	draw func(frame, report.Style) string
}

var _ report.Renderer = (*Live)(nil)

// NewLive returns a renderer that writes to a terminal.
func NewLive(terminal io.Writer, o Options) *Live {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Size == nil {
		o.Size = func() (int, int) { return 0, 0 }
	}
	s := newScreen(terminal)
	return &Live{
		opts: o, screen: s, state: newState(o.Plan, o.Pulls), draw: view,
		plain: report.NewPlain(s, s, o.Style, o.Style),
		quit:  make(chan struct{}), ended: make(chan struct{}),
	}
}

// Handle implements report.Renderer. It waits while more output is waiting for
// the terminal than is sensible to keep in memory.
func (l *Live) Handle(e exec.Event) error {
	if _, ok := e.(exec.StepOutput); !ok {
		l.mu.Lock()
		l.state.apply(e)
		l.mu.Unlock()
		l.screen.touch()
	}
	if l.program == nil {
		l.start()
	}
	return l.plain.Handle(e)
}

// Note writes a line between the others. It does not wait while the board is
// up, so it may be called by who must not be held up.
func (l *Live) Note(text string) { l.screen.note(text + "\n") }

// Close implements report.Renderer: it writes what waits and takes the board
// away. Further calls do nothing.
func (l *Live) Close() error {
	err := l.plain.Close()
	l.closing.Do(func() {
		if l.program == nil {
			return
		}
		close(l.quit)
		l.pacing.Wait()
		l.show(frame{})
		l.program.Quit()
		<-l.ended
	})
	if err != nil {
		return err
	}
	return l.screen.failure()
}

func (l *Live) start() {
	l.program = tea.NewProgram(&model{draw: l.drawSafely},
		tea.WithInput(nil), tea.WithOutput(frames{l.screen}), tea.WithFPS(flushRate),
		tea.WithoutSignalHandler(), tea.WithoutBracketedPaste())
	l.screen.attach()
	go func() {
		if err := exec.Guard(func() error { l.serve(); return nil }); err != nil {
			l.screen.detach()
		}
	}()
	l.pacing.Go(func() {
		err := exec.Guard(func() error { l.pace(); return nil })
		if err != nil {
			// Without frames the lines would wait for ever: they go on without
			// the board.
			l.Note(fmt.Sprintf("warning: the live view has ended: internal error: %v", err))
			l.program.Quit()
		}
	})
}

// serve runs the program. Whatever ends it, what waits is written and further
// lines go straight to the terminal.
func (l *Live) serve() {
	defer close(l.ended)
	_, err := l.program.Run()
	l.screen.detach()
	if err != nil {
		l.Note(fmt.Sprintf("warning: the live view has ended: %v", err))
	}
}

// pace decides when there is a new frame.
func (l *Live) pace() {
	tick := time.NewTicker(spinEvery)
	defer tick.Stop()
	stopping := l.opts.Stopping
	for {
		select {
		case <-l.quit:
			return
		case <-stopping:
			stopping = nil
			l.mu.Lock()
			l.state.stopping = true
			l.mu.Unlock()
		case <-tick.C:
		case <-l.screen.changed:
		}
		l.show(l.frame())
		select {
		case <-l.quit:
			return
		case <-time.After(frameEvery):
		case <-l.screen.full:
		}
	}
}

func (l *Live) frame() frame {
	width, height := l.opts.Size()
	l.mu.Lock()
	defer l.mu.Unlock()
	return frame{board: l.state.board(), width: width, height: height, now: l.opts.Now()}
}

// show has a frame drawn, and above it the lines that wait.
func (l *Live) show(f frame) {
	if l.screen.ask() {
		// Bubble Tea measures every line it prints. It is given an empty one
		// in their place, see screen.
		l.program.Send(tea.Println(ansi.EraseScreenBelow)())
	}
	l.program.Send(f)
}

// drawSafely keeps a defect of the board from ending the run that it shows.
func (l *Live) drawSafely(f frame) (text string) {
	if l.broken.Load() {
		return ""
	}
	defer func() {
		if r := recover(); r != nil {
			text = ""
			l.broken.Store(true)
			l.Note(fmt.Sprintf("warning: the live view has ended: internal error: %v", r))
		}
	}()
	return l.draw(f, l.opts.Style)
}

// frame is everything that one drawing of the board depends on. The zero frame
// has no board.
type frame struct {
	board         *board
	width, height int
	now           time.Time
}

// model is the program's: the last frame.
type model struct {
	frame frame
	draw  func(frame) string
}

func (m *model) Init() tea.Cmd { return nil }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if f, ok := msg.(frame); ok {
		m.frame = f
	}
	return m, nil
}

func (m *model) View() string { return m.draw(m.frame) }
