package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/report"
)

// Record is an event of a stored run.
type Record struct {
	Event exec.Event
	// Raw is the line that was stored, with its newline; nil for the output of
	// steps.
	Raw []byte
}

// Reader reads a run, which may still go on. It is not safe for concurrent use,
// but for the Logs it opens.
type Reader struct {
	run     Run
	events  *os.File // nil as long as there are none
	rest    []byte   // the beginning of a line
	numbers map[Step]int
	started int
	damaged int
}

// Open opens the run. Close closes it.
func (r Run) Open() (*Reader, error) {
	if _, err := os.Stat(r.dir); err != nil {
		return nil, err
	}
	return &Reader{run: r, numbers: make(map[Step]int)}, nil
}

// Close closes the events; logs are closed by whoever opened them.
func (r *Reader) Close() error {
	if r.events == nil {
		return nil
	}
	return r.events.Close()
}

// Read gives the events since the last call, without the output of steps. When
// it gives the end of a step, all that this has printed is in its log.
func (r *Reader) Read() ([]Record, error) {
	if r.events == nil {
		file, err := os.Open(filepath.Join(r.run.dir, eventsFile))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		r.events = file
	}
	text, err := io.ReadAll(r.events)
	if err != nil {
		return nil, err
	}
	text = append(r.rest, text...)
	var records []Record
	for {
		line, after, whole := bytes.Cut(text, []byte{'\n'})
		if !whole {
			r.rest = slices.Clone(text)
			return records, nil
		}
		raw := text[:len(line)+1]
		text = after
		e, err := report.ReadEvent(line)
		if err != nil {
			r.damaged++
			continue
		}
		if e, ok := e.(exec.StepStarted); ok {
			r.started++
			r.numbers[Step{e.Pipeline, e.Step}] = r.started
		}
		if e != nil {
			records = append(records, Record{e, raw})
		}
	}
}

// Damaged is how many lines of the events could not be read.
func (r *Reader) Damaged() int { return r.damaged }

// Steps are those that Read has told of the beginning of, in that order.
func (r *Reader) Steps() []Step {
	steps := make([]Step, r.started)
	for step, n := range r.numbers {
		steps[n-1] = step
	}
	return steps
}

// Log opens the log of a step of which Read has told the beginning. As long as
// it has printed nothing there is none: fs.ErrNotExist.
func (r *Reader) Log(step Step) (*logs.Log, error) {
	n := r.numbers[step]
	if n == 0 {
		return nil, fmt.Errorf("step %s of pipeline %s: %w", step.Step, step.Pipeline, fs.ErrNotExist)
	}
	return logs.Open(filepath.Join(r.run.dir, logsDir, logName(n)))
}

// Replay gives the events of a run in their order, with the output of steps
// between them, as exec.Run gave them.
type Replay struct {
	// Follow waits for what is still to come while the program of the run lives.
	Follow bool
	// Step chooses the steps of which the output is given; nil is all.
	Step func(Step) bool
	// Emit gets them. Its error ends the replay.
	Emit func(Record) error
	// Damaged is told of what cannot be read. It may be nil.
	Damaged func(error)
}

// followEvery is how often is looked for more.
const followEvery = 100 * time.Millisecond

// Run replays what there is of r, from the beginning. It must be the first to
// read it.
func (p Replay) Run(ctx context.Context, r *Reader) error {
	w := &replaying{Replay: p, reader: r}
	defer w.close()
	for {
		// It may say its last words before it is seen to be gone.
		goes := p.Follow && r.run.goes()
		records, err := r.Read()
		if err != nil {
			return err
		}
		for _, record := range records {
			if err := w.record(ctx, record); err != nil {
				return err
			}
		}
		if w.finished || !goes {
			break
		}
		if err := w.catchUp(ctx, time.Time{}, nil); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(followEvery):
		}
	}
	err := w.catchUp(ctx, time.Time{}, nil)
	if n := r.Damaged(); n > 0 {
		w.damaged(fmt.Errorf("%s: %s cannot be read", filepath.Join(r.run.dir, eventsFile), report.Plural(n, "event")))
	}
	// What was cut off cleanly looks like the end of what there was.
	if n := r.run.Missing(); n > 0 && !w.told {
		w.damaged(fmt.Errorf("%s: %s of what was kept are missing", r.run.dir, report.Bytes(n)))
	}
	return err
}

