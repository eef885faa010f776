package facts

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/drone-laptop/drone/compile"
)

// What a build has when nobody says otherwise. A laptop is no server, so the
// host is the one name that cannot belong to somebody else.
const (
	defaultHost    = "localhost"
	defaultProto   = "https"
	defaultVersion = "2.25.0"
	defaultNumber  = 1
	defaultPull    = "1"
)

// resolver fills one Build. Its methods run in the order of Resolve, because
// each needs what the ones before it found.
type resolver struct {
	tree     *Tree
	o        Overrides
	b        compile.Build
	remote   Remote
	commit   Commit
	base     string // the event that decides ref and branch
	pull     string // number of the pull request
	warnings []string
}

// Resolve makes the facts of a build out of what the tree and the user say.
// They are coherent as a server would have them (reference §11.3): an event
// follows from the flags that only it has, and brings its ref, branches,
// action, trigger and link. now becomes the time of the build.
//
// The commit is HEAD unless --sha names another, also for a branch or tag that
// points elsewhere: what runs is the working tree. The commit before is the
// first parent for a push, the tip of the target branch for a pull request,
// the same commit for a custom build, zeros for a tag and nothing for a cron
// job. A pull request gets the action opened, its title and message from the
// commit, and, with a warning, the number 1 where it has none. A promotion or
// rollback is build 2 of build 1.
//
// Origin and Unknown of the build tell where each fact comes from or why it is
// missing. The warnings are sentences for the user. The error is a *UsageError.
func Resolve(t *Tree, o Overrides, now time.Time) (compile.Build, []string, error) {
	r := &resolver{tree: t, o: o}
	r.b.Origin, r.b.Unknown = maps.Clone(t.Origin), maps.Clone(t.Unknown)
	r.warnings = append(r.warnings, t.Warnings...)
	for _, step := range []func() error{
		r.resolveEvent, r.resolveRepo, r.resolveSystem, r.resolveCommit,
		r.resolveRefs, r.resolveBefore, r.resolveTexts, r.resolvePeople,
		r.resolveDeploy, r.resolveLink, r.resolveDirty,
	} {
		if err := step(); err != nil {
			return compile.Build{}, nil, err
		}
	}
	r.b.Created, r.b.Started = now, now
	r.b.Debug, r.b.Params = o.Debug, maps.Clone(o.Params)
	return r.b, r.warnings, nil
}

// set gives a fact a value and says where it comes from; an empty value is a
// known absence.
func (r *resolver) set(field *string, key, value, origin string) {
	*field = value
	r.b.Origin[key] = origin
	delete(r.b.Unknown, key)
}

// miss says why a fact is unknown.
func (r *resolver) miss(field *string, key, reason string) {
	*field = ""
	r.b.Unknown[key] = reason
	delete(r.b.Origin, key)
}

// setOr is set when there is a value or no reason for its absence, else miss.
func (r *resolver) setOr(field *string, key, value, origin, reason string) {
	if value == "" && reason != "" {
		r.miss(field, key, reason)
		return
	}
	r.set(field, key, value, origin)
}

func (r *resolver) warn(text string) { r.warnings = append(r.warnings, text) }

func (r *resolver) resolveEvent() error {
	event, origin, err := r.o.event()
	if err != nil {
		return err
	}
	for _, f := range []struct{ flag, value string }{
		{"--branch", r.o.Branch}, {"--source", r.o.Source}, {"--target", r.o.Target}, {"--tag", r.o.Tag},
	} {
		if strings.HasPrefix(f.value, "refs/") {
			return &UsageError{
				Message: f.flag + " " + quote(f.value) + " is a reference, not a name",
				Hint:    "give the name alone, or the reference with --ref",
			}
		}
	}
	r.set(&r.b.Event, "event", event, origin)
	r.base = r.o.base(event)
	return nil
}

func (r *resolver) resolveRepo() error {
	b, t := &r.b.Repo, r.tree
	r.remote = t.Remote
	if r.o.Repo != "" {
		if err := checkSlug("--repo", r.o.Repo); err != nil {
			return err
		}
		r.remote = t.Remote.withSlug(r.o.Repo)
		r.overrideRepo()
	}
	b.Slug, b.Name, b.Namespace = r.remote.Slug, r.remote.Name, namespace(r.remote.Slug)
	b.Link, b.HTTPURL, b.SSHURL = r.remote.Link, r.remote.HTTP, r.remote.SSH
	b.DefaultBranch = t.DefaultBranch
	if t.repo != nil {
		r.set(&b.SCM, "repo.scm", "git", "git")
	}
	r.miss(&b.Visibility, "repo.visibility", "only the server knows it")
	return nil
}

