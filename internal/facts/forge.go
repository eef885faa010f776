package facts

import (
	"regexp"
	"strings"
)

// forge is a kind of hosting site, as far as its addresses go.
type forge int

const (
	unknownForge forge = iota
	github
	gitlab
	gitea // also Forgejo and Gogs
	bitbucket
	bitbucketServer
)

// forgeOf tells the kind of a host by its name. Self-hosted sites are known
// only when a part of their name says what they are.
func forgeOf(host string) forge {
	h := strings.ToLower(host)
	if h == "bitbucket.org" {
		return bitbucket
	}
	for _, known := range []struct {
		part string
		kind forge
	}{
		{"github", github}, {"gitlab", gitlab}, {"gitea", gitea}, {"forgejo", gitea},
		{"codeberg.org", gitea}, {"gogs", gitea}, {"bitbucket", bitbucketServer}, {"stash.", bitbucketServer},
	} {
		if strings.Contains(h, known.part) {
			return known.kind
		}
	}
	return unknownForge
}

// commitLink is the page of a commit, "" when the site is not known.
func commitLink(r Remote, sha string) string {
	if r.Link == "" || sha == "" {
		return ""
	}
	switch forgeOf(r.Host) {
	case github, gitea:
		return r.Link + "/commit/" + sha
	case gitlab:
		return r.Link + "/-/commit/" + sha
	case bitbucket, bitbucketServer:
		return r.Link + "/commits/" + sha
	}
	return ""
}

// pushLink is the page a push hook names: the comparison where the site has
// one that takes two commits, else the commit (reference §11.3, link).
func pushLink(r Remote, before, after string) string {
	if r.Link == "" || before == "" || before == zeros {
		return commitLink(r, after)
	}
	switch forgeOf(r.Host) {
	case github, gitea:
		return r.Link + "/compare/" + before + "..." + after
	case gitlab:
		return r.Link + "/-/compare/" + before + "..." + after
	}
	return commitLink(r, after)
}

func pullLink(r Remote, number string) string {
	if r.Link == "" {
		return ""
	}
	switch forgeOf(r.Host) {
	case github:
		return r.Link + "/pull/" + number
	case gitlab:
		return r.Link + "/-/merge_requests/" + number
	case gitea:
		return r.Link + "/pulls/" + number
	case bitbucket, bitbucketServer:
		return r.Link + "/pull-requests/" + number
	}
	return ""
}

// pullRef is the reference a pull request hook of the site carries
// (reference §11.3).
func pullRef(r Remote, number string) string {
	switch forgeOf(r.Host) {
	case gitlab:
		return "refs/merge-requests/" + number + "/head"
	case bitbucketServer:
		return "refs/pull-requests/" + number + "/from"
	}
	return "refs/pull/" + number + "/head"
}

var pullRefForm = regexp.MustCompile(`^refs/(?:pull|merge-requests|pull-requests)/([1-9][0-9]*)/(?:head|merge|from)$`)

// pullNumber reads the number out of a pull request reference of any site.
func pullNumber(ref string) (number string, ok bool) {
	m := pullRefForm.FindStringSubmatch(ref)
	if m == nil {
		return "", false
	}
	return m[1], true
}
