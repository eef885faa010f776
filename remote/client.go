package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say which server is talked to, and as whom.
type Options struct {
	// Server is its address, with http:// or https://.
	Server string
	// Token is that of the user.
	Token string
	// Guest allows that there is no Token: a server shows everybody what is public.
	Guest bool
	// SkipVerify accepts any certificate of the server.
	SkipVerify bool
	// Timeout bounds each call that is no stream; 0 is DefaultTimeout.
	Timeout time.Duration
	// SlowTimeout bounds those that have the server ask others before it answers,
	// such as one that starts a build; 0 is DefaultSlowTimeout.
	SlowTimeout time.Duration
	// Idle is how long a stream may be silent; 0 is DefaultIdle.
	Idle time.Duration
	// Proxy names the proxy for a request; nil is for none, as in http.Transport.
	Proxy func(*http.Request) (*url.URL, error)
	// Agent is the User-Agent of all requests.
	Agent string
}

const (
	// DefaultTimeout is how long a call may take that only reads, or makes a
	// server compute something.
	DefaultTimeout = 30 * time.Second
	// DefaultSlowTimeout is how long one may take that starts a build or the like: a
	// server looks for a file that is missing for 45 seconds before it says so.
	DefaultSlowTimeout = 2 * time.Minute
	// connecting is how long it may take until a server is connected to.
	connecting = 10 * time.Second
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 32 << 20
	// maxRefusal bounds what is read of one that is an error.
	maxRefusal = 64 << 10
)

// Client talks to one server. It is made with New.
type Client struct {
	base    *url.URL
	token   string
	agent   string
	timeout time.Duration
	slow    time.Duration
	idle    time.Duration
	http    *http.Client
}

