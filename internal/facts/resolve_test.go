package facts

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/compile"
)

// TestResolveEvents shows for each event, and each flag that stands for one,
// that the facts are those a server would have (reference §11.3). The tree is
// on branch topic, two commits ahead of main, with two tags on HEAD.
func TestResolveEvents(t *testing.T) {
	s := newSandbox(t)
	first, second := s.checkout()
	s.git("hello", "checkout", "-q", "-b", "topic")
	head := s.commit("hello", "third")
	s.git("hello", "tag", "v1.9.0")
	s.git("hello", "tag", "-a", "-m", "release", "v1.10.0")
	s.git("hello", "tag", "old", first)
	commitPage := "https://github.com/octocat/hello/commit/" + head
	pushed := map[string]string{
		"event": "push", "ref": "refs/heads/topic", "branch": "topic", "source": "topic", "action": "", "trigger": "@hook",
		"before": second, "after": head, "title": "", "message": "third", "number": "1/0",
		"link": "https://github.com/octocat/hello/compare/" + second + "..." + head,
	}
	pulled := map[string]string{
		"event": "pull_request", "ref": "refs/pull/1/head", "branch": "main", "source": "topic", "action": "opened", "trigger": "@hook",
		"before": second, "after": head, "title": "third", "message": "third", "fork": "octocat/hello",
		"link": "https://github.com/octocat/hello/pull/1", "number": "1/0",
	}
	tagged := map[string]string{
		"event": "tag", "ref": "refs/tags/v1.10.0", "branch": "", "source": "", "action": "create", "trigger": "@hook",
		"before": zeros, "after": head, "message": "third", "link": commitPage, "number": "1/0",
	}
	crond := map[string]string{
		"event": "cron", "ref": "refs/heads/topic", "branch": "topic", "source": "", "action": "", "trigger": "@cron",
		"before": "", "after": head, "cron": "nightly", "link": commitPage,
	}
	promoted := with(pushed, "event", "promote", "trigger", "Ada Lovelace", "deploy", "production", "number", "2/1")
	customized := with(pushed, "event", "custom", "trigger", "Ada Lovelace", "before", head, "link", commitPage)

	type testCase struct {
		name    string
		o       Overrides
		want    map[string]string
		warning string
	}
	run := func(t *testing.T, tc testCase) {
		b, warnings := resolve(t, s.path("hello"), tc.o)
		got := map[string]string{}
		for key := range tc.want {
			got[key] = field(b, key)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		all := strings.Join(warnings, "\n")
		if tc.warning == "" && all != "" || !strings.Contains(all, tc.warning) {
			t.Errorf("warnings are %q, want one with %q", all, tc.warning)
		}
		for key, reason := range b.Unknown {
			if reason == "" || b.Origin[key] != "" {
				t.Errorf("%s is unknown because of %q and from %q", key, reason, b.Origin[key])
			}
		}
	}
	const unnumbered = "event pull_request without --pr: its number is 1"
	cases := []testCase{
		{name: "default", want: pushed},
		{name: "push", o: Overrides{Event: "push"}, want: pushed},
		{name: "branch", o: Overrides{Branch: "dev"}, want: with(pushed, "ref", "refs/heads/dev", "branch", "dev", "source", "dev")},
		{name: "ref of a branch", o: Overrides{Ref: "refs/heads/a/b"}, want: with(pushed, "ref", "refs/heads/a/b", "branch", "a/b", "source", "a/b")},
		{name: "branch and its ref", o: Overrides{Branch: "a", Ref: "refs/heads/a"}, want: with(pushed, "ref", "refs/heads/a", "branch", "a", "source", "a")},
		{name: "message", o: Overrides{Message: "other"}, want: with(pushed, "message", "other")},

		{name: "pull request", o: Overrides{Event: "pull_request"}, want: pulled, warning: unnumbered},
		{name: "number", o: Overrides{PullRequest: "12"}, want: with(pulled, "ref", "refs/pull/12/head", "link", "https://github.com/octocat/hello/pull/12")},
		{name: "target", o: Overrides{Target: "dev"}, want: with(pulled, "branch", "dev", "before", second), warning: unnumbered},
		{name: "branch of a pull request", o: Overrides{PullRequest: "1", Branch: "dev"}, want: with(pulled, "branch", "dev")},
		{name: "source", o: Overrides{Source: "fix"}, want: with(pulled, "source", "fix"), warning: unnumbered},
		{name: "fork", o: Overrides{SourceRepo: "ada/hello"}, want: with(pulled, "fork", "ada/hello"), warning: unnumbered},
		{name: "title", o: Overrides{Title: "better"}, want: with(pulled, "title", "better", "message", "better"), warning: unnumbered},
		{name: "action", o: Overrides{Event: "pull_request", Action: "synchronized"}, want: with(pulled, "action", "synchronized"), warning: unnumbered},
		{name: "ref of a pull request", o: Overrides{Ref: "refs/pull/7/merge"}, want: with(pulled, "ref", "refs/pull/7/merge", "link", "https://github.com/octocat/hello/pull/7")},
		{name: "ref of a merge request", o: Overrides{Ref: "refs/merge-requests/7/head"}, want: with(pulled, "ref", "refs/merge-requests/7/head", "link", "https://github.com/octocat/hello/pull/7")},
		{name: "same branch", o: Overrides{PullRequest: "1", Target: "topic"}, want: with(pulled, "branch", "topic", "before", head), warning: "the same branch"},

		{name: "tag", o: Overrides{Tag: "v1.10.0"}, want: tagged},
		{name: "tag of HEAD", o: Overrides{Event: "tag"}, want: tagged, warning: "several tags: v1.10.0, v1.9.0; using v1.10.0"},
		{name: "ref of a tag", o: Overrides{Ref: "refs/tags/v1.10.0"}, want: tagged},
		{name: "tag that does not exist yet", o: Overrides{Tag: "v3"}, want: with(tagged, "ref", "refs/tags/v3")},
		{name: "tag elsewhere", o: Overrides{Tag: "old"}, want: with(tagged, "ref", "refs/tags/old"), warning: "tag old is on commit " + first[:8]},
		{name: "tag with branch", o: Overrides{Tag: "v1.10.0", Branch: "main"}, want: with(tagged, "branch", "main", "source", "main")},

		{name: "cron", o: Overrides{Cron: "nightly"}, want: crond},
		{name: "cron without name", o: Overrides{Event: "cron"}, want: with(crond, "cron", ""), warning: "event cron without --cron"},

		{name: "promote", o: Overrides{DeployTo: "production"}, want: promoted},
		{name: "promote without target", o: Overrides{Event: "promote"}, want: with(promoted, "deploy", ""), warning: "without --deploy-to"},
		{name: "rollback", o: Overrides{Event: "rollback", DeployTo: "production"}, want: with(promoted, "event", "rollback")},
		{name: "promote a tag", o: Overrides{DeployTo: "production", Tag: "v1.10.0"}, want: with(tagged, "event", "promote", "trigger", "Ada Lovelace", "deploy", "production", "number", "2/1")},
		{name: "promote a pull request", o: Overrides{DeployTo: "production", PullRequest: "1"}, want: with(pulled, "event", "promote", "trigger", "Ada Lovelace", "number", "2/1")},
		{name: "promote build 41", o: Overrides{DeployTo: "production", Parent: 41}, want: with(promoted, "number", "42/41")},
		{name: "promote as build 50", o: Overrides{DeployTo: "production", BuildNumber: 50}, want: with(promoted, "number", "50/49")},

		{name: "custom", o: Overrides{Event: "custom"}, want: customized},
		{name: "custom of a tag", o: Overrides{Event: "custom", Tag: "v1.9.0"}, want: with(customized, "ref", "refs/tags/v1.9.0")},
		{name: "custom action", o: Overrides{Event: "custom", Action: "rebuild", Trigger: "bob"}, want: with(customized, "action", "rebuild", "trigger", "bob")},

		{name: "short commit", o: Overrides{SHA: first[:10]}, want: map[string]string{"after": first, "before": zeros, "message": "first", "dirty": "true"}, warning: "the working tree is at commit " + head[:8]},
		{name: "commit by expression", o: Overrides{SHA: "HEAD~1"}, want: map[string]string{"after": second, "before": first}, warning: "the working tree is at commit"},
		{name: "unknown commit", o: Overrides{SHA: strings.Repeat("AB", 20)}, want: map[string]string{
			"after": strings.Repeat("ab", 20), "message": "", "login": "", "?message": "commit " + strings.Repeat("ab", 20) + " is not in this repository",
		}, warning: "the working tree is at commit"},
		{name: "before", o: Overrides{Before: first}, want: with(pushed, "before", first, "link", "https://github.com/octocat/hello/compare/"+first+"..."+head)},

		{name: "repo", o: Overrides{Repo: "ada/other"}, want: map[string]string{
			"repo.slug": "ada/other", "repo.namespace": "ada", "repo.name": "other", "repo.link": "https://github.com/ada/other",
			"link": "https://github.com/ada/other/compare/" + second + "..." + head,
		}},
		{name: "instance", o: Overrides{Instance: "http://drone.example.com:8080/"}, want: map[string]string{"host": "http://drone.example.com:8080"}},
		{name: "instance without protocol", o: Overrides{Instance: "drone.example.com"}, want: map[string]string{"host": "https://drone.example.com"}},
		{name: "author", o: Overrides{Author: "ada"}, want: with(pushed, "login", "ada")},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// with is a copy of a map with some values replaced.
func with(m map[string]string, pairs ...string) map[string]string {
	copied := map[string]string{}
	maps.Copy(copied, m)
	for i := 0; i < len(pairs); i += 2 {
		copied[pairs[i]] = pairs[i+1]
	}
	return copied
}

// TestResolveOrigins shows where facts come from that follow from others.
func TestResolveOrigins(t *testing.T) {
	s := newSandbox(t)
	s.checkout()
	for name, tc := range map[string]struct {
		o    Overrides
		want map[string]string
	}{
		"push":                   {Overrides{}, map[string]string{"number": "default", "parent": "default", "message": "git commit"}},
		"push with a number":     {Overrides{BuildNumber: 3}, map[string]string{"number": "flag --build-number", "parent": "default"}},
		"push with a parent":     {Overrides{Parent: 7}, map[string]string{"number": "default", "parent": "flag --parent"}},
		"promotion":              {Overrides{DeployTo: "x"}, map[string]string{"number": "default", "parent": "derived from number"}},
		"promotion of a build":   {Overrides{DeployTo: "x", Parent: 7}, map[string]string{"number": "derived from parent", "parent": "flag --parent"}},
		"promotion as a build":   {Overrides{DeployTo: "x", BuildNumber: 7}, map[string]string{"number": "flag --build-number", "parent": "derived from number"}},
		"pull request":           {Overrides{PullRequest: "1"}, map[string]string{"title": "git commit", "message": "git commit"}},
		"title":                  {Overrides{PullRequest: "1", Title: "t", SHA: "HEAD~1"}, map[string]string{"title": "flag --title", "message": "flag --title"}},
		"title of a commit":      {Overrides{PullRequest: "1", SHA: "HEAD~1"}, map[string]string{"title": "git commit", "message": "git commit"}},
		"title, and description": {Overrides{PullRequest: "1", Title: "t"}, map[string]string{"title": "flag --title", "message": "git commit"}},
		"title and message":      {Overrides{PullRequest: "1", Title: "t", Message: "m"}, map[string]string{"title": "flag --title", "message": "flag --message"}},
		"title and no commit":    {Overrides{PullRequest: "1", Title: "t", SHA: strings.Repeat("a", 40)}, map[string]string{"message": "flag --title"}},
		"message and no commit":  {Overrides{PullRequest: "1", Message: "m", SHA: strings.Repeat("a", 40)}, map[string]string{"title": "", "message": "flag --message"}},
	} {
		b, _ := resolve(t, s.path("hello"), tc.o)
		got := map[string]string{}
		for key := range tc.want {
			got[key] = b.Origin[key]
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestResolveContradictions(t *testing.T) {
	s := newSandbox(t)
	s.checkout()
	tree := Read(s.path("hello"))
	cases := []struct {
		o             Overrides
		message, hint string
	}{
		{Overrides{Event: "push", Tag: "v1"}, "--event push contradicts --tag v1", "--tag stands for the event tag"},
		{Overrides{Event: "push", PullRequest: "1"}, "--event push contradicts --pr 1", "--pr stands for the event pull_request"},
		{Overrides{Event: "tag", DeployTo: "x"}, "--event tag contradicts --deploy-to x", "promote"},
		{Overrides{Event: "push", Ref: "refs/tags/v1"}, "--event push contradicts --ref refs/tags/v1", "tag"},
		{Overrides{Event: "tag", Cron: "n"}, "--event tag contradicts --cron n", "cron"},
		{Overrides{Tag: "v1", PullRequest: "1"}, "--tag v1 contradicts --pr 1", "leave one of the two out"},
		{Overrides{Cron: "n", DeployTo: "x", Tag: "v1"}, "--tag v1 contradicts --cron n", "leave one"},
		{Overrides{Event: "promote", Tag: "v1", PullRequest: "1"}, "--tag v1 contradicts --pr 1", "leave one"},
		{Overrides{Event: "custom", PullRequest: "1"}, "--event custom contradicts --pr 1", "pull_request"},
		{Overrides{Tag: "v1", Ref: "refs/tags/v2"}, "--tag v1 contradicts --ref refs/tags/v2", "leave one"},
		{Overrides{PullRequest: "1", Ref: "refs/pull/2/head"}, "--pr 1 contradicts --ref refs/pull/2/head", "leave one"},
		{Overrides{PullRequest: "1", Branch: "a", Target: "b"}, "--target b contradicts --branch a", "leave one"},
		{Overrides{Branch: "a", Ref: "refs/heads/b"}, "--branch a contradicts --ref refs/heads/b", "leave one"},
		{Overrides{Tag: "v1", Ref: "refs/heads/b"}, "--tag v1 contradicts --ref refs/heads/b", "leave one"},
		{Overrides{Event: "tag", Ref: "refs/heads/b"}, `--ref "refs/heads/b" cannot be the reference of a build with the event tag (flag --event)`, "leave one"},
		{Overrides{Ref: "refs/notes/x"}, `--ref "refs/notes/x" cannot be the reference of a build with the event push (default)`, ""},
		{Overrides{Ref: "main"}, `--ref "main" is no full reference`, "refs/heads/NAME"},
		{Overrides{Branch: "refs/heads/main"}, `--branch "refs/heads/main" is a reference, not a name`, "--ref"},
		{Overrides{Action: "opened"}, "--action opened contradicts the event push, which has no action", "pull_request"},
		{Overrides{Event: "pull-request"}, `unknown event "pull-request"`, "did you mean pull_request?"},
		{Overrides{Event: "pr"}, `unknown event "pr"`, "did you mean pull_request?"},
		{Overrides{Event: "Push"}, `unknown event "Push"`, "did you mean push?"},
		{Overrides{Event: "deployment"}, `unknown event "deployment"`, "did you mean promote?"},
		{Overrides{Event: "zzz"}, `unknown event "zzz"`, "events are push, pull_request, tag, promote, rollback, cron, custom"},
		{Overrides{Event: "tag"}, "event tag needs a tag, and there is none on the commit", "--tag"},
		{Overrides{PullRequest: "abc"}, `--pr "abc" is no number`, "start at 1"},
		{Overrides{PullRequest: "0"}, `--pr "0" is no number`, "start at 1"},
		{Overrides{Repo: "hello"}, `--repo "hello" is no repository name`, "owner/name"},
		{Overrides{Repo: "https://github.com/a/b"}, `--repo "https://github.com/a/b" is no repository name`, "owner/name"},
		{Overrides{SourceRepo: "hello"}, `--source-repo "hello" is no repository name`, "owner/name"},
		{Overrides{Instance: "https://a b/c"}, "--instance is no address of a server", "drone.example.com"},
		{Overrides{SHA: "abcdef"}, `--sha "abcdef" names no commit of this repository`, "40-digit"},
		{Overrides{Before: "xyz"}, `--before "xyz" names no commit of this repository`, "40-digit"},
		{Overrides{BuildNumber: -1}, "build numbers start at 1", ""},
	}
	for _, tc := range cases {
		t.Run(tc.message, func(t *testing.T) {
			_, _, err := Resolve(tree, tc.o, testTime)
			var usage *UsageError
			if !errors.As(err, &usage) {
				t.Fatalf("got %v, want a *UsageError", err)
			}
			if usage.Message != tc.message || !strings.Contains(usage.Hint, tc.hint) {
				t.Errorf("got  %q\nhint %q\nwant %q\nhint with %q", usage.Message, usage.Hint, tc.message, tc.hint)
			}
		})
	}
}

// TestResolveWithoutGit shows that flags alone make a complete build.
func TestResolveWithoutGit(t *testing.T) {
	s := newSandbox(t)
	s.write("plain/a.txt", "")
	o := Overrides{Branch: "main", Repo: "octocat/hello", SHA: strings.Repeat("a", 40), Author: "ada", Message: "m"}
	b, _ := resolve(t, s.path("plain"), o)
	want := map[string]string{
		"event": "push", "branch": "main", "ref": "refs/heads/main", "repo.slug": "octocat/hello", "repo.name": "hello",
		"after": strings.Repeat("a", 40), "login": "ada", "message": "m", "repo.link": "", "?repo.link": "not in a git working tree",
	}
	got := map[string]string{}
	for key := range want {
		got[key] = field(b, key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestResolveDoesNotShareMaps shows that one tree serves several builds.
func TestResolveDoesNotShareMaps(t *testing.T) {
	s := newSandbox(t)
	s.checkout()
	tree := Read(s.path("hello"))
	before, _, err := Resolve(tree, Overrides{}, testTime)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Resolve(tree, Overrides{Tag: "v1", Repo: "a/b"}, testTime); err != nil {
		t.Fatal(err)
	}
	after, _, err := Resolve(tree, Overrides{}, testTime)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("a second build changed the tree (-before +after):\n%s", diff)
	}
}

// field reads a field by the key Origin and Unknown use.
func field(b compile.Build, key string) string {
	if reason, ok := strings.CutPrefix(key, "?"); ok {
		return b.Unknown[reason]
	}
	switch key {
	case "event":
		return b.Event
	case "branch":
		return b.Branch
	case "source":
		return b.Source
	case "ref":
		return b.Ref
	case "before":
		return b.Before
	case "after":
		return b.After
	case "message":
		return b.Message
	case "title":
		return b.Title
	case "action":
		return b.Action
	case "trigger":
		return b.Trigger
	case "link":
		return b.Link
	case "deploy":
		return b.Deploy
	case "cron":
		return b.Cron
	case "fork":
		return b.SourceRepo
	case "number":
		return fmt.Sprintf("%d/%d", b.Number, b.Parent)
	case "dirty":
		return fmt.Sprint(b.Dirty)
	case "repo.slug":
		return b.Repo.Slug
	case "repo.name":
		return b.Repo.Name
	case "repo.namespace":
		return b.Repo.Namespace
	case "repo.link":
		return b.Repo.Link
	case "repo.default":
		return b.Repo.DefaultBranch
	case "host":
		return b.System.Proto + "://" + b.System.Host
	case "login":
		return b.Author.Login
	}
	panic("no field " + key)
}