// goes reports whether the run goes on.
func (r Run) goes() bool { return r.State() == exec.StatusRunning }

type replaying struct {
	Replay
	reader   *Reader
	sources  []*source
	finished bool
	told     bool // of any damage
}

// source is the output of a step that has not ended.
type source struct {
	step  Step
	log   *logs.Log // nil as long as there is none
	row   int       // the next
	lines []logs.Line
	told  bool // of damage in what follows
}

// pageRows is how many rows of a log are read at a time.
const pageRows = 512

func (w *replaying) record(ctx context.Context, record Record) error {
	e := record.Event
	if err := w.catchUp(ctx, e.When(), nil); err != nil {
		return err
	}
	switch e := e.(type) {
	case exec.StepStarted:
		if step := (Step{e.Pipeline, e.Step}); w.Step == nil || w.Step(step) {
			w.sources = append(w.sources, &source{step: step})
		}
	case exec.StepFinished:
		at := slices.IndexFunc(w.sources, func(s *source) bool { return s.step == Step{e.Pipeline, e.Step} })
		if at >= 0 {
			s := w.sources[at]
			if err := w.catchUp(ctx, time.Time{}, s); err != nil {
				return err
			}
			w.sources = slices.Delete(w.sources, at, at+1)
			s.close()
		}
	case exec.RunFinished:
		if err := w.catchUp(ctx, time.Time{}, nil); err != nil {
			return err
		}
		w.finished = true
	}
	return w.Emit(record)
}

// catchUp gives the output before a time, of all steps or of one; all there is
// for the zero time.
func (w *replaying) catchUp(ctx context.Context, before time.Time, only *source) error {
	sources := w.sources
	if only != nil {
		sources = []*source{only}
	}
	for _, s := range sources {
		w.fill(s, true)
	}
	for {
		var next *source
		for _, s := range sources {
			if len(s.lines) > 0 && (next == nil || s.lines[0].Time.Before(next.lines[0].Time)) {
				next = s
			}
		}
		if next == nil || !before.IsZero() && !next.lines[0].Time.Before(before) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		// Most lines follow one of the same step.
		limit := before
		for _, s := range sources {
			if s != next && len(s.lines) > 0 && (limit.IsZero() || s.lines[0].Time.Before(limit)) {
				limit = s.lines[0].Time
			}
		}
		for first := true; len(next.lines) > 0 && (first || limit.IsZero() || next.lines[0].Time.Before(limit)); first = false {
			l := next.lines[0]
			next.lines = next.lines[1:]
			if err := w.Emit(Record{Event: exec.StepOutput{
				At: exec.At{Time: l.Time}, Pipeline: next.step.Pipeline, Step: next.step.Step, Line: l.Number, Text: l.Text, Partial: l.Partial,
			}}); err != nil {
				return err
			}
		}
		w.fill(next, false)
	}
}

// fill reads lines when there are none, with fresh also such as were written
// since.
func (w *replaying) fill(s *source, fresh bool) {
	if s.log == nil && fresh {
		log, err := w.reader.Log(s.step)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) && !s.told {
				s.told = true
				w.damaged(err)
			}
			return
		}
		s.log, fresh = log, false
	}
	if s.log == nil || len(s.lines) > 0 {
		return
	}
	if fresh {
		if _, err := s.log.Refresh(); err != nil && !s.told {
			s.told = true
			w.damaged(err)
		}
	}
	for s.row < s.log.Len() && len(s.lines) == 0 {
		lines, err := s.log.Lines(s.row, pageRows)
		s.lines = lines
		s.row = min(s.row+pageRows, s.log.Len())
		if damage, ok := logs.IsDamage(err); ok {
			w.damaged(err)
			s.row = damage.Row + damage.Rows
		} else if err != nil {
			w.damaged(err)
			s.row = s.log.Len()
		}
	}
	if err := s.log.Damage(); err != nil && !s.told && s.row >= s.log.Len() {
		s.told = true
		w.damaged(err)
	}
}

func (w *replaying) damaged(err error) {
	w.told = true
	if w.Damaged != nil {
		w.Damaged(err)
	}
}

func (w *replaying) close() {
	for _, s := range w.sources {
		s.close()
	}
}

func (s *source) close() {
	if s.log != nil {
		_ = s.log.Close() // it was only read
	}
}
