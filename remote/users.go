package remote

import (
	"context"
	"log/slog"
	"net/http"
)

// UserInput is a user to be added; as text it has no token.
type UserInput struct {
	Login   string `json:"login"`
	Admin   bool   `json:"admin"`
	Machine bool   `json:"machine"`         // a user that no person logs in as
	Token   string `json:"token,omitempty"` // empty has the server make one
}

// String names the user.
func (u UserInput) String() string { return u.Login }

// GoString is String, so that no way of printing shows the token.
func (u UserInput) GoString() string { return u.Login }

// LogValue is String, for the same reason.
func (u UserInput) LogValue() slog.Value { return slog.StringValue(u.Login) }

// UserPatch is what is to change of a user; nil keeps a field. A user who becomes
// inactive is no administrator any more.
type UserPatch struct {
	Admin  *bool `json:"admin,omitempty"`
	Active *bool `json:"active,omitempty"`
}

// The methods about users are for administrators of the server.

// UserList lists the users of the server.
func (c *Client) UserList(ctx context.Context) ([]User, error) {
	return list[User](ctx, c, get("api", "users"))
}

// User is one of them.
func (c *Client) User(ctx context.Context, login string) (*User, error) {
	return object[User](ctx, c, get("api", "users", login))
}

// UserCreate adds a user. The answer has the token of a machine.
func (c *Client) UserCreate(ctx context.Context, user UserInput) (*User, error) {
	return object[User](ctx, c, request{method: http.MethodPost, path: []string{"api", "users"}, in: user})
}

// UserUpdate changes a user.
func (c *Client) UserUpdate(ctx context.Context, login string, patch UserPatch) (*User, error) {
	return object[User](ctx, c, request{method: http.MethodPatch, path: []string{"api", "users", login}, in: patch})
}

// UserTokenRotate gives a user a new token, which the server does not tell. Old
// servers do not have it.
func (c *Client) UserTokenRotate(ctx context.Context, login string) (*User, error) {
	return object[User](ctx, c, request{
		method: http.MethodPost, path: []string{"api", "users", login, "token", "rotate"},
	})
}

// UserDelete deletes a user.
func (c *Client) UserDelete(ctx context.Context, login string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: []string{"api", "users", login}}, nil)
}

// UserRepos lists the repositories of a user.
func (c *Client) UserRepos(ctx context.Context, login string) ([]Repo, error) {
	return list[Repo](ctx, c, get("api", "users", login, "repos"))
}
