package facts

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/go-git/go-git/v5/plumbing"

	"github.com/drone-laptop/drone/compile"
)

// Comparison says between what Changes compares.
type Comparison struct {
	// Base is a revision given by the user, with --base. Without one the base
	// follows from the event.
	Base string
	// Committed leaves out what is not committed, for a build that does not
	// run in the working tree.
	Committed bool
}

// base is the commit that files are compared with: its name for people, "" for
// the one that --before names, and its id, zero for the empty tree.
type base struct {
	name string
	hash plumbing.Hash
}

// String names the base for people: "main@1a2b3c4", or "commit 1a2b3c4
// (--before)", because what --before names is not remembered.
func (b base) String() string {
	switch {
	case b.hash.IsZero():
		return b.name
	case b.name == "":
		return "commit " + b.hash.String()[:7] + " (--before)"
	}
	return b.name + "@" + b.hash.String()[:7]
}

// Changes finds the files that differ between a base and what is built: the
// working tree with all that is not committed and not ignored, or only the
// commit when that is not HEAD, or when the Comparison says so.
//
// The base is the commit where the history of the build left Comparison.Base,
// else the target branch for a pull request, else the default branch; on that
// branch itself, for tags and for cron jobs it is the first parent. A commit
// before that the user gave comes before all but Comparison.Base. A default
// branch that is only guessed is no base, see guessesDefault.
//
// What cannot be found out becomes ChangedFiles.Unknown. The error is a
// *UsageError about a Base that names no commit.
func (t *Tree) Changes(b compile.Build, c Comparison) (*compile.ChangedFiles, error) {
	if err := t.CheckBase(c.Base); err != nil {
		return nil, err
	}
	found, err := t.changes(b, c)
	if err != nil {
		return &compile.ChangedFiles{Unknown: err.Error()}, nil
	}
	return found, nil
}

// CheckBase finds a Base that names no commit; "" is fine. The error is a
// *UsageError.
func (t *Tree) CheckBase(revision string) error {
	if revision == "" {
		return nil
	}
	if t.repo == nil {
		return &UsageError{Message: "--base " + quote(revision) + " names no commit: " + t.Unknown["after"]}
	}
	if _, ok := t.commit(revision); ok {
		return nil
	}
	hint := "give a branch, a tag or a commit of this repository"
	if near := t.closestRef(revision); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &UsageError{Message: "--base " + quote(revision) + " names no commit of this repository", Hint: hint}
}

// closestRef is the branch or tag whose name is most like a text.
func (t *Tree) closestRef(text string) string {
	refs, err := t.repo.References()
	if err != nil {
		return ""
	}
	best, least := "", 3                                   // a third mistake is another name
	_ = refs.ForEach(func(ref *plumbing.Reference) error { // the function never fails
		name := ref.Name()
		if !name.IsBranch() && !name.IsRemote() && !name.IsTag() {
			return nil
		}
		near := levenshtein.Distance(text, name.Short(), nil)
		if near*2 <= len(text) && (near < least || near == least && name.Short() < best) {
			best, least = name.Short(), near
		}
		return nil
	})
	return best
}

