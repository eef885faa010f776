package facts

import (
	"errors"
	"testing"
)

// FuzzResolve gives flags of any content to a real repository. They may be
// refused, but never crash, and what is accepted is coherent.
func FuzzResolve(f *testing.F) {
	s := newSandbox(f)
	s.checkout()
	tree := Read(s.path("hello"))
	f.Add("", "main", "refs/heads/main", "HEAD~1", "", "", "")
	f.Add("promote", "", "", "", "v1", "", "prod")
	f.Add("", "", "refs/pull/1/head", "@{-1}", "", "1", "")
	f.Add("cron", "^{/x}", "", ":/second", "", "", "")
	f.Fuzz(func(t *testing.T, event, branch, ref, sha, tag, pull, deploy string) {
		o := Overrides{Event: event, Branch: branch, Ref: ref, SHA: sha, Tag: tag, PullRequest: pull, DeployTo: deploy}
		b, _, err := Resolve(tree, o, testTime)
		if err != nil {
			if _, ok := errors.AsType[*UsageError](err); !ok {
				t.Errorf("%#v: %T %v", o, err, err)
			}
			return
		}
		if b.Ref == "" || len(b.After) != len(zeros) || b.Event == "" || b.Number < 1 {
			t.Errorf("%#v gives %#v", o, b)
		}
		if isTag := len(b.Ref) > 10 && b.Ref[:10] == "refs/tags/"; b.Event == "tag" && !isTag || b.Event == "push" && isTag {
			t.Errorf("%#v gives event %s with ref %s", o, b.Event, b.Ref)
		}
	})
}
