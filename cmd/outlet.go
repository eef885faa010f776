package cmd

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
)

const (
	// readerPatience is how long a write may take once a run is being ended,
	// and hurriedPatience once there is no time left.
	readerPatience  = 10 * time.Second
	hurriedPatience = 250 * time.Millisecond
)

// errStuck is what a write gives that nobody takes.
var errStuck = errors.New("nobody takes the output")

// outlet is a writer that can be given up. A pager in which nobody presses a
// key keeps a write to it waiting for ever; a run that is being ended must not
// wait with it. Until bound is called it is nothing but the writer behind it.
// It is safe for concurrent use.
type outlet struct {
	to io.Writer

	mu            sync.Mutex
	ending, hurry <-chan struct{}
	pieces        chan []byte // nil before the first write that can be given up
	results       chan error
	buffer        []byte // belongs to the goroutine that writes while it does
	err           error  // of the first write that failed
}

func newOutlet(to io.Writer) *outlet { return &outlet{to: to} }

// bound gives each write a bounded time once ending is closed, and hardly any
// once hurry is.
func (o *outlet) bound(ending, hurry <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ending, o.hurry = ending, hurry
}

// Write implements io.Writer. After an error nothing more is written.
func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	if o.ending == nil {
		return o.to.Write(p)
	}
	if o.pieces == nil {
		o.pieces, o.results = make(chan []byte), make(chan error, 1)
		go o.serve(o.pieces, o.results)
	}
	// The caller may use p again when a write was given up.
	o.buffer = append(o.buffer[:0], p...)
	o.pieces <- o.buffer
	if o.err = o.await(); o.err != nil {
		close(o.pieces)
		return 0, o.err
	}
	return len(p), nil
}

// await gives the result of the write under way.
func (o *outlet) await() error {
	ending, hurry := o.ending, o.hurry
	var enough <-chan time.Time
	for {
		select {
		case err := <-o.results:
			return err
		case <-ending:
			ending = nil
			timer := time.NewTimer(readerPatience)
			defer timer.Stop()
			enough = timer.C
		case <-hurry:
			ending, hurry = nil, nil
			timer := time.NewTimer(hurriedPatience)
			defer timer.Stop()
			enough = timer.C
		case <-enough:
			return errStuck
		}
	}
}

// serve writes pieces. One that is given up holds it until the program ends.
func (o *outlet) serve(pieces <-chan []byte, results chan<- error) {
	for piece := range pieces {
		results <- exec.Guard(func() error {
			_, err := o.to.Write(piece)
			return err
		})
	}
}
