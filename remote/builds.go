package remote

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// BuildFilter selects builds on the server: by branch or by tag, not by both.
type BuildFilter struct{ Branch, Tag string }

func (f BuildFilter) query() url.Values {
	query := url.Values{}
	if f.Branch != "" {
		query.Set("branch", f.Branch)
	}
	if f.Tag != "" {
		query.Set("tag", f.Tag)
	}
	return query
}

// BuildAll goes through the builds of a repository, the newest first, without
// their stages; whoever has enough stops. An error ends it.
func (c *Client) BuildAll(ctx context.Context, repo Slug, filter BuildFilter) iter.Seq2[Build, error] {
	return pages(ctx, c, repo.get("builds").with(filter.query()), func(b Build) int64 { return b.Number })
}

// BuildList is one page of BuildAll. Pages count from 1 and have up to
// MaxPage builds; a server takes other sizes for 25, so they are an error here.
func (c *Client) BuildList(ctx context.Context, repo Slug, filter BuildFilter, page, size int) ([]Build, error) {
	query, err := pageQuery(page, size)
	if err != nil {
		return nil, err
	}
	maps.Copy(query, filter.query())
	return list[Build](ctx, c, repo.get("builds").with(query))
}

// Build is one build, with stages and steps.
func (c *Client) Build(ctx context.Context, repo Slug, number int64) (*Build, error) {
	return object[Build](ctx, c, repo.get("builds", decimal(number)))
}

// BuildLatest is the newest build of a branch or a ref (refs/…), or, without
// either, of the default branch; it has stages and steps. The newest of all is the
// first of BuildAll.
func (c *Client) BuildLatest(ctx context.Context, repo Slug, branch, ref string) (*Build, error) {
	query := url.Values{}
	if branch != "" {
		query.Set("branch", branch)
	}
	if ref != "" {
		query.Set("ref", ref)
	}
	return object[Build](ctx, c, repo.get("builds", "latest").with(query))
}

// NewBuild is what is to be built. The zero value is the default branch.
type NewBuild struct {
	Branch string
	Commit string // a SHA; empty is the last of the branch
	// Message and Action are what the build shows; servers before 2.25 take them
	// for parameters only.
	Message, Action string
	Params          map[string]string
}

// BuildCreate builds a branch or a commit. The error is ErrNothingStarted when
// no pipeline is for that; a build whose file is wrong is no error, it has
// StateError and Error.
func (c *Client) BuildCreate(ctx context.Context, repo Slug, b NewBuild) (*Build, error) {
	query := params(b.Params)
	for key, value := range map[string]string{
		"branch": b.Branch, "commit": b.Commit, "message": b.Message, "action": b.Action,
	} {
		if value != "" {
			query.Set(key, value)
		}
	}
	return started(ctx, c, repo.post("builds").with(query))
}

// BuildRestart builds again what a build has built. Of parameters with the same
// name the server takes the old value. debug has the runner keep a failed step for
// a look, where it can. Errors are as of BuildCreate.
func (c *Client) BuildRestart(ctx context.Context, repo Slug, number int64, parameters map[string]string, debug bool) (*Build, error) {
	query := params(parameters)
	if debug {
		query.Set("debug", "true")
	}
	return started(ctx, c, repo.post("builds", decimal(number)).with(query))
}

// BuildPromote deploys a build to an environment. Errors are as of BuildCreate.
func (c *Client) BuildPromote(ctx context.Context, repo Slug, number int64, target string, parameters map[string]string) (*Build, error) {
	return c.deploy(ctx, repo, number, "promote", target, parameters)
}

// BuildRollback takes an environment back to a build. Errors are as of BuildCreate.
func (c *Client) BuildRollback(ctx context.Context, repo Slug, number int64, target string, parameters map[string]string) (*Build, error) {
	return c.deploy(ctx, repo, number, "rollback", target, parameters)
}

func (c *Client) deploy(ctx context.Context, repo Slug, number int64, verb, target string, parameters map[string]string) (*Build, error) {
	query := params(parameters)
	query.Set("target", target)
	return started(ctx, c, repo.post("builds", decimal(number), verb).with(query))
}

