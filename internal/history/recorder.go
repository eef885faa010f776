package history

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/internal/owner"
	"github.com/drone-laptop/drone/report"
)

// Recording says how a run is kept.
type Recording struct {
	// Store is where. The zero Store keeps lines in memory, and nothing else,
	// for those who watch.
	Store  Store
	Limits Limits
	// Meta describes the run; what Recorder finds out itself is filled in.
	Meta Meta
	// Plan is only read, until Close has returned.
	Plan *exec.Plan
	// ExitStatus is what the program will end with. It is called from another
	// goroutine than Handle.
	ExitStatus func(*exec.Summary) int
	// Timing is for the events; nil leaves only the phases of steps.
	Timing *report.Timing
	// Warn is given what the user should know: once at most why not all of the
	// run is kept, and why old runs are not removed. It is called from another
	// goroutine than Handle. It may be nil.
	Warn func(text string)
}

// Recorder keeps one run. Handle is for the goroutine of exec.Run, Close for the
// one that follows it; Log is safe for concurrent use.
type Recorder struct {
	o    Recording
	dir  string // "" keeps nothing
	sink *logs.Sink

	// These belong to Handle.
	last struct {
		pipeline, step string
		log            *logs.Writer
	}
	started int                  // steps
	pulls   map[string]time.Time // when the progress of an image was last kept

	mu     sync.Mutex
	steps  map[Step]*logs.Writer
	queue  []queued
	failed error
	closed bool

	wake    chan struct{}
	pruning chan struct{} // closed when old runs are removed; nil before that begins
	ready   chan struct{} // closed when the directory exists, or cannot
	absent  error         // why it does not; read after ready
	closing chan struct{}
	done    chan struct{}

	// These belong to the goroutine.
	summary exec.Summary
	events  *os.File
	text    bytes.Buffer // events on their way to the file
	json    *report.JSON
	size    int64 // of the events
	plan    int64 // size of the plan
}

// queued is an event, with the log that must be complete before.
type queued struct {
	event exec.Event
	after *logs.Writer
}

const (
	// mostQueued is how many events may wait: more mean that nothing is written.
	mostQueued = 100_000
	// pruneFor is how long old runs are removed at the end of one: what that is
	// not enough for is left to the next.
	pruneFor = 250 * time.Millisecond
	// pullEvery is how often the progress of one image is kept.
	pullEvery = time.Second
)

// Start begins to keep a run. Close ends it.
func Start(o Recording) *Recorder {
	r := &Recorder{
		o: o, pulls: make(map[string]time.Time), steps: make(map[Step]*logs.Writer),
		wake: make(chan struct{}, 1), ready: make(chan struct{}), closing: make(chan struct{}), done: make(chan struct{}),
	}
	r.sink = logs.NewSink(logs.Options{Limit: o.Limits.Each, Failed: r.fail, Guard: exec.Guard})
	if o.Store.dir == "" {
		close(r.ready)
		close(r.done)
		return r
	}
	r.dir = filepath.Join(o.Store.dir, o.Meta.ID)
	r.o.Meta.Version, r.o.Meta.Owner, r.o.Meta.Status = version, owner.Self(), exec.StatusRunning
	timing := o.Timing
	if timing == nil {
		begun := time.Now()
		timing = &report.Timing{Total: func() time.Duration { return time.Since(begun) }}
	}
	r.json = report.NewJSON(&r.text, o.ExitStatus).WithTiming(timing)
	go r.serve()
	return r
}

// Handle keeps an event. It waits for nothing, unless lines come faster than
// they can be packed.
func (r *Recorder) Handle(e exec.Event) {
	switch e := e.(type) {
	case exec.StepOutput:
		if r.last.log == nil || r.last.step != e.Step || r.last.pipeline != e.Pipeline {
			r.last.pipeline, r.last.step = e.Pipeline, e.Step
			r.last.log = r.log(Step{e.Pipeline, e.Step})
		}
		r.last.log.Append(e.Time, e.Text, e.Partial)
	case exec.StepStarted:
		r.begin(Step{e.Pipeline, e.Step})
		r.enqueue(queued{event: e})
	case exec.StepFinished:
		log := r.log(Step{e.Pipeline, e.Step})
		log.Close()
		r.enqueue(queued{e, log})
	case exec.PullProgress:
		of := e.Pipeline + "\x00" + e.Image + "\x00" + e.Platform
		if !e.Done && e.Time.Sub(r.pulls[of]) < pullEvery {
			return
		}
		r.pulls[of] = e.Time
		r.enqueue(queued{event: e})
	default:
		r.enqueue(queued{event: e})
	}
}

