package facts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readRemote reads the address of a remote where no ssh alias is known.
func readRemote(address string) Remote {
	return parseRemote(address, func(string) string { return "" })
}

func TestParseRemote(t *testing.T) {
	hello := Remote{
		Host: "github.com", Slug: "octocat/hello", Name: "hello", Link: "https://github.com/octocat/hello",
		HTTP: "https://github.com/octocat/hello.git", SSH: "git@github.com:octocat/hello.git",
	}
	path := func(name string) Remote { return Remote{Name: name, Unknown: "the remote is a path on this machine"} }
	cases := map[string]Remote{
		"https://github.com/octocat/hello.git":                  hello,
		"https://github.com/octocat/hello":                      hello,
		"https://github.com/octocat/hello/":                     hello,
		"HTTPS://GitHub.com//octocat/hello.git":                 hello,
		"https://octocat:s3cret@github.com/octocat/hello.git":   hello,
		"https://ghp_s3cret@github.com/octocat/hello.git":       hello,
		"git@github.com:octocat/hello.git":                      hello,
		"github.com:octocat/hello":                              hello,
		"git@github.com:/octocat/hello.git":                     hello,
		"ssh://git@github.com/octocat/hello.git":                hello,
		"ssh://git@github.com:22/octocat/hello.git":             hello,
		"git+ssh://git@github.com/octocat/hello.git":            hello,
		"git://github.com/octocat/hello.git":                    hello,
		" https://github.com/octocat/hello.git\n":               hello,
		"https://github.com/octocat/hello.git?token=s3cret#top": hello,
		"ssh://git@ssh.github.com:443/octocat/hello.git": {
			Host: "github.com", Slug: "octocat/hello", Name: "hello", Link: "https://github.com/octocat/hello",
			HTTP: "https://github.com/octocat/hello.git", SSH: "ssh://git@ssh.github.com:443/octocat/hello.git",
		},
		"http://git.example.com:3000/octocat/hello.git": {
			Host: "git.example.com:3000", Slug: "octocat/hello", Name: "hello", Link: "http://git.example.com:3000/octocat/hello",
			HTTP: "http://git.example.com:3000/octocat/hello.git", SSH: "git@git.example.com:octocat/hello.git",
		},
		"ssh://gitea@git.example.com:2222/octocat/hello.git": {
			Host: "git.example.com", Slug: "octocat/hello", Name: "hello", Link: "https://git.example.com/octocat/hello",
			HTTP: "https://git.example.com/octocat/hello.git", SSH: "ssh://gitea@git.example.com:2222/octocat/hello.git",
		},
		"git@gitlab.com:group/sub/group/name.git": {
			Host: "gitlab.com", Slug: "group/sub/group/name", Name: "name", Link: "https://gitlab.com/group/sub/group/name",
			HTTP: "https://gitlab.com/group/sub/group/name.git", SSH: "git@gitlab.com:group/sub/group/name.git",
		},
		"https://bitbucket.example.com/scm/PROJ/repo.git": {
			Host: "bitbucket.example.com", Slug: "PROJ/repo", Name: "repo", Link: "https://bitbucket.example.com/projects/PROJ/repos/repo",
			HTTP: "https://bitbucket.example.com/scm/PROJ/repo.git", SSH: "git@bitbucket.example.com:PROJ/repo.git",
		},
		"ssh://git@bitbucket.example.com:7999/PROJ/repo.git": {
			Host: "bitbucket.example.com", Slug: "PROJ/repo", Name: "repo", Link: "https://bitbucket.example.com/projects/PROJ/repos/repo",
			HTTP: "https://bitbucket.example.com/scm/PROJ/repo.git", SSH: "ssh://git@bitbucket.example.com:7999/PROJ/repo.git",
		},
		"ssh://git@[::1]:2222/octocat/hello.git": {
			Host: "[::1]", Slug: "octocat/hello", Name: "hello", Link: "https://[::1]/octocat/hello",
			HTTP: "https://[::1]/octocat/hello.git", SSH: "ssh://git@[::1]:2222/octocat/hello.git",
		},
		"git@work:octocat/hello.git": {
			Host: "work", Slug: "octocat/hello", Name: "hello", SSH: "git@work:octocat/hello.git",
			Unknown: "the host work of the remote looks like an ssh alias",
		},
		"https://example.com/hello.git": {Host: "example.com", Name: "hello", Unknown: "the address of the remote has no owner"},
		"/srv/git/hello.git":            path("hello"),
		"../octocat/hello":              path("hello"),
		"file:///srv/git/hello.git":     path("hello"),
		"/home/me/hello/.git":           path("hello"),
		`C:\src\hello`:                  path("hello"),
		"C:/src/hello.git":              path("hello"),
		"./a:b/hello":                   path("hello"),
		"/":                             path(""),
		"":                              path(""),
		"s3://bucket/hello":             {Unknown: "the remote uses the unknown protocol s3"},
		"https://me:s3cret@host:port/a": {Unknown: "the address of the remote is no URL"},
	}
	for address, want := range cases {
		t.Run(address, func(t *testing.T) {
			if diff := cmp.Diff(want, readRemote(address)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzParseRemote looks for crashes, for passwords that get through, and for
// slugs that are none.
func FuzzParseRemote(f *testing.F) {
	f.Add("https", "github.com", "octocat/hello.git")
	f.Add("ssh", "git.example.com:22", "//a/../b/")
	f.Fuzz(func(t *testing.T, scheme, host, path string) {
		for _, address := range []string{path, host + ":" + path, scheme + "://me:hunter2@" + host + "/" + path} {
			r := readRemote(address)
			if strings.Contains(r.Slug, "//") || strings.HasPrefix(r.Slug, "/") || strings.HasSuffix(r.Slug, "/") {
				t.Errorf("%q gives the slug %q", address, r.Slug)
			}
			if r.Slug != "" && namespace(r.Slug)+"/"+r.Name != r.Slug {
				t.Errorf("%q: slug %q is not made of %q and %q", address, r.Slug, namespace(r.Slug), r.Name)
			}
		}
		r := readRemote("https://me:hunter2@" + "example.com" + "/" + path)
		for _, text := range []string{r.Link, r.HTTP, r.SSH, r.Unknown, r.Host} {
			if strings.Contains(text, "hunter2") && !strings.Contains(path, "hunter2") {
				t.Errorf("the password got into %q", text)
			}
		}
	})
}

func TestLinks(t *testing.T) {
	type links struct{ commit, push, pull, ref string }
	cases := map[string]links{
		"https://github.com/o/n":            {"https://github.com/o/n/commit/bb", "https://github.com/o/n/compare/aa...bb", "https://github.com/o/n/pull/7", "refs/pull/7/head"},
		"https://gitlab.com/o/n":            {"https://gitlab.com/o/n/-/commit/bb", "https://gitlab.com/o/n/-/compare/aa...bb", "https://gitlab.com/o/n/-/merge_requests/7", "refs/merge-requests/7/head"},
		"https://codeberg.org/o/n":          {"https://codeberg.org/o/n/commit/bb", "https://codeberg.org/o/n/compare/aa...bb", "https://codeberg.org/o/n/pulls/7", "refs/pull/7/head"},
		"https://gitea.example.com/o/n":     {"https://gitea.example.com/o/n/commit/bb", "https://gitea.example.com/o/n/compare/aa...bb", "https://gitea.example.com/o/n/pulls/7", "refs/pull/7/head"},
		"https://bitbucket.org/o/n":         {"https://bitbucket.org/o/n/commits/bb", "https://bitbucket.org/o/n/commits/bb", "https://bitbucket.org/o/n/pull-requests/7", "refs/pull/7/head"},
		"https://bitbucket.corp/scm/o/n":    {"https://bitbucket.corp/projects/o/repos/n/commits/bb", "https://bitbucket.corp/projects/o/repos/n/commits/bb", "https://bitbucket.corp/projects/o/repos/n/pull-requests/7", "refs/pull-requests/7/from"},
		"https://git.example.com/o/n":       {"", "", "", "refs/pull/7/head"},
		"/srv/hello":                        {"", "", "", "refs/pull/7/head"},
		"git@github-work:octocat/hello":     {"", "", "", "refs/pull/7/head"},
		"https://github.example.com/o/n":    {"https://github.example.com/o/n/commit/bb", "https://github.example.com/o/n/compare/aa...bb", "https://github.example.com/o/n/pull/7", "refs/pull/7/head"},
		"ssh://git@forgejo.example/o/n/":    {"https://forgejo.example/o/n/commit/bb", "https://forgejo.example/o/n/compare/aa...bb", "https://forgejo.example/o/n/pulls/7", "refs/pull/7/head"},
		"https://altssh.gitlab.example/o/n": {"https://altssh.gitlab.example/o/n/-/commit/bb", "https://altssh.gitlab.example/o/n/-/compare/aa...bb", "https://altssh.gitlab.example/o/n/-/merge_requests/7", "refs/merge-requests/7/head"},
	}
	for address, want := range cases {
		r := readRemote(address)
		got := links{commitLink(r, "bb"), pushLink(r, "aa", "bb"), pullLink(r, "7"), pullRef(r, "7")}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(links{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
		if number, ok := pullNumber(got.ref); !ok || number != "7" {
			t.Errorf("%s: number of %q is %q", address, got.ref, number)
		}
		if got := pushLink(r, zeros, "bb"); got != want.commit {
			t.Errorf("%s: first push links to %q, want the commit", address, got)
		}
	}
}

func TestCompareTags(t *testing.T) {
	ordered := []string{
		"1.2", "latest", "v1.2.x",
		"v0.9.9", "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta.2", "v1.0.0-beta.11", "v1.0.0-rc.1",
		"v1.0.0", "v1.9.0", "1.10.0", "v1.10.0", "v2.0.0+build.7",
	}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := compareTags(a, b); got != want {
				t.Errorf("compareTags(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestLogin(t *testing.T) {
	cases := map[string]string{
		"ada@example.com":                            "Ada",
		"49699333+ada@users.noreply.github.com":      "ada",
		"ada@users.noreply.github.com":               "ada",
		"bot[x]+ada@users.noreply.github.com":        "bot[x]+ada",
		"1234-ada-lovelace@users.noreply.gitlab.com": "ada-lovelace",
		"": "Ada",
	}
	for email, want := range cases {
		if got := login("Ada", email); got != want {
			t.Errorf("login of %q is %q, want %q", email, got, want)
		}
	}
}
