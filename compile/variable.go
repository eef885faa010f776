package compile

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Variable is one variable of the tables in reference §5.2 and §5.3, or a
// parameter of the build.
type Variable struct {
	Name   string
	Value  string // "" is not set in a step, but known to substitution
	Origin string // where the value comes from: "git HEAD", "derived from ref"
}

// Stage holds what the server's record of a pipeline adds to the variables.
type Stage struct {
	Name      string
	Kind      string // "pipeline"
	Type      string // "docker" when the file says nothing
	Number    int    // 1-based among the pipelines that the build selects
	OS        string
	Arch      string
	Variant   string
	DependsOn []string // after pipelines that do not run are taken out
	Machine   string
}

// set tells apart which variables a step may override (reference §5.1).
type set int

const (
	setSystem set = iota
	setRepo
	setBuild
	setStage
	setLink
	setParam
)

// variable is a Variable with the set it belongs to. A live one changes while
// the pipeline runs: its value here is that before anything has run.
type variable struct {
	Variable
	set  set
	live bool
}

// Variables returns every variable that the facts give, sorted by name, with
// the value that steps get: a parameter with the name of another variable is
// not listed, although substitution sees it. Status variables have the value
// they have before anything has run.
func Variables(b Build, stage Stage) []Variable {
	byName := map[string]Variable{}
	for _, v := range table(b, stage) {
		if _, builtin := byName[v.Name]; builtin && v.set == setParam {
			continue
		}
		byName[v.Name] = v.Variable
	}
	out := make([]Variable, 0, len(byName))
	for _, v := range byName {
		out = append(out, v)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// VariableNames returns the names of the variables that builds have, whatever
// they are about, each list sorted: substituted are those that substitution
// knows, running those that only a step has, because they are known when it
// starts.
func VariableNames() (substituted, running []string) {
	names := map[string]bool{"DRONE_FAILED_STAGES": true}
	for _, b := range []Build{
		{Event: "pull_request", Ref: "refs/pull/1/head"},
		{Event: "tag", Ref: "refs/tags/v1.2.3-rc.1+b"},
		{Event: "tag", Ref: "refs/tags/v2026.01.1-rc"},
		{Event: "tag", Ref: "refs/tags/none"},
	} {
		for _, v := range Variables(b, Stage{}) {
			names[v.Name] = true
		}
	}
	return sortedKeys(names), []string{
		"DRONE_DOCKER_NETWORK_ID", "DRONE_DOCKER_VOLUME_ID", "DRONE_DOCKER_VOLUME_PATH", "DRONE_FAILED_STEPS", "DRONE_HOME",
		"DRONE_NETRC_FILE", "DRONE_NETRC_MACHINE", "DRONE_NETRC_PASSWORD", "DRONE_NETRC_USERNAME", "DRONE_STEP_NAME", "DRONE_STEP_NUMBER",
		"DRONE_WORKSPACE", "DRONE_WORKSPACE_BASE", "DRONE_WORKSPACE_PATH",
	}
}

// tabler collects variables; origin comes from the fact a value was taken of.
type tabler struct {
	build Build
	set   set
	out   []variable
}

// table lists all variables in the order of their sets, so that later wins.
func table(b Build, stage Stage) []variable {
	t := &tabler{build: b}
	t.system()
	t.repo()
	t.commit()
	t.author()
	t.run()
	t.times()
	t.kind()
	t.tag()
	t.stage(stage)
	t.link()
	t.params()
	return t.out
}

// fact adds names that all hold the value of one fact.
func (t *tabler) fact(fact, value string, names ...string) {
	t.add(t.origin(fact, value), value, names...)
}

// derived adds names whose value was computed from a fact.
func (t *tabler) derived(fact, value string, names ...string) {
	t.add("derived from "+fact, value, names...)
}

func (t *tabler) add(origin, value string, names ...string) {
	for _, n := range names {
		t.out = append(t.out, variable{Variable: Variable{Name: n, Value: value, Origin: origin}, set: t.set})
	}
}

// live adds names whose value changes during a run.
func (t *tabler) live(value string, names ...string) {
	start := len(t.out)
	t.add("state of the run", value, names...)
	for i := range t.out[start:] {
		t.out[start+i].live = true
	}
}

func (t *tabler) origin(fact, value string) string {
	if o := t.build.Origin[fact]; o != "" {
		return o
	}
	switch why := t.build.Unknown[fact]; {
	case value == "" && why != "":
		return "unknown: " + why
	case value == "":
		return "nothing for this event"
	case value == "0" || value == "false":
		return "default"
	}
	return "derived from " + fact
}

func (t *tabler) system() {
	t.set = setSystem
	s := t.build.System
	t.add("fixed", "true", "CI", "DRONE")
	t.fact("system.proto", s.Proto, "DRONE_SYSTEM_PROTO")
	t.fact("system.host", s.Host, "DRONE_SYSTEM_HOST")
	if s.Hostname == "" {
		t.derived("system.host", s.Host, "DRONE_SYSTEM_HOSTNAME")
	} else {
		t.fact("system.hostname", s.Hostname, "DRONE_SYSTEM_HOSTNAME")
	}
	t.fact("system.version", s.Version, "DRONE_SYSTEM_VERSION")
}

func (t *tabler) repo() {
	t.set = setRepo
	r := t.build.Repo
	t.fact("repo.slug", r.Slug, "DRONE_REPO", "CI_REPO", "CI_REPO_NAME")
	t.fact("repo.scm", r.SCM, "DRONE_REPO_SCM")
	t.fact("repo.namespace", r.Namespace, "DRONE_REPO_OWNER", "DRONE_REPO_NAMESPACE")
	t.fact("repo.name", r.Name, "DRONE_REPO_NAME")
	t.fact("repo.link", r.Link, "DRONE_REPO_LINK", "CI_REPO_LINK")
	t.fact("repo.defaultbranch", r.DefaultBranch, "DRONE_REPO_BRANCH")
	t.fact("repo.httpurl", r.HTTPURL, "DRONE_REMOTE_URL", "DRONE_GIT_HTTP_URL", "CI_REPO_REMOTE", "CI_REMOTE_URL")
	t.fact("repo.sshurl", r.SSHURL, "DRONE_GIT_SSH_URL")
	t.fact("repo.visibility", r.Visibility, "DRONE_REPO_VISIBILITY")
	t.fact("repo.private", strconv.FormatBool(r.Private), "DRONE_REPO_PRIVATE", "CI_REPO_PRIVATE")
}

func (t *tabler) commit() {
	t.set = setBuild
	b := t.build
	t.fact("branch", b.Branch, "DRONE_BRANCH", "DRONE_TARGET_BRANCH", "DRONE_COMMIT_BRANCH", "CI_COMMIT_BRANCH")
	t.fact("source", b.Source, "DRONE_SOURCE_BRANCH")
	t.fact("after", b.After, "DRONE_COMMIT", "DRONE_COMMIT_SHA", "DRONE_COMMIT_AFTER", "CI_COMMIT_SHA")
	t.fact("before", b.Before, "DRONE_COMMIT_BEFORE")
	t.fact("ref", b.Ref, "DRONE_COMMIT_REF", "CI_COMMIT_REF")
	t.fact("link", b.Link, "DRONE_COMMIT_LINK", "CI_BUILD_LINK")
	t.fact("message", cut(b.Message), "DRONE_COMMIT_MESSAGE", "CI_COMMIT_MESSAGE")
}

func (t *tabler) author() {
	a := t.build.Author
	t.fact("author.login", a.Login, "DRONE_COMMIT_AUTHOR", "CI_COMMIT_AUTHOR")
	t.fact("author.name", a.Name, "DRONE_COMMIT_AUTHOR_NAME", "CI_COMMIT_AUTHOR_NAME")
	t.fact("author.email", a.Email, "DRONE_COMMIT_AUTHOR_EMAIL", "CI_COMMIT_AUTHOR_EMAIL")
	t.fact("author.avatar", a.Avatar, "DRONE_COMMIT_AUTHOR_AVATAR", "CI_COMMIT_AUTHOR_AVATAR")
}

func (t *tabler) run() {
	b := t.build
	t.fact("number", strconv.FormatInt(b.Number, 10), "DRONE_BUILD_NUMBER", "CI_BUILD_NUMBER")
	t.fact("parent", strconv.FormatInt(b.Parent, 10), "DRONE_BUILD_PARENT", "CI_PARENT_BUILD_NUMBER")
	t.fact("event", b.Event, "DRONE_BUILD_EVENT", "CI_BUILD_EVENT")
	t.fact("action", b.Action, "DRONE_BUILD_ACTION")
	t.fact("trigger", b.Trigger, "DRONE_BUILD_TRIGGER")
	t.fact("debug", strconv.FormatBool(b.Debug), "DRONE_BUILD_DEBUG")
	t.fact("deploy", b.Deploy, "DRONE_DEPLOY_TO", "CI_BUILD_TARGET")
	t.fact("deployid", strconv.FormatInt(b.DeployID, 10), "DRONE_DEPLOY_ID")
	t.live("success", "DRONE_BUILD_STATUS")
	t.live("pending", "CI_BUILD_STATUS")
}

// times gives substitution the start where the original takes the present
// time, since a plan has no clock; steps get the present time.
func (t *tabler) times() {
	b := t.build
	t.fact("created", unix(b.Created), "DRONE_BUILD_CREATED", "CI_BUILD_CREATED")
	if b.started().IsZero() {
		t.live("0", "DRONE_BUILD_STARTED")
	} else {
		t.fact("started", unix(b.started()), "DRONE_BUILD_STARTED")
	}
	t.fact("started", unix(b.Started), "CI_BUILD_STARTED")
	t.live(unix(b.started()), "DRONE_BUILD_FINISHED")
	t.add("fixed", "0", "CI_BUILD_FINISHED")
}

// kind adds what only a pull request has.
func (t *tabler) kind() {
	if t.build.Event != "pull_request" {
		return
	}
	t.derived("ref", firstDigits(t.build.Ref), "DRONE_PULL_REQUEST")
	t.fact("title", cut(t.build.Title), "DRONE_PULL_REQUEST_TITLE")
}

// tag adds what only a ref of a tag gives, whatever the event.
func (t *tabler) tag() {
	tag, ok := strings.CutPrefix(t.build.Ref, "refs/tags/")
	if !ok {
		return
	}
	t.derived("ref", tag, "DRONE_TAG")
	for _, f := range append(semver(tag), calver(tag)...) {
		t.derived("ref", f.value, f.name)
	}
}

func (t *tabler) stage(s Stage) {
	t.set = setStage
	const from = "pipeline"
	t.derived(from, s.Kind, "DRONE_STAGE_KIND")
	t.derived(from, s.Type, "DRONE_STAGE_TYPE")
	t.derived(from, s.Name, "DRONE_STAGE_NAME")
	t.derived(from, strconv.Itoa(s.Number), "DRONE_STAGE_NUMBER")
	t.derived("host name", s.Machine, "DRONE_STAGE_MACHINE")
	t.derived(from, s.OS, "DRONE_STAGE_OS")
	t.derived(from, s.Arch, "DRONE_STAGE_ARCH")
	t.derived(from, s.Variant, "DRONE_STAGE_VARIANT")
	t.add("fixed", "1", "DRONE_STAGE_VERSION")
	t.derived(from, strings.Join(s.DependsOn, ","), "DRONE_STAGE_DEPENDS_ON")
	t.live("success", "DRONE_STAGE_STATUS")
	t.live(unix(t.build.started()), "DRONE_STAGE_STARTED", "DRONE_STAGE_FINISHED")
	t.add("fixed", "/dev/stdout", "DRONE_CARD_PATH")
}

// link leaves the page of the build out when no server is known, where the
// original makes up ":////0".
func (t *tabler) link() {
	t.set = setLink
	b, link := t.build, ""
	if b.System.Host != "" && b.Repo.Slug != "" {
		link = fmt.Sprintf("%s://%s/%s/%d", b.System.Proto, b.System.Host, b.Repo.Slug, b.Number)
	}
	t.derived("system.host", link, "DRONE_BUILD_LINK")
}

func (t *tabler) params() {
	t.set = setParam
	for _, name := range sortedKeys(t.build.Params) {
		origin := t.build.Origin["params."+name]
		if origin == "" {
			origin = "parameter of the build"
		}
		t.add(origin, t.build.Params[name], name)
	}
}

// started is the time at which the build started, as far as it is known.
func (b Build) started() time.Time {
	if b.Started.IsZero() {
		return b.Created
	}
	return b.Started
}

func unix(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// cut shortens a title or message as the server does (reference §11.3).
func cut(text string) string {
	const most = 2000
	n := 0
	for i := range text {
		if n == most {
			return text[:i]
		}
		n++
	}
	return text
}

func firstDigits(text string) string {
	start := strings.IndexAny(text, "0123456789")
	if start < 0 {
		return ""
	}
	text = text[start:]
	if end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		return text[:end]
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
