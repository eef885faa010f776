// Package viewer shows a run on the whole screen of a terminal: its pipelines
// and steps as a tree, the log of one of them, the graph, and what is known of a
// step. It shows a run while it happens, or one that is over, from its events
// alone; of a plan, where there is one, it learns what is still to come.
//
// It never holds up the run: events are kept, and looked at when there is time
// to draw. It knows no engine and decides nothing; what a key asks for beyond
// what is shown is up to the caller.
package viewer

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/tui/noquery"
)

var _ = noquery.Restore()

// Options are what a View needs. Input and Terminal must be set.
type Options struct {
	// Input is the keyboard, a terminal.
	Input io.Reader
	// Terminal is what is drawn on, and Output the way to it where that is
	// another one.
	Terminal *os.File
	Output   io.Writer
	// Plan is what is run. Nil shows what the events tell.
	Plan *exec.Plan
	Look Look
	// Log gives the lines of a step from somewhere else, nil while there are
	// none. What can be closed is closed in the end. Nil has the view keep
	// what the events have, the last of it in memory.
	Log func(pipeline, step string) Log
	// Interrupt ends the run, and hurries when it is called again. Nil means
	// that there is nothing to end.
	Interrupt func()
	// CancelStep ends a step, and reports whether that could be asked for. It
	// returns at once. Nil means that steps cannot be ended.
	CancelStep func(pipeline, step string) bool
	// Control is for a run that goes on elsewhere; nil is none.
	Control *Control
	// Shell opens a shell in the place of a step that runs, and has the terminal
	// until it returns. Nil means that there is no such place.
	Shell func(pipeline, step string) error
	// Rerun is told which step to run again when the view has gone, alone or with
	// those after it. Nil means that nothing can be run again.
	Rerun func(pipeline, step string, on bool)
	// Plain shows the run once the view was left. Nil means that it cannot be
	// left while the run goes on.
	Plain report.Renderer
	// Stay has the view of a run that succeeded stay, too.
	Stay bool
	// Stopping is closed when the run is being ended early, and Dismissed when
	// the view has to go as soon as the run is over. Nil means never.
	Stopping, Dismissed <-chan struct{}
	// Folder is where logs are saved, the current directory when empty.
	Folder string
	// Note writes a line to the terminal when the view has gone.
	Note func(string)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// Zone is that of the times that are shown, the local one when nil.
	Zone *time.Location
}

const (
	// frameRate is how many frames a second there are at most, and frameEvery
	// the least time between two looks at the run.
	frameRate  = 30
	frameEvery = time.Second / frameRate
	// clockEvery is the time between frames while nothing happens but that time
	// goes by.
	clockEvery = time.Second
	// maxNotes is how many lines are kept for when the view has gone.
	maxNotes = 1000
)

// View is a report.Renderer that has the terminal to itself. Handle and Close
// are called from one goroutine, Note from any.
//
// It appears with the first event. Should it fail by a defect, that is said and
// the run goes on in plain lines.
type View struct {
	opts    Options
	program *tea.Program  // nil before the first event
	screen  *screenWriter // as well
	ended   chan struct{}
	quit    chan struct{} // closed to end the pacing of frames
	changed chan struct{}
	pacing  sync.WaitGroup
	closing sync.Once
	leaving atomic.Bool // the terminal will soon no longer be the view's
	gone    atomic.Bool // it is no longer
	broken  atomic.Pointer[string]

	sink    *logs.Sink // nil when somebody else keeps the lines
	started exec.RunStarted
	told    bool // of the events before, to who shows the run now
	last    struct {
		key    key
		writer *logs.Writer
	}

	mu      sync.Mutex
	run     *run
	made    *snapshot // nil when the run has changed since
	writers map[key]*logs.Writer
	readers map[key]Log
	notes   []string
	alerts  []exec.Warning // for when the view has gone
}

var _ report.Renderer = (*View)(nil)

