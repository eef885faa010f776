package servertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/drone-laptop/drone/remote"
)

const (
	// history is how much of a log the server keeps for who comes late.
	history = 5000
	// backlog is how many events it keeps for a reader that is slow.
	backlog = 100
)

// log is that of a step: live first, then stored.
type log struct {
	lines   []remote.Line
	closed  bool          // the step has ended
	stored  bool          // there is something to be fetched
	purged  bool          // it was deleted
	changed chan struct{} // closed and replaced with each change
}

func newLog() *log { return &log{changed: make(chan struct{})} }

func (l *log) print(lines ...string) {
	for _, text := range lines {
		l.lines = append(l.lines, remote.Line{Number: len(l.lines), Message: text + "\n", Timestamp: int64(len(l.lines) / 10)})
	}
	l.wake()
}

func (l *log) end() {
	l.closed, l.stored = true, true
	l.wake()
}

func (l *log) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// subscriber is a stream of events that is open.
type subscriber struct {
	sees   func(*repository) bool
	events chan []byte
}

// publish tells the streams of events how a build is now.
func (s *Server) publish(r *repository, b *remote.Build) {
	told := r.Repo.Repo
	build := copyBuild(b)
	told.Build = &build
	text, err := json.Marshal(told)
	if err != nil {
		panic(err) // a mistake of the test: what is in it has no JSON
	}
	for _, sub := range s.events {
		if sub.sees(r) {
			select {
			case sub.events <- text:
			default: // as a server, which drops what a slow reader has no room for
			}
		}
	}
}

var streamRoutes = []route{
	{"GET", "api/stream", guest, false, func(c *call) (any, error) {
		var login string
		seen := map[string]bool{}
		if c.user != nil {
			login = c.user.Login
			for _, r := range c.repos {
				seen[r.Slug] = r.users[login].Read // as they are when the stream is opened
			}
		}
		return c.follow(func(r *repository) bool {
			return r.Visibility == remote.VisibilityPublic || login != "" && (r.Visibility == remote.VisibilityInternal || seen[r.Slug])
		}), nil
	}},
	{"GET", "api/stream/{o}/{n}", mayRead, false, func(c *call) (any, error) {
		repo := c.repo
		return c.follow(func(r *repository) bool { return r == repo }), nil
	}},
	{"GET", "api/stream/{o}/{n}/{build}/{stage}/{step}", mayRead, false, func(c *call) (any, error) {
		step, err := c.step()
		if err != nil {
			return nil, err
		}
		if !c.repo.has(step) {
			return nil, errNoRow
		}
		return c.tail(c.repo.logs[step]), nil
	}},
}

func (r *repository) has(ref remote.StepRef) bool {
	b := r.build(ref.Build)
	return b != nil && ref.Stage >= 1 && ref.Stage <= len(b.Stages) &&
		ref.Step >= 1 && ref.Step <= len(b.Stages[ref.Stage-1].Steps)
}

func (c *call) step() (remote.StepRef, error) {
	build, err := c.number("build")
	if err != nil {
		return remote.StepRef{}, err
	}
	stage, err := c.number("stage")
	if err != nil {
		return remote.StepRef{}, err
	}
	step, err := c.number("step")
	return remote.StepRef{Build: build, Stage: int(stage), Step: int(step)}, err
}

// writer sends a stream, with the faults that are set for it.
type writer struct {
	http.ResponseWriter
	fault StreamFault
	sent  int
}

// begin sends the head and the first ping.
func (s *Server) begin(w http.ResponseWriter, r *http.Request) *writer {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Accel-Buffering", "no")
	out := &writer{ResponseWriter: w, fault: s.streamFault(r)}
	out.write(": ping\n\n")
	return out
}

func (w *writer) write(text string) {
	step := len(text)
	if w.fault.Chunk > 0 {
		step = w.fault.Chunk
	}
	for len(text) > 0 {
		n := min(step, len(text))
		_, _ = fmt.Fprint(w.ResponseWriter, text[:n]) // a client that is gone is not told
		w.ResponseWriter.(http.Flusher).Flush()
		if text = text[n:]; text != "" {
			time.Sleep(w.fault.Delay)
		}
	}
}

// event sends an event; false is a stream that is to send nothing more.
func (w *writer) event(data []byte, extra string) bool {
	w.sent++
	text := "data: " + string(data) + "\n" + extra + "\n"
	if w.fault.Drop == 0 || w.sent%w.fault.Drop != 0 {
		w.write(text)
		if w.fault.Duplicate {
			w.write(text)
		}
	}
	if w.sent == w.fault.Cut {
		panic(http.ErrAbortHandler) // the connection is cut
	}
	return w.sent != w.fault.Stall
}

// stall keeps a stream open that nothing comes on.
func (s *Server) stall(r *http.Request) {
	select {
	case <-s.stop:
	case <-r.Context().Done():
	}
}

func (w *writer) eof() { w.write("event: error\ndata: eof\n\n") }

func (s *Server) ping() time.Duration {
	if s.Ping > 0 {
		return s.Ping
	}
	return 30 * time.Second
}

// follow is a stream of events about the repositories that who has opened it sees.
func (s *Server) follow(sees func(*repository) bool) stream {
	sub := &subscriber{sees, make(chan []byte, backlog)}
	s.events = append(s.events, sub)
	return func(w http.ResponseWriter, r *http.Request) {
		defer s.leave(sub)
		out := s.begin(w, r)
		for {
			select {
			case <-s.stop:
				return
			case <-r.Context().Done():
				return
			case <-time.After(s.ping()):
				out.write(": ping\n\n")
			case data := <-sub.events:
				if !out.event(data, "") {
					s.stall(r)
					return
				}
			}
		}
	}
}

func (s *Server) leave(sub *subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.events {
		if other == sub {
			s.events = append(s.events[:i], s.events[i+1:]...)
			return
		}
	}
}

// tail is the stream of a log. That of a step which does not run ends at once.
func (s *Server) tail(l *log) stream {
	return func(w http.ResponseWriter, r *http.Request) {
		out := s.begin(w, r)
		if l == nil {
			out.eof()
			return
		}
		next := -1
		for {
			lines, closed, changed := s.since(l, &next, out.fault.LoseFrom)
			for _, line := range lines {
				data, err := json.Marshal(line)
				if err != nil {
					return // not of a line
				}
				if !out.event(data, "\n") {
					s.stall(r)
					return
				}
			}
			if closed {
				out.eof()
				return
			}
			select {
			case <-s.stop:
				return
			case <-r.Context().Done():
				return
			case <-time.After(s.ping()):
				out.write(": ping\n\n")
			case <-changed:
			}
		}
	}
}

// since gives the lines that are new since next, and lets that follow. Who opens
// the stream of a log that has ended gets none of it.
func (s *Server) since(l *log, next *int, lose int) (lines []remote.Line, closed bool, changed chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *next < 0 {
		*next = max(0, len(l.lines)-history)
		if l.closed {
			*next = len(l.lines)
		}
	}
	lines = l.lines[*next:]
	*next = len(l.lines)
	if lose > 0 {
		keep := 0
		for keep < len(lines) && lines[keep].Number < lose {
			keep++
		}
		lines = lines[:keep]
	}
	return lines, l.closed, l.changed
}
