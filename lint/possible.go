package lint

import (
	"slices"
	"strings"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/manifest"
)

// This file answers whether a build can exist that meets conditions. The answer
// "no" is sure; where it is hard to tell, the answer is "yes".

// fact is what a condition is compared with.
type fact int

// Those before factEvent are known by the event, see domainOf. The order is that
// in which the one is looked for that is to blame, see guilty.
const (
	factBranch fact = iota
	factRef
	factTarget
	factCron
	factAction
	factRepo
	factInstance
	factEvent
	facts
)

// conditionOf is the condition for a fact.
func conditionOf(c *manifest.Conditions, f fact) *manifest.Condition {
	switch f {
	case factBranch:
		return &c.Branch
	case factRef:
		return &c.Ref
	case factRepo:
		return &c.Repo
	case factTarget:
		return &c.Target
	case factCron:
		return &c.Cron
	case factAction:
		return &c.Action
	case factInstance:
		return &c.Instance
	}
	return &c.Event
}

// domain is the set of values that a fact has for an event (reference §11.3).
type domain struct {
	// values are all there are, where they can be told.
	values []string
	// prefixes are those that every other value begins with, "" for anything.
	prefixes []string
}

var (
	anything = domain{prefixes: []string{""}}
	nothing  = domain{values: []string{""}}
)

// domainOf is what is possible for a fact of an event.
func domainOf(event string, f fact) domain {
	switch f {
	case factRef:
		switch event {
		case "push", "cron":
			return domain{prefixes: []string{"refs/heads/"}}
		case "pull_request":
			return domain{prefixes: []string{"refs/pull/", "refs/merge-requests/", "refs/pull-requests/", "refs/changes/"}}
		case "tag":
			return domain{prefixes: []string{"refs/tags/"}}
		}
	case factCron:
		if event == "push" || event == "pull_request" || event == "tag" {
			return nothing
		}
	case factTarget:
		if event == "push" || event == "pull_request" || event == "tag" || event == "cron" {
			return nothing
		}
	case factAction:
		switch event {
		case "push", "cron":
			return nothing
		case "pull_request":
			return domain{values: []string{"opened", "synchronized"}}
		case "tag":
			return domain{values: []string{"create"}}
		}
	}
	return anything
}

// possible reports whether a build of an event can meet all the conditions.
// Status is left out: it is no fact of a build.
func possible(event string, all ...*manifest.Conditions) bool {
	for _, c := range all {
		if !compile.Matches(&c.Event, event) {
			return false
		}
	}
	list := make([]*manifest.Condition, len(all))
	for f := range factEvent {
		for i, c := range all {
			list[i] = conditionOf(c, f)
		}
		if !satisfiable(domainOf(event, f), list) {
			return false
		}
	}
	return true
}

// possibleEvents are the events for which a build can meet all the conditions.
func possibleEvents(all ...*manifest.Conditions) (events []string) {
	for _, event := range manifest.Events() {
		if possible(event, all...) {
			events = append(events, event)
		}
	}
	return events
}

// satisfiable reports whether a value of a domain can meet all the conditions.
func satisfiable(d domain, all []*manifest.Condition) bool {
	meets := func(value string) bool {
		for _, c := range all {
			if !compile.Matches(c, value) {
				return false
			}
		}
		return true
	}
	if slices.ContainsFunc(d.values, meets) {
		return true
	}
	if len(d.prefixes) == 0 {
		return false
	}
	// Where a condition names its values one by one, they are all there are.
	for _, c := range all {
		if len(c.Include) > 0 && !slices.ContainsFunc(c.Include, isGlob) {
			return slices.ContainsFunc(c.Include, func(p manifest.String) bool { return within(d, p.Value) && meets(p.Value) })
		}
	}
	// Patterns: those that cannot begin as the values do fit nothing, and nothing
	// is left where a condition excludes everything.
	for _, c := range all {
		if len(c.Include) > 0 && !slices.ContainsFunc(c.Include, func(p manifest.String) bool { return canBegin(d, p.Value) }) {
			return false
		}
		if slices.ContainsFunc(c.Exclude, func(p manifest.String) bool { return p.Value == "**" }) {
			return false
		}
		for _, p := range c.Exclude {
			if len(c.Include) > 0 && !slices.ContainsFunc(c.Include, func(i manifest.String) bool { return i.Value != p.Value }) {
				return false // it excludes just what it includes
			}
		}
	}
	return true
}

// within reports whether a value belongs to a domain without listed values.
func within(d domain, value string) bool {
	return slices.ContainsFunc(d.prefixes, func(prefix string) bool { return strings.HasPrefix(value, prefix) })
}

// canBegin reports whether a pattern may match a value of a domain, from how it
// begins.
func canBegin(d domain, pattern string) bool {
	head, complete := compile.LiteralPrefix(pattern)
	if complete {
		return within(d, pattern)
	}
	return slices.ContainsFunc(d.prefixes, func(prefix string) bool {
		return strings.HasPrefix(head, prefix) || strings.HasPrefix(prefix, head)
	})
}

func isGlob(p manifest.String) bool { return compile.IsGlob(p.Value) }
