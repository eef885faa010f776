package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"strconv"
	"sync"
	"time"
)

// DefaultIdle is how long a stream may be silent. A server sends something every
// 30 seconds, and that of a log may be late by as much.
const DefaultIdle = 90 * time.Second

var (
	// ErrCut is a stream that has ended without the server's saying so: it has
	// stopped, or something between has cut the connection. It may be opened again.
	ErrCut = errors.New("the stream of the server was cut")
	// ErrIdle is a stream on which nothing has arrived for so long that nobody may be
	// there any more. It may be opened again.
	ErrIdle = errors.New("nothing arrives from the server any more")
)

// Stream is a stream of events of a server. One goroutine reads it at a time;
// Close may come from any. A stream that is not read for long loses events: the
// server keeps 100 for a reader that is slow.
type Stream[T any] struct {
	client *Client
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.Closer
	events *eventReader
	idle   *time.Timer
	close  sync.Once
	err    error // what the stream ended with
}

// StreamAll opens the stream of all repositories that the user sees when it is
// opened. Each event is a repository with a Build as it is now, with stages and
// steps. A server tells when a stage or a step starts or a step ends, and when a
// build ends; it does not tell that a build was created or cancelled, nor that one
// of several stages has ended: ask for the build now and then, too.
func (c *Client) StreamAll(ctx context.Context) (*Stream[Repo], error) {
	return open[Repo](ctx, c, get("api", "stream"))
}

// StreamRepo opens the stream of a repository, with events as those of StreamAll.
func (c *Client) StreamRepo(ctx context.Context, repo Slug) (*Stream[Repo], error) {
	return open[Repo](ctx, c, get("api", "stream", repo.Owner, repo.Name))
}

// StreamLog opens the log of a step that runs: what there is of it, up to 5000
// lines, and then what comes. The stream of a step that does not run ends at once.
// While the step is not known the error is ErrNotFound. The last lines may be
// missing at the end; Logs has them then. The stream of a step that was killed may
// never end.
func (c *Client) StreamLog(ctx context.Context, repo Slug, step StepRef) (*Stream[Line], error) {
	return open[Line](ctx, c, get("api", "stream", repo.Owner, repo.Name,
		decimal(step.Build), strconv.Itoa(step.Stage), strconv.Itoa(step.Step)))
}

func open[T any](ctx context.Context, c *Client, r request) (*Stream[T], error) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.stream = true
	response, err := c.connect(ctx, cancel, r)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "text/event-stream" {
		response.Body.Close()
		err := c.unreachable(ctx, errAnswer)
		cancel(nil)
		return nil, err
	}
	s := &Stream[T]{client: c, ctx: ctx, cancel: cancel, body: response.Body}
	s.idle = time.AfterFunc(c.idle, func() { cancel(ErrIdle) })
	s.idle.Stop()
	s.events = newEventReader(response.Body, func() { s.idle.Reset(c.idle) })
	return s, nil
}

// Next waits for the next event. The error is io.EOF when the server ends the
// stream on purpose, ErrCut or ErrIdle inside an *UnreachableError when it may be
// opened again, and that of the context when that has ended. After an error the
// stream is closed, and every further call gives the same.
func (s *Stream[T]) Next() (T, error) {
	var none T
	if s.err != nil {
		return none, s.err
	}
	s.idle.Reset(s.client.idle)
	ev, err := s.events.next()
	s.idle.Stop()
	if err != nil {
		return none, s.fail(s.broken(err))
	}
	switch {
	case ev.name == "error" && string(ev.data) == "eof":
		return none, s.fail(io.EOF)
	case ev.name == "error":
		return none, s.fail(s.client.unreachable(s.ctx, fmt.Errorf("it ends the stream: %s", s.client.plain(string(ev.data)))))
	}
	var value T
	if err := json.Unmarshal(ev.data, &value); err != nil {
		return none, s.fail(s.client.unreachable(s.ctx, notAnswer(err)))
	}
	return value, nil
}

// broken makes an error of one of reading: without a reason of ours or of the
// caller's the connection was cut.
func (s *Stream[T]) broken(err error) error {
	if context.Cause(s.ctx) == nil && !errors.Is(err, errTooLong) {
		err = ErrCut
	}
	return s.client.unreachable(s.ctx, err)
}

func (s *Stream[T]) fail(err error) error {
	s.err = err
	s.Close()
	return err
}

// All goes through the events up to the error that ends the stream, which comes
// last; io.EOF is none. Stopping early closes the stream, too.
func (s *Stream[T]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer s.Close()
		for {
			value, err := s.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(value, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the stream. A Next that waits returns context.Canceled.
func (s *Stream[T]) Close() {
	s.close.Do(func() {
		s.cancel(nil)
		s.idle.Stop()
		s.body.Close()
	})
}
