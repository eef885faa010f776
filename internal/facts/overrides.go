package facts

import (
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/drone-laptop/drone/manifest"
)

// Overrides are facts given by the user. All are optional; "" means not given.
// Each is named in errors and origins by the flag in its comment.
type Overrides struct {
	Event  string // --event: push, pull_request, tag, promote, rollback, cron, custom
	Action string // --action
	Branch string // --branch: target branch
	Ref    string // --ref: refs/heads/B, refs/tags/T, refs/pull/N/head
	SHA    string // --sha: full or short id, or any revision of the repository
	Before string // --before: commit before

	Tag         string // --tag
	PullRequest string // --pr: its number
	Source      string // --source: branch the pull request comes from
	Target      string // --target: branch the pull request goes to
	SourceRepo  string // --source-repo: slug of the fork it comes from
	Title       string // --title
	Message     string // --message

	DeployTo string // --deploy-to
	Cron     string // --cron: name of the cron job

	Repo     string // --repo: owner/name
	Instance string // --instance: host of the server, with or without https://
	Author   string // --author: login
	Trigger  string // --trigger: login of whom started it

	BuildNumber int64 // --build-number, 0 means not given
	Parent      int64 // --parent, number of the build that was promoted
	Debug       bool
	Params      map[string]string // --param
}

// UsageError is a contradiction in, or a wrong form of, what the user asked
// for. Hint says what to do and may be empty.
type UsageError struct {
	Message, Hint string
}

func (e *UsageError) Error() string { return e.Message }

// The events by name; manifest.Events lists them.
const (
	push        = "push"
	pullRequest = "pull_request"
	tag         = "tag"
	promote     = "promote"
	rollback    = "rollback"
	cron        = "cron"
	custom      = "custom"
)

func checkEvent(event string) error {
	if event == "" || slices.Contains(manifest.Events(), event) {
		return nil
	}
	known := "events are " + strings.Join(manifest.Events(), ", ")
	if near := closestEvent(event); near != "" {
		known = "did you mean " + near + "? " + known
	}
	return &UsageError{Message: "unknown event " + quote(event), Hint: known}
}

// closestEvent also knows what other tools call the events.
func closestEvent(event string) string {
	lower := strings.ReplaceAll(strings.ToLower(event), "-", "_")
	switch lower {
	case "pr", "pull", "merge_request", "mr", "pull_request_target":
		return pullRequest
	case "deploy", "deployment":
		return promote
	case "manual", "workflow_dispatch", "api":
		return custom
	case "schedule", "scheduled":
		return cron
	case "release":
		return tag
	}
	best, score := "", 0.6
	for _, known := range manifest.Events() {
		if s := levenshtein.Similarity(lower, known, nil); s > score {
			best, score = known, s
		}
	}
	return best
}

// implied is an event that follows from a flag.
type implied struct{ event, flag string }

// implications lists the events that the given flags stand for on the server.
func (o Overrides) implications() []implied {
	var list []implied
	add := func(given bool, event, flag string) {
		if given {
			list = append(list, implied{event, flag})
		}
	}
	add(o.Tag != "", tag, "--tag "+o.Tag)
	add(o.PullRequest != "", pullRequest, "--pr "+o.PullRequest)
	add(o.Cron != "", cron, "--cron "+o.Cron)
	add(o.DeployTo != "", promote, "--deploy-to "+o.DeployTo)
	add(strings.HasPrefix(o.Ref, "refs/tags/"), tag, "--ref "+o.Ref)
	if _, ok := pullNumber(o.Ref); ok {
		add(true, pullRequest, "--ref "+o.Ref)
	}
	add(o.Source != "", pullRequest, "--source "+o.Source)
	add(o.Target != "", pullRequest, "--target "+o.Target)
	add(o.SourceRepo != "", pullRequest, "--source-repo "+o.SourceRepo)
	add(o.Title != "", pullRequest, "--title")
	return list
}

// accepts tells whether a build of the event can have what a flag that stands
// for another event says. Promotions and rollbacks take over the facts of an
// older build of any kind, and a custom build has whatever ref it was given.
func accepts(event string, i implied) bool {
	switch {
	case event == i.event:
		return true
	case i.event == promote:
		return event == rollback
	case event == promote || event == rollback:
		return true
	case event == custom:
		return i.event == tag || strings.HasPrefix(i.flag, "--source ")
	}
	return false
}

// event decides the event of the build and says where it comes from.
func (o Overrides) event() (event, origin string, err error) {
	if err := checkEvent(o.Event); err != nil {
		return "", "", err
	}
	list := o.implications()
	if o.Event != "" {
		for _, i := range list {
			if !accepts(o.Event, i) {
				return "", "", contradiction("--event "+o.Event, i.flag, i.event)
			}
		}
		return o.Event, "flag --event", oneOrigin(list)
	}
	if len(list) == 0 {
		return push, "default", nil
	}
	// --deploy-to decides when it is there: it goes with the others.
	first := list[0]
	for _, i := range list {
		if i.event == promote {
			first = i
		}
	}
	for _, i := range list {
		if !accepts(first.event, i) {
			return "", "", contradiction(first.flag, i.flag, i.event)
		}
	}
	return first.event, "flag " + flagName(first.flag), oneOrigin(list)
}

// oneOrigin refuses flags that describe more than one kind of older build for
// a promotion to take over.
func oneOrigin(list []implied) error {
	var first *implied
	for _, i := range list {
		if i.event == promote {
			continue
		}
		if first == nil {
			first = &i
		}
		if !accepts(first.event, i) {
			return contradiction(first.flag, i.flag, i.event)
		}
	}
	return nil
}

func flagName(flag string) string {
	name, _, _ := strings.Cut(flag, " ")
	return name
}

func contradiction(one, other, event string) error {
	return &UsageError{
		Message: one + " contradicts " + other,
		Hint:    flagName(other) + " stands for the event " + event + "; leave one of the two out",
	}
}

// base is the event that decides ref, branch and commits: promotions and
// rollbacks inherit them from an older build, a push unless a flag says more.
func (o Overrides) base(event string) string {
	if event != promote && event != rollback {
		return event
	}
	for _, i := range o.implications() {
		if i.event != promote {
			return i.event
		}
	}
	return push
}

func quote(s string) string { return strconv.Quote(s) }