// New returns a view. Nothing is drawn before the first event.
func New(o Options) *View {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Output == nil {
		o.Output = o.Terminal
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	v := &View{
		opts: o, run: &run{plan: o.Plan}, ended: make(chan struct{}), quit: make(chan struct{}),
		changed: make(chan struct{}, 1),
		writers: map[key]*logs.Writer{}, readers: map[key]Log{},
	}
	if o.Log == nil {
		v.sink = logs.NewSink(logs.Options{Guard: exec.Guard})
	}
	return v
}

// Handle implements report.Renderer. It does not wait for the terminal, unless
// the view was left.
func (v *View) Handle(e exec.Event) error {
	if started, ok := e.(exec.RunStarted); ok {
		v.started = started
	}
	if v.program == nil {
		v.start()
	}
	if v.leaving.Load() && v.opts.Plain != nil {
		<-v.ended // nothing may be lost between here and there
		return v.plain(e)
	}
	if output, ok := e.(exec.StepOutput); ok {
		v.output(output)
	} else {
		v.note(e)
	}
	signal(v.changed)
	return nil
}

// note takes an event that is no output.
func (v *View) note(e exec.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.run.apply(e)
	v.made = nil
	if w, ok := e.(exec.Warning); ok && len(v.alerts) < maxNotes {
		v.alerts = append(v.alerts, w)
	}
}

// plain hands an event on, after what has to be known before.
func (v *View) plain(e exec.Event) error {
	if _, first := e.(exec.RunStarted); !v.told && !first {
		if err := v.opts.Plain.Handle(v.started); err != nil {
			return err
		}
	}
	v.told = true
	return v.opts.Plain.Handle(e)
}

// output keeps a line.
func (v *View) output(e exec.StepOutput) {
	if v.sink == nil {
		return
	}
	k := key{e.Pipeline, e.Step}
	if v.last.writer == nil || v.last.key != k {
		v.mu.Lock()
		w := v.writers[k]
		if w == nil {
			w = v.sink.Writer(nil)
			v.writers[k] = w
		}
		v.mu.Unlock()
		v.last.key, v.last.writer = k, w
	}
	v.last.writer.Append(e.Time, e.Text, e.Partial)
}

// log gives the lines of a step.
func (v *View) log(k key) Log {
	if k.step == "" {
		return nothing{}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if l := v.readers[k]; l != nil {
		return l
	}
	var l Log
	switch {
	case v.opts.Log != nil:
		l = v.opts.Log(k.pipeline, k.step)
	case v.writers[k] != nil:
		l = v.writers[k].Log()
	}
	if l == nil {
		return nothing{}
	}
	v.readers[k] = l
	return l
}

func (v *View) snapshot() *snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.made == nil {
		v.made = v.run.snapshot()
	}
	return v.made
}

// Note shows a line, and writes it again when the view has gone. It never
// waits while the view is there.
func (v *View) Note(text string) {
	v.mu.Lock()
	p := v.program
	if p == nil || v.gone.Load() {
		v.mu.Unlock()
		v.opts.Note(text)
		return
	}
	if len(v.notes) < maxNotes {
		v.notes = append(v.notes, text)
	}
	v.mu.Unlock()
	go func() { _ = exec.Guard(func() error { p.Send(said(text)); return nil }) }()
}

// Refresh says that a log has grown of which there was no event.
func (v *View) Refresh() { signal(v.changed) }

// Left is closed when the view has gone, by itself or because somebody left it.
func (v *View) Left() <-chan struct{} { return v.ended }

// Close implements report.Renderer. The view of a run that did not succeed stays
// until somebody leaves it, or opts.Dismissed is closed. Then the terminal is as it was before, and what was told meanwhile is
// written. Further calls do nothing.
func (v *View) Close() (err error) {
	v.closing.Do(func() { err = v.close() })
	return err
}

func (v *View) close() error {
	if v.program == nil {
		v.release()
		return nil
	}
	if v.snapshot().over {
		v.program.Send(runOver{})
		select {
		case <-v.ended:
		case <-v.opts.Dismissed:
		}
	}
	v.program.Quit()
	<-v.ended
	close(v.quit)
	v.pacing.Wait()
	v.release()
	if v.opts.Plain == nil {
		return nil
	}
	return v.opts.Plain.Close()
}

// release lets go of what was kept and opened.
func (v *View) release() {
	v.mu.Lock()
	for _, l := range v.readers {
		if c, ok := l.(io.Closer); ok {
			_ = c.Close() // nothing is lost with what was only read
		}
	}
	v.readers = map[key]Log{}
	v.mu.Unlock()
	if v.sink != nil {
		v.sink.Close(time.Second)
	}
}

func (v *View) able() (a ability) {
	if v.opts.Interrupt != nil {
		a |= canCancel
	}
	if v.opts.CancelStep != nil {
		a |= canCancelStep
	}
	if v.opts.Plain != nil {
		a |= canDetach
	}
	if v.opts.Plan != nil {
		a |= canCopyRun
	}
	if v.opts.Control != nil {
		a |= canControl
	}
	if v.opts.Rerun != nil {
		a |= canRerun
	}
	if v.opts.Shell != nil {
		a |= canShell
	}
	return a | canSuspend
}

func (v *View) start() {
	v.screen = &screenWriter{File: v.opts.Terminal, fd: v.opts.Terminal.Fd(), out: v.opts.Output}
	out := v.screen
	s := source{
		snapshot: v.snapshot, log: v.log, interrupt: v.opts.Interrupt,
		cancel: func(k key) bool { return v.opts.CancelStep(k.pipeline, k.step) },
		shell:  func(k key) error { return v.opts.Shell(k.pipeline, k.step) },
		rerun:  func(k key, on bool) { v.opts.Rerun(k.pipeline, k.step, on) },
		leave:  func() { v.leaving.Store(true) },
		copyText: func(text string) {
			go func() {
				_ = exec.Guard(func() error { return out.aside(ansi.SetSystemClipboard(text)) })
			}()
		},
		folder: v.opts.Folder, now: v.opts.Now, zone: v.opts.Zone,
	}
	m := &guarded{model: newModel(s, v.opts.Look, v.able()), broken: &v.broken}
	m.stay, m.control = v.opts.Stay, v.opts.Control
	m.end = func() {
		v.leaving.Store(true)
		v.program.Quit()
	}
	p := tea.NewProgram(m, tea.WithInput(v.opts.Input), tea.WithOutput(out), tea.WithFPS(frameRate),
		tea.WithoutSignalHandler(), tea.WithAltScreen())
	v.mu.Lock()
	v.program = p
	v.mu.Unlock()
	go func() {
		defer close(v.ended)
		err := exec.Guard(func() error { _, err := p.Run(); return err })
		v.left(err)
	}()
	v.pacing.Go(func() { _ = exec.Guard(func() error { v.pace(); return nil }) })
}

// left is called when the terminal is free again, however that came.
func (v *View) left(err error) {
	v.leaving.Store(true)
	v.mu.Lock()
	v.gone.Store(true)
	notes, alerts := v.notes, v.alerts
	v.notes, v.alerts = nil, nil
	v.mu.Unlock()
	for _, n := range notes {
		v.opts.Note(n)
	}
	for _, w := range alerts {
		where := ""
		if w.Step != "" {
			where = report.Visible(w.Pipeline) + "/" + report.Visible(w.Step) + ": "
		}
		v.opts.Note("warning: " + where + report.Visible(w.Message))
	}
	if text := v.broken.Load(); text != nil {
		v.opts.Note("warning: the view has ended: internal error: " + *text)
	} else if err != nil {
		v.opts.Note(fmt.Sprintf("warning: the view has ended: %v", err))
	}
}

// pace decides when the run is looked at again.
func (v *View) pace() {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	stopping := v.opts.Stopping
	for {
		select {
		case <-v.quit:
			return
		case <-v.ended:
			return
		case <-stopping:
			stopping = nil
			v.mu.Lock()
			v.run.stopping = true
			v.made = nil
			v.mu.Unlock()
		case <-tick.C:
			if v.snapshot().over {
				continue
			}
		case <-v.changed:
		}
		v.program.Send(refresh{})
		select {
		case <-v.quit:
			return
		case <-time.After(frameEvery):
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// guarded keeps a defect of the view from ending the run that it shows.
type guarded struct {
	*model
	broken *atomic.Pointer[string]
	end    func()
}

// Update implements tea.Model.
func (g *guarded) Update(msg tea.Msg) (_ tea.Model, cmd tea.Cmd) {
	if g.broken.Load() != nil {
		return g, tea.Quit
	}
	defer func() {
		if r := recover(); r != nil {
			g.fail(r)
			cmd = tea.Quit
		}
	}()
	_, cmd = g.model.Update(msg)
	return g, safely(cmd)
}

// View implements tea.Model.
func (g *guarded) View() (text string) {
	if g.broken.Load() != nil {
		return ""
	}
	defer func() {
		if r := recover(); r != nil {
			g.fail(r)
			text = ""
		}
	}()
	return g.model.View()
}

func (g *guarded) fail(r any) {
	text := fmt.Sprint(r)
	if g.broken.CompareAndSwap(nil, &text) {
		// The program cannot be told from its own goroutine.
		go func() { _ = exec.Guard(func() error { g.end(); return nil }) }()
	}
}

// safely has what a command does wrong told in the last line.
func safely(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		if err := exec.Guard(func() error { msg = cmd(); return nil }); err != nil {
			return said("internal error: " + err.Error())
		}
		return msg
	}
}

// outing is a tea.ExecCommand that is no program.
type outing func() error

func (f outing) Run() error          { return exec.Guard(f) }
func (f outing) SetStdin(io.Reader)  {}
func (f outing) SetStdout(io.Writer) {}
func (f outing) SetStderr(io.Writer) {}

// screenWriter is the terminal, for frames and for what comes between them. Bubble
// Tea asks the file for its size; what it draws goes its own way, each frame as
// one that the terminal shows at once.
type screenWriter struct {
	*os.File
	fd    uintptr // asked for by goroutines that nobody waits for
	mu    sync.Mutex
	out   io.Writer
	frame []byte
}

// Fd implements term.File.
func (w *screenWriter) Fd() uintptr { return w.fd }

// Write implements io.Writer.
func (w *screenWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frame = append(w.frame[:0], ansi.SetSynchronizedOutputMode...)
	w.frame = append(append(w.frame, p...), ansi.ResetSynchronizedOutputMode...)
	if _, err := w.out.Write(w.frame); err != nil {
		return 0, err
	}
	return len(p), nil
}

// aside writes what is no part of a frame.
func (w *screenWriter) aside(text string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := io.WriteString(w.out, text)
	return err
}
