package facts

import "strings"

// resolveRefs fills ref, branch, source and action, which belong together.
func (r *resolver) resolveRefs() error {
	if err := r.checkRef(); err != nil {
		return err
	}
	if err := r.resolveAction(); err != nil {
		return err
	}
	switch r.base {
	case tag:
		return r.resolveTag()
	case pullRequest:
		return r.resolvePull()
	}
	return r.resolveBranch()
}

// checkRef finds forms of --ref that no build of the event has.
func (r *resolver) checkRef() error {
	ref := r.o.Ref
	if ref == "" {
		return nil
	}
	if !strings.HasPrefix(ref, "refs/") || strings.HasSuffix(ref, "/") {
		return &UsageError{
			Message: "--ref " + quote(ref) + " is no full reference",
			Hint:    "write refs/heads/NAME for a branch, refs/tags/NAME for a tag, refs/pull/NUMBER/head for a pull request",
		}
	}
	if r.o.Tag != "" && ref != "refs/tags/"+r.o.Tag {
		return disagree("--tag "+r.o.Tag, "--ref "+ref)
	}
	_, isPull := pullNumber(ref)
	fits := true
	switch r.base {
	case push, cron:
		fits = strings.HasPrefix(ref, "refs/heads/")
	case tag:
		fits = strings.HasPrefix(ref, "refs/tags/")
	case pullRequest:
		fits = isPull
	}
	if fits {
		return nil
	}
	return &UsageError{
		Message: "--ref " + quote(ref) + " cannot be the reference of a build with the event " + r.base + " (" + r.b.Origin["event"] + ")",
		Hint:    "leave one of the two out",
	}
}

func (r *resolver) resolveAction() error {
	action, origin := "", "event "+r.b.Event
	switch r.base {
	case tag:
		action = "create"
	case pullRequest:
		action = "opened"
	case push, cron:
		if r.o.Action != "" && r.b.Event == r.base {
			return &UsageError{
				Message: "--action " + r.o.Action + " contradicts the event " + r.base + ", which has no action",
				Hint:    "actions belong to pull_request, tag and custom; give one of them with --event",
			}
		}
	}
	if r.o.Action != "" {
		action, origin = r.o.Action, "flag --action"
	}
	r.set(&r.b.Action, "action", action, origin)
	return nil
}

func (r *resolver) resolveTag() error {
	name, origin := r.o.Tag, "flag --tag"
	if fromRef, ok := strings.CutPrefix(r.o.Ref, "refs/tags/"); ok {
		name, origin = fromRef, "flag --ref"
	}
	if name == "" {
		tags := r.tree.tagsAtHead()
		if len(tags) == 0 {
			return &UsageError{
				Message: "event tag needs a tag, and there is none on the commit",
				Hint:    "name one with --tag, for example --tag v1.0.0",
			}
		}
		if len(tags) > 1 {
			r.warn("the commit has several tags: " + strings.Join(tags, ", ") + "; using " + tags[0] + ", --tag chooses another")
		}
		name, origin = tags[0], "git tag on HEAD"
	}
	if hash, ok := r.tree.tagHash(name); ok && r.b.After != "" && hash != r.b.After {
		r.warn("tag " + name + " is on commit " + short(hash) + ", the build is of " + short(r.b.After))
	}
	r.set(&r.b.Ref, "ref", "refs/tags/"+name, origin)
	// Hooks of tags name no branch (reference §11.3).
	branch, from := "", "event tag"
	if r.o.Branch != "" {
		branch, from = r.o.Branch, "flag --branch"
	}
	r.set(&r.b.Branch, "branch", branch, from)
	r.set(&r.b.Source, "source", branch, from)
	return nil
}

// originDefault is the origin of a target branch that nobody named.
const originDefault = "default branch"

