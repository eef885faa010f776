package servertest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/remote"
)

var buildRoutes = []route{
	{"GET", "api/repos/{o}/{n}/builds", mayRead, false, func(c *call) (any, error) {
		branch, tag := c.r.FormValue("branch"), c.r.FormValue("tag")
		builds := []remote.Build{}
		for _, b := range slices.Backward(c.repo.builds) {
			if (branch == "" || b.Target == branch) && (tag == "" || b.Ref == "refs/tags/"+tag) {
				builds = append(builds, *summary(b))
			}
		}
		return page(c.r, builds, remote.MaxPage), nil
	}},
	{"POST", "api/repos/{o}/{n}/builds", mayWrite, false, createBuild},
	{"DELETE", "api/repos/{o}/{n}/builds", repoAdmin, true, func(c *call) (any, error) {
		before := int64(atoi(c.r.FormValue("before")))
		if before == 0 {
			return nil, bad("strconv.ParseInt: parsing " + `"": invalid syntax`)
		}
		c.repo.builds = slices.DeleteFunc(c.repo.builds, func(b *remote.Build) bool { return b.Number < before })
		return nil, nil
	}},
	{"GET", "api/repos/{o}/{n}/builds/latest", mayRead, false, func(c *call) (any, error) {
		ref := c.r.FormValue("ref")
		if ref == "" {
			branch := c.r.FormValue("branch")
			if branch == "" {
				branch = c.repo.Branch
			}
			ref = "refs/heads/" + branch
		}
		for _, b := range slices.Backward(c.repo.builds) {
			if b.Ref == ref {
				return *b, nil
			}
		}
		return nil, errNoRow
	}},
	{"GET", "api/repos/{o}/{n}/builds/branches", mayRead, false, indexed(func(b *remote.Build) string {
		if b.Event == remote.EventPush {
			return b.Target
		}
		return ""
	})},
	{"GET", "api/repos/{o}/{n}/builds/pulls", mayRead, false, indexed(func(b *remote.Build) string {
		if b.Event == remote.EventPullRequest {
			return b.Ref
		}
		return ""
	})},
	{"GET", "api/repos/{o}/{n}/builds/deployments", mayRead, false, indexed(func(b *remote.Build) string { return b.Deploy })},
	{"DELETE", "api/repos/{o}/{n}/builds/branches/*", mayWrite, false, func(c *call) (any, error) {
		c.forget(func(b *remote.Build) bool { return b.Event == remote.EventPush && b.Target == c.vars["*"] })
		return nil, nil
	}},
	{"DELETE", "api/repos/{o}/{n}/builds/pulls/{pull}", mayWrite, false, func(c *call) (any, error) {
		c.forget(func(b *remote.Build) bool { return strings.HasPrefix(b.Ref, "refs/pull/"+c.vars["pull"]+"/") })
		return nil, nil
	}},
	{"DELETE", "api/repos/{o}/{n}/builds/deployments/*", mayWrite, false, func(c *call) (any, error) {
		c.forget(func(b *remote.Build) bool { return b.Deploy == c.vars["*"] })
		return nil, nil
	}},
	{"GET", "api/repos/{o}/{n}/builds/{build}", mayRead, false, func(c *call) (any, error) {
		b, err := c.build()
		if err != nil {
			return nil, err
		}
		return *b, nil
	}},
	{"POST", "api/repos/{o}/{n}/builds/{build}", mayWrite, false, restart},
	{"DELETE", "api/repos/{o}/{n}/builds/{build}", mayWrite, false, func(c *call) (any, error) {
		b, err := c.build()
		if err != nil {
			return nil, err
		}
		c.kill(b) // no event is sent, and streams of logs stay open
		return *b, nil
	}},
	{"POST", "api/repos/{o}/{n}/builds/{build}/promote", mayWrite, true, deploy(remote.EventPromote)},
	{"POST", "api/repos/{o}/{n}/builds/{build}/rollback", mayWrite, true, deploy(remote.EventRollback)},
	{"POST", "api/repos/{o}/{n}/builds/{build}/approve/{stage}", repoAdmin, false, func(c *call) (any, error) {
		b, stage, err := c.blocked("approve")
		if err != nil {
			return nil, err
		}
		stage.Status = remote.StatePending
		if len(stage.DependsOn) > 0 {
			stage.Status = remote.StateWaiting
		}
		stage.Version++
		if c.Autorun > 0 {
			slug, number := c.repo.slug(), b.Number
			c.jobs.Go(func() { c.play(slug, number, c.Autorun) })
		}
		return nil, nil
	}},
	{"POST", "api/repos/{o}/{n}/builds/{build}/decline/{stage}", repoAdmin, false, func(c *call) (any, error) {
		b, stage, err := c.blocked("decline")
		if err != nil {
			return nil, err
		}
		c.decline(b, stage)
		return nil, nil
	}},
	{"POST", "api/repos/{o}/{n}/builds/{build}/decline", repoAdmin, false, func(c *call) (any, error) {
		b, err := c.build()
		if err != nil {
			return nil, err
		}
		for i := range b.Stages {
			if b.Stages[i].Status != remote.StateBlocked {
				return nil, bad(`Cannot decline a Pipeline with Status "` + b.Stages[i].Status + `"`)
			}
		}
		for i := range b.Stages {
			c.decline(b, &b.Stages[i])
		}
		return nil, nil
	}},
	{"GET", "api/builds/incomplete", sysadmin, true, func(c *call) (any, error) {
		repos := []remote.Repo{}
		c.incomplete(func(r *repository, b *remote.Build) {
			shown := r.Repo.Repo
			shown.Build = summary(b)
			repos = append(repos, shown)
		})
		return repos, nil
	}},
	{"GET", "api/builds/incomplete/v2", sysadmin, true, incompleteStages},
	{"GET", "api/repos/{o}/{n}/builds/{build}/logs/{stage}/{step}", mayRead, false, func(c *call) (any, error) {
		step, err := c.step()
		if err != nil {
			return nil, err
		}
		l := c.repo.logs[step]
		switch {
		case l == nil || !l.stored || l.purged:
			return nil, errNoRow
		case len(l.lines) == 0:
			return null{}, nil
		}
		return l.lines, nil
	}},
	{"DELETE", "api/repos/{o}/{n}/builds/{build}/logs/{stage}/{step}", repoAdmin, false, func(c *call) (any, error) {
		step, err := c.step()
		if err != nil {
			return nil, err
		}
		if l := c.repo.logs[step]; l != nil {
			l.purged = true
		}
		return nil, nil
	}},
	{"GET", "api/repos/{o}/{n}/cards/{build}/{stage}/{step}", mayRead, true, func(c *call) (any, error) {
		step, err := c.step()
		if err != nil {
			return nil, err
		}
		if card := c.repo.cards[step]; card != nil {
			return raw{"application/json", string(card)}, nil
		}
		return nil, errNoRow
	}},
	{"POST", "api/repos/{o}/{n}/cards/{build}/{stage}/{step}", repoAdmin, true, func(c *call) (any, error) {
		step, err := c.step()
		if err != nil {
			return nil, err
		}
		if !c.repo.has(step) {
			return nil, errNoRow
		}
		var in struct {
			Schema string
			Data   json.RawMessage
		}
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		st := mustStep(c.repo.build(step.Build), step)
		st.Schema = in.Schema
		c.repo.cards[step] = in.Data
		return st.ID, nil
	}},
	{"DELETE", "api/repos/{o}/{n}/cards/{build}/{stage}/{step}", repoAdmin, true, func(c *call) (any, error) {
		step, err := c.step()
		if err != nil {
			return nil, err
		}
		if c.repo.cards[step] == nil {
			return nil, errNoRow
		}
		delete(c.repo.cards, step)
		return nil, nil
	}},
}

