package docker

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"

	"github.com/drone-laptop/drone/exec"
)

// settleTime is how long after the end of its output a container may take to
// be known to have ended.
const settleTime = 300 * time.Millisecond

// endTime is how long a busy engine may take to tell that a container whose
// output has ended has itself ended.
const endTime = 3 * time.Second

const brokenOff = "the connection that carries the output broke off and was made again: lines printed meanwhile are lost"

// feed is the output of a container, over one connection after another:
// something between here and the engine may cut one while the container goes
// on.
type feed struct {
	engine *Engine
	name   string
	notify func(exec.Notice)
	over   chan struct{} // closed when the container has ended, or is given up

	warning sync.Once

	mu     sync.Mutex
	conn   types.HijackedResponse
	closed bool
	held   bool // at the gate: without this connection there is nothing to come
	lost   bool // the connection ended while it was held
}

// attach gives the output of a container that has not been started.
// Where it is held at the gate, the connection leads there, too.
func (e *Engine) attach(ctx context.Context, name string, held bool, notify func(exec.Notice)) (*feed, error) {
	conn, err := e.attachOnce(ctx, name, held)
	if err != nil {
		return nil, err
	}
	return &feed{engine: e, name: name, notify: notify, over: make(chan struct{}), conn: conn, held: held}, nil
}

func (e *Engine) attachOnce(ctx context.Context, name string, stdin bool) (types.HijackedResponse, error) {
	return e.client.ContainerAttach(ctx, name, container.AttachOptions{Stream: true, Stdin: stdin, Stdout: true, Stderr: true})
}

// release says words to a container that is held at the gate. It reports false
// when the gate cannot have opened: what opens it is the last byte.
func (s *feed) release(words string, notify func(exec.Notice)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost || s.closed {
		return false
	}
	s.held, s.notify = false, notify
	_, err := io.WriteString(s.conn.Conn, words)
	return err == nil
}

func (s *feed) reader() io.Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.Reader
}

// close ends the feed, also while it is being made again.
func (s *feed) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.conn.Close()
	}
}

// again is called at the end of a connection. It gives the next one when the
// container still runs, and nil when all has been said.
func (s *feed) again() io.Reader {
	s.mu.Lock()
	s.lost = s.held
	s.mu.Unlock()
	if s.lost {
		return nil
	}
	select {
	case <-s.over:
		return nil
	case <-time.After(settleTime):
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	info, err := s.engine.client.ContainerInspect(ctx, s.name)
	if err != nil || !info.State.Running {
		return nil
	}
	conn, err := s.engine.attachOnce(ctx, s.name, false)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return nil
	}
	s.conn.Close()
	s.conn = conn
	go s.warnLater()
	return &noticing{conn.Reader, s.warn}
}

// warnLater tells that lines were lost, unless the container ends now: then it
// was its end that ended the connection, and the engine was slow to say so.
func (s *feed) warnLater() {
	select {
	case <-s.over:
	case <-time.After(endTime):
		s.warn()
	}
}

func (s *feed) warn() {
	s.warning.Do(func() { s.notify(exec.Notice{Warning: brokenOff}) })
}

// noticing is a reader that tells when something comes.
type noticing struct {
	io.Reader
	some func()
}

func (r *noticing) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.some()
	}
	return n, err
}
