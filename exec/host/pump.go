package host

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// When the processes of a step are gone, only one that could not be found still
// holds its output. That gets silence to write something more, and no more than
// overtime in all, so that it cannot hold the step for ever.
const (
	silence  = 2 * time.Second
	overtime = 5 * time.Second
	// hurried is the overtime when there is no time left.
	hurried = 100 * time.Millisecond
)

// pipeSize is how much a pipe holds, so how much of the output of a step may not
// be read yet when the step has ended.
const pipeSize = 64 << 10

// lastLook is how long a read may take that only fetches what is there already.
const lastLook = 10 * time.Millisecond

// pump carries the output of a step in a goroutine of its own.
type pump struct {
	from  *os.File
	done  chan error // of the first write that failed
	held  bool       // the output was left before its end; set before done
	hurry <-chan struct{}

	mu    sync.Mutex
	end   time.Time // when overtime is over; zero as long as the step runs
	after int       // bytes read since the step has ended
}

// newPump begins to read from, which it closes at the end.
func newPump(from *os.File, to io.Writer) *pump {
	p := &pump{from: from, done: make(chan error, 1)}
	go func() {
		defer from.Close()
		p.done <- exec.Guard(func() error { return p.copy(to) })
	}()
	return p
}

// finish is called when the step has ended. It waits for the last write, and
// reports whether a process still holds the output. The error is that of the
// first write that failed.
func (p *pump) finish() (held bool, err error) {
	p.bear(overtime)
	select {
	case err = <-p.done:
	case <-p.hurry:
		p.bear(hurried)
		err = <-p.done
	}
	return p.held, err
}

// bear says how long the output is still read, from now on.
func (p *pump) bear(long time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = time.Now().Add(long)
	// A read that waits looks again whether the step is over.
	_ = p.from.SetReadDeadline(time.Now())
}

// copy reads until the end, also when nobody takes what it reads: the step must
// be able to go on.
func (p *pump) copy(to io.Writer) (failed error) {
	buffer := make([]byte, pipeSize)
	for {
		bounded, enough := p.bound()
		if enough {
			p.held = true
			return failed
		}
		n, err := p.from.Read(buffer)
		if n > 0 && failed == nil {
			_, failed = to.Write(buffer[:n])
		}
		p.count(n)
		switch {
		case err == nil:
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return failed
		case bounded:
			p.held = true
			return failed
		}
	}
}

// bound gives the next read a limit once the step is over, and reports that. It
// reports enough when the output should be left. Where a slow reader has used
// up the time, what the step itself had written is still read.
func (p *pump) bound() (bounded, enough bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end.IsZero() {
		return false, false
	}
	now := time.Now()
	wait := min(silence, p.end.Sub(now))
	if wait <= 0 {
		if p.after >= pipeSize {
			return true, true
		}
		wait = lastLook
	}
	return p.from.SetReadDeadline(now.Add(wait)) == nil, false
}

// count counts what is read once the step has ended.
func (p *pump) count(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.end.IsZero() {
		p.after += n
	}
}
