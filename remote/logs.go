package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// StepRef names a step of a build.
type StepRef struct {
	Build int64
	Stage int
	Step  int
}

func (s StepRef) path() []string {
	return []string{decimal(s.Build), strconv.Itoa(s.Stage), strconv.Itoa(s.Step)}
}

func (s StepRef) logs() []string {
	return []string{"builds", decimal(s.Build), "logs", strconv.Itoa(s.Stage), strconv.Itoa(s.Step)}
}

// maxLog bounds a stored log. Servers have a limit for what a step prints that is
// much lower, but it can be set.
const maxLog = 1 << 30

// Logs is the log of a step that has ended. While it runs, and when nothing was
// stored, the error is ErrNotFound.
func (c *Client) Logs(ctx context.Context, repo Slug, step StepRef) ([]Line, error) {
	var lines []Line
	for line, err := range c.LogLines(ctx, repo, step) {
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// LogLines is Logs for a log that may be large: it gives each line as it comes. An
// error ends it.
func (c *Client) LogLines(ctx context.Context, repo Slug, step StepRef) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		response, err := c.connect(ctx, cancel, repo.get(step.logs()...))
		if err != nil {
			yield(Line{}, err)
			return
		}
		defer response.Body.Close()
		body := &watched{r: response.Body, idle: c.timeout, late: func() { cancel(ErrIdle) }, left: maxLog}
		if err := lines(body, yield); err != nil {
			if body.err != nil {
				err = body.err // why what was read is no JSON
			}
			yield(Line{}, c.unreachable(ctx, err))
		}
	}
}

// lines decodes an array of lines, or null. The error is that the text is another.
func lines(r io.Reader, yield func(Line, error) bool) error {
	text := json.NewDecoder(r)
	begin, err := text.Token()
	if err != nil || begin != nil && begin != json.Delim('[') {
		return errAnswer
	}
	if begin != nil {
		for text.More() {
			var line Line
			if text.Decode(&line) != nil {
				return errAnswer
			}
			if !yield(line, nil) {
				return nil
			}
		}
		if _, err := text.Token(); err != nil {
			return errAnswer
		}
	}
	if _, err := text.Token(); !errors.Is(err, io.EOF) {
		return errAnswer
	}
	return nil
}

// watched is an answer that is given up when nothing comes for too long, or too
// much.
type watched struct {
	r    io.Reader
	idle time.Duration
	late func()
	left int64
	err  error // why it ended, unless that was the end of the answer
}

func (w *watched) Read(p []byte) (int, error) {
	timer := time.AfterFunc(w.idle, w.late)
	n, err := w.r.Read(p)
	timer.Stop()
	w.left -= int64(n)
	if w.left < 0 {
		err = fmt.Errorf("its answer has more than %d MiB", maxLog>>20)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// LogsDelete deletes the log of a step; it is no error when there is none.
func (c *Client) LogsDelete(ctx context.Context, repo Slug, step StepRef) error {
	return c.do(ctx, repo.delete(step.logs()...), nil)
}

func (s Slug) card(method string, step StepRef, in any) request {
	return request{method: method, path: append([]string{"api", "repos", s.Owner, s.Name, "cards"}, step.path()...), in: in}
}

// Card is the card of a step: JSON of its schema.
func (c *Client) Card(ctx context.Context, repo Slug, step StepRef) (json.RawMessage, error) {
	var card json.RawMessage
	err := c.do(ctx, repo.card(http.MethodGet, step, nil), &card)
	return card, err
}

// CardCreate gives a step a card; schema is the address of what it is drawn by.
func (c *Client) CardCreate(ctx context.Context, repo Slug, step StepRef, schema string, data json.RawMessage) error {
	return c.do(ctx, repo.card(http.MethodPost, step, map[string]any{"schema": schema, "data": data}), nil)
}

// CardDelete deletes the card of a step.
func (c *Client) CardDelete(ctx context.Context, repo Slug, step StepRef) error {
	return c.do(ctx, repo.card(http.MethodDelete, step, nil), nil)
}
