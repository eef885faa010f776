package remote

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
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

// Logs is the log of a step that has ended. While it runs, and when nothing was
// stored, the error is ErrNotFound.
func (c *Client) Logs(ctx context.Context, repo Slug, step StepRef) ([]Line, error) {
	return list[Line](ctx, c, repo.get(step.logs()...))
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