// begin makes the log of a step.
func (r *Recorder) begin(step Step) {
	r.started++
	var open func() (*os.File, error)
	if r.dir != "" {
		path := filepath.Join(r.dir, logsDir, logName(r.started))
		open = func() (*os.File, error) {
			if <-r.ready; r.absent != nil {
				return nil, r.absent
			}
			return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps[step] = r.sink.Writer(open)
}

func logName(n int) string { return fmt.Sprintf("%d.log", n) }

// log is that of a step; one that never began has its lines in memory.
func (r *Recorder) log(step Step) *logs.Writer {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.steps[step]
	if w == nil {
		w = r.sink.Writer(nil)
		r.steps[step] = w
	}
	return w
}

// Log gives what a step has printed so far, nil before it has begun. It must be
// closed.
func (r *Recorder) Log(pipeline, step string) *logs.Log {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.steps[Step{pipeline, step}]; w != nil {
		return w.Log()
	}
	return nil
}

// enqueue gives an event to the goroutine.
func (r *Recorder) enqueue(q queued) {
	if r.dir == "" {
		return
	}
	r.mu.Lock()
	stuck := len(r.queue) >= mostQueued
	if !stuck {
		r.queue = append(r.queue, q)
	}
	r.mu.Unlock()
	if stuck {
		r.fail(logs.ErrStuck)
		return
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Close completes what is kept, and waits for that no longer than patience. It
// returns why not all of the run is kept, or nil.
func (r *Recorder) Close(patience time.Duration) error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.closing)
	}
	r.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-r.done:
		r.sink.Close(patience) // it is over, unless there is no goroutine
		if r.pruning != nil {
			select {
			case <-r.pruning:
			case <-timer.C: // that something is left over is for the next run
			}
		}
	case <-timer.C:
		r.fail(logs.ErrStuck)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// fail tells the first reason why not all is kept.
func (r *Recorder) fail(err error) {
	r.mu.Lock()
	first := r.failed == nil
	if first {
		r.failed = err
	}
	r.mu.Unlock()
	if first {
		r.warn("the history does not keep all of this run: " + err.Error())
	}
}

func (r *Recorder) warn(text string) {
	if r.o.Warn != nil {
		r.o.Warn(text)
	}
}

func (r *Recorder) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// serve is the life of the goroutine.
func (r *Recorder) serve() {
	defer close(r.done)
	if err := exec.Guard(r.live); err != nil {
		r.fail(err)
	}
}

func (r *Recorder) live() error {
	err := exec.Guard(r.prepare)
	r.absent = err
	close(r.ready)
	if err != nil {
		r.fail(err)
	} else if r.plan, err = writeJSON(filepath.Join(r.dir, planFile), r.o.Plan); err != nil {
		r.fail(err)
	}
	for {
		select {
		case <-r.wake:
			if !r.work() {
				continue
			}
			// Nothing follows: Close need not be waited for.
		case <-r.closing:
			r.work()
		}
		r.sink.Close(time.Hour)
		if r.absent == nil {
			r.conclude()
		}
		return nil
	}
}

// prepare makes the directory, with run.json in it before anything else.
func (r *Recorder) prepare() error {
	if err := os.MkdirAll(r.o.Store.dir, dirMode); err != nil {
		return err
	}
	if err := os.Mkdir(r.dir, dirMode); err != nil {
		return err
	}
	if _, err := writeJSON(filepath.Join(r.dir, runFile), r.o.Meta); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(r.dir, logsDir), dirMode); err != nil {
		return err
	}
	var err error
	r.events, err = os.OpenFile(filepath.Join(r.dir, eventsFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	return err
}

// work writes the events that wait, and reports whether the last one is among
// them.
func (r *Recorder) work() (last bool) {
	r.mu.Lock()
	queue := r.queue
	r.queue = nil
	r.mu.Unlock()
	for _, q := range queue {
		if q.after != nil {
			// Whoever reads that a step has ended finds all that it printed.
			r.write()
			select {
			case <-q.after.Done():
			case <-r.sink.Done():
			}
		}
		r.summary.Apply(q.event)
		// It goes to a buffer, which takes everything.
		_ = r.json.Handle(q.event)
		_ = r.json.Close()
		switch q.event.(type) {
		case exec.PipelineFinished:
			// The time in which what it made is removed.
			r.write()
			r.prune()
		case exec.RunFinished:
			last = true
		}
	}
	r.write()
	return last
}

// prune removes old runs, when it is likely that there are too many: to look at
// each takes longer than all the rest. So there may be a tenth more than the
// limit, as long as this one is no larger than most may be. It has a goroutine
// of its own, which Close waits for: this run must be complete before others go.
func (r *Recorder) prune() {
	if r.pruning != nil || r.absent != nil {
		return
	}
	l := r.o.Limits
	large := l.Bytes > 0 && l.Runs > 0 && r.size+r.plan+r.sink.Written() > l.Bytes/int64(l.Runs)
	if entries, err := os.ReadDir(r.o.Store.dir); err == nil && !large && l.Runs > 0 && len(entries) <= l.Runs+l.Runs/10 {
		return
	}
	r.pruning = make(chan struct{})
	go func() {
		defer close(r.pruning)
		err := exec.Guard(func() error {
			ctx, cancel := context.WithTimeout(context.Background(), pruneFor)
			defer cancel()
			return r.o.Store.prune(ctx, l, time.Now())
		})
		if err != nil {
			r.warn("old runs cannot be removed from the history: " + err.Error())
		}
	}()
}

// write appends what is in the buffer to the file. What does not fit ends it.
func (r *Recorder) write() {
	if r.text.Len() == 0 || r.events == nil {
		r.text.Reset()
		return
	}
	n, err := r.events.Write(r.text.Bytes())
	r.text.Reset()
	if err == nil {
		r.size += int64(n)
		return
	}
	// Half a line would be no event.
	_ = r.events.Truncate(r.size)
	r.fail(err)
	_ = r.events.Close()
	r.events = nil
}

// conclude says how the run has ended.
func (r *Recorder) conclude() {
	if r.events != nil {
		if err := r.events.Close(); err != nil {
			r.fail(err)
		}
	}
	m, s := r.o.Meta, &r.summary
	now := time.Now().UTC()
	m.Finished, m.Status, m.DurationMS, m.Counts = &now, s.Status, s.Duration.Milliseconds(), s.Counts()
	if m.Status == exec.StatusRunning || m.Status == "" {
		m.Status = exec.StatusError // it was given up by a defect
	}
	if r.o.ExitStatus != nil {
		m.ExitCode = r.o.ExitStatus(s)
	}
	for _, p := range s.Pipelines {
		for _, t := range p.Failed() {
			m.Failed = append(m.Failed, Step{p.Name, t.Name})
		}
	}
	if err := r.failure(); err != nil {
		m.Incomplete = err.Error()
	}
	m.Size = r.size + r.sink.Written() + r.plan
	path := filepath.Join(r.dir, runFile)
	if _, err := writeJSON(path, m); err != nil {
		r.fail(err)
		m.Incomplete = err.Error()
		// On a full disk there is still the room of the old one.
		if err := overwrite(path, m); err != nil {
			r.fail(err)
		}
	}
}

// overwrite writes a file in the place that it has already.
func overwrite(path string, v any) error {
	const block = 4 << 10 // no file takes less
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if len(text) > block {
		return fmt.Errorf("%s: there is no room for %d bytes", path, len(text))
	}
	file, err := os.OpenFile(path, os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	if _, err = file.Write(text); err == nil {
		err = file.Truncate(int64(len(text)))
	}
	return errors.Join(err, file.Close())
}

// writeJSON writes a file that is either there as a whole or not, and gives its
// size.
func writeJSON(path string, v any) (size int64, err error) {
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return 0, err
	}
	enc := json.NewEncoder(file)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err = enc.Encode(v); err == nil {
		size, err = file.Seek(0, io.SeekCurrent)
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // the first error is what is told
	}
	return size, err
}