// New makes a client; it asks the server nothing yet. The error is an
// *OptionError.
func New(o Options) (*Client, error) {
	base, err := parseServer(o.Server)
	if err != nil {
		return nil, err
	}
	if o.Token == "" && !o.Guest {
		return nil, &OptionError{Option: "token", Reason: "there is no token for the server"}
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &OptionError{Option: "token", Reason: "the token has blanks or characters that no token has"}
	}
	c := &Client{base: base, token: o.Token, agent: o.Agent, timeout: o.Timeout, slow: o.SlowTimeout, idle: o.Idle}
	if c.idle == 0 {
		c.idle = DefaultIdle
	}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	if c.slow == 0 {
		c.slow = DefaultSlowTimeout
	}
	c.http = &http.Client{
		Transport: &http.Transport{
			Proxy:                 o.Proxy,
			DialContext:           (&net.Dialer{Timeout: connecting, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   connecting,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.SkipVerify}, //nolint:gosec // the user asks for it
			ForceAttemptHTTP2:     true,
			MaxIdleConnsPerHost:   4,
			IdleConnTimeout:       time.Minute,
			ExpectContinueTimeout: time.Second,
		},
		// A server does not redirect its API: it is another address, which must
		// not get the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Close closes connections that are kept for further calls.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Server is the address that is talked to.
func (c *Client) Server() string { return c.base.String() }

func parseServer(address string) (*url.URL, error) {
	wrong := func(reason string) (*url.URL, error) {
		return nil, &OptionError{Option: "server", Reason: reason}
	}
	if address == "" {
		return wrong("there is no address of a server")
	}
	base, err := url.Parse(strings.TrimRight(address, "/"))
	switch {
	case err != nil:
		return wrong("the address of the server is no URL") // err quotes it, maybe with a password
	case base.Scheme != "http" && base.Scheme != "https":
		return wrong("the address of the server has no http:// or https://")
	case base.Host == "":
		return wrong("the address of the server names no host")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return wrong("the address of the server has more than a scheme, a host and a path")
	}
	return base, nil
}

var errTimeout = errors.New("it did not answer in time")

// do sends a request and reads the answer, which is JSON, into out, unless that
// is nil.
func (c *Client) do(ctx context.Context, r request, out any) error {
	ctx, cancel := c.bounded(ctx, r)
	defer cancel()
	response, err := c.ask(ctx, r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if isPage(response) {
		return c.unreachable(ctx, errPage)
	}
	if out == nil {
		return nil
	}
	body, err := c.body(ctx, response)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return c.unreachable(ctx, errAnswer)
	}
	return nil
}

// text sends a request and gives the answer as it is.
func (c *Client) text(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := c.bounded(ctx, r)
	defer cancel()
	response, err := c.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if isPage(response) {
		return nil, c.unreachable(ctx, errPage)
	}
	return c.body(ctx, response)
}

// object reads one value, which there must be.
func object[T any](ctx context.Context, c *Client, r request) (*T, error) {
	var value *T
	if err := c.do(ctx, r, &value); err != nil {
		return nil, err
	}
	if value == nil {
		return nil, c.unreachable(ctx, errAnswer)
	}
	return value, nil
}

// list reads values; null is none.
func list[T any](ctx context.Context, c *Client, r request) ([]T, error) {
	var values []T
	err := c.do(ctx, r, &values)
	return values, err
}

var (
	errPage   = errors.New("it answers with a page for browsers, so this is no address of a Drone server's API")
	errAnswer = errors.New("its answer is not what a Drone server answers")
)

// isPage recognises the answer of a server to what it does not know: the page that
// browsers start with, with a status of success.
func isPage(response *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return kind == "text/html"
}

func (c *Client) body(ctx context.Context, response *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, c.unreachable(ctx, err)
	case len(body) > maxAnswer:
		return nil, c.unreachable(ctx, fmt.Errorf("its answer has more than %d MiB", maxAnswer>>20))
	}
	return body, nil
}

// request is what the server is asked. Its text has neither the query nor the
// body, which may have secrets; a path has none.
type request struct {
	method string
	path   []string
	query  url.Values
	in     any  // sent as JSON, unless nil
	slow   bool // the server asks others before it answers
	stream bool // the answer is a stream of events
}

func (r request) String() string { return r.method + " /" + strings.Join(r.path, "/") }

func (r request) with(query url.Values) request { r.query = query; return r }
func (r request) sending(in any) request        { r.in = in; return r }
func (r request) slowly() request               { r.slow = true; return r }

// url is the address of a request. Names that would make it another are refused.
func (r request) url(base *url.URL) (string, error) {
	address := base.String()
	for _, part := range r.path {
		if part == "" || part == "." || part == ".." {
			return "", &NameError{Name: part}
		}
		address += "/" + url.PathEscape(part)
	}
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	return address, nil
}

func (c *Client) bounded(ctx context.Context, r request) (context.Context, context.CancelFunc) {
	timeout := c.timeout
	if r.slow {
		timeout = c.slow
	}
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w (%s)", errTimeout, timeout))
}

// ask sends a request. An answer that is none of success is an error.
func (c *Client) ask(ctx context.Context, r request) (*http.Response, error) {
	response, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		defer response.Body.Close()
		return nil, refusal(response, r.String())
	}
	return response, nil
}

func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	address, err := r.url(c.base)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if r.in != nil {
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r.in); err != nil {
			return nil, fmt.Errorf("%s: %w", r, err)
		}
		body = &text
	}
	q, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s: the address is no URL", r) // err quotes the query
	}
	if c.token != "" {
		q.Header.Set("Authorization", "Bearer "+c.token)
	}
	accept := "application/json"
	if r.stream {
		accept = "text/event-stream"
	}
	q.Header.Set("Accept", accept)
	if c.agent != "" {
		q.Header.Set("User-Agent", c.agent)
	}
	if r.in != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(q)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	return response, nil
}

// refusal makes an error of an answer that is none of success.
func refusal(response *http.Response, request string) error {
	e := &StatusError{Request: request, Status: response.StatusCode, Location: response.Header.Get("Location")}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return e // the status says enough
	}
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) == nil {
		e.Message = answer.Message
	} else if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind == "text/plain" {
		e.Message = strings.TrimSpace(string(body))
	}
	return e
}