func (r *resolver) overrideRepo() {
	for _, key := range []string{"repo.slug", "repo.namespace", "repo.name"} {
		r.b.Origin[key] = "flag --repo"
		delete(r.b.Unknown, key)
	}
	if r.remote.Slug == r.tree.Remote.Slug {
		return
	}
	for _, key := range []string{"repo.link", "repo.httpurl", "repo.sshurl"} {
		if r.remote.Link != "" {
			r.b.Origin[key] = "flag --repo at the host of the git remote"
			delete(r.b.Unknown, key)
			continue
		}
		delete(r.b.Origin, key)
		if r.b.Unknown[key] == "" {
			r.b.Unknown[key] = "the host of the repository is unknown"
		}
	}
}

func checkSlug(flag, slug string) error {
	owner, name, ok := strings.Cut(slug, "/")
	if ok && owner != "" && name != "" && !strings.HasSuffix(name, "/") && !strings.ContainsAny(slug, " \t\n:@") {
		return nil
	}
	return &UsageError{
		Message: flag + " " + quote(slug) + " is no repository name",
		Hint:    "write it as owner/name",
	}
}

func (r *resolver) resolveSystem() error {
	s := &r.b.System
	r.set(&s.Version, "system.version", defaultVersion, "default")
	proto, host, origin := defaultProto, defaultHost, "default"
	if r.o.Instance != "" {
		origin = "flag --instance"
		scheme, rest, found := strings.Cut(r.o.Instance, "://")
		if !found {
			scheme, rest = defaultProto, r.o.Instance
		}
		proto, host = strings.ToLower(scheme), strings.TrimRight(rest, "/")
		if (proto != "http" && proto != "https") || host == "" || strings.ContainsAny(host, "/@ \t\n?#") {
			return &UsageError{
				Message: "--instance is no address of a server",
				Hint:    "write a host name such as drone.example.com, or https://drone.example.com",
			}
		}
	}
	r.set(&s.Proto, "system.proto", proto, origin)
	r.set(&s.Host, "system.host", host, origin)
	r.set(&s.Hostname, "system.hostname", host, origin)
	return nil
}

func (r *resolver) resolveCommit() error {
	r.commit = r.tree.Head
	if r.o.SHA == "" {
		r.b.After = r.commit.Hash
		if r.commit.Hash != "" {
			r.b.Origin["after"] = "git HEAD"
		}
		return nil
	}
	if found, ok := r.tree.commit(r.o.SHA); ok {
		r.commit = found
		r.set(&r.b.After, "after", found.Hash, "flag --sha")
		return nil
	}
	if !isCommitID(r.o.SHA) {
		return noCommit("--sha", r.o.SHA)
	}
	r.commit = Commit{Hash: strings.ToLower(r.o.SHA)}
	r.set(&r.b.After, "after", r.commit.Hash, "flag --sha")
	for _, key := range []string{"before", "message", "author.login", "author.name", "author.email"} {
		r.b.Unknown[key] = "commit " + r.commit.Hash + " is not in this repository"
	}
	return nil
}

func noCommit(flag, value string) error {
	return &UsageError{
		Message: flag + " " + quote(value) + " names no commit of this repository",
		Hint:    "give the full 40-digit id of a commit that is not here",
	}
}

