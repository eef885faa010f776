package exec

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// line is one line of output, or a piece of one, masked.
type line struct {
	number  int
	text    string
	partial bool
}

// stretch is output on its way to the owner: whole lines, each with its newline,
// or a piece of a line without one. Lines are told apart only when they are
// told, since what is known of a line is longer than most lines are.
type stretch struct {
	first   int // number of the first line
	text    string
	partial bool
}

// each gives the lines, or the piece.
func (s stretch) each(f func(line)) {
	if s.partial {
		f(line{s.first, s.text, true})
		return
	}
	for number, text := s.first, s.text; text != ""; number++ {
		i := strings.IndexByte(text, '\n')
		f(line{number, text[:i], false})
		text = text[i+1:]
	}
}

const (
	// chunkLen is how much of a write is worked on at a time. It bounds the
	// batch of lines on its way to the owner.
	chunkLen = 64 << 10
	// keepLen is the largest buffer that is kept for the next long line.
	keepLen = 1 << 20
)

// lineWriter cuts the output of one step into lines and masks them. The lines
// of a write leave with that write, in one batch: nobody waits for a line that
// is complete. It is safe for concurrent use.
type lineWriter struct {
	mask *masker
	max  int                   // longest line that is not cut into pieces
	send func([]stretch) error // takes a batch; blocks when the owner is busy

	mu     sync.Mutex
	rest   []byte // text since the last newline or piece
	number int    // of the line that rest belongs to, less one
	closed bool
}

// Write implements io.Writer. It fails after end, and when send fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := 0; n < len(p); {
		if w.closed {
			return n, io.ErrClosedPipe
		}
		chunk := p[n:min(len(p), n+chunkLen)]
		if batch := w.take(chunk); len(batch) > 0 {
			if err := w.send(batch); err != nil {
				return n, err
			}
		}
		n += len(chunk)
	}
	return len(p), nil
}

// end gives what has no newline. Nothing is accepted afterwards.
func (w *lineWriter) end() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	if len(w.rest) == 0 {
		return nil
	}
	batch := []stretch{{w.number + 1, string(w.mask.mask(w.rest)), true}}
	w.rest = nil
	return w.send(batch)
}

// take gives the lines that chunk completes and keeps the rest.
func (w *lineWriter) take(chunk []byte) []stretch {
	var batch []stretch
	if len(w.rest) > 0 {
		end := bytes.IndexByte(chunk, '\n')
		if end < 0 {
			w.rest = append(w.rest, chunk...)
			return w.pieces(batch)
		}
		w.rest = append(w.rest, chunk[:end]...)
		batch = w.pieces(batch)
		batch = w.lines(batch, append(w.rest, '\n'))
		w.rest = w.rest[:0]
		if cap(w.rest) > keepLen {
			w.rest = nil
		}
		chunk = chunk[end+1:]
	}
	if i := bytes.LastIndexByte(chunk, '\n'); i >= 0 {
		batch = w.whole(batch, chunk[:i+1])
		chunk = chunk[i+1:]
	}
	w.rest = append(w.rest, chunk...)
	return w.pieces(batch)
}

// whole adds the lines of block, which ends with a newline.
func (w *lineWriter) whole(batch []stretch, block []byte) []stretch {
	if len(block)-1 <= w.max+w.mask.reach() {
		return w.lines(batch, block)
	}
	// Some line may be too long. This is rare enough to look at each.
	for l := range bytes.Lines(block) {
		w.rest = append(w.rest[:0], l[:len(l)-1]...)
		batch = w.pieces(batch)
		batch = w.lines(batch, append(w.rest, '\n'))
	}
	w.rest = w.rest[:0]
	return batch
}

// lines adds the lines of block, which ends with a newline, none too long. They
// are masked at once.
func (w *lineWriter) lines(batch []stretch, block []byte) []stretch {
	first := w.number + 1
	w.number += bytes.Count(block, []byte{'\n'})
	return append(batch, stretch{first, string(w.mask.mask(block)), false})
}

// pieces cuts rest while it is too long. A piece is only cut off when enough
// is known behind it to tell that no secret lies across the cut, so where it
// is cut depends on the line alone and not on how it was written.
func (w *lineWriter) pieces(batch []stretch) []stretch {
	for len(w.rest) > w.max+w.mask.reach() {
		n := w.mask.cut(w.rest, w.max)
		batch = append(batch, stretch{w.number + 1, string(w.mask.mask(w.rest[:n])), true})
		w.rest = append(w.rest[:0], w.rest[n:]...)
	}
	return batch
}
