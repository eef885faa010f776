package servertest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/drone-laptop/drone/remote"
)

type user struct{ remote.User }

type secret struct {
	remote.Secret
	value string
}

// Repo is a repository with what a server reads from where it is hosted.
type Repo struct {
	remote.Repo
	// Key is that of its signatures and encrypted secrets, 32 bytes.
	Key string
	// Pipelines are those of its file. Without any, no build is started.
	Pipelines []Pipeline
	// Error is what is wrong with the file, if anything.
	Error string
	// Branches are the last commits of its branches.
	Branches map[string]string
	// Users are what people may do with it, by their logins.
	Users map[string]remote.Permissions
}

// Pipeline is one of a file. Blocked ones wait for somebody to approve them.
type Pipeline struct {
	Name      string
	DependsOn []string
	Steps     []Step
	Blocked   bool
}

// Step is one of a pipeline, with what it prints and ends with.
type Step struct {
	Name   string
	Image  string
	Output []string // lines
	Exit   int
}

type repository struct {
	Repo
	users         map[string]remote.Permissions
	builds        []*remote.Build // by number
	hooked        []int64         // numbers of builds that pushes and the like have started
	logs          map[remote.StepRef]*log
	cards         map[remote.StepRef][]byte
	secrets       []*secret
	crons         []*remote.Cron
	collaborators []remote.Collaborator
}

func (r *repository) slug() remote.Slug { return remote.Slug{Owner: r.Namespace, Name: r.Name} }

// AddUser adds a user, who is active. One without a token cannot log in.
func (s *Server) AddUser(u remote.User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.Active = true
	s.addUser(u)
}

func (s *Server) addUser(u remote.User) *user {
	u.ID = s.id()
	u.Created = s.now()
	u.Updated = u.Created
	added := &user{u}
	s.users = append(s.users, added)
	return added
}

func (s *Server) userNamed(login string) *user {
	for _, u := range s.users {
		if u.Login == login && login != "" {
			return u
		}
	}
	return nil
}

// AddRepo adds a repository. What is empty of its settings is as a server has it
// for a new one that is private.
func (s *Server) AddRepo(r Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defaults := []struct {
		field *string
		value string
	}{
		{&r.Visibility, remote.VisibilityPrivate},
		{&r.Config, ".drone.yml"},
		{&r.Branch, "main"},
		{&r.Key, Key},
		{&r.Slug, r.Namespace + "/" + r.Name},
		{&r.Link, "https://git.example.com/" + r.Namespace + "/" + r.Name},
		{&r.HTTPURL, "https://git.example.com/" + r.Namespace + "/" + r.Name + ".git"},
		{&r.SSHURL, "git@git.example.com:" + r.Namespace + "/" + r.Name + ".git"},
	}
	for _, d := range defaults {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if r.Timeout == 0 {
		r.Timeout = 60
	}
	if r.Branches == nil {
		r.Branches = map[string]string{r.Branch: commit(r.Slug + r.Branch)}
	}
	r.Private = r.Visibility != remote.VisibilityPublic
	r.ID = s.id()
	r.UID = fmt.Sprint(1000 + r.ID)
	r.Created = s.now()
	r.Updated, r.Synced, r.Version = r.Created, r.Created, 1
	added := &repository{
		Repo: r, users: r.Users, logs: map[remote.StepRef]*log{}, cards: map[remote.StepRef][]byte{},
	}
	if added.users == nil {
		added.users = map[string]remote.Permissions{}
	}
	for _, login := range slices.Sorted(maps.Keys(added.users)) {
		may := added.users[login]
		added.collaborators = append(added.collaborators, remote.Collaborator{
			RepoID: r.UID, Login: login, Read: may.Read, Write: may.Write, Admin: may.Admin, Created: r.Created,
		})
	}
	s.repos = append(s.repos, added)
}

// AddSecret gives a repository a secret.
func (s *Server) AddSecret(repo remote.Slug, in remote.SecretInput) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.must(repo)
	r.secrets = append(r.secrets, s.newSecret(in, r.ID, ""))
}

// AddOrgSecret gives an organisation a secret.
func (s *Server) AddOrgSecret(org string, in remote.SecretInput) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orgs[org] = append(s.orgs[org], s.newSecret(in, 0, org))
}

func (s *Server) newSecret(in remote.SecretInput, repo int64, org string) *secret {
	return &secret{remote.Secret{
		ID: s.id(), RepoID: repo, Namespace: org, Name: in.Name,
		PullRequest: in.PullRequest, PullRequestPush: in.PullRequestPush,
	}, in.Data}
}

// SecretValue is the value of a secret of a repository, and whether there is one.
func (s *Server) SecretValue(repo remote.Slug, name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range s.must(repo).secrets {
		if secret.Name == name {
			return secret.value, true
		}
	}
	return "", false
}

// AddCron schedules a build of a repository.
func (s *Server) AddCron(repo remote.Slug, cron remote.Cron) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.must(repo)
	cron.ID, cron.RepoID, cron.Event = s.id(), r.ID, remote.EventPush
	cron.Created = s.now()
	cron.Updated, cron.Next = cron.Created, cron.Created+86400
	r.crons = append(r.crons, &cron)
}

// AddTemplate adds a template.
func (s *Server) AddTemplate(t remote.Template) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.ID, t.Created = s.id(), s.now()
	t.Updated = t.Created
	s.templates[t.Namespace] = append(s.templates[t.Namespace], t)
}

// AddMachine adds a machine of the autoscaler.
func (s *Server) AddMachine(m remote.Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Created = s.now()
	s.machines = append(s.machines, m)
}

// SetPipelines changes what the file of a repository has; problem is what is wrong
// with it, if anything.
func (s *Server) SetPipelines(repo remote.Slug, pipelines []Pipeline, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.must(repo)
	r.Pipelines, r.Error = pipelines, problem
}

func (s *Server) find(slug remote.Slug) *repository {
	for _, r := range s.repos {
		if r.slug() == slug {
			return r
		}
	}
	return nil
}

func (s *Server) must(slug remote.Slug) *repository {
	if r := s.find(slug); r != nil {
		return r
	}
	panic("the server of the test has no repository " + slug.String())
}

func (r *repository) build(number int64) *remote.Build {
	for _, b := range r.builds {
		if b.Number == number {
			return b
		}
	}
	return nil
}
