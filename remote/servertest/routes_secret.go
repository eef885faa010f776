package servertest

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/remote"
)

var secretRoutes = []route{
	{"GET", "api/repos/{o}/{n}/secrets", mayWrite, true, func(c *call) (any, error) { return shown(c.repo.secrets), nil }},
	{"POST", "api/repos/{o}/{n}/secrets", mayWrite, true, func(c *call) (any, error) {
		return c.createSecret(&c.repo.secrets, c.repo.ID, "")
	}},
	{"GET", "api/repos/{o}/{n}/secrets/{secret}", mayWrite, true, func(c *call) (any, error) { return c.secret(c.repo.secrets) }},
	{"PATCH", "api/repos/{o}/{n}/secrets/{secret}", mayWrite, true, func(c *call) (any, error) {
		return c.updateSecret(c.repo.secrets)
	}},
	{"DELETE", "api/repos/{o}/{n}/secrets/{secret}", mayWrite, true, func(c *call) (any, error) {
		return nil, c.deleteSecret(&c.repo.secrets)
	}},
	{"GET", "api/secrets", sysadmin, true, func(c *call) (any, error) {
		all := []remote.Secret{}
		for _, secrets := range c.orgs {
			all = append(all, shown(secrets)...)
		}
		slices.SortFunc(all, func(a, b remote.Secret) int { return int(a.ID - b.ID) })
		return all, nil
	}},
	{"GET", "api/secrets/{ns}", member, true, func(c *call) (any, error) { return shown(c.orgs[c.vars["ns"]]), nil }},
	{"GET", "api/secrets/{ns}/{secret}", member, true, func(c *call) (any, error) { return c.secret(c.orgs[c.vars["ns"]]) }},
	{"POST", "api/secrets/{ns}", orgAdmin, true, func(c *call) (any, error) {
		secrets := c.orgs[c.vars["ns"]]
		answer, err := c.createSecret(&secrets, 0, c.vars["ns"])
		c.orgs[c.vars["ns"]] = secrets
		return answer, err
	}},
	{"PATCH", "api/secrets/{ns}/{secret}", orgAdmin, true, updateOrgSecret},
	{"POST", "api/secrets/{ns}/{secret}", orgAdmin, true, updateOrgSecret},
	{"DELETE", "api/secrets/{ns}/{secret}", orgAdmin, true, func(c *call) (any, error) {
		secrets := c.orgs[c.vars["ns"]]
		err := c.deleteSecret(&secrets)
		c.orgs[c.vars["ns"]] = secrets
		return nil, err
	}},

	{"GET", "api/repos/{o}/{n}/cron", mayWrite, true, func(c *call) (any, error) {
		crons := []remote.Cron{}
		for _, cron := range c.repo.crons {
			crons = append(crons, *cron)
		}
		return crons, nil
	}},
	{"POST", "api/repos/{o}/{n}/cron", mayWrite, true, createCron},
	{"GET", "api/repos/{o}/{n}/cron/{cron}", mayWrite, true, func(c *call) (any, error) {
		cron, err := c.cron()
		if err != nil {
			return nil, err
		}
		return *cron, nil
	}},
	{"PATCH", "api/repos/{o}/{n}/cron/{cron}", mayWrite, true, func(c *call) (any, error) {
		cron, err := c.cron()
		if err != nil {
			return nil, err
		}
		var in remote.CronPatch
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		set(&cron.Branch, in.Branch)
		set(&cron.Target, in.Target)
		set(&cron.Disabled, in.Disabled)
		cron.Updated = c.now()
		cron.Version++
		return *cron, nil
	}},
	{"POST", "api/repos/{o}/{n}/cron/{cron}", mayWrite, true, func(c *call) (any, error) {
		cron, err := c.cron()
		if err != nil {
			return nil, err
		}
		return c.answered(remote.Build{Event: remote.EventCron, Trigger: "@cron", Sender: c.user.Login, Target: cron.Branch, Cron: cron.Name})
	}},
	{"DELETE", "api/repos/{o}/{n}/cron/{cron}", mayWrite, true, func(c *call) (any, error) {
		cron, err := c.cron()
		if err != nil {
			return nil, err
		}
		c.repo.crons = slices.DeleteFunc(c.repo.crons, func(other *remote.Cron) bool { return other == cron })
		return nil, nil
	}},

	{"GET", "api/templates", member, true, func(c *call) (any, error) {
		all := []remote.Template{}
		for _, templates := range c.templates {
			all = append(all, templates...)
		}
		slices.SortFunc(all, func(a, b remote.Template) int { return int(a.ID - b.ID) })
		return all, nil
	}},
	{"GET", "api/templates/{ns}", member, true, func(c *call) (any, error) {
		return append([]remote.Template{}, c.templates[c.vars["ns"]]...), nil
	}},
	{"POST", "api/templates/{ns}", orgAdmin, true, createTemplate},
	{"GET", "api/templates/{ns}/{template}", member, true, func(c *call) (any, error) {
		t, err := c.template()
		if err != nil {
			return nil, err
		}
		return *t, nil
	}},
	{"PUT", "api/templates/{ns}/{template}", orgAdmin, true, updateTemplate},
	{"PATCH", "api/templates/{ns}/{template}", orgAdmin, true, updateTemplate},
	{"DELETE", "api/templates/{ns}/{template}", orgAdmin, true, func(c *call) (any, error) {
		if _, err := c.template(); err != nil {
			return nil, err
		}
		ns, name := c.vars["ns"], c.vars["template"]
		c.templates[ns] = slices.DeleteFunc(c.templates[ns], func(t remote.Template) bool { return t.Name == name })
		return nil, nil
	}},
}

