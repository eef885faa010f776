package logs

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Writer takes the lines of one log. Append and Close are for one goroutine;
// Log is for any.
type Writer struct {
	sink  *Sink
	open  func() (*os.File, error)
	index index
	over  atomic.Bool
	done  chan struct{}

	marked bool // guarded by the Sink

	// These belong to the goroutine of the Sink.
	file   *os.File
	length int64
	closed bool
}

// Append adds a line, or a piece of one when partial is set: then the next one
// has the same number. It returns at once unless lines come faster than they can
// be packed for a long time. A newline in text becomes a space.
func (w *Writer) Append(t time.Time, text string, partial bool) {
	for len(text) > maxText {
		w.append(t, text[:maxText], true)
		text = text[maxText:]
	}
	w.append(t, text, partial)
}

func (w *Writer) append(t time.Time, text string, partial bool) {
	first, full := w.index.append(t.UnixNano(), text, partial)
	switch {
	case full:
		w.index.seal(w.sink)
		if w.sink.mark(w, true); !w.sink.room() {
			w.index.refuse(w.sink)
		}
	case first:
		w.sink.mark(w, true)
	}
}

// Close says that no line follows. The file is closed when all is written.
func (w *Writer) Close() {
	w.over.Store(true)
	w.sink.mark(w, true)
}

// Done is closed when all is written, after Close.
func (w *Writer) Done() <-chan struct{} { return w.done }

// Log reads what was appended so far. It must be closed.
func (w *Writer) Log() *Log { return &Log{index: &w.index} }

// ending reports whether Close was called.
func (w *Writer) ending() bool { return w.over.Load() }

// closeFile is called by the goroutine of the Sink.
func (w *Writer) closeFile() {
	if w.file != nil {
		if err := w.file.Close(); err != nil {
			w.sink.fail(err)
		}
	}
	delete(w.sink.files, w)
	w.file, w.open = nil, nil // whatever comes now stays in memory
	if !w.closed {
		w.closed = true
		close(w.done)
	}
}

// chunk is what is known of a chunk: where it is and which rows it has.
type chunk struct {
	header header
	offset int64  // in the file
	memory []byte // the chunk, when it is not in a file
	raw    *block // before it is packed
	busy   bool   // raw is being packed
}

// end is the row behind the chunk.
func (c *chunk) end() int { return c.header.firstRow + c.header.rows }

// index is what a log consists of. It is shared by a Writer and its Logs.
type index struct {
	mu     sync.Mutex
	path   string // of the file, once there is one
	chunks []chunk
	rows   int
	lost   int    // of rows, that are in no chunk any more
	tail   *block // the rows behind the chunks; nil for a file
}

// append adds a row to the tail. It reports whether it is the first there, and
// whether the tail is full.
func (x *index) append(t int64, text string, partial bool) (first, full bool) {
	x.mu.Lock()
	b := x.tail
	b.add(t, text, partial)
	x.rows++
	first, full = b.rows == 1, len(b.text) >= chunkText
	x.mu.Unlock()
	return first, full
}

// seal makes a chunk of the tail, that is to be packed.
func (x *index) seal(s *Sink) {
	fresh := s.block()
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.tail
	if b.rows == 0 {
		return
	}
	fresh.reset(x.rows, b.firstNumber+b.numbers())
	x.tail = fresh
	x.chunks = append(x.chunks, chunk{header: header{firstRow: b.firstRow, firstNumber: b.firstNumber, rows: b.rows}, raw: b})
	s.pending.Add(int64(len(b.text)))
}

// pending is the first block that is not packed yet, nil when there is none. It
// stays until packed is called.
func (x *index) pending() *block {
	x.mu.Lock()
	defer x.mu.Unlock()
	if i := x.firstRaw(); i < len(x.chunks) {
		x.chunks[i].busy = true
		return x.chunks[i].raw
	}
	return nil
}

// firstRaw looks from the end, where what waits is.
func (x *index) firstRaw() int {
	i := len(x.chunks)
	for i > 0 && x.chunks[i-1].raw != nil {
		i--
	}
	return i
}

// packed says where the first block that was not packed is now.
func (x *index) packed(text []byte, offset int64, memory []byte) {
	h, _ := parseHeader(text) // it was made a moment ago
	x.mu.Lock()
	defer x.mu.Unlock()
	x.chunks[x.firstRaw()] = chunk{header: h, offset: offset, memory: memory}
}

// refuse forgets the last chunk, which nobody packs.
func (x *index) refuse(s *Sink) {
	x.mu.Lock()
	defer x.mu.Unlock()
	last := len(x.chunks) - 1
	if last < 0 || x.chunks[last].raw == nil || x.chunks[last].busy {
		return
	}
	s.pending.Add(-int64(len(x.chunks[last].raw.text)))
	x.lost += x.chunks[last].header.rows
	x.chunks = x.chunks[:last]
}

// drop forgets the oldest chunk in memory.
func (x *index) drop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.chunks {
		if x.chunks[i].memory != nil {
			x.lost += x.chunks[i].header.rows
			x.chunks = append(x.chunks[:i], x.chunks[i+1:]...)
			return
		}
	}
}

func (x *index) hasTail() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.tail.rows > 0
}

func (x *index) setPath(path string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.path = path
}
