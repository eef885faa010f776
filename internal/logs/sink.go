package logs

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how a Sink keeps lines. The zero Options keep any number of them.
type Options struct {
	// Memory is how many bytes are kept of what is not in files, compressed.
	// 0 is 16 MiB.
	Memory int
	// Limit is how many bytes all files may have together, 0 any number.
	Limit int64
	// Failed is told, once, why no file is written any more. From then on lines
	// are kept in memory. It may be nil, and is called from a goroutine of the
	// Sink's, or of a Writer's user.
	Failed func(error)
	// Guard runs what goroutines of the Sink do, so that a panic is an error.
	// It may be nil.
	Guard func(func() error) error
}

// Sink packs and writes what its Writers are given, in one goroutine of its
// own: whoever gives lines waits for no disk. It is safe for concurrent use.
type Sink struct {
	opts    Options
	pending atomic.Int64 // bytes of text of blocks that are sealed and not packed
	wake    chan struct{}
	space   chan struct{} // told when pending has shrunk
	closing chan struct{}
	done    chan struct{}
	written atomic.Int64

	mu     sync.Mutex
	marked []*Writer // that have something to write
	err    error     // why no file is written; the first
	spare  []*block  // to be used again
	closed bool

	// These belong to the goroutine.
	packer packer
	files  map[*Writer]bool // those with an open file
	kept   []kept           // in memory, oldest first
	size   int              // of them
}

// kept is a chunk in memory.
type kept struct {
	w    *Writer
	size int
}

const (
	// maxPending is how much text may wait to be packed.
	maxPending = 4 << 20
	// spareBlocks is how many blocks are kept to be used again.
	spareBlocks = maxPending / chunkText
	// patience is how long a full queue is waited for: a disk that takes nothing
	// for longer must not hold up a run.
	patience = time.Second
)

// NewSink starts a Sink. Close ends it.
func NewSink(o Options) *Sink {
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Guard == nil {
		o.Guard = func(f func() error) error { return f() }
	}
	s := &Sink{
		opts: o, wake: make(chan struct{}, 1), space: make(chan struct{}, 1),
		closing: make(chan struct{}), done: make(chan struct{}), files: make(map[*Writer]bool),
	}
	go s.serve()
	return s
}

// Writer returns a Writer to the file that open makes, which is called when
// there is something to write, from the goroutine of the Sink, and once at most.
// Without open the lines are kept in memory.
func (s *Sink) Writer(open func() (*os.File, error)) *Writer {
	w := &Writer{sink: s, open: open, done: make(chan struct{})}
	w.index.tail = &block{firstNumber: 1}
	return w
}

// Done is closed when nothing is written any more, after Close or a panic.
func (s *Sink) Done() <-chan struct{} { return s.done }

// Written is how many bytes the files have.
func (s *Sink) Written() int64 { return s.written.Load() }

// failure is why no file is written any more, or nil.
func (s *Sink) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close writes what there is and closes the files. It waits for that no longer
// than patience, and reports false when that was not enough: what is left is
// written while the program lives. Lines given later are not kept.
func (s *Sink) Close(patience time.Duration) bool {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.done:
		return true
	case <-timer.C:
		return false
	}
}

// serve is the life of the goroutine.
func (s *Sink) serve() {
	defer close(s.done)
	if err := s.opts.Guard(s.live); err != nil {
		s.fail(err)
	}
}

func (s *Sink) live() error {
	timer := time.NewTimer(flushEvery)
	timer.Stop()
	defer timer.Stop()
	armed := false
	for {
		select {
		case <-s.wake:
			s.work(false)
			if !armed {
				armed = true
				timer.Reset(flushEvery)
			}
		case <-timer.C:
			armed = false
			s.work(true)
		case <-s.closing:
			s.work(true)
			for w := range s.files {
				w.closeFile()
			}
			return nil
		}
	}
}