func isCommitID(s string) bool {
	return len(s) == len(zeros) && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// resolveBefore runs after resolveRefs, which finds the target branch.
func (r *resolver) resolveBefore() error {
	if r.o.Before != "" {
		hash := strings.ToLower(r.o.Before)
		if found, ok := r.tree.commit(r.o.Before); ok {
			hash = found.Hash
		} else if !isCommitID(hash) {
			return noCommit("--before", r.o.Before)
		}
		r.set(&r.b.Before, "before", hash, "flag --before")
		return nil
	}
	switch r.base {
	case tag:
		r.set(&r.b.Before, "before", zeros, "event tag")
	case cron:
		r.set(&r.b.Before, "before", "", "event cron")
	case custom:
		r.setOr(&r.b.Before, "before", r.b.After, "event custom", r.b.Unknown["after"])
	case pullRequest:
		if hash, ok := r.tree.branchHash(r.b.Branch); ok {
			r.set(&r.b.Before, "before", hash, "git branch "+r.b.Branch)
			return nil
		}
		fallthrough
	default:
		r.setOr(&r.b.Before, "before", r.commit.Parent, "git parent of the commit", r.b.Unknown["before"])
	}
	return nil
}

func (r *resolver) resolveTexts() error {
	message, origin, reason := r.commit.Message, "git commit", r.b.Unknown["message"]
	if r.base == pullRequest {
		title, body, _ := strings.Cut(message, "\n")
		r.setOr(&r.b.Title, "title", title, origin, reason)
		if r.o.Title != "" {
			r.set(&r.b.Title, "title", cut(r.o.Title), "flag --title")
		}
		// A server puts the description here, and the title where there is none.
		message = strings.TrimLeft(body, "\n")
		if message == "" {
			message, origin = r.b.Title, r.b.Origin["title"]
		}
	}
	if r.o.Message != "" {
		message, origin = cut(r.o.Message), "flag --message"
	}
	r.setOr(&r.b.Message, "message", message, origin, reason)
	return nil
}

func (r *resolver) resolvePeople() error {
	a, c := &r.b.Author, r.commit.Author
	r.setOr(&a.Name, "author.name", c.Name, "git commit", r.b.Unknown["author.name"])
	r.setOr(&a.Email, "author.email", c.Email, "git commit", r.b.Unknown["author.email"])
	origin := "git commit"
	if c.Login == c.Name {
		origin = "name in the git commit; only the server knows the login"
	}
	r.setOr(&a.Login, "author.login", c.Login, origin, r.b.Unknown["author.login"])
	r.miss(&a.Avatar, "author.avatar", "only the server knows it")
	if r.o.Author != "" {
		r.set(&a.Login, "author.login", r.o.Author, "flag --author")
	}

	by := "event " + r.b.Event
	switch {
	case r.o.Trigger != "":
		r.set(&r.b.Trigger, "trigger", r.o.Trigger, "flag --trigger")
	case r.b.Event == cron:
		r.set(&r.b.Trigger, "trigger", "@cron", by)
	case r.b.Event == push || r.b.Event == pullRequest || r.b.Event == tag:
		r.set(&r.b.Trigger, "trigger", "@hook", by)
	case r.tree.User.Login != "":
		r.set(&r.b.Trigger, "trigger", r.tree.User.Login, "git user.name")
	default:
		r.setOr(&r.b.Trigger, "trigger", a.Login, "author of the commit", "no git user.name")
	}
	return nil
}

func (r *resolver) resolveDeploy() error {
	r.b.Number, r.b.Parent = r.o.BuildNumber, r.o.Parent
	if r.b.Number < 0 || r.b.Parent < 0 {
		return &UsageError{Message: "build numbers start at 1"}
	}
	promotes := r.b.Event == promote || r.b.Event == rollback
	r.resolveNumbers(promotes)
	if promotes {
		r.setOr(&r.b.Deploy, "deploy", r.o.DeployTo, "flag --deploy-to", "no --deploy-to")
		if r.b.Deploy == "" {
			r.warn("event " + r.b.Event + " without --deploy-to: no condition on a target matches")
		}
	}
	if r.base == cron {
		r.setOr(&r.b.Cron, "cron", r.o.Cron, "flag --cron", "no --cron")
		if r.b.Cron == "" {
			r.warn("event cron without --cron: no condition on a cron job matches")
		}
	}
	return nil
}

// resolveNumbers gives the build a number and, where it promotes another, that
// one the number before.
func (r *resolver) resolveNumbers(promotes bool) {
	number, parent := "flag --build-number", "flag --parent"
	switch {
	case r.b.Number > 0:
	case promotes && r.b.Parent > 0:
		r.b.Number, number = r.b.Parent+1, "derived from parent"
	case promotes:
		r.b.Number, number = defaultNumber+1, "default"
	default:
		r.b.Number, number = defaultNumber, "default"
	}
	switch {
	case r.b.Parent > 0:
	case promotes:
		r.b.Parent, parent = r.b.Number-1, "derived from number"
	default:
		parent = "default"
	}
	r.b.Origin["number"], r.b.Origin["parent"] = number, parent
}

func (r *resolver) resolveLink() error {
	var link string
	switch r.base {
	case push:
		link = pushLink(r.remote, r.b.Before, r.b.After)
	case pullRequest:
		link = pullLink(r.remote, r.pull)
	default:
		link = commitLink(r.remote, r.b.After)
	}
	reason := "the pages of this host are not known"
	switch {
	case r.remote.Link == "":
		reason = r.b.Unknown["repo.link"]
	case r.b.After == "":
		reason = r.b.Unknown["after"]
	}
	r.setOr(&r.b.Link, "link", link, "event "+r.b.Event, reason)
	return nil
}

func (r *resolver) resolveDirty() error {
	dirty, err := r.tree.dirty()
	if err != nil {
		r.b.Unknown["dirty"] = err.Error()
		if !errors.Is(err, errNoRepository) {
			r.warn("cannot tell whether the working tree is clean: " + err.Error())
		}
		return nil
	}
	r.b.Dirty, r.b.Origin["dirty"] = dirty, "git index"
	if head := r.tree.Head.Hash; head != r.b.After {
		r.b.Dirty = true
		r.warn("the working tree is at commit " + short(head) + ", the build is of " + short(r.b.After))
	}
	return nil
}

func short(hash string) string {
	if hash == "" {
		return "(none)"
	}
	return hash[:min(len(hash), 8)]
}

// checkNumber accepts what a server counts: 1, 2, 3.
func checkNumber(flag, value string) error {
	n, err := strconv.ParseUint(value, 10, 63)
	if err == nil && n > 0 && value[0] != '0' && value[0] != '+' {
		return nil
	}
	return &UsageError{Message: flag + " " + quote(value) + " is no number", Hint: "numbers start at 1"}
}
