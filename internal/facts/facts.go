// Package facts finds out what a server would know about a build from a
// webhook: from the git working tree, and from what the user says on the
// command line. Read looks at the tree, Resolve puts both together.
//
// It only reads files. It runs no git command, asks no server, writes nothing,
// and does not decide what the facts are used for. A tree it cannot read
// gives unknown facts with a reason and a warning, not an error. It does read
// the git and ssh configuration in the home folder of the user, as git does.
package facts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// zeros is the commit id that hooks carry for "no commit".
const zeros = "0000000000000000000000000000000000000000"

// maxText is the length in characters to which the server cuts messages and
// titles (reference §11.3).
const maxText = 2000

// Tree is what a git working tree says about itself. Empty fields are unknown,
// and Unknown says why, with the keys of compile.Build.Unknown. A Tree may be
// used by one goroutine at a time: Resolve asks it for more.
type Tree struct {
	Root   string // top folder of the working tree, "" outside one
	Remote Remote // address of the remote
	Branch string
	Head   Commit
	// DefaultBranch is the branch the server would call the default one, as far
	// as the tree tells.
	DefaultBranch string
	// User is the person git would name as author of a new commit.
	User Person

	Origin   map[string]string
	Unknown  map[string]string
	Warnings []string

	repo *git.Repository
	loc  location
	cfg  *config.Config
	user *config.Config
}

// Commit is a commit as a hook describes it.
type Commit struct {
	Hash    string
	Parent  string // first parent; zeros for a commit without one
	Author  Person
	Message string // without the final newline, at most 2000 characters
}

// Person is the author of a commit.
type Person struct {
	// Login is the account name where the address reveals it, as the
	// noreply addresses of GitHub and GitLab do, else the Name: git does not
	// know accounts, and the part before the @ of an address is often wrong.
	Login, Name, Email string
}

// Read looks at the working tree that dir is in. It always returns a Tree:
// outside of git, or with a repository that cannot be read, its facts are
// unknown.
func Read(dir string) *Tree {
	t := &Tree{Origin: map[string]string{}, Unknown: map[string]string{}, cfg: config.NewConfig()}
	loc, err := locate(dir)
	if err == nil {
		t.repo, err = openRepository(loc)
	}
	if err != nil {
		t.giveUp(err)
		return t
	}
	t.loc, t.Root = loc, loc.root
	t.user = userConfig()
	if cfg, err := t.repo.Config(); err == nil {
		t.cfg = cfg
	}
	if top := t.cfg.Core.Worktree; top != "" {
		t.Root = absolute(loc.gitDir, top)
	}
	t.readHead()
	t.readRemote()
	t.readDefaultBranch()
	t.readUser()
	return t
}

// giveUp marks every fact of git as unknown for one reason.
func (t *Tree) giveUp(reason error) {
	text := reason.Error()
	if !errors.Is(reason, errNoRepository) {
		t.warn("%s; facts of the build are unknown", text)
	}
	for _, key := range []string{
		"branch", "after", "before", "message", "author.login", "author.name", "author.email",
		"repo.slug", "repo.namespace", "repo.name", "repo.link", "repo.httpurl", "repo.sshurl", "repo.defaultbranch",
	} {
		t.Unknown[key] = text
	}
}

func (t *Tree) warn(format string, args ...any) {
	t.Warnings = append(t.Warnings, fmt.Sprintf(format, args...))
}

