package host

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// silence is how long the output of a step that has ended may stay silent
// without ending: only a process that could not be found or ended still holds
// it then.
const silence = 2 * time.Second

// pump carries the output of a step in a goroutine of its own.
type pump struct {
	from *os.File
	done chan error // of the first write that failed

	mu   sync.Mutex
	over bool // the step has ended
}

// newPump begins to read from, which it closes at the end.
func newPump(from *os.File, to io.Writer) *pump {
	p := &pump{from: from, done: make(chan error, 1)}
	go func() {
		defer from.Close()
		p.done <- p.copy(to)
	}()
	return p
}

// finish is called when the step has ended. It waits for the last write.
func (p *pump) finish() error {
	p.mu.Lock()
	p.over = true
	// A read that waits looks again whether the step is over.
	_ = p.from.SetReadDeadline(time.Now())
	p.mu.Unlock()
	return <-p.done
}

// copy reads until the end, also when nobody takes what it reads: the step must
// be able to go on.
func (p *pump) copy(to io.Writer) (failed error) {
	buffer := make([]byte, 64<<10)
	for {
		bounded := p.bound()
		n, err := p.from.Read(buffer)
		if n > 0 && failed == nil {
			_, failed = to.Write(buffer[:n])
		}
		if err != nil && (bounded || !errors.Is(err, os.ErrDeadlineExceeded)) {
			return failed
		}
	}
}

// bound gives the next read a limit once the step is over, and reports that.
func (p *pump) bound() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over && p.from.SetReadDeadline(time.Now().Add(silence)) == nil
}