// work packs and writes what is sealed, and with all set also what is not full.
func (s *Sink) work(all bool) {
	s.mu.Lock()
	marked := s.marked
	s.marked = nil
	for _, w := range marked {
		w.marked = false
	}
	s.mu.Unlock()
	for _, w := range marked {
		ending := w.ending() // what comes after it is read is for the next time
		if all || ending {
			w.index.seal(s)
		}
		for w.index.pending() != nil {
			s.pack(w)
		}
		if ending {
			w.closeFile()
			continue
		}
		if !all && w.index.hasTail() { // comes again when the time is over
			s.mark(w, false)
		}
	}
	s.packer.slim()
}

// mark has the goroutine look after w, at once or when the time is over.
func (s *Sink) mark(w *Writer, now bool) {
	s.mu.Lock()
	if !w.marked {
		w.marked = true
		s.marked = append(s.marked, w)
	}
	s.mu.Unlock()
	if now {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// pack packs the first block of w that is sealed, and writes it.
func (s *Sink) pack(w *Writer) {
	b := w.index.pending()
	chunk := s.packer.pack(b)
	if offset, ok := s.write(w, chunk); ok {
		w.index.packed(chunk, offset, nil)
	} else {
		own := append([]byte(nil), chunk...)
		w.index.packed(chunk, 0, own)
		s.keep(w, len(own))
	}
	s.pending.Add(-int64(len(b.text)))
	s.reuse(b)
	select {
	case s.space <- struct{}{}:
	default:
	}
}

// write appends a chunk to the file of w, if there can be one.
func (s *Sink) write(w *Writer, chunk []byte) (offset int64, ok bool) {
	if w.open == nil || s.failure() != nil {
		return 0, false
	}
	if s.opts.Limit > 0 && s.written.Load()+int64(len(chunk)) > s.opts.Limit {
		s.fail(ErrFull)
		return 0, false
	}
	if w.file == nil {
		file, err := w.open()
		if err != nil {
			s.fail(err)
			return 0, false
		}
		w.file, s.files[w] = file, true
		w.index.setPath(file.Name())
	}
	n, err := w.file.Write(chunk)
	if err != nil {
		if n > 0 {
			// Half a chunk would look like damage. That it stays is no more
			// than that.
			_ = w.file.Truncate(w.length)
		}
		s.fail(err)
		return 0, false
	}
	offset = w.length
	w.length += int64(n)
	s.written.Add(int64(n))
	return offset, true
}

// keep counts a chunk in memory, and lets the oldest ones go when there are too
// many.
func (s *Sink) keep(w *Writer, size int) {
	s.kept = append(s.kept, kept{w, size})
	s.size += size
	for s.size > s.opts.Memory && len(s.kept) > 1 {
		s.kept[0].w.index.drop()
		s.size -= s.kept[0].size
		s.kept[0] = kept{}
		s.kept = s.kept[1:]
	}
}

// fail ends the writing of files.
func (s *Sink) fail(err error) {
	s.mu.Lock()
	first := s.err == nil
	if first {
		s.err = err
	}
	s.mu.Unlock()
	if first && s.opts.Failed != nil {
		s.opts.Failed(err)
	}
}

// room waits until there is room for more, and gives up when there is none for
// too long.
func (s *Sink) room() bool {
	if s.pending.Load() <= maxPending {
		return true
	}
	if s.failure() == ErrStuck { //nolint:errorlint // it is given as it is
		return false
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for s.pending.Load() > maxPending {
		select {
		case <-s.space:
			timer.Reset(patience) // it goes on
		case <-s.done:
			return false
		case <-timer.C:
			s.fail(ErrStuck)
			return false
		}
	}
	return true
}

// block gives an empty one.
func (s *Sink) block() *block {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.spare); n > 0 {
		b := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return b
	}
	return &block{}
}

func (s *Sink) reuse(b *block) {
	if cap(b.text) > 4*chunkText {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.spare) < spareBlocks {
		s.spare = append(s.spare, b)
	}
}
