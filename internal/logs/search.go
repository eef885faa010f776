package logs

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sort"
	"sync"
)

// tally is how often a pattern is in the chunks, as far as they were counted.
type tally struct {
	pattern *Pattern
	mu      sync.Mutex
	counts  map[int]int // by the first row of the chunk
}

// keptTallies is for how many patterns counts are kept.
const keptTallies = 2

// Search finds the first row at from or after it that the pattern is in, or the
// last one at from or before it with backwards. Rows that cannot be read are
// passed over.
func (l *Log) Search(ctx context.Context, p *Pattern, from int, backwards bool) (row int, found bool, err error) {
	v, err := l.view()
	if err != nil {
		return 0, false, err
	}
	t := l.tally(p)
	order := v.order(from, backwards)
	best := func(c *chunk, s *scratch) (int, bool) {
		row, found := 0, false
		v.rows(c, p, s, func(r int) bool {
			if backwards {
				if r > from {
					return false
				}
				row, found = r, true
				return true
			}
			if r < from {
				return true
			}
			row, found = r, true
			return false
		})
		return row, found
	}
	// A few at a time, in order, and then more: what is looked for is often near.
	for width := runtime.GOMAXPROCS(0); len(order) > 0; width = min(2*width, 128) {
		some := order[:min(width, len(order))]
		order = order[len(some):]
		rows, hits := make([]int, len(some)), make([]bool, len(some))
		v.each(ctx, len(some), func(i int, s *scratch) {
			if n, known := t.count(some[i]); known && n == 0 {
				return
			}
			rows[i], hits[i] = best(some[i], s)
		})
		if ctx.Err() != nil {
			return 0, false, context.Cause(ctx)
		}
		if i := slices.Index(hits, true); i >= 0 {
			return rows[i], true, nil
		}
	}
	return 0, false, nil
}

// Count is how many rows the pattern is in, and how many of them are before row.
// What was counted before is not read again, so it can be called whenever the
// log has grown.
func (l *Log) Count(ctx context.Context, p *Pattern, row int) (before, total int, err error) {
	v, err := l.view()
	if err != nil {
		return 0, 0, err
	}
	t := l.tally(p)
	befores, totals := make([]int, len(v.chunks)), make([]int, len(v.chunks))
	v.each(ctx, len(v.chunks), func(i int, s *scratch) {
		c := &v.chunks[i]
		inside := row > c.header.firstRow && row < c.end()
		if n, known := t.count(c); known && !inside {
			totals[i] = n
		} else {
			v.rows(c, p, s, func(r int) bool {
				totals[i]++
				if r < row {
					befores[i]++
				}
				return true
			})
			t.set(c, totals[i])
		}
		if row >= c.end() {
			befores[i] = totals[i]
		}
	})
	for i := range totals {
		before, total = before+befores[i], total+totals[i]
	}
	return before, total, context.Cause(ctx)
}

// tally is that of a pattern.
func (l *Log) tally(p *Pattern) *tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.tallies, func(t *tally) bool { return t.pattern == p }); i >= 0 {
		return l.tallies[i]
	}
	t := &tally{pattern: p, counts: make(map[int]int)}
	l.tallies = append(l.tallies, t)
	l.tallies = l.tallies[max(0, len(l.tallies)-keptTallies):]
	return t
}

func (t *tally) count(c *chunk) (n int, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, known = t.counts[c.header.firstRow]
	return n, known
}

// set remembers a count, unless it is that of a tail, which may grow.
func (t *tally) set(c *chunk, n int) {
	if c.raw != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[c.header.firstRow] = n
}

// view is a log as it was at one time.
type view struct {
	log    *Log
	file   *os.File
	chunks []chunk // those with raw have a copy of it that is theirs
}

func (l *Log) view() (*view, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &view{log: l}
	x := l.index
	x.mu.Lock()
	v.chunks = slices.Clone(x.chunks)
	for i := len(v.chunks) - 1; i >= 0 && v.chunks[i].raw != nil; i-- {
		v.chunks[i].raw = &block{text: slices.Clone(v.chunks[i].raw.text)}
	}
	if x.tail != nil && x.tail.rows > 0 {
		b := x.tail
		v.chunks = append(v.chunks, chunk{
			header: header{firstRow: b.firstRow, firstNumber: b.firstNumber, rows: b.rows}, raw: &block{text: slices.Clone(b.text)},
		})
	}
	x.mu.Unlock()
	if slices.ContainsFunc(v.chunks, func(c chunk) bool { return c.raw == nil && c.memory == nil }) {
		var err error
		if v.file, err = l.opened(); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// order gives the chunks from the one with row from on, in the order of a search.
func (v *view) order(from int, backwards bool) []*chunk {
	var order []*chunk
	if backwards {
		for i := sort.Search(len(v.chunks), func(i int) bool { return v.chunks[i].header.firstRow > from }) - 1; i >= 0; i-- {
			order = append(order, &v.chunks[i])
		}
		return order
	}
	for i := sort.Search(len(v.chunks), func(i int) bool { return v.chunks[i].end() > from }); i < len(v.chunks); i++ {
		order = append(order, &v.chunks[i])
	}
	return order
}

// rows calls hit for the rows of a chunk that the pattern is in. A chunk that
// cannot be read has none.
func (v *view) rows(c *chunk, p *Pattern, s *scratch, hit func(row int) bool) {
	var text []byte
	if c.raw != nil {
		text = c.raw.text
	} else {
		if c.memory == nil && cap(s.packed) < c.header.packedLen {
			s.packed = make([]byte, c.header.packedLen)
		}
		raw, err := v.log.unpack(v.file, c, s.packed, s.raw)
		if err != nil {
			return
		}
		if c.header.codec != codecNone {
			s.raw = raw
		}
		text = raw[:c.header.textLen]
	}
	p.rows(text, s, func(row int) bool { return hit(c.header.firstRow + row) })
}

// each calls f for 0 to n-1, from as many goroutines as there are processors,
// each with buffers of its own, until ctx ends.
func (v *view) each(ctx context.Context, n int, f func(i int, s *scratch)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 {
		s := &scratch{}
		for i := range n {
			if ctx.Err() != nil {
				return
			}
			f(i, s)
		}
		return
	}
	var all sync.WaitGroup
	panics := make([]any, workers)
	for w := range workers {
		all.Go(func() {
			defer func() { panics[w] = recover() }()
			s := &scratch{}
			for i := w; i < n && ctx.Err() == nil; i += workers {
				f(i, s)
			}
		})
	}
	all.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p)
		}
	}
}

// IsDamage reports whether an error is about a part of a log only.
func IsDamage(err error) (*DamageError, bool) { return errors.AsType[*DamageError](err) }