func (r *resolver) resolvePull() error {
	if err := r.resolvePullRef(); err != nil {
		return err
	}
	target, origin := r.o.Target, "flag --target"
	if r.o.Branch != "" {
		if target != "" && target != r.o.Branch {
			return disagree("--target "+target, "--branch "+r.o.Branch)
		}
		target, origin = r.o.Branch, "flag --branch"
	}
	if target == "" {
		target, origin = r.tree.DefaultBranch, originDefault
	}
	r.setOr(&r.b.Branch, "branch", target, origin, r.b.Unknown["repo.defaultbranch"])
	if target == "" {
		r.warn("the target branch of the pull request is unknown; name it with --target")
	}
	source, origin := r.tree.Branch, r.tree.Origin["branch"]
	if r.o.Source != "" {
		source, origin = r.o.Source, "flag --source"
	}
	r.setOr(&r.b.Source, "source", source, origin, r.tree.Unknown["branch"])
	fork, origin := r.remote.Slug, "event pull_request"
	if r.o.SourceRepo != "" {
		if err := checkSlug("--source-repo", r.o.SourceRepo); err != nil {
			return err
		}
		fork, origin = r.o.SourceRepo, "flag --source-repo"
	}
	r.setOr(&r.b.SourceRepo, "sourcerepo", fork, origin, r.b.Unknown["repo.slug"])
	if source != "" && source == target && fork == r.remote.Slug {
		r.warn("the pull request goes from " + source + " to " + target + ", the same branch; name others with --source and --target")
	}
	return nil
}

func (r *resolver) resolvePullRef() error {
	number, origin := r.o.PullRequest, "flag --pr"
	if number != "" {
		if err := checkNumber("--pr", number); err != nil {
			return err
		}
	}
	if fromRef, ok := pullNumber(r.o.Ref); ok {
		if number != "" && number != fromRef {
			return disagree("--pr "+number, "--ref "+r.o.Ref)
		}
		r.pull = fromRef
		r.set(&r.b.Ref, "ref", r.o.Ref, "flag --ref")
		return nil
	}
	if number == "" {
		number, origin = defaultPull, "default"
		r.warn("event pull_request without --pr: its number is " + defaultPull + ", also in the reference and the link")
	}
	r.pull = number
	r.set(&r.b.Ref, "ref", pullRef(r.remote, number), origin)
	return nil
}

// resolveBranch serves push, cron and custom, whose ref names a branch.
func (r *resolver) resolveBranch() error {
	branch, origin := r.tree.Branch, r.tree.Origin["branch"]
	if r.o.Branch != "" {
		branch, origin = r.o.Branch, "flag --branch"
	}
	if fromRef, ok := strings.CutPrefix(r.o.Ref, "refs/heads/"); ok {
		if r.o.Branch != "" && r.o.Branch != fromRef {
			return disagree("--branch "+r.o.Branch, "--ref "+r.o.Ref)
		}
		branch, origin = fromRef, "flag --ref"
	}
	reason := r.tree.Unknown["branch"]
	r.setOr(&r.b.Branch, "branch", branch, origin, reason)
	r.resolveBranchRef(branch, origin, reason)
	if branch == "" && r.tree.repo != nil {
		r.warn("the branch is unknown: " + reason + "; name it with --branch")
	}
	if r.base == cron {
		r.set(&r.b.Source, "source", "", "event cron")
		return nil
	}
	if r.o.Source != "" {
		r.set(&r.b.Source, "source", r.o.Source, "flag --source")
		return nil
	}
	r.setOr(&r.b.Source, "source", branch, origin, reason)
	return nil
}

func (r *resolver) resolveBranchRef(branch, origin, reason string) {
	switch {
	case r.o.Ref != "":
		r.set(&r.b.Ref, "ref", r.o.Ref, "flag --ref")
	case r.o.Tag != "":
		r.set(&r.b.Ref, "ref", "refs/tags/"+r.o.Tag, "flag --tag")
	case branch != "":
		r.set(&r.b.Ref, "ref", "refs/heads/"+branch, origin)
	default:
		r.miss(&r.b.Ref, "ref", reason)
	}
}

func disagree(one, other string) error {
	return &UsageError{Message: one + " contradicts " + other, Hint: "leave one of the two out"}
}
