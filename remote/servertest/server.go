// Package servertest is a Drone server for tests: it keeps users, repositories,
// builds, logs, secrets and the rest in memory, and speaks the wire format of a
// server 2.25 as far as clients see it, with its oddities: the statuses it refuses
// with, the sizes of pages it takes for others, the events that it does not send,
// the streams that stay open after a kill. A test plays the part of the runner.
//
// Faults make it answer what a server, or what stands before one, answers when
// something is wrong.
//
// It knows nothing of testing.T, so that scripts and programs can use it, and
// listens on the loopback interface only.
package servertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/drone-laptop/drone/remote"
)

// Server is a server. Its methods may be called concurrently; those that are about
// something that does not exist panic, for that is a mistake of the test.
type Server struct {
	// URL is its address.
	URL string
	// OSS makes it the edition without the enterprise parts: what these do is
	// answered with 501. Like the fields below it is set before the first request.
	OSS bool
	// Ping is how often a stream that has nothing to say says so; 0 is 30 seconds.
	Ping time.Duration
	// Autorun has builds run by themselves as soon as they are created, with this
	// pause before each change; 0 leaves them to Play and the methods of a runner.
	Autorun time.Duration

	http *httptest.Server
	stop chan struct{}
	jobs sync.WaitGroup

	mu        sync.Mutex
	clock     int64
	ids       int64
	users     []*user
	repos     []*repository
	orgs      map[string][]*secret
	templates map[string][]remote.Template
	machines  []remote.Server
	faults    []*Fault
	requests  []Request
	events    []*subscriber
}

// Request is one that was sent to the server. It has no token.
type Request struct {
	Method string
	URI    string // the path and the query
	Body   string
	User   string // the login; empty for a guest
}

func (r Request) String() string {
	return strings.TrimSpace(r.Method + " " + r.URI + " " + r.Body)
}

// New starts a server that has nothing but its administrator, who is called admin.
func New() *Server {
	s := &Server{stop: make(chan struct{}), clock: 1700000000, orgs: map[string][]*secret{}, templates: map[string][]remote.Template{}}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	s.AddUser(remote.User{Login: "admin", Email: "admin@example.com", Admin: true, Token: "t0ken-of-admin"})
	return s
}

// Close ends the server with all streams, and waits for builds that run by
// themselves.
func (s *Server) Close() {
	close(s.stop)
	s.http.Close()
	s.jobs.Wait()
}

// Requests are those that were sent so far, also those that were refused.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// now is a time that is later with each call, the same in each run of a test.
func (s *Server) now() int64 {
	s.clock++
	return s.clock
}

func (s *Server) id() int64 {
	s.ids++
	return s.ids
}

// refusal is an answer that is none of success.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

var (
	errUnauthorized = &refusal{http.StatusUnauthorized, "Unauthorized"}
	errForbidden    = &refusal{http.StatusForbidden, "Forbidden"}
	errHidden       = &refusal{http.StatusNotFound, "Not Found"}
	errNoRow        = &refusal{http.StatusNotFound, "sql: no rows in result set"}
	errNotMember    = &refusal{http.StatusUnauthorized, "Forbidden"}
)

func bad(message string) error { return &refusal{http.StatusBadRequest, message} }

func duplicate(columns string) error {
	return &refusal{http.StatusInternalServerError, "UNIQUE constraint failed: " + columns}
}

// What a handler may return, beside values that are JSON and nil for an answer
// without a body.
type (
	null   struct{}
	raw    struct{ kind, body string }
	stream func(w http.ResponseWriter, r *http.Request)
)

// access says who may call a route.
type access int

const (
	guest access = iota
	authenticated
	mayRead
	mayWrite
	repoAdmin
	sysadmin
	member   // of the organisation {ns}
	orgAdmin // of it
)

// call is a request to a route, while the server is locked.
type call struct {
	*Server
	r    *http.Request
	body []byte
	user *user       // nil for a guest
	repo *repository // of {o}/{n}
	vars map[string]string
}

// decode reads the body as a server does, which takes one that is missing for
// wrong.
func (c *call) decode(in any) error {
	if json.Unmarshal(c.body, in) != nil {
		return bad("Invalid or missing input")
	}
	return nil
}

func (c *call) number(name string) (int64, error) {
	n, err := strconv.ParseInt(c.vars[name], 10, 64)
	if err != nil {
		return 0, bad(err.Error())
	}
	return n, nil
}

type route struct {
	method, pattern string
	access          access
	enterprise      bool
	handle          func(*call) (any, error)
}

// match reports whether a path is of a route: {x} is one part of it, and a * at the
// end the rest.
func (r route) match(path []string) (map[string]string, bool) {
	pattern := strings.Split(r.pattern, "/")
	vars := map[string]string{}
	for i, part := range pattern {
		if part == "*" && i < len(path) {
			vars["*"] = strings.Join(path[i:], "/")
			return vars, true
		}
		switch {
		case i >= len(path):
			return nil, false
		case strings.HasPrefix(part, "{"):
			vars[strings.Trim(part, "{}")] = path[i]
		case part != path[i]:
			return nil, false
		}
	}
	return vars, len(path) == len(pattern)
}

