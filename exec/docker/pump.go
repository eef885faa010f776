package docker

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/pkg/stdcopy"

	"github.com/drone-laptop/drone/exec"
)

const (
	// pumpLimit is how much output waits in memory for a slow reader before
	// the container is slowed down.
	pumpLimit = 4 << 20
	// pumpMost is how much output waits in memory at the very most.
	pumpMost = 64 << 20
	// pumpTrickle is how long a piece of output, at most 32 KiB, waits for
	// room before it is taken all the same. Engines wait only so long for the
	// reader of an ended container; a stream that never quite stands still
	// lets them finish, and a reader that hangs costs 128 KiB a second up to
	// pumpMost, where the container has to wait.
	pumpTrickle = 250 * time.Millisecond
	// pumpPiece is the most that is written to the output at once.
	pumpPiece = 64 << 10
	// pumpTail is how much of the end of the output is kept, to see why a
	// step failed.
	pumpTail = 4 << 10
	// pumpStall is how long the stream of an ended container may stay silent
	// without ending, and pumpHurry when there is no time left.
	pumpStall = 10 * time.Second
	pumpHurry = 200 * time.Millisecond
)

// pump carries the output of a container. One goroutine reads the attached
// stream as fast as it comes, another writes to the output, which may block.
type pump struct {
	out     io.Writer
	limit   int
	most    int
	trickle time.Duration
	hurry   <-chan struct{} // closed when there is no time left; nil never is

	mu      sync.Mutex
	pending []byte
	ended   bool
	dropped bool  // what waits is not delivered any more
	failed  error // of the first write that failed
	broken  error // a panic of who reads; set before read is closed

	more, room  chan struct{} // signals, of capacity one
	read, wrote chan struct{} // closed when the goroutines end
	draining    chan struct{} // closed when the container has ended
	released    chan struct{}
	taken       atomic.Int64
	last        []byte // at most pumpTail bytes; valid when read is closed
}

// newPump begins to read stream. At its end again gives what is to be read
// next, or nil. Nothing is written before release; until then out may be set.
func newPump(stream io.Reader, again func() io.Reader, out io.Writer) *pump {
	p := &pump{
		out: out, limit: pumpLimit, most: pumpMost, trickle: pumpTrickle, draining: make(chan struct{}),
		more: make(chan struct{}, 1), room: make(chan struct{}, 1),
		read: make(chan struct{}), wrote: make(chan struct{}), released: make(chan struct{}),
	}
	go p.readAll(stream, again)
	go p.writeAll()
	return p
}

// release lets the output through.
func (p *pump) release() { close(p.released) }

// abandon drops the output of a container that did not start. It is called in
// place of release.
func (p *pump) abandon() {
	p.out = io.Discard
	close(p.released)
}

// finish follows drain. It waits for the end of the stream, which cut ends when
// nothing comes any more, and for the last write. It returns the first error of
// a write. When there is no time left only a write under way is waited for.
func (p *pump) finish(cut func()) error {
	stall, hurry := pumpStall, p.hurry
	for before := int64(-1); ; {
		select {
		case <-p.read:
			return p.lastWrite()
		case <-hurry:
			hurry, stall = nil, pumpHurry
			p.drop()
		case <-time.After(stall):
			if now := p.taken.Load(); now == before || stall == pumpHurry {
				cut()
			} else {
				before = now
			}
		}
	}
}

// lastWrite waits for the end of the writes.
func (p *pump) lastWrite() error {
	select {
	case <-p.wrote:
	case <-p.hurry:
		p.drop()
		<-p.wrote
	}
	return errors.Join(p.failed, p.broken)
}

// drop forgets the output that waits, and what comes.
func (p *pump) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped = true
	p.pending = nil
	signal(p.room)
}

func (p *pump) readAll(stream io.Reader, again func() io.Reader) {
	defer close(p.read)
	p.broken = exec.Guard(func() error {
		for stream != nil {
			// How a stream ended says little: a connection that was cut and
			// one that was closed look alike. What came before is delivered.
			_, _ = stdcopy.StdCopy(p, p, stream)
			stream = again()
		}
		return nil
	})
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	signal(p.more)
}

// Write takes output from the stream; it is called by readAll only.
func (p *pump) Write(data []byte) (int, error) {
	p.mu.Lock()
	full := len(p.pending) >= p.limit
	p.mu.Unlock()
	if full {
		p.wait()
	}
	p.mu.Lock()
	if !p.dropped {
		p.pending = append(p.pending, data...)
	}
	p.mu.Unlock()
	p.taken.Add(int64(len(data)))
	p.keep(data)
	signal(p.more)
	return len(data), nil
}

// wait waits for room, or until something is taken without.
func (p *pump) wait() {
	p.mu.Lock()
	brimful := len(p.pending) >= p.most
	p.mu.Unlock()
	if brimful {
		select {
		case <-p.room:
			return
		case <-p.draining:
		}
	}
	select {
	case <-p.room:
	case <-time.After(p.trickle):
	}
}

// drain is called when the container has ended: what still comes is little, and
// is taken however full it is here.
func (p *pump) drain() { close(p.draining) }

// keep remembers the end of the output.
func (p *pump) keep(data []byte) {
	if len(data) >= pumpTail {
		p.last = append(p.last[:0], data[len(data)-pumpTail:]...)
		return
	}
	if over := len(p.last) + len(data) - pumpTail; over > 0 {
		p.last = append(p.last[:0], p.last[over:]...)
	}
	p.last = append(p.last, data...)
}

func (p *pump) writeAll() {
	defer close(p.wrote)
	<-p.released
	var spare []byte
	for {
		batch, ok := p.next(spare)
		if !ok {
			return
		}
		p.deliver(batch)
		spare = batch[:0]
		if cap(spare) > 1<<20 {
			spare = nil
		}
	}
}

// next waits for output; spare becomes the buffer for what follows.
func (p *pump) next(spare []byte) (batch []byte, ok bool) {
	for {
		p.mu.Lock()
		batch, ended := p.pending, p.ended
		if len(batch) > 0 {
			p.pending = spare
			p.mu.Unlock()
			signal(p.room)
			return batch, true
		}
		p.mu.Unlock()
		if ended {
			return nil, false
		}
		<-p.more
	}
}

// deliver writes to the output until a write fails; the rest is dropped so
// that the container can go on.
func (p *pump) deliver(batch []byte) {
	for len(batch) > 0 && p.failed == nil && !p.isDropped() {
		n := min(len(batch), pumpPiece)
		p.failed = exec.Guard(func() error {
			_, err := p.out.Write(batch[:n])
			return err
		})
		batch = batch[n:]
	}
}

func (p *pump) isDropped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
