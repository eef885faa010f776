package servertest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"

	"github.com/drone-laptop/drone/remote"
)

var userRoutes = []route{
	{"GET", "api/users", sysadmin, false, func(c *call) (any, error) {
		users := []remote.User{}
		for _, u := range c.users {
			users = append(users, hidden(u))
		}
		return users, nil
	}},
	{"POST", "api/users", sysadmin, false, createUser},
	{"GET", "api/users/{login}", sysadmin, false, func(c *call) (any, error) {
		u, err := c.named()
		if err != nil {
			return nil, err
		}
		return hidden(u), nil
	}},
	{"PATCH", "api/users/{login}", sysadmin, false, func(c *call) (any, error) {
		u, err := c.named()
		if err != nil {
			return nil, err
		}
		var in remote.UserPatch
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		set(&u.Admin, in.Admin)
		set(&u.Active, in.Active)
		if !u.Active {
			u.Admin = false
		}
		u.Updated = c.now()
		return hidden(u), nil
	}},
	{"DELETE", "api/users/{login}", sysadmin, false, func(c *call) (any, error) {
		u, err := c.named()
		if err != nil {
			return nil, err
		}
		c.users = slices.DeleteFunc(c.users, func(other *user) bool { return other == u })
		return nil, nil
	}},
	{"POST", "api/users/{login}/token/rotate", sysadmin, false, func(c *call) (any, error) {
		u, err := c.named()
		if err != nil {
			return nil, err
		}
		u.Token = commit(u.Token)[:32] // and it is not told
		return struct {
			remote.User
			Message string `json:"message"`
		}{hidden(u), "Token rotated successfully"}, nil
	}},
	{"GET", "api/users/{login}/repos", sysadmin, false, func(c *call) (any, error) {
		u, err := c.named()
		if err != nil {
			return nil, err
		}
		c.user = u
		return c.mine(false), nil
	}},
}

// named is a user by login or by ID.
func (c *call) named() (*user, error) {
	for _, u := range c.users {
		if u.Login == c.vars["login"] || strconv.FormatInt(u.ID, 10) == c.vars["login"] {
			return u, nil
		}
	}
	return nil, errNoRow
}

var loginName = regexp.MustCompile(`^[.a-zA-Z0-9_-]{1,50}$`)

func createUser(c *call) (any, error) {
	var in remote.UserInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	switch {
	case !loginName.MatchString(in.Login):
		return nil, bad("Invalid User Login")
	case c.userNamed(in.Login) != nil:
		return nil, duplicate("users.user_login")
	}
	token := in.Token
	if token == "" {
		token = commit("token of " + in.Login)[:32]
	}
	u := c.addUser(remote.User{Login: in.Login, Admin: in.Admin, Machine: in.Machine, Active: true, Token: token})
	if u.Machine {
		return u.User, nil
	}
	return hidden(u), nil
}

var systemRoutes = []route{
	{"GET", "api/queue", sysadmin, true, func(c *call) (any, error) {
		stages := []remote.Stage{}
		c.incomplete(func(_ *repository, b *remote.Build) {
			for _, st := range b.Stages {
				if st.Status == remote.StatePending || st.Status == remote.StateRunning {
					st.Steps = nil
					stages = append(stages, st)
				}
			}
		})
		slices.SortFunc(stages, func(a, b remote.Stage) int { return int(a.ID - b.ID) })
		return stages, nil
	}},
	{"DELETE", "api/queue", sysadmin, true, func(*call) (any, error) {
		return nil, nil
	}},
	{"POST", "api/queue", sysadmin, true, func(*call) (any, error) {
		return nil, nil
	}},
	{"GET", "api/system/stats", sysadmin, true, stats},
	{"GET", "version", guest, false, func(c *call) (any, error) {
		return remote.Version{Source: "https://github.com/drone/drone", Version: "2.25.0"}, nil
	}},
	{"GET", "varz", guest, false, func(*call) (any, error) {
		varz := remote.Varz{License: json.RawMessage(`{"kind":"trial","seats":0,"seats_used":1,"repos":0}`)}
		varz.SCM.URL = "https://git.example.com"
		varz.SCM.Rate.Limit, varz.SCM.Rate.Remaining, varz.SCM.Rate.Reset = 5000, 4999, 1700003600
		return varz, nil
	}},
	{"GET", "healthz", guest, false, func(*call) (any, error) { return raw{"text/plain", "OK"}, nil }},
	{"GET", "metrics", sysadmin, false, func(*call) (any, error) {
		return raw{"text/plain; version=0.0.4", "drone_build_count 1\n"}, nil
	}},

	// Those of the autoscaler, which is another service with the same kind of token.
	{"GET", "api/servers", authenticated, false, func(c *call) (any, error) {
		return append([]remote.Server{}, c.machines...), nil
	}},
	{"POST", "api/servers", authenticated, false, func(c *call) (any, error) {
		m := remote.Server{Name: "agent-" + strconv.Itoa(len(c.machines)+1), State: "pending", Provider: "test", Capacity: 2, Created: c.now()}
		c.machines = append(c.machines, m)
		return m, nil
	}},
	{"GET", "api/servers/{name}", authenticated, false, func(c *call) (any, error) {
		m, err := c.machine()
		if err != nil {
			return nil, err
		}
		return *m, nil
	}},
	{"DELETE", "api/servers/{name}", authenticated, false, func(c *call) (any, error) {
		m, err := c.machine()
		if err != nil {
			return nil, err
		}
		m.State = "shutdown"
		if c.r.FormValue("force") == "true" {
			m.State = "stopped"
		}
		return *m, nil
	}},
	{"POST", "api/pause", authenticated, false, func(*call) (any, error) {
		return nil, nil
	}},
	{"POST", "api/resume", authenticated, false, func(*call) (any, error) {
		return nil, nil
	}},
}

func (c *call) machine() (*remote.Server, error) {
	for i := range c.machines {
		if c.machines[i].Name == c.vars["name"] {
			return &c.machines[i], nil
		}
	}
	return nil, errNoRow
}

func stats(c *call) (any, error) {
	out := remote.Stats{Streams: map[string]int64{}, Watchers: map[string]int64{}, Pipelines: []remote.PlatformStats{{OS: "linux", Arch: "amd64"}}}
	out.Users.Total = int64(len(c.users))
	out.Events.Subscribers = int64(len(c.events))
	for _, r := range c.repos {
		if r.Active {
			out.Repos.Active++
		}
		for _, b := range r.builds {
			out.Builds.Total++
			switch b.Status {
			case remote.StatePending:
				out.Builds.Pending++
			case remote.StateRunning:
				out.Builds.Running++
			}
		}
	}
	return out, nil
}