var routes = slices.Concat(accountRoutes, repoRoutes, buildRoutes, secretRoutes, userRoutes, systemRoutes, streamRoutes)

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	login := s.remember(r, body)
	if f := s.fault(r, body); f != nil && f.answer(s, w, r) {
		return
	}
	w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate, private, max-age=0")
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	answer, err := s.dispatch(r, body, path, login)
	if err, ok := errors.AsType[*refusal](err); ok {
		if err.message == "" {
			w.WriteHeader(err.status)
			return
		}
		write(w, err.status, map[string]string{"message": err.message})
		return
	}
	switch answer := answer.(type) {
	case stream:
		answer(w, r)
	case raw:
		w.Header().Set("Content-Type", answer.kind)
		status := http.StatusOK
		if answer.body == noRoute {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer.body) // a client that is gone is not told
	case null:
		write(w, http.StatusOK, nil)
	case nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		write(w, http.StatusOK, json.RawMessage(answer.([]byte)))
	}
}

const noRoute = "404 page not found\n"

func write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // as above
}

// remember notes a request, and tells the login of its user.
func (s *Server) remember(r *http.Request, body []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	login := ""
	if u := s.byToken(r); u != nil {
		login = u.Login
	}
	uri := *r.URL
	query := uri.Query()
	query.Del("access_token")
	uri.RawQuery = query.Encode()
	s.requests = append(s.requests, Request{r.Method, uri.RequestURI(), string(bytes.TrimSpace(body)), login})
	return login
}

// byToken is the user of a request. One with a wrong token is a guest.
func (s *Server) byToken(r *http.Request) *user {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		token = r.FormValue("access_token")
	}
	for _, u := range s.users {
		if u.Token == token && token != "" {
			return u
		}
	}
	return nil
}

// dispatch gives the answer of a route; values are JSON already, for what they are
// made of may change.
func (s *Server) dispatch(r *http.Request, body []byte, path []string, login string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := false
	for _, route := range routes {
		vars, ok := route.match(path)
		if !ok {
			continue
		}
		known = true
		if route.method != r.Method {
			continue
		}
		if s.OSS && route.enterprise {
			return nil, &refusal{http.StatusNotImplemented, "Not Implemented"}
		}
		c := &call{Server: s, r: r, body: body, user: s.userNamed(login), vars: vars}
		if err := c.allow(route.access); err != nil {
			return nil, err
		}
		answer, err := route.handle(c)
		if err != nil {
			return nil, err
		}
		switch answer.(type) {
		case nil, null, raw, stream:
			return answer, nil
		}
		return json.Marshal(answer)
	}
	switch {
	case known:
		return nil, &refusal{status: http.StatusMethodNotAllowed}
	case path[0] == "api":
		return raw{"text/plain; charset=utf-8", noRoute}, nil
	}
	return raw{"text/html; charset=utf-8", "<!DOCTYPE html>\n<html><head><title>Drone CI</title></head></html>\n"}, nil
}

// allow checks who calls, and finds the repository that is called for.
func (c *call) allow(who access) error {
	if ns, name := c.vars["o"], c.vars["n"]; ns != "" {
		c.repo = c.find(remote.Slug{Owner: ns, Name: name})
	}
	admin := c.user != nil && c.user.Admin
	switch who {
	case guest:
		return nil
	case authenticated:
		if c.user == nil {
			return errUnauthorized
		}
		return nil
	case sysadmin:
		switch {
		case c.user == nil:
			return errUnauthorized
		case !admin:
			return errForbidden
		}
		return nil
	case member, orgAdmin:
		switch {
		case c.user == nil:
			return errUnauthorized
		case !admin && c.user.Login != c.vars["ns"]:
			return errNotMember
		}
		return nil
	}
	switch {
	case c.repo == nil && c.user == nil:
		return errUnauthorized
	case c.repo == nil:
		return errHidden
	}
	may := c.permissions()
	switch {
	case c.user != nil && !c.user.Active:
		return errForbidden
	case may.Admin, who == mayWrite && may.Write, who == mayRead && may.Read:
		return nil
	case c.user == nil:
		return errUnauthorized
	}
	return errHidden
}

// permissions are those of the user on the repository.
func (c *call) permissions() remote.Permissions {
	may := remote.Permissions{}
	if c.user != nil {
		may = c.repo.users[c.user.Login]
		if c.user.Admin {
			may = remote.Permissions{Read: true, Write: true, Admin: true}
		}
	}
	if c.repo.Visibility == remote.VisibilityPublic || c.repo.Visibility == remote.VisibilityInternal && c.user != nil {
		may.Read = true
	}
	return may
}
