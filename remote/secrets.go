package remote

import (
	"context"
	"log/slog"
	"net/http"
)

// SecretInput is a secret with its value; as text it has none.
type SecretInput struct {
	Name            string `json:"name"`
	Data            string `json:"data"`
	PullRequest     bool   `json:"pull_request"`      // builds of pull requests get it
	PullRequestPush bool   `json:"pull_request_push"` // those of pushes to pull requests, too
}

// String names the secret.
func (s SecretInput) String() string { return s.Name }

// GoString is String, so that no way of printing shows the value.
func (s SecretInput) GoString() string { return s.Name }

// LogValue is String, for the same reason.
func (s SecretInput) LogValue() slog.Value { return slog.StringValue(s.Name) }

// SecretPatch is what is to change of a secret; nil keeps a field.
type SecretPatch struct {
	Data            *string `json:"data,omitempty"`
	PullRequest     *bool   `json:"pull_request,omitempty"`
	PullRequestPush *bool   `json:"pull_request_push,omitempty"`
}

// SecretList lists the secrets of a repository.
func (c *Client) SecretList(ctx context.Context, repo Slug) ([]Secret, error) {
	return list[Secret](ctx, c, repo.get("secrets"))
}

// Secret is one of them.
func (c *Client) Secret(ctx context.Context, repo Slug, name string) (*Secret, error) {
	return object[Secret](ctx, c, repo.get("secrets", name))
}

// SecretCreate adds a secret. When there is one of that name, the error is
// ErrDuplicate.
func (c *Client) SecretCreate(ctx context.Context, repo Slug, secret SecretInput) (*Secret, error) {
	return object[Secret](ctx, c, repo.post("secrets").sending(secret))
}

// SecretUpdate changes a secret.
func (c *Client) SecretUpdate(ctx context.Context, repo Slug, name string, patch SecretPatch) (*Secret, error) {
	return object[Secret](ctx, c, repo.patch(patch, "secrets", name))
}

// SecretDelete deletes a secret.
func (c *Client) SecretDelete(ctx context.Context, repo Slug, name string) error {
	return c.do(ctx, repo.delete("secrets", name), nil)
}

// OrgSecretAll lists the secrets of all organisations, for administrators of the
// server.
func (c *Client) OrgSecretAll(ctx context.Context) ([]Secret, error) {
	return list[Secret](ctx, c, get("api", "secrets"))
}

// OrgSecretList lists the secrets of an organisation.
func (c *Client) OrgSecretList(ctx context.Context, org string) ([]Secret, error) {
	return list[Secret](ctx, c, get("api", "secrets", org))
}

// OrgSecret is one of them.
func (c *Client) OrgSecret(ctx context.Context, org, name string) (*Secret, error) {
	return object[Secret](ctx, c, get("api", "secrets", org, name))
}

// OrgSecretCreate adds a secret. When there is one of that name, the error is
// ErrDuplicate.
func (c *Client) OrgSecretCreate(ctx context.Context, org string, secret SecretInput) (*Secret, error) {
	return object[Secret](ctx, c, request{method: http.MethodPost, path: []string{"api", "secrets", org}, in: secret})
}

// OrgSecretUpdate changes a secret.
func (c *Client) OrgSecretUpdate(ctx context.Context, org, name string, patch SecretPatch) (*Secret, error) {
	return object[Secret](ctx, c, request{method: http.MethodPatch, path: []string{"api", "secrets", org, name}, in: patch})
}

// OrgSecretDelete deletes a secret.
func (c *Client) OrgSecretDelete(ctx context.Context, org, name string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: []string{"api", "secrets", org, name}}, nil)
}
