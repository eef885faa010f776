package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 32 << 20
	// maxRefusal bounds what is read of one that is an error.
	maxRefusal = 64 << 10
)

var errTimeout = errors.New("it did not answer in time")

// do sends a request and reads the answer, which is JSON, into out, unless that
// is nil.
func (c *Client) do(ctx context.Context, r request, out any) error {
	ctx, cancel := c.bounded(ctx, r)
	defer cancel()
	body, err := c.read(ctx, r)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return c.unreachable(ctx, notAnswer(err))
	}
	return nil
}

// notAnswer names the field that is not what it should be, if that is all.
func notAnswer(err error) error {
	if odd, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && odd.Field != "" {
		return fmt.Errorf("%w: %s has the type %s", errAnswer, odd.Field, odd.Value)
	}
	return errAnswer
}

// text sends a request and gives the answer as it is.
func (c *Client) text(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := c.bounded(ctx, r)
	defer cancel()
	return c.read(ctx, r)
}

// read sends a request and reads the answer, again and again as Options.Attempts
// says.
func (c *Client) read(ctx context.Context, r request) (body []byte, err error) {
	err = c.retry(ctx, r, func() (int, error) {
		response, err := c.ask(ctx, r)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		if isPage(response) {
			return response.StatusCode, c.unreachable(ctx, errPage)
		}
		body, err = c.body(ctx, response)
		return response.StatusCode, err
	})
	if gone, ok := errors.AsType[*UnreachableError](err); ok && r.changes() && broke(gone) {
		gone.Unsure, gone.Hint = true, "the server may have done it all the same: look before you try again"
	}
	return body, err
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
	pure   bool // it changes nothing, although it is no GET
	stream bool // the answer is a stream of events
}

func (r request) String() string { return r.method + " /" + strings.Join(r.path, "/") }

func (r request) with(query url.Values) request { r.query = query; return r }
func (r request) sending(in any) request        { r.in = in; return r }
func (r request) slowly() request               { r.slow = true; return r }
func (r request) purely() request               { r.pure = true; return r }

// changes reports whether a request may change something on the server.
func (r request) changes() bool { return r.method != http.MethodGet && !r.pure }

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

// connect sends a request with an answer that is read while it comes. Only its
// beginning is bounded in time; cancel ends it.
func (c *Client) connect(ctx context.Context, cancel context.CancelCauseFunc, r request) (*http.Response, error) {
	late := fmt.Errorf("%w (%s)", errTimeout, c.timeout)
	timer := time.AfterFunc(c.timeout, func() { cancel(late) })
	var response *http.Response
	err := c.retry(ctx, r, func() (status int, err error) {
		if response, err = c.ask(ctx, r); err != nil {
			return 0, err
		}
		if isPage(response) {
			err = c.unreachable(ctx, errPage)
		}
		return response.StatusCode, err
	})
	if !timer.Stop() && err == nil { // it has just ended the answer
		err = &UnreachableError{Server: c.Server(), Err: late}
	}
	if err != nil && response != nil {
		response.Body.Close()
	}
	return response, err
}

// ask sends a request. An answer that is none of success is an error.
func (c *Client) ask(ctx context.Context, r request) (*http.Response, error) {
	response, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		defer response.Body.Close()
		return nil, c.refusal(response, r)
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
	if token := c.token(); token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	accept := "application/json"
	if r.stream {
		accept = "text/event-stream"
		q.Header.Set("Accept-Encoding", "identity") // what is compressed comes late
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
