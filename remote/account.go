package remote

import (
	"context"
	"net/http"
	"net/url"
)

// Self is the user whose token is used.
func (c *Client) Self(ctx context.Context) (*User, error) {
	return object[User](ctx, c, get("api", "user"))
}

// SelfUpdate sets the address of mail of the user. A server knows no other
// setting.
func (c *Client) SelfUpdate(ctx context.Context, email string) (*User, error) {
	return object[User](ctx, c, request{
		method: http.MethodPatch, path: []string{"api", "user"}, in: map[string]string{"email": email},
	})
}

// SelfToken is the token of the user; rotate makes a new one, and that of the
// client is then worth nothing.
func (c *Client) SelfToken(ctx context.Context, rotate bool) (string, error) {
	r := request{method: http.MethodPost, path: []string{"api", "user", "token"}}
	if rotate {
		r.query = url.Values{"rotate": {"true"}}
	}
	user, err := object[User](ctx, c, r)
	if err != nil {
		return "", err
	}
	if user.Token == "" {
		return "", c.unreachable(ctx, errAnswer)
	}
	return user.Token, nil
}

// RepoList lists the repositories of the user that the server knows; latest adds
// the last build of each.
func (c *Client) RepoList(ctx context.Context, latest bool) ([]Repo, error) {
	r := get("api", "user", "repos")
	if latest {
		r.query = url.Values{"latest": {"true"}}
	}
	return list[Repo](ctx, c, r)
}

// RepoSync has the server read the repositories of the user from where they are
// hosted, and waits for it.
func (c *Client) RepoSync(ctx context.Context) ([]Repo, error) {
	return list[Repo](ctx, c, request{method: http.MethodPost, path: []string{"api", "user", "repos"}, slow: true})
}

// RepoSyncStart is RepoSync that does not wait: Self tells with Syncing when it is
// over.
func (c *Client) RepoSyncStart(ctx context.Context) error {
	return c.do(ctx, request{
		method: http.MethodPost, path: []string{"api", "user", "repos"}, query: url.Values{"async": {"true"}},
	}, nil)
}

// BuildActivity lists the repositories of the user in which something was built,
// each with its last build.
func (c *Client) BuildActivity(ctx context.Context) ([]Repo, error) {
	return list[Repo](ctx, c, get("api", "user", "builds"))
}

// BuildRecent lists the recent builds of all repositories of the user, each in a
// repository.
func (c *Client) BuildRecent(ctx context.Context) ([]Repo, error) {
	return list[Repo](ctx, c, get("api", "user", "builds", "recent"))
}

// RemoteRepoList lists the repositories of the user where they are hosted, also
// those that the server does not know yet; these have no ID.
func (c *Client) RemoteRepoList(ctx context.Context) ([]Repo, error) {
	return list[Repo](ctx, c, get("api", "user", "remote", "repos"))
}

// RemoteRepo finds a repository where it is hosted.
func (c *Client) RemoteRepo(ctx context.Context, repo Slug) (*Repo, error) {
	return object[Repo](ctx, c, get("api", "user", "remote", "repos", repo.Owner, repo.Name))
}
