package logs

import (
	"errors"
	"io"
	"os"
	"slices"
	"sort"
	"sync"
)

// Log reads lines. It is safe for concurrent use.
type Log struct {
	index *index
	own   bool // index is that of a file, which Refresh reads on

	mu      sync.Mutex
	file    *os.File // nil until something is read from it
	next    int64    // where the next chunk begins, of a file
	damage  *DamageError
	closed  bool
	recent  []cached // unpacked chunks, the last used last
	tallies []*tally // of the last patterns
}

// cached is an unpacked chunk.
type cached struct {
	row  int // its first
	page *page
}

const (
	// cachedText is how much text is kept unpacked.
	cachedText = 4 << 20
	// readAhead is how much of a file is read at a time to find its chunks.
	readAhead = 64 << 10
)

// Open opens the log in a file, which may still be written. Close closes it.
func Open(path string) (*Log, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	l := &Log{index: &index{path: path}, own: true, file: file}
	if _, err := l.Refresh(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// Close closes the file. Nothing can be read afterwards.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.recent = true, nil
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// Len is the number of rows so far, also of those that are lost: row Len()-1 is
// the last.
func (l *Log) Len() int {
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	return l.index.rows
}

// Lost is how many rows cannot be read any more: they have made room for later
// ones in memory, or they are damaged.
func (l *Log) Lost() int {
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	return l.index.lost
}

// Damage tells of the part of a file that is no log, nil when there is none.
// What was cut off in the middle of a chunk is not told: it may be written yet.
func (l *Log) Damage() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.damage == nil {
		return nil
	}
	return l.damage
}

// Refresh looks whether the file has grown. The Log of a Writer is always up to
// date.
func (l *Log) Refresh() (grown bool, err error) {
	if !l.own {
		return false, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil || l.damage != nil {
		return false, nil
	}
	before := l.Len()
	err = l.scan()
	return l.Len() > before, err
}

// scan finds the chunks from next on.
func (l *Log) scan() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	buf := make([]byte, min(readAhead, max(0, size-l.next)))
	var from, to int64 // what of the file is in buf
	for l.next < size {
		if l.next+headerLen > to {
			n, err := l.file.ReadAt(buf[:min(int64(len(buf)), size-l.next)], l.next)
			if err != nil && err != io.EOF {
				return err
			}
			from, to = l.next, l.next+int64(n)
		}
		h, err := parseHeader(buf[l.next-from : to-from])
		if err == nil && !l.follows(h) {
			err = errSense
		}
		if errors.Is(err, errShort) {
			return nil
		}
		if err != nil {
			l.damage = &DamageError{Path: l.index.path, Row: l.Len(), Why: err.Error()}
			return nil
		}
		end := l.next + headerLen + int64(h.packedLen)
		if end > size {
			return nil
		}
		l.index.mu.Lock()
		l.index.chunks = append(l.index.chunks, chunk{header: h, offset: l.next})
		l.index.lost += h.firstRow - l.index.rows
		l.index.rows = h.firstRow + h.rows
		l.index.mu.Unlock()
		l.next = end
	}
	return nil
}

// follows reports whether a chunk can be the next one.
func (l *Log) follows(h header) bool {
	return h.firstRow >= l.Len() && h.firstNumber >= 1 && h.firstNumber <= h.firstRow+1
}

// Lines gives n rows from row from on, those of them that there are: a row that
// is lost is left out, which Row shows. With a *DamageError it gives what can be
// read before the damage; what is after it can be asked for.
func (l *Log) Lines(from, n int) ([]Line, error) {
	var lines []Line
	from = max(from, 0)
	to := min(from+min(n, l.Len()), l.Len())
	if to > from {
		lines = make([]Line, 0, min(to-from, 4096))
	}
	for from < to {
		p, err := l.page(from)
		if err != nil {
			return lines, err
		}
		if p == nil || p.firstRow >= to {
			break
		}
		first := max(from, p.firstRow)
		last := min(to, p.firstRow+p.rows)
		lines = p.append(lines, first-p.firstRow, last-p.firstRow)
		from = last
	}
	return lines, nil
}

// page gives the chunk that has a row, or else the next one; nil when there is
// none.
func (l *Log) page(row int) (*page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.index
	x.mu.Lock()
	i := sort.Search(len(x.chunks), func(i int) bool { return x.chunks[i].end() > row })
	if i == len(x.chunks) {
		defer x.mu.Unlock()
		if x.tail == nil || x.tail.rows == 0 {
			return nil, nil // there is none, which is no error
		}
		return pageOf(x.tail), nil
	}
	c := x.chunks[i]
	if c.raw != nil {
		defer x.mu.Unlock() // afterwards it may be used again
		return pageOf(c.raw), nil
	}
	x.mu.Unlock()
	if at := slices.IndexFunc(l.recent, func(k cached) bool { return k.row == c.header.firstRow }); at >= 0 {
		k := l.recent[at]
		l.recent = append(append(l.recent[:at], l.recent[at+1:]...), k)
		return k.page, nil
	}
	var file *os.File
	if c.memory == nil {
		var err error
		if file, err = l.opened(); err != nil {
			return nil, err
		}
	}
	raw, err := l.unpack(file, &c, nil, nil)
	if err != nil {
		return nil, err
	}
	p, err := newPage(&c.header, raw)
	if err != nil {
		return nil, l.damaged(&c, err)
	}
	l.recent = append(l.recent, cached{p.firstRow, p})
	size := 0
	for at, r := range slices.Backward(l.recent) {
		if size += len(r.page.text); size > cachedText && at < len(l.recent)-1 {
			l.recent = slices.Delete(l.recent, 0, at+1)
			break
		}
	}
	return p, nil
}

// unpack reads a chunk, from file unless it is in memory. packed and raw are
// buffers, which may be nil.
func (l *Log) unpack(file *os.File, c *chunk, packed, raw []byte) ([]byte, error) {
	payload := c.memory
	if payload == nil {
		size := c.header.packedLen
		if cap(packed) < size {
			packed = make([]byte, size)
		}
		payload = packed[:size]
		if _, err := file.ReadAt(payload, c.offset+headerLen); err != nil {
			return nil, l.damaged(c, err)
		}
	} else {
		payload = payload[headerLen:]
	}
	raw, err := c.header.unpack(payload, raw)
	if err != nil {
		return nil, l.damaged(c, err)
	}
	return raw, nil
}

// opened is the file. That of a Writer is opened when it is wanted.
func (l *Log) opened() (*os.File, error) {
	if l.file != nil {
		return l.file, nil
	}
	if l.closed {
		return nil, os.ErrClosed
	}
	file, err := os.Open(l.index.path)
	if err != nil {
		return nil, err
	}
	l.file = file
	return file, nil
}

func (l *Log) damaged(c *chunk, err error) error {
	return &DamageError{Path: l.index.path, Row: c.header.firstRow, Rows: c.header.rows, Why: err.Error()}
}