func shown(secrets []*secret) []remote.Secret {
	list := []remote.Secret{}
	for _, s := range secrets {
		list = append(list, s.Secret)
	}
	return list
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9\-_.]+$`)

func (c *call) createSecret(secrets *[]*secret, repo int64, org string) (any, error) {
	var in remote.SecretInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	switch {
	case !secretName.MatchString(in.Name):
		return nil, bad("Invalid Secret Name")
	case in.Data == "":
		return nil, bad("Invalid Secret Value")
	case slices.ContainsFunc(*secrets, func(s *secret) bool { return s.Name == in.Name }):
		if org != "" {
			return nil, duplicate("orgsecrets.secret_namespace, orgsecrets.secret_name")
		}
		return nil, duplicate("secrets.secret_repo_id, secrets.secret_name")
	}
	created := c.newSecret(in, repo, org)
	*secrets = append(*secrets, created)
	return created.Secret, nil
}

func (c *call) findSecret(secrets []*secret) *secret {
	for _, s := range secrets {
		if s.Name == c.vars["secret"] {
			return s
		}
	}
	return nil
}

func (c *call) secret(secrets []*secret) (any, error) {
	if s := c.findSecret(secrets); s != nil {
		return s.Secret, nil
	}
	return nil, errNoRow
}

func (c *call) updateSecret(secrets []*secret) (any, error) {
	s := c.findSecret(secrets)
	if s == nil {
		return nil, errNoRow
	}
	var in remote.SecretPatch
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Data != nil && *in.Data == "" {
		return nil, bad("Invalid Secret Value")
	}
	set(&s.value, in.Data)
	set(&s.PullRequest, in.PullRequest)
	set(&s.PullRequestPush, in.PullRequestPush)
	return s.Secret, nil
}

func updateOrgSecret(c *call) (any, error) { return c.updateSecret(c.orgs[c.vars["ns"]]) }

func (c *call) deleteSecret(secrets *[]*secret) error {
	s := c.findSecret(*secrets)
	if s == nil {
		return errNoRow
	}
	*secrets = slices.DeleteFunc(*secrets, func(other *secret) bool { return other == s })
	return nil
}

func (c *call) cron() (*remote.Cron, error) {
	for _, cron := range c.repo.crons {
		if cron.Name == c.vars["cron"] {
			return cron, nil
		}
	}
	return nil, errNoRow
}

var (
	notWord    = regexp.MustCompile(`[^a-z0-9]+`)
	cronFields = regexp.MustCompile(`^(@(hourly|daily|weekly|monthly|yearly|annually|midnight|every \S+)|\S+( \S+){4,5})$`)
)

// createCron takes the name as words and passes over all but the expression and
// the branch.
func createCron(c *call) (any, error) {
	var in remote.CronInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if !cronFields.MatchString(in.Expr) {
		return nil, bad("Invalid Cronjob Expression")
	}
	name := strings.Trim(notWord.ReplaceAllString(strings.ToLower(in.Name), "-"), "-")
	switch {
	case name == "":
		return nil, bad("Invalid Cronjob Name")
	case slices.ContainsFunc(c.repo.crons, func(cron *remote.Cron) bool { return cron.Name == name }):
		return nil, duplicate("cron.cron_repo_id, cron.cron_name")
	}
	now := c.now()
	cron := &remote.Cron{
		ID: c.id(), RepoID: c.repo.ID, Name: name, Expr: in.Expr, Branch: in.Branch, Event: remote.EventPush,
		Next: now + 86400, Created: now, Updated: now,
	}
	c.repo.crons = append(c.repo.crons, cron)
	return *cron, nil
}

func (c *call) template() (*remote.Template, error) {
	templates := c.templates[c.vars["ns"]]
	for i := range templates {
		if templates[i].Name == c.vars["template"] {
			return &templates[i], nil
		}
	}
	return nil, errNoRow
}

func createTemplate(c *call) (any, error) {
	var in struct{ Name, Data string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	ns := c.vars["ns"]
	switch {
	case !slices.Contains([]string{".yml", ".yaml", ".star", ".starlark", ".script", ".jsonnet"}, path.Ext(in.Name)):
		return nil, bad("Invalid Template Extension")
	case in.Data == "":
		return nil, bad("Invalid Template Data")
	case slices.ContainsFunc(c.templates[ns], func(t remote.Template) bool { return t.Name == in.Name }):
		return nil, duplicate("templates.template_name, templates.template_namespace")
	}
	now := c.now()
	t := remote.Template{ID: c.id(), Name: in.Name, Namespace: ns, Data: in.Data, Created: now, Updated: now}
	c.templates[ns] = append(c.templates[ns], t)
	return t, nil
}

func updateTemplate(c *call) (any, error) {
	t, err := c.template()
	if err != nil {
		return nil, err
	}
	var in struct{ Data *string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	set(&t.Data, in.Data)
	t.Updated = c.now()
	return *t, nil
}
