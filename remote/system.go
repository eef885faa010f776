package remote

import (
	"context"
	"net/http"
	"net/url"
)

// QueueList lists the stages that are pending or running, the oldest first. Like
// all of the queue it is for administrators of the server.
func (c *Client) QueueList(ctx context.Context) ([]Stage, error) {
	return list[Stage](ctx, c, get("api", "queue"))
}

// QueuePause has the server give runners nothing until QueueResume or its restart.
func (c *Client) QueuePause(ctx context.Context) error {
	return c.do(ctx, request{method: http.MethodDelete, path: []string{"api", "queue"}}, nil)
}

// QueueResume ends QueuePause.
func (c *Client) QueueResume(ctx context.Context) error {
	return c.do(ctx, request{method: http.MethodPost, path: []string{"api", "queue"}}, nil)
}

// Stats counts what the server has, for its administrators.
func (c *Client) Stats(ctx context.Context) (*Stats, error) {
	return object[Stats](ctx, c, get("api", "system", "stats"))
}

// Version is that of the server, or of the autoscaler.
func (c *Client) Version(ctx context.Context) (*Version, error) {
	return object[Version](ctx, c, get("version"))
}

// Varz are the limits of the server.
func (c *Client) Varz(ctx context.Context) (*Varz, error) {
	return object[Varz](ctx, c, get("varz"))
}

// Health returns nil when the server is well.
func (c *Client) Health(ctx context.Context) error {
	_, err := c.text(ctx, get("healthz"))
	return err
}

// Metrics are the metrics of the server as Prometheus reads them.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	return c.text(ctx, get("metrics"))
}

// Badge is the picture of the status of a repository, in SVG: of a branch or a
// ref, or, without either, of the default branch. A server has one also for a
// repository that it does not know.
func (c *Client) Badge(ctx context.Context, repo Slug, branch, ref string) ([]byte, error) {
	query := url.Values{}
	if branch != "" {
		query.Set("branch", branch)
	}
	if ref != "" {
		query.Set("ref", ref)
	}
	return c.text(ctx, get("api", "badges", repo.Owner, repo.Name, "status.svg").with(query))
}

// CCMenu is the status of a repository in the XML of CCMenu.
func (c *Client) CCMenu(ctx context.Context, repo Slug) ([]byte, error) {
	return c.text(ctx, get("api", "badges", repo.Owner, repo.Name, "cc.xml"))
}

// The methods below are of the autoscaler, which is another service than the
// server, with another address.

// ServerList lists the machines.
func (c *Client) ServerList(ctx context.Context) ([]Server, error) {
	return list[Server](ctx, c, get("api", "servers"))
}

// ServerInfo is one of them, with its keys.
func (c *Client) ServerInfo(ctx context.Context, name string) (*Server, error) {
	return object[Server](ctx, c, get("api", "servers", name))
}

// ServerCreate has another machine made.
func (c *Client) ServerCreate(ctx context.Context) (*Server, error) {
	return object[Server](ctx, c, request{method: http.MethodPost, path: []string{"api", "servers"}, slow: true})
}

// ServerDelete has a machine ended when its builds have; force does not wait for
// them.
func (c *Client) ServerDelete(ctx context.Context, name string, force bool) error {
	r := request{method: http.MethodDelete, path: []string{"api", "servers", name}, slow: true}
	if force {
		r.query = url.Values{"force": {"true"}}
	}
	return c.do(ctx, r, nil)
}

// AutoscalePause has no machines made or ended until AutoscaleResume.
func (c *Client) AutoscalePause(ctx context.Context) error {
	return c.do(ctx, request{method: http.MethodPost, path: []string{"api", "pause"}}, nil)
}

// AutoscaleResume ends AutoscalePause.
func (c *Client) AutoscaleResume(ctx context.Context) error {
	return c.do(ctx, request{method: http.MethodPost, path: []string{"api", "resume"}}, nil)
}
