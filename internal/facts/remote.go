package facts

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Remote is what the address of a git remote says about the repository. It
// never holds a password: user names and passwords are dropped, except the
// login name an ssh address needs.
type Remote struct {
	Host string // with port when the web address has one
	Slug string // owner/name, group/subgroup/name; "" for paths
	Name string // last part without .git

	Link string // web page
	HTTP string // clone address over http or https
	SSH  string // clone address over ssh

	// Unknown says why Slug or Link is empty.
	Unknown string
}

var (
	// scpLike is git's short form user@host:path. A letter alone before the
	// colon is a drive, and a slash before it makes it a path.
	scpLike = regexp.MustCompile(`^(?:([^@/:\s]+)@)?(\[[0-9A-Fa-f:]+\]|[^@/:\s]{2,}):(.*)$`)
	schemed = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
)

// parseRemote reads a remote address in the forms git accepts: http, https,
// git, ssh and git+ssh URLs, user@host:path, and paths on this machine. An
// address it cannot read gives a Remote with only Unknown set; no part of such
// an address is repeated, because it may hold a password. realHost is asked for
// the host behind an ssh alias; "" means that it does not know.
func parseRemote(address string, realHost func(alias string) string) Remote {
	address = strings.TrimSpace(address)
	if schemed.MatchString(address) {
		return parseURL(address, realHost)
	}
	if m := scpLike.FindStringSubmatch(address); m != nil {
		return fromSSH(m[1], behind(m[2], realHost), "", m[3])
	}
	return fromPath(address)
}

func behind(host string, realHost func(alias string) string) string {
	if isAlias(host) {
		if real := realHost(host); real != "" {
			return real
		}
	}
	return host
}

func parseURL(address string, realHost func(alias string) string) Remote {
	u, err := url.Parse(address)
	if err != nil {
		return Remote{Unknown: "the address of the remote is no URL"}
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return fromHTTP(strings.ToLower(u.Scheme), u.Host, u.Path)
	case "git":
		return fromHTTP("https", u.Hostname(), u.Path)
	case "ssh", "git+ssh", "ssh+git":
		return fromSSH(u.User.Username(), behind(u.Hostname(), realHost), u.Port(), u.Path)
	case "file":
		return fromPath(u.Path)
	}
	return Remote{Unknown: "the remote uses the unknown protocol " + u.Scheme}
}

func fromHTTP(scheme, host, repository string) Remote {
	r := named(host, repository)
	if r.Host == "" || r.Slug == "" {
		return r
	}
	r.Link = scheme + "://" + r.Host + "/" + webPath(r)
	r.HTTP = scheme + "://" + r.Host + "/" + clonePath(r) + ".git"
	r.SSH = "git@" + hostname(r.Host) + ":" + r.Slug + ".git"
	return r
}

func fromSSH(user, host, port, repository string) Remote {
	if user == "" {
		user = "git"
	}
	r := named(webHost(host), repository)
	clean := cleanPath(repository)
	// The full form is kept where the short one cannot say it: it has no
	// place for a port.
	if port != "" && port != "22" {
		r.SSH = "ssh://" + user + "@" + bracket(host) + ":" + port + "/" + clean + ".git"
	} else {
		r.SSH = user + "@" + bracket(host) + ":" + clean + ".git"
	}
	if isAlias(r.Host) {
		r.Unknown = "the host " + r.Host + " of the remote looks like an ssh alias"
		return r
	}
	if r.Slug != "" {
		r.Link = "https://" + r.Host + "/" + webPath(r)
		r.HTTP = "https://" + r.Host + "/" + clonePath(r) + ".git"
	}
	return r
}

// isAlias reports whether a host is a name of the ssh configuration rather than
// of the network.
func isAlias(host string) bool {
	return !strings.ContainsAny(host, ".:") && host != "localhost"
}

// fromPath knows the name of a clone on the same machine, and nothing else:
// the folders around it are not an owner.
func fromPath(p string) Remote {
	p = strings.TrimRight(strings.ReplaceAll(p, `\`, "/"), "/")
	name := strings.TrimSuffix(path.Base(p), ".git")
	if name == "" {
		// /srv/hello/.git belongs to the folder that holds it.
		name = path.Base(path.Dir(p))
	}
	if name == "." || name == "/" || name == ".." {
		name = ""
	}
	return Remote{Name: name, Unknown: "the remote is a path on this machine"}
}

func named(host, repository string) Remote {
	r := Remote{Host: strings.ToLower(host)}
	clean := cleanPath(repository)
	// Bitbucket Server serves clones below /scm, pages elsewhere.
	slug := strings.TrimPrefix(clean, "scm/")
	r.Name = path.Base(slug)
	if r.Name == "." || r.Name == "/" {
		r.Name = ""
	}
	if !strings.Contains(slug, "/") {
		r.Unknown = "the address of the remote has no owner"
		return r
	}
	r.Slug = slug
	return r
}

func cleanPath(p string) string {
	p = strings.Trim(p, "/")
	p = strings.TrimSuffix(p, ".git")
	return strings.Trim(path.Clean("/"+p), "/")
}

// webPath is where the page of the repository is.
func webPath(r Remote) string {
	owner, name, ok := strings.Cut(r.Slug, "/")
	if forgeOf(r.Host) == bitbucketServer && ok {
		return "projects/" + owner + "/repos/" + name
	}
	return r.Slug
}

// clonePath is where the repository is cloned from over http.
func clonePath(r Remote) string {
	if forgeOf(r.Host) == bitbucketServer {
		return "scm/" + r.Slug
	}
	return r.Slug
}

// webHost turns the hosts that only serve ssh into the ones people visit.
func webHost(host string) string {
	switch h := strings.ToLower(host); h {
	case "ssh.github.com":
		return "github.com"
	case "altssh.gitlab.com":
		return "gitlab.com"
	case "altssh.bitbucket.org":
		return "bitbucket.org"
	default:
		return bracket(strings.Trim(h, "[]"))
	}
}

func bracket(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

func hostname(hostport string) string {
	u := url.URL{Host: hostport}
	return bracket(u.Hostname())
}

// withSlug is the same host with another repository, for a slug given by hand.
func (r Remote) withSlug(slug string) Remote {
	if slug == r.Slug {
		return r
	}
	if r.Host == "" || r.Link == "" {
		return Remote{Slug: slug, Name: path.Base(slug), Unknown: r.Unknown}
	}
	scheme, _, _ := strings.Cut(r.Link, "://")
	return fromHTTP(scheme, r.Host, slug)
}

func namespace(slug string) string {
	if i := strings.LastIndex(slug, "/"); i >= 0 {
		return slug[:i]
	}
	return ""
}
