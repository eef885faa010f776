package servertest

import (
	"net/http"
	"slices"

	"github.com/drone-laptop/drone/remote"
)

// hidden is a user as the server shows them, without the token.
func hidden(u *user) remote.User {
	shown := u.User
	shown.Token = ""
	return shown
}

// visible is a repository as the user sees it.
func (c *call) visible(r *repository) remote.Repo {
	c.repo = r
	shown := r.Repo.Repo
	if c.user != nil {
		may := c.permissions()
		shown.Permissions = &may
	}
	return shown
}

// mine are the repositories of the user.
func (c *call) mine(latest bool) []remote.Repo {
	repos := []remote.Repo{}
	for _, r := range c.repos {
		if !r.users[c.user.Login].Read {
			continue
		}
		shown := r.Repo.Repo
		if latest && len(r.builds) > 0 {
			shown.Build = summary(r.builds[len(r.builds)-1])
		}
		repos = append(repos, shown)
	}
	return repos
}

// summary is a build as lists show it.
func summary(b *remote.Build) *remote.Build {
	c := *b
	c.Stages = nil
	return &c
}

var accountRoutes = []route{
	{"GET", "api/user", authenticated, false, func(c *call) (any, error) { return hidden(c.user), nil }},
	{"PATCH", "api/user", authenticated, false, func(c *call) (any, error) {
		var in struct{ Email string }
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		c.user.Email, c.user.Updated = in.Email, c.now()
		return hidden(c.user), nil
	}},
	{"POST", "api/user/token", authenticated, false, func(c *call) (any, error) {
		if c.r.FormValue("rotate") == "true" {
			c.user.Token = commit(c.user.Token)[:32]
		}
		return c.user.User, nil
	}},
	{"GET", "api/user/repos", authenticated, false, func(c *call) (any, error) {
		return c.mine(c.r.FormValue("latest") == "true"), nil
	}},
	{"POST", "api/user/repos", authenticated, false, func(c *call) (any, error) {
		c.user.Synced = c.now()
		if c.r.FormValue("async") == "true" {
			return nil, nil
		}
		return c.mine(false), nil
	}},
	{"GET", "api/user/builds", authenticated, false, activity},
	{"GET", "api/user/builds/recent", authenticated, false, activity},
	{"GET", "api/user/remote/repos", authenticated, false, func(c *call) (any, error) {
		repos := c.mine(false)
		for i := range repos {
			repos[i].ID = 0
		}
		return repos, nil
	}},
	{"GET", "api/user/remote/repos/{o}/{n}", authenticated, false, func(c *call) (any, error) {
		if c.repo == nil || !c.permissions().Read {
			return nil, errHidden
		}
		return c.visible(c.repo), nil
	}},
}

func activity(c *call) (any, error) {
	repos := slices.DeleteFunc(c.mine(true), func(r remote.Repo) bool { return r.Build == nil })
	slices.SortStableFunc(repos, func(a, b remote.Repo) int { return int(b.Build.Created - a.Build.Created) })
	return repos, nil
}