func (t *Tree) changes(b compile.Build, c Comparison) (*compile.ChangedFiles, error) {
	if t.repo == nil {
		return nil, errors.New(t.Unknown["after"])
	}
	from, err := t.base(b, c.Base)
	if err != nil {
		return nil, err
	}
	before, err := t.filesAt(from.hash)
	if err != nil {
		return nil, err
	}
	out := &compile.ChangedFiles{Base: from.String(), Uncommitted: !c.Committed && b.After == t.Head.Hash}
	if !from.hash.IsZero() {
		out.Commit = from.hash.String()
	}
	if out.Uncommitted {
		out.Files, err = t.changedSince(before)
	} else {
		out.Files, err = t.changedIn(plumbing.NewHash(b.After), before)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// base decides what the build is compared with.
func (t *Tree) base(b compile.Build, revision string) (base, error) {
	switch {
	case b.After == "" && t.Branch == "":
		return base{}, errors.New(t.Unknown["after"])
	case revision != "":
		return t.given(revision, b.After)
	case b.After == "":
		return base{name: "the empty tree"}, nil
	case b.Origin["before"] == "flag --before" && b.Before != zeros:
		return t.known("", plumbing.NewHash(b.Before))
	}
	return t.baseOfEvent(b)
}

// baseOfEvent is the base where the user names none.
func (t *Tree) baseOfEvent(b compile.Build) (base, error) {
	_, pull := pullNumber(b.Ref)
	own := b.Event == tag || b.Event == cron || strings.HasPrefix(b.Ref, "refs/tags/")
	targeted := pull && b.Origin["branch"] != originDefault
	switch {
	case !targeted && !own && t.guessesDefault():
		return base{}, errors.New("nothing tells which branch is the default one; --base names what to compare with")
	case pull:
		return t.forkOfBranch(b.Branch, b)
	case own || b.Branch != "" && b.Branch == t.DefaultBranch:
		return t.parent(b)
	}
	return t.forkOfBranch(t.DefaultBranch, b)
}

// given is the base that the user names. Where a history is cut off so that
// nobody can tell where the other left it, its tip has to do.
func (t *Tree) given(revision, after string) (base, error) {
	found, _ := t.commit(revision) // CheckBase has found it
	out, err := t.fork(revision, found.Hash, after)
	if err != nil {
		return base{revision, plumbing.NewHash(found.Hash)}, nil
	}
	return out, nil
}

func (t *Tree) forkOfBranch(branch string, b compile.Build) (base, error) {
	if branch == "" {
		return base{}, errors.New("the branch to compare with is unknown")
	}
	tip, ok := t.branchHash(branch)
	if !ok {
		return base{}, fmt.Errorf("branch %s is not in this repository", branch)
	}
	found, err := t.fork(branch, tip, b.After)
	if err == nil && b.Branch == "" && found.hash.String() == b.After {
		// A detached HEAD in the history of the default branch itself.
		return t.parent(b)
	}
	return found, err
}

// fork is the commit where the history of the build left another one. Where
// the build has no commit, or shares none with it, it is the tip itself.
func (t *Tree) fork(name, tip, after string) (base, error) {
	out := base{name: name, hash: plumbing.NewHash(tip)}
	if after == "" {
		return out, nil
	}
	hash, err := t.mergeBase(plumbing.NewHash(after), out.hash)
	if errors.Is(err, errUnrelated) {
		return out, nil
	}
	out.hash = hash
	return out, err
}

// parent is the commit before the one that is built, the empty tree for the
// first one.
func (t *Tree) parent(b compile.Build) (base, error) {
	after := plumbing.NewHash(b.After)
	commit, err := t.repo.CommitObject(after)
	if err != nil {
		return base{}, t.missing(after)
	}
	if len(commit.ParentHashes) == 0 {
		return base{name: "the empty tree"}, nil
	}
	name := "HEAD~1"
	if b.After != t.Head.Hash {
		name = b.After[:7] + "~1"
	}
	return t.known(name, commit.ParentHashes[0])
}

// known is a base whose commit has to be in the repository.
func (t *Tree) known(name string, hash plumbing.Hash) (base, error) {
	if _, err := t.repo.CommitObject(hash); err != nil {
		return base{}, t.missing(hash)
	}
	return base{name, hash}, nil
}

// missing explains a commit that is not there.
func (t *Tree) missing(hash plumbing.Hash) error {
	text := "commit " + hash.String()[:7] + " is not in this repository"
	if t.shallow() {
		text += ", whose history is cut off: git fetch --unshallow brings it"
	}
	return errors.New(text)
}

func (t *Tree) shallow() bool {
	ends, err := t.repo.Storer.Shallow()
	return err == nil && len(ends) > 0
}

// changedIn lists the files that differ between a commit and those before.
func (t *Tree) changedIn(commit plumbing.Hash, before map[string]file) ([]string, error) {
	after, err := t.filesAt(commit)
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	for name := range before {
		changed[name] = true
	}
	for name, now := range after {
		changed[name] = now.differs(before, name)
	}
	return names(changed), nil
}

// names lists the keys that are true, sorted.
func names(set map[string]bool) []string {
	maps.DeleteFunc(set, func(_ string, in bool) bool { return !in })
	return slices.Sorted(maps.Keys(set))
}