func (t *Tree) readHead() {
	head, err := t.repo.Reference(plumbing.HEAD, false)
	if err != nil {
		t.warn("HEAD of %s cannot be read; branch and commit are unknown", t.Root)
		t.Unknown["branch"], t.Unknown["after"] = "HEAD cannot be read", "HEAD cannot be read"
		return
	}
	var hash plumbing.Hash
	if head.Type() == plumbing.SymbolicReference {
		t.Branch = head.Target().Short()
		t.Origin["branch"] = "git HEAD"
		if target, err := t.repo.Reference(head.Target(), true); err == nil {
			hash = target.Hash()
		}
	} else {
		hash = head.Hash()
		t.readDetached(hash)
	}
	if hash.IsZero() {
		t.unknownCommit("branch " + t.Branch + " has no commit yet")
		return
	}
	commit, err := t.repo.CommitObject(hash)
	if err != nil {
		t.warn("commit %s of HEAD cannot be read", hash)
		t.unknownCommit("commit " + hash.String() + " cannot be read")
		t.Head.Hash = hash.String()
		delete(t.Unknown, "after")
		return
	}
	t.Head = describe(commit)
}

func (t *Tree) unknownCommit(reason string) {
	for _, key := range []string{"after", "before", "message", "author.login", "author.name", "author.email"} {
		t.Unknown[key] = reason
	}
}

// readDetached finds the branch of a HEAD that names a commit: the one a
// rebase is working on, or the only one that points at the same commit.
func (t *Tree) readDetached(hash plumbing.Hash) {
	for _, state := range []string{"rebase-merge", "rebase-apply"} {
		text, err := os.ReadFile(filepath.Join(t.loc.gitDir, state, "head-name"))
		if name, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "refs/heads/"); err == nil && ok {
			t.Branch, t.Origin["branch"] = name, "git rebase"
			return
		}
	}
	found := t.branchesAt(hash)
	if len(found) == 1 {
		t.Branch, t.Origin["branch"] = found[0], "git branch at the detached HEAD"
		return
	}
	reason := "HEAD is detached and no branch points at it"
	if len(found) > 1 {
		reason = "HEAD is detached and several branches point at it: " + strings.Join(found, ", ")
	}
	t.Unknown["branch"] = reason
}

// branchesAt lists the branches, local and remote, that point at a commit.
func (t *Tree) branchesAt(hash plumbing.Hash) []string {
	refs, err := t.repo.References()
	if err != nil {
		return nil
	}
	var found []string
	_ = refs.ForEach(func(ref *plumbing.Reference) error { // the function never fails
		if ref.Type() != plumbing.HashReference || ref.Hash() != hash {
			return nil
		}
		name := ref.Name()
		switch {
		case name.IsBranch():
			found = append(found, name.Short())
		case name.IsRemote():
			if _, branch, ok := strings.Cut(name.Short(), "/"); ok && branch != "HEAD" {
				found = append(found, branch)
			}
		}
		return nil
	})
	slices.Sort(found)
	return slices.Compact(found)
}

func describe(c *object.Commit) Commit {
	d := Commit{
		Hash:    c.Hash.String(),
		Parent:  zeros,
		Message: cut(strings.TrimRight(strings.ToValidUTF8(c.Message, "\uFFFD"), "\n")),
		Author:  person(c.Author.Name, c.Author.Email),
	}
	// Only the ids: in a shallow clone the parent itself is not there.
	if len(c.ParentHashes) > 0 {
		d.Parent = c.ParentHashes[0].String()
	}
	return d
}

func person(name, email string) Person {
	name = strings.ToValidUTF8(name, "\uFFFD")
	return Person{Login: login(name, email), Name: name, Email: strings.ToValidUTF8(email, "\uFFFD")}
}

func login(name, email string) string {
	for _, domain := range []string{"@users.noreply.github.com", "@users.noreply.gitlab.com"} {
		local, ok := strings.CutSuffix(email, domain)
		if !ok {
			continue
		}
		// GitHub: 123+login, or login alone; GitLab: 123-login.
		id, rest, found := strings.Cut(local, map[bool]string{true: "+", false: "-"}[strings.Contains(domain, "github")])
		if found && strings.Trim(id, "0123456789") == "" {
			return rest
		}
		return local
	}
	return name
}

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	runes := []rune(s)
	return string(runes[:min(len(runes), maxText)])
}