func params(parameters map[string]string) url.Values {
	query := url.Values{}
	for key, value := range parameters {
		query.Set(key, value)
	}
	return query
}

// BuildCancel stops a build. It is no error when the build has ended already: the
// server answers the build as it is.
func (c *Client) BuildCancel(ctx context.Context, repo Slug, number int64) (*Build, error) {
	return object[Build](ctx, c, repo.delete("builds", decimal(number)))
}

// BuildApprove lets a stage run that is blocked.
func (c *Client) BuildApprove(ctx context.Context, repo Slug, number int64, stage int) error {
	return c.do(ctx, repo.post("builds", decimal(number), "approve", strconv.Itoa(stage)), nil)
}

// BuildDecline ends a stage that is blocked, and its build.
func (c *Client) BuildDecline(ctx context.Context, repo Slug, number int64, stage int) error {
	return c.do(ctx, repo.post("builds", decimal(number), "decline", strconv.Itoa(stage)), nil)
}

// BuildDeclineAll ends a build of which all stages are blocked. Old servers do not
// have it.
func (c *Client) BuildDeclineAll(ctx context.Context, repo Slug, number int64) error {
	return c.do(ctx, repo.post("builds", decimal(number), "decline"), nil)
}

// BuildPurge deletes the builds with smaller numbers.
func (c *Client) BuildPurge(ctx context.Context, repo Slug, before int64) error {
	return c.do(ctx, repo.delete("builds").with(url.Values{"before": {decimal(before)}}).slowly(), nil)
}

// BuildBranches lists the newest build of each branch. Like the two below it knows
// only what pushes and the like have started.
func (c *Client) BuildBranches(ctx context.Context, repo Slug) ([]Build, error) {
	return list[Build](ctx, c, repo.get("builds", "branches"))
}

// BuildPulls lists the newest build of each pull request.
func (c *Client) BuildPulls(ctx context.Context, repo Slug) ([]Build, error) {
	return list[Build](ctx, c, repo.get("builds", "pulls"))
}

// BuildDeployments lists the newest build of each environment.
func (c *Client) BuildDeployments(ctx context.Context, repo Slug) ([]Build, error) {
	return list[Build](ctx, c, repo.get("builds", "deployments"))
}

// BuildBranchDelete takes a branch from BuildBranches; no build is deleted.
func (c *Client) BuildBranchDelete(ctx context.Context, repo Slug, branch string) error {
	return c.do(ctx, repo.delete(append([]string{"builds", "branches"}, strings.Split(branch, "/")...)...), nil)
}

// BuildPullDelete takes a pull request from BuildPulls.
func (c *Client) BuildPullDelete(ctx context.Context, repo Slug, pull int64) error {
	return c.do(ctx, repo.delete("builds", "pulls", decimal(pull)), nil)
}

// BuildDeploymentDelete takes an environment from BuildDeployments.
func (c *Client) BuildDeploymentDelete(ctx context.Context, repo Slug, target string) error {
	return c.do(ctx, repo.delete(append([]string{"builds", "deployments"}, strings.Split(target, "/")...)...), nil)
}

// BuildIncomplete lists the builds of the server that have not ended, each in its
// repository, for administrators.
func (c *Client) BuildIncomplete(ctx context.Context) ([]Repo, error) {
	return list[Repo](ctx, c, get("api", "builds", "incomplete"))
}

// BuildIncompleteStages lists their stages. Old servers do not have it.
func (c *Client) BuildIncompleteStages(ctx context.Context) ([]RepoBuildStage, error) {
	return list[RepoBuildStage](ctx, c, get("api", "builds", "incomplete", "v2"))
}

// started sends what starts a build.
func started(ctx context.Context, c *Client, r request) (*Build, error) {
	var build *Build
	if err := c.do(ctx, r.slowly(), &build); err != nil {
		return nil, err
	}
	if build == nil {
		return nil, ErrNothingStarted
	}
	return build, nil
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func get(path ...string) request { return request{method: http.MethodGet, path: path} }
