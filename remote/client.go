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
	// SkipVerify accepts any certificate of the server.
	SkipVerify bool
	// Timeout bounds each call that is no stream; 0 is DefaultTimeout.
	Timeout time.Duration
	// Proxy names the proxy for a request; nil is for none, as in http.Transport.
	Proxy func(*http.Request) (*url.URL, error)
	// Agent is the User-Agent of all requests.
	Agent string
}

const (
	// DefaultTimeout is how long a call may take that only reads, or makes a
	// server compute something.
	DefaultTimeout = 30 * time.Second
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
	http    *http.Client
}

// New makes a client; it asks the server nothing yet. The error is an
// *OptionError.
func New(o Options) (*Client, error) {
	base, err := parseServer(o.Server)
	if err != nil {
		return nil, err
	}
	if o.Token == "" {
		return nil, &OptionError{Option: "token", Reason: "there is no token for the server"}
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &OptionError{Option: "token", Reason: "the token has blanks or characters that no token has"}
	}
	c := &Client{base: base, token: o.Token, agent: o.Agent, timeout: o.Timeout}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
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

// call sends a request and reads the answer, which is JSON, into out, unless
// that is nil.
func (c *Client) call(ctx context.Context, method string, path []string, in, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	response, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return refusal(response, request(method, path))
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind == "text/html" {
		return c.unreachable(ctx, errors.New("it answers with a page for browsers, so this is no address of a Drone server's API"))
	}
	if out == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.unreachable(ctx, err)
	case len(body) > maxAnswer:
		return c.unreachable(ctx, fmt.Errorf("its answer has more than %d MiB", maxAnswer>>20))
	}
	if err := json.Unmarshal(body, out); err != nil {
		return c.unreachable(ctx, errors.New("its answer is not what a Drone server answers"))
	}
	return nil
}

var errTimeout = errors.New("it did not answer in time")

// request names a call for messages. A path has no secret.
func request(method string, path []string) string {
	return method + " /" + strings.Join(path, "/")
}

func (c *Client) send(ctx context.Context, method string, path []string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(in); err != nil {
			return nil, fmt.Errorf("%s: %w", request(method, path), err)
		}
		body = &text
	}
	escaped := make([]string, len(path))
	for i, part := range path {
		escaped[i] = url.PathEscape(part)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base.String()+"/"+strings.Join(escaped, "/"), body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", request(method, path), err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept", "application/json")
	if c.agent != "" {
		r.Header.Set("User-Agent", c.agent)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
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
