package servertest

import (
	"net/http"
	"strings"
	"time"
)

// Fault is what a server does instead of what it should. Set only what is meant.
type Fault struct {
	// Match selects requests: METHOD and the beginning of the path with the query,
	// such as "GET /api/repos/octo/hello/builds". Of the path, * is any one part.
	Match string
	// Body selects, of those, requests with a body that has this text.
	Body string
	// Skip is how many of them are served before the fault, Times how many have it; 0
	// is all.
	Skip, Times int

	// Delay is how long the server waits before it answers.
	Delay time.Duration
	// Hang never answers.
	Hang bool
	// Drop closes the connection without an answer.
	Drop bool
	// Status answers with that, and Message as a server says it, or Text as something
	// else does, of the type Type.
	Status              int
	Message, Text, Type string
	// Location is where an answer leads to.
	Location string
	// RetryAfter is what the answer says of when to come again.
	RetryAfter string
	// Truncate promises more than it sends.
	Truncate bool

	// The faults of streams, which are served otherwise.
	Stream StreamFault

	seen int
}

// StreamFault is what is wrong with a stream. Counts begin with 1.
type StreamFault struct {
	// Cut closes the connection after so many events, without saying so.
	Cut int
	// Stall sends nothing after so many events, not even pings.
	Stall int
	// Drop does not send every so-many-th event.
	Drop int
	// Duplicate sends each event twice.
	Duplicate bool
	// LoseFrom does not send lines of a log from that number on, although they are
	// stored.
	LoseFrom int
	// Chunk sends so many bytes at once, with Delay between them.
	Chunk int
	Delay time.Duration
}

// Fault sets a fault. Of several that match a request the first that is not used
// up counts.
func (s *Server) Fault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// matches reports whether a fault is for a request.
func (f *Fault) matches(r *http.Request, body string) bool {
	method, path, _ := strings.Cut(f.Match, " ")
	if method != r.Method || !strings.Contains(body, f.Body) {
		return false
	}
	want, got := strings.Split(path, "/"), strings.Split(r.URL.RequestURI(), "/")
	if len(got) < len(want) {
		return false
	}
	for i, part := range want {
		last := i == len(want)-1
		if part != "*" && part != got[i] && (!last || !strings.HasPrefix(got[i], part)) {
			return false
		}
	}
	return true
}

// due counts a request, and tells whether it has the fault.
func (f *Fault) due() bool {
	f.seen++
	return f.seen > f.Skip && (f.Times == 0 || f.seen <= f.Skip+f.Times)
}

// fault is what is wrong with the answer to a request. The server is not locked.
func (s *Server) fault(r *http.Request, body []byte) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Stream == (StreamFault{}) && f.matches(r, string(body)) && f.due() {
			found := *f
			return &found
		}
	}
	return nil
}

// streamFault is what is wrong with a stream that is opened.
func (s *Server) streamFault(r *http.Request) StreamFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Stream != (StreamFault{}) && f.matches(r, "") && f.due() {
			return f.Stream
		}
	}
	return StreamFault{}
}

// answer does what is wrong, and reports whether that was all.
func (f *Fault) answer(s *Server, w http.ResponseWriter, r *http.Request) bool {
	select {
	case <-time.After(f.Delay):
	case <-s.stop:
		return true
	case <-r.Context().Done():
		return true
	}
	switch {
	case f.Hang:
		s.stall(r)
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Status == 0 && f.Text == "" && f.Location == "" && !f.Truncate:
		return false // it was late only
	default:
		f.write(w)
	}
	return true
}

func (f *Fault) write(w http.ResponseWriter) {
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	if f.Location != "" {
		w.Header().Set("Location", f.Location)
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	if f.Truncate {
		w.Header().Set("Content-Length", "1000000")
	}
	if f.Text == "" && f.Message != "" {
		write(w, status, map[string]string{"message": f.Message})
		return
	}
	kind := f.Type
	if kind == "" {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(f.Text)) // a client that is gone is not told
}

// HTML answers with a page for browsers, as a server does to addresses that it
// does not know, and as proxies do.
func HTML(match string) Fault {
	return Fault{Match: match, Text: "<!DOCTYPE html>\n<html></html>\n", Type: "text/html; charset=utf-8"}
}

// Null answers null, as a server does when it starts no build.
func Null(match string) Fault { return Fault{Match: match, Text: "null\n"} }

// Refuse answers with a status and a message.
func Refuse(match string, status int, message string) Fault {
	return Fault{Match: match, Status: status, Message: message}
}