var repoRoutes = []route{
	{"GET", "api/repos", sysadmin, false, func(c *call) (any, error) {
		repos := []remote.Repo{}
		for _, r := range c.repos {
			repos = append(repos, r.Repo.Repo)
		}
		return page(c.r, repos, 1<<30), nil
	}},
	{"GET", "api/repos/{o}/{n}", mayRead, false, func(c *call) (any, error) { return c.visible(c.repo), nil }},
	{"POST", "api/repos/{o}/{n}", repoAdmin, false, func(c *call) (any, error) {
		c.repo.Active, c.repo.UserID = true, c.user.ID
		c.repo.touch(c.Server)
		return c.repo.Repo.Repo, nil
	}},
	{"PATCH", "api/repos/{o}/{n}", repoAdmin, false, updateRepo},
	{"DELETE", "api/repos/{o}/{n}", repoAdmin, false, func(c *call) (any, error) {
		c.repo.Active = false
		c.repo.touch(c.Server)
		if c.r.FormValue("remove") == "true" {
			c.repos = slices.DeleteFunc(c.repos, func(r *repository) bool { return r == c.repo })
		}
		return c.repo.Repo.Repo, nil
	}},
	{"POST", "api/repos/{o}/{n}/chown", repoAdmin, false, func(c *call) (any, error) {
		c.repo.UserID = c.user.ID
		c.repo.touch(c.Server)
		return c.repo.Repo.Repo, nil
	}},
	{"POST", "api/repos/{o}/{n}/repair", repoAdmin, false, func(c *call) (any, error) {
		c.repo.touch(c.Server)
		return c.repo.Repo.Repo, nil
	}},
	{"GET", "api/repos/{o}/{n}/collaborators", mayRead, true, func(c *call) (any, error) {
		return append([]remote.Collaborator{}, c.repo.collaborators...), nil
	}},
	{"GET", "api/repos/{o}/{n}/collaborators/{login}", mayRead, true, func(c *call) (any, error) {
		for _, one := range c.repo.collaborators {
			if one.Login == c.vars["login"] {
				return one, nil
			}
		}
		return nil, errNoRow
	}},
	{"DELETE", "api/repos/{o}/{n}/collaborators/{login}", repoAdmin, true, func(c *call) (any, error) {
		before := len(c.repo.collaborators)
		c.repo.collaborators = slices.DeleteFunc(c.repo.collaborators, func(one remote.Collaborator) bool {
			return one.Login == c.vars["login"]
		})
		if len(c.repo.collaborators) == before {
			return nil, errNoRow
		}
		return nil, nil
	}},
	{"GET", "api/badges/{o}/{n}/status.svg", guest, false, func(c *call) (any, error) {
		status := "none"
		if c.repo != nil && len(c.repo.builds) > 0 {
			status = c.repo.builds[len(c.repo.builds)-1].Status
		}
		return raw{"image/svg+xml", "<svg><text>" + status + "</text></svg>"}, nil
	}},
	{"GET", "api/badges/{o}/{n}/cc.xml", mayRead, true, func(c *call) (any, error) {
		return raw{"application/xml", "<Projects></Projects>"}, nil
	}},
	{"POST", "api/repos/{o}/{n}/sign", mayWrite, false, func(c *call) (any, error) { return c.seal(sign) }},
	{"POST", "api/repos/{o}/{n}/encrypt", mayWrite, false, func(c *call) (any, error) { return c.seal(encrypt) }},
	{"POST", "api/repos/{o}/{n}/encrypt/secret", mayWrite, false, func(c *call) (any, error) { return c.seal(encrypt) }},
}

func (r *repository) touch(s *Server) {
	r.Updated = s.now()
	r.Version++
}

// updateRepo takes what only administrators of the server may set from these only,
// and passes over it without a word from others.
func updateRepo(c *call) (any, error) {
	var in remote.RepoPatch
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	r := c.repo
	set(&r.Config, in.Config)
	set(&r.Visibility, in.Visibility)
	set(&r.Protected, in.Protected)
	set(&r.IgnoreForks, in.IgnoreForks)
	set(&r.IgnorePulls, in.IgnorePulls)
	set(&r.CancelPulls, in.CancelPulls)
	set(&r.CancelPush, in.CancelPush)
	set(&r.CancelRunning, in.CancelRunning)
	if c.user.Admin {
		set(&r.Trusted, in.Trusted)
		set(&r.Timeout, in.Timeout)
		set(&r.Throttle, in.Throttle)
		set(&r.Counter, in.Counter)
	}
	r.touch(c.Server)
	return r.Repo.Repo, nil
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// page is what a server gives of a list: a size that it does not take is 25.
func page[T any](r *http.Request, all []T, limit int) []T {
	number, size := atoi(r.FormValue("page")), atoi(r.FormValue("per_page"))
	if size < 1 || size > limit {
		size = 25
	}
	first := min((max(number, 1)-1)*size, len(all))
	return all[first:min(first+size, len(all))]
}

func atoi(text string) int {
	n := 0
	for _, digit := range text {
		if digit < '0' || digit > '9' {
			return 0
		}
		n = n*10 + int(digit-'0')
	}
	return n
}
