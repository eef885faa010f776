package convert

import (
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/compile"
)

// variable is one fact that programs can ask for: build.event, repo.private.
type variable struct {
	group, name string
	value       any // string or bool
}

// variables lists what both languages offer, in the order of reference §11.6.
// What only a server knows has the value it has for an ordinary repository:
// active, and neither trusted nor protected.
func variables(b compile.Build, file string) []variable {
	return []variable{
		{"build", "event", b.Event}, {"build", "action", b.Action}, {"build", "environment", b.Deploy},
		{"build", "link", b.Link}, {"build", "branch", b.Branch}, {"build", "source", b.Source},
		{"build", "before", b.Before}, {"build", "after", b.After}, {"build", "target", b.Branch},
		{"build", "ref", b.Ref}, {"build", "commit", b.After}, {"build", "title", b.Title},
		{"build", "message", b.Message}, {"build", "source_repo", b.SourceRepo},
		{"build", "author_login", b.Author.Login}, {"build", "author_name", b.Author.Name},
		{"build", "author_email", b.Author.Email}, {"build", "author_avatar", b.Author.Avatar},
		{"build", "sender", sender(b)},
		{"repo", "uid", ""}, {"repo", "name", b.Repo.Name}, {"repo", "namespace", b.Repo.Namespace},
		{"repo", "slug", b.Repo.Slug}, {"repo", "git_http_url", b.Repo.HTTPURL}, {"repo", "git_ssh_url", b.Repo.SSHURL},
		{"repo", "link", b.Repo.Link}, {"repo", "branch", b.Repo.DefaultBranch}, {"repo", "config", file},
		{"repo", "private", b.Repo.Private}, {"repo", "visibility", b.Repo.Visibility},
		{"repo", "active", true}, {"repo", "trusted", false}, {"repo", "protected", false},
		{"repo", "ignore_forks", false}, {"repo", "ignore_pull_requests", false},
	}
}

// sender is who has started the build.
func sender(b compile.Build) string {
	if b.Trigger == "" || strings.HasPrefix(b.Trigger, "@") {
		return b.Author.Login
	}
	return b.Trigger
}

// externals gives the external variables of Jsonnet for a build: build.event,
// repo.slug, and build.param.NAME for each parameter. Booleans are the texts
// true and false. file is the path of the configuration file, repo.config.
func externals(b compile.Build, file string) map[string]string {
	vars := map[string]string{}
	for _, v := range variables(b, file) {
		text, ok := v.value.(string)
		if !ok {
			text = strconv.FormatBool(v.value.(bool))
		}
		vars[v.group+"."+v.name] = text
	}
	for name, value := range b.Params {
		vars["build.param."+name] = value
	}
	return vars
}
