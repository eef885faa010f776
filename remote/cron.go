package remote

import "context"

// CronInput is a build to be scheduled. A server turns Name into lower-case words
// with dashes between them.
type CronInput struct {
	Name   string `json:"name"`
	Expr   string `json:"expr"`
	Branch string `json:"branch,omitempty"`
}

// CronPatch is what is to change of a scheduled build; nil keeps a field. The
// expression cannot change.
type CronPatch struct {
	Branch   *string `json:"branch,omitempty"`
	Target   *string `json:"target,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"`
}

// CronList lists the scheduled builds of a repository.
func (c *Client) CronList(ctx context.Context, repo Slug) ([]Cron, error) {
	return list[Cron](ctx, c, repo.get("cron"))
}

// Cron is one of them.
func (c *Client) Cron(ctx context.Context, repo Slug, name string) (*Cron, error) {
	return object[Cron](ctx, c, repo.get("cron", name))
}

// CronCreate schedules a build. When there is one of that name, the error is
// ErrDuplicate.
func (c *Client) CronCreate(ctx context.Context, repo Slug, cron CronInput) (*Cron, error) {
	return object[Cron](ctx, c, repo.post("cron").sending(cron))
}

// CronUpdate changes a scheduled build.
func (c *Client) CronUpdate(ctx context.Context, repo Slug, name string, patch CronPatch) (*Cron, error) {
	return object[Cron](ctx, c, repo.patch(patch, "cron", name))
}

// CronExec starts a scheduled build now. Errors are as of BuildCreate.
func (c *Client) CronExec(ctx context.Context, repo Slug, name string) (*Build, error) {
	return started(ctx, c, repo.post("cron", name))
}

// CronDelete ends the schedule of a build.
func (c *Client) CronDelete(ctx context.Context, repo Slug, name string) error {
	return c.do(ctx, repo.delete("cron", name), nil)
}
