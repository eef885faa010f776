package compile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCloneCommands(t *testing.T) {
	const sha = "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d"
	begin := []string{"git init", "git remote add origin https://example.com/octocat/hello.git"}
	type testCase struct {
		name   string
		build  Build
		change func(b *Build)
		want   []string
	}
	same := func(*Build) {}
	for _, tc := range []testCase{
		{"push", pushBuild(), same, []string{"git fetch origin +refs/heads/main:", "git checkout " + sha + " -b main"}},
		{"tag", tagBuild(), same, []string{"git fetch origin +refs/tags/v1.2.3:", "git checkout -qf FETCH_HEAD"}},
		{"pull request", pullBuild(), same, []string{
			"git fetch origin +refs/heads/main:", "git checkout main", "git fetch origin refs/pull/42/head:", "git merge " + sha,
		}},
		{"merge request", pullBuild(), func(b *Build) { b.Ref, b.After = "refs/merge-requests/1/head", "" }, []string{
			"git fetch origin +refs/heads/main:", "git checkout main", "git fetch origin refs/merge-requests/1/head:", "git merge FETCH_HEAD",
		}},
		{"unknown commit", pushBuild(), func(b *Build) { b.After = "" }, []string{"git fetch origin +refs/heads/main:", "git checkout FETCH_HEAD -b main"}},
		{"unknown branch", pushBuild(), func(b *Build) { b.Branch = "" }, []string{"git fetch origin " + sha, "git checkout -qf FETCH_HEAD"}},
		{"nothing known", pushBuild(), func(b *Build) { b.Branch, b.After, b.Ref = "", "", "" }, []string{"git fetch origin HEAD", "git checkout -qf FETCH_HEAD"}},
		{"a branch that is no plain word", pushBuild(), func(b *Build) { b.Branch = "it's;$(x)" }, []string{
			`git fetch origin '+refs/heads/it'\''s;$(x):'`, "git checkout " + sha + ` -b 'it'\''s;$(x)'`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.change(&tc.build)
			if diff := cmp.Diff(append(begin[:2:2], tc.want...), cloneCommands(tc.build)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	ssh := pushBuild()
	ssh.Repo.HTTPURL = ""
	if got, want := cloneCommands(ssh)[1], "git remote add origin git@example.com:octocat/hello.git"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
