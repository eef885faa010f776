package facts

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
)

// readRemote picks the remote a push would most likely go to: origin, else
// the one the branch follows, else the only one.
func (t *Tree) readRemote() {
	name, reason := t.pickRemote()
	if name == "" {
		t.unknownRemote(reason)
		return
	}
	remote := t.cfg.Remotes[name]
	if remote == nil || len(remote.URLs) == 0 {
		t.unknownRemote("git remote " + name + " has no address")
		return
	}
	t.Remote = parseRemote(t.rewrite(remote.URLs[0]), sshHost)
	origin := "git remote " + name
	set := func(key, value string) {
		if value != "" {
			t.Origin[key] = origin
			return
		}
		t.Unknown[key] = t.Remote.Unknown
	}
	set("repo.slug", t.Remote.Slug)
	set("repo.namespace", namespace(t.Remote.Slug))
	set("repo.name", t.Remote.Name)
	set("repo.link", t.Remote.Link)
	set("repo.httpurl", t.Remote.HTTP)
	set("repo.sshurl", t.Remote.SSH)
}

func (t *Tree) unknownRemote(reason string) {
	for _, key := range []string{"repo.slug", "repo.namespace", "repo.name", "repo.link", "repo.httpurl", "repo.sshurl"} {
		t.Unknown[key] = reason
	}
}

func (t *Tree) pickRemote() (name, reason string) {
	if _, ok := t.cfg.Remotes["origin"]; ok {
		return "origin", ""
	}
	if branch := t.cfg.Branches[t.Branch]; branch != nil {
		if _, ok := t.cfg.Remotes[branch.Remote]; ok {
			return branch.Remote, ""
		}
	}
	names := slices.Sorted(maps.Keys(t.cfg.Remotes))
	switch len(names) {
	case 0:
		return "", "no git remote"
	case 1:
		return names[0], ""
	}
	return "", "several git remotes and none named origin: " + strings.Join(names, ", ")
}

// rewrite applies the url.*.insteadOf rules in the configuration of the user;
// go-git has applied those of the repository.
func (t *Tree) rewrite(address string) string {
	var best *config.URL
	for _, rule := range t.user.URLs {
		if rule.InsteadOf != "" && strings.HasPrefix(address, rule.InsteadOf) &&
			(best == nil || len(rule.InsteadOf) > len(best.InsteadOf)) {
			best = rule
		}
	}
	if best == nil {
		return address
	}
	return best.ApplyInsteadOf(address)
}

// originHead is the origin of what the checked out branch tells.
const originHead = "git HEAD"

// readDefaultBranch asks the remote's HEAD as git remembered it, then looks
// for a usual name, then for the name git gives to new repositories. The branch
// that is checked out is the last resort.
func (t *Tree) readDefaultBranch() {
	if name := t.remoteHead(); name != "" {
		t.DefaultBranch, t.Origin["repo.defaultbranch"] = name, "git HEAD of the remote"
		return
	}
	for _, name := range []string{"main", "master"} {
		if _, ok := t.branchHash(name); ok {
			t.DefaultBranch, t.Origin["repo.defaultbranch"] = name, "git branch "+name
			return
		}
	}
	if name := t.user.Init.DefaultBranch; name != "" {
		t.DefaultBranch, t.Origin["repo.defaultbranch"] = name, "git init.defaultBranch"
		return
	}
	if t.Branch != "" {
		t.DefaultBranch, t.Origin["repo.defaultbranch"] = t.Branch, originHead
		return
	}
	t.Unknown["repo.defaultbranch"] = "no branch is known"
}

// guessesDefault reports that the checked out branch stands for the default one
// although another may be it: there are other branches, or a remote that may
// have some. As a fact for steps the guess does no harm. As the base of changed
// files it does: on a topic branch all commits but the last would be left out.
func (t *Tree) guessesDefault() bool {
	if t.Origin["repo.defaultbranch"] != originHead {
		return false
	}
	refs, err := t.repo.References()
	if err != nil || len(t.cfg.Remotes) > 0 {
		return true
	}
	others := false
	_ = refs.ForEach(func(ref *plumbing.Reference) error { // the function never fails
		name := ref.Name()
		others = others || name.IsRemote() || name.IsBranch() && name.Short() != t.Branch
		return nil
	})
	return others
}

func (t *Tree) remoteHead() string {
	name, _ := t.pickRemote()
	if name == "" {
		return ""
	}
	ref, err := t.repo.Reference(plumbing.NewRemoteHEADReferenceName(name), false)
	if err != nil || ref.Type() != plumbing.SymbolicReference {
		return ""
	}
	return strings.TrimPrefix(ref.Target().String(), "refs/remotes/"+name+"/")
}

// branchHash is the tip of a branch: as the remote had it when it was last
// fetched, else the local one.
func (t *Tree) branchHash(name string) (string, bool) {
	if t.repo == nil || name == "" {
		return "", false
	}
	remote, _ := t.pickRemote()
	for _, ref := range []plumbing.ReferenceName{
		plumbing.NewRemoteReferenceName(remote, name), plumbing.NewBranchReferenceName(name),
	} {
		if found, err := t.repo.Reference(ref, true); err == nil {
			return found.Hash().String(), true
		}
	}
	return "", false
}

// tagHash is the commit a tag names, whether annotated or not.
func (t *Tree) tagHash(name string) (string, bool) {
	if t.repo == nil {
		return "", false
	}
	ref, err := t.repo.Reference(plumbing.NewTagReferenceName(name), true)
	if err != nil {
		return "", false
	}
	return t.peel(ref.Hash()).String(), true
}

// peel follows annotated tags, also tags of tags, to what they name.
func (t *Tree) peel(hash plumbing.Hash) plumbing.Hash {
	for range 8 { // tags of tags do not nest deeper in earnest
		tag, err := t.repo.TagObject(hash)
		if err != nil {
			return hash
		}
		hash = tag.Target
	}
	return hash
}

// tagsAtHead lists the tags on HEAD, the best guess for a release first:
// versions from high to low, then other names from last to first.
func (t *Tree) tagsAtHead() []string {
	if t.repo == nil || t.Head.Hash == "" {
		return nil
	}
	refs, err := t.repo.Tags()
	if err != nil {
		return nil
	}
	var names []string
	_ = refs.ForEach(func(ref *plumbing.Reference) error { // the function never fails
		if ref.Hash().String() == t.Head.Hash || t.peel(ref.Hash()).String() == t.Head.Hash {
			names = append(names, ref.Name().Short())
		}
		return nil
	})
	slices.SortFunc(names, func(a, b string) int { return compareTags(b, a) })
	return names
}

// commit describes any commit of the repository: a full or short id, a branch,
// HEAD~1.
func (t *Tree) commit(revision string) (Commit, bool) {
	if t.repo == nil {
		return Commit{}, false
	}
	hash, err := t.repo.ResolveRevision(plumbing.Revision(revision))
	if err != nil {
		return Commit{}, false
	}
	commit, err := t.repo.CommitObject(t.peel(*hash))
	if err != nil {
		return Commit{}, false
	}
	return describe(commit), true
}

// readUser finds who git would name as the author of a new commit.
func (t *Tree) readUser() {
	name, email := t.cfg.User.Name, t.cfg.User.Email
	if name == "" {
		name = t.user.User.Name
	}
	if email == "" {
		email = t.user.User.Email
	}
	if name != "" || email != "" {
		t.User = person(name, email)
	}
}
