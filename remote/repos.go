package remote

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// Slug names a repository.
type Slug struct{ Owner, Name string }

// ParseSlug reads OWNER/NAME.
func ParseSlug(slug string) (Slug, error) {
	owner, name, ok := strings.Cut(slug, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return Slug{}, fmt.Errorf("%q is no repository: it is not OWNER/NAME", slug)
	}
	return Slug{owner, name}, nil
}

func (s Slug) String() string { return s.Owner + "/" + s.Name }

func (s Slug) path(more ...string) []string {
	return append([]string{"api", "repos", s.Owner, s.Name}, more...)
}

func (s Slug) get(more ...string) request {
	return request{method: http.MethodGet, path: s.path(more...)}
}

func (s Slug) post(more ...string) request {
	return request{method: http.MethodPost, path: s.path(more...)}
}

func (s Slug) patch(in any, more ...string) request {
	return request{method: http.MethodPatch, path: s.path(more...), in: in}
}

func (s Slug) delete(more ...string) request {
	return request{method: http.MethodDelete, path: s.path(more...)}
}

// RepoPatch are the settings of a repository that are to change; nil keeps one.
// A server takes Trusted, Timeout, Throttle and Counter from its administrators
// only, and passes over those of others without a word: compare the answer. It
// takes any Visibility, too.
type RepoPatch struct {
	Config        *string `json:"config_path,omitempty"`
	Visibility    *string `json:"visibility,omitempty"`
	Protected     *bool   `json:"protected,omitempty"`
	Trusted       *bool   `json:"trusted,omitempty"`
	IgnoreForks   *bool   `json:"ignore_forks,omitempty"`
	IgnorePulls   *bool   `json:"ignore_pull_requests,omitempty"`
	CancelPulls   *bool   `json:"auto_cancel_pull_requests,omitempty"`
	CancelPush    *bool   `json:"auto_cancel_pushes,omitempty"`
	CancelRunning *bool   `json:"auto_cancel_running,omitempty"`
	Timeout       *int64  `json:"timeout,omitempty"` // minutes
	Throttle      *int64  `json:"throttle,omitempty"`
	Counter       *int64  `json:"counter,omitempty"`
}

// RepoAll goes through all repositories of the server, for its administrators.
// An error ends it.
func (c *Client) RepoAll(ctx context.Context) iter.Seq2[Repo, error] {
	return pages(ctx, c, get("api", "repos"), func(r Repo) int64 { return r.ID })
}

// Repo is one repository, with what the user may do with it.
func (c *Client) Repo(ctx context.Context, repo Slug) (*Repo, error) {
	return object[Repo](ctx, c, repo.get())
}

// RepoEnable has the server build a repository: it is told of pushes, and the
// user becomes the owner.
func (c *Client) RepoEnable(ctx context.Context, repo Slug) (*Repo, error) {
	return object[Repo](ctx, c, repo.post().slowly())
}

// RepoUpdate changes settings.
func (c *Client) RepoUpdate(ctx context.Context, repo Slug, patch RepoPatch) (*Repo, error) {
	return object[Repo](ctx, c, repo.patch(patch))
}

// RepoDisable ends RepoEnable; the builds stay.
func (c *Client) RepoDisable(ctx context.Context, repo Slug) (*Repo, error) {
	return object[Repo](ctx, c, repo.delete())
}

// RepoDelete disables a repository and forgets it with its builds.
func (c *Client) RepoDelete(ctx context.Context, repo Slug) (*Repo, error) {
	return object[Repo](ctx, c, repo.delete().with(url.Values{"remove": {"true"}}).slowly())
}

// RepoChown makes the user the owner.
func (c *Client) RepoChown(ctx context.Context, repo Slug) (*Repo, error) {
	return object[Repo](ctx, c, repo.post("chown"))
}

// RepoRepair has the server read the addresses and the branch again, and be told
// of pushes again.
func (c *Client) RepoRepair(ctx context.Context, repo Slug) (*Repo, error) {
	return object[Repo](ctx, c, repo.post("repair").slowly())
}

// CollaboratorList lists the users who may do something with a repository.
func (c *Client) CollaboratorList(ctx context.Context, repo Slug) ([]Collaborator, error) {
	return list[Collaborator](ctx, c, repo.get("collaborators"))
}

// Collaborator is one of them.
func (c *Client) Collaborator(ctx context.Context, repo Slug, login string) (*Collaborator, error) {
	return object[Collaborator](ctx, c, repo.get("collaborators", login))
}

// CollaboratorDelete has the server forget what a user may do, until it reads
// that again from where the repository is hosted.
func (c *Client) CollaboratorDelete(ctx context.Context, repo Slug, login string) error {
	return c.do(ctx, repo.delete("collaborators", login), nil)
}