func (c *call) build() (*remote.Build, error) {
	number, err := c.number("build")
	if err != nil {
		return nil, err
	}
	if b := c.repo.build(number); b != nil {
		return b, nil
	}
	return nil, errNoRow
}

// params are the parameters of a query, without those that are none.
func params(r *http.Request, not ...string) map[string]string {
	found := map[string]string{}
	for key, values := range r.URL.Query() {
		if key != "access_token" && !slices.Contains(not, key) {
			found[key] = values[0]
		}
	}
	return found
}

// answered is a build that was started, or null.
func (c *call) answered(b remote.Build) (any, error) {
	created := c.newBuild(c.repo, b)
	if created == nil {
		return null{}, nil
	}
	return *created, nil
}

func createBuild(c *call) (any, error) {
	branch, sha := c.r.FormValue("branch"), c.r.FormValue("commit")
	if branch == "" {
		branch = c.repo.Branch
	}
	last, known := c.repo.Branches[branch]
	if !known {
		return nil, errHidden
	}
	if sha == "" {
		sha = last
	}
	if !slices.Contains(slices.Collect(maps.Values(c.repo.Branches)), sha) && !c.repo.built(sha) {
		return nil, errHidden
	}
	return c.answered(remote.Build{
		Event: remote.EventCustom, Trigger: c.user.Login, Sender: c.user.Login, Author: c.user.Login, AuthorEmail: c.user.Email,
		Target: branch, After: sha, Message: c.r.FormValue("message"), Action: c.r.FormValue("action"),
		Params: params(c.r, "branch", "commit"), // message and action are parameters, too
	})
}

