package facts

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/drone-laptop/drone/compile"
	"github.com/google/go-cmp/cmp"
)

var testTime = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func resolve(t *testing.T, dir string, o Overrides) (compile.Build, []string) {
	t.Helper()
	b, warnings, err := Resolve(Read(dir), o, testTime)
	if err != nil {
		t.Fatal(err)
	}
	return b, warnings
}

func TestReadCheckout(t *testing.T) {
	s := newSandbox(t)
	first, second := s.checkout()
	want := compile.Build{
		Event: "push", Trigger: "@hook",
		Repo: compile.Repo{
			Slug: "octocat/hello", Namespace: "octocat", Name: "hello", SCM: "git",
			Link: "https://github.com/octocat/hello", HTTPURL: "https://github.com/octocat/hello.git",
			SSHURL: "git@github.com:octocat/hello.git", DefaultBranch: "main",
		},
		System: compile.System{Proto: "https", Host: "localhost", Hostname: "localhost", Version: "2.25.0"},
		Branch: "main", Source: "main", Ref: "refs/heads/main", Before: first, After: second,
		Message: "second\n\nwith a body",
		Author:  compile.Author{Login: "Ada Lovelace", Name: "Ada Lovelace", Email: "ada@example.com"},
		Link:    "https://github.com/octocat/hello/compare/" + first + "..." + second,
		Number:  1, Created: testTime, Started: testTime,
		Origin: map[string]string{
			"event": "default", "branch": "git HEAD", "source": "git HEAD", "ref": "git HEAD",
			"before": "git parent of the commit", "after": "git HEAD", "message": "git commit",
			"author.name": "git commit", "author.email": "git commit",
			"author.login": "name in the git commit; only the server knows the login",
			"repo.slug":    "git remote origin", "repo.namespace": "git remote origin", "repo.name": "git remote origin",
			"repo.link": "git remote origin", "repo.httpurl": "git remote origin", "repo.sshurl": "git remote origin",
			"repo.defaultbranch": "git branch main", "repo.scm": "git",
			"system.host": "default", "system.hostname": "default", "system.proto": "default", "system.version": "default",
			"trigger": "event push", "action": "event push", "link": "event push", "number": "default",
			"parent": "default", "dirty": "git index",
		},
		Unknown: map[string]string{
			"author.avatar": "only the server knows it", "repo.visibility": "only the server knows it",
		},
	}
	for _, dir := range []string{"hello", "hello/sub"} {
		got, warnings := resolve(t, s.path(dir), Overrides{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("facts of %s (-want +got):\n%s", dir, diff)
		}
		if len(warnings) > 0 {
			t.Errorf("warnings for %s: %q", dir, warnings)
		}
	}
}

// TestReadFolderThatIsGone shows that even then there is no panic or error.
func TestReadFolderThatIsGone(t *testing.T) {
	tree := Read(filepath.Join(newSandbox(t).dir, "no", "such", "folder"))
	if tree.Root != "" || tree.Unknown["branch"] == "" {
		t.Errorf("got root %q, reason %q", tree.Root, tree.Unknown["branch"])
	}
}