func (r *repository) built(sha string) bool {
	return slices.ContainsFunc(r.builds, func(b *remote.Build) bool { return b.After == sha })
}

// again is a build of what an old one has built.
func (c *call) again(old *remote.Build) remote.Build {
	b := *old
	b.Parent, b.Trigger, b.Sender = old.Number, c.user.Login, c.user.Login
	b.Started, b.Finished, b.Error, b.Debug = 0, 0, "", false
	b.Params = map[string]string{}
	return b
}

func restart(c *call) (any, error) {
	old, err := c.build()
	if err != nil {
		return nil, err
	}
	if old.Status == remote.StateBlocked || old.Status == remote.StateDeclined {
		return nil, bad(`cannot start a blocked build`)
	}
	b := c.again(old)
	maps.Copy(b.Params, params(c.r, "debug"))
	maps.Copy(b.Params, old.Params) // the old value wins
	b.Debug = c.r.FormValue("debug") == "true"
	return c.answered(b)
}

func deploy(event string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		old, err := c.build()
		if err != nil {
			return nil, err
		}
		target := c.r.FormValue("target")
		if target == "" {
			return nil, bad("Missing target environment")
		}
		b := c.again(old)
		b.Event, b.Deploy = event, target
		maps.Copy(b.Params, old.Params)
		maps.Copy(b.Params, params(c.r, "target"))
		return c.answered(b)
	}
}

// blocked is the stage that somebody is to decide about.
func (c *call) blocked(verb string) (*remote.Build, *remote.Stage, error) {
	b, err := c.build()
	if err != nil {
		return nil, nil, err
	}
	number, err := c.number("stage")
	if err != nil {
		return nil, nil, err
	}
	if number < 1 || int(number) > len(b.Stages) {
		return nil, nil, errNoRow
	}
	stage := &b.Stages[number-1]
	if stage.Status != remote.StateBlocked {
		return nil, nil, bad("Cannot " + verb + ` a Pipeline with Status "` + stage.Status + `"`)
	}
	return b, stage, nil
}

func (c *call) decline(b *remote.Build, stage *remote.Stage) {
	stage.Status, b.Status = remote.StateDeclined, remote.StateDeclined
	stage.Version++
	b.Version++
	b.Finished = c.now()
}

// indexed lists the newest builds by a key; only those that pushes and the like
// have started are known there.
func indexed(key func(*remote.Build) string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		builds, seen := []remote.Build{}, map[string]bool{}
		for _, number := range slices.Backward(c.repo.hooked) {
			b := c.repo.build(number)
			if b == nil || key(b) == "" || seen[key(b)] {
				continue
			}
			seen[key(b)] = true
			builds = append(builds, *summary(b))
		}
		return builds, nil
	}
}

func (c *call) forget(which func(*remote.Build) bool) {
	c.repo.hooked = slices.DeleteFunc(c.repo.hooked, func(number int64) bool {
		b := c.repo.build(number)
		return b != nil && which(b)
	})
}

func (s *Server) incomplete(found func(*repository, *remote.Build)) {
	for _, r := range s.repos {
		for _, b := range r.builds {
			if b.Status == remote.StatePending || b.Status == remote.StateRunning {
				found(r, b)
			}
		}
	}
}

func incompleteStages(c *call) (any, error) {
	rows := []remote.RepoBuildStage{}
	c.incomplete(func(r *repository, b *remote.Build) {
		for _, st := range b.Stages {
			if remote.Finished(st.Status) {
				continue
			}
			rows = append(rows, remote.RepoBuildStage{
				RepoNamespace: r.Namespace, RepoName: r.Name, RepoSlug: r.Slug, BuildNumber: b.Number,
				BuildAuthor: b.Author, BuildAuthorName: b.AuthorName, BuildAuthorEmail: b.AuthorEmail, BuildSender: b.Sender,
				BuildStarted: b.Started, BuildFinished: b.Finished, BuildCreated: b.Created, BuildUpdated: b.Updated,
				StageName: st.Name, StageKind: st.Kind, StageType: st.Type, StageStatus: st.Status, StageMachine: st.Machine,
				StageOS: st.OS, StageArch: st.Arch, StageLimit: "0", StageLimitRepo: "0",
				StageStarted: st.Started, StageStopped: st.Stopped,
			})
		}
	})
	return rows, nil
}
