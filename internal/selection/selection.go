// Package selection finds what people mean on a server: builds by branch, commit and
// event, stages and steps of a build by number or name.
//
// It asks for lists of builds and nothing else, and prints nothing. Its functions
// are safe for concurrent use.
package selection

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/remote"
)

// Error is about words that mean nothing there is.
type Error struct {
	Message string
	Hint    string // what there is, may be empty
}

func (e *Error) Error() string { return e.Message }

// Filter leaves out builds; "" is for any.
type Filter struct{ Branch, Event, Status string }

// Accepts reports whether a build stays.
func (f Filter) Accepts(b *remote.Build) bool {
	return (f.Event == "" || b.Event == f.Event) && (f.Status == "" || b.Status == f.Status) && (f.Branch == "" || b.Target == f.Branch)
}

// Page gives those of builds that stay, in pages of size; the first page is 1. It
// looks no further than that needs. The error is that of builds.
func (f Filter) Page(builds iter.Seq2[remote.Build, error], page, size int) (found []remote.Build, err error) {
	skip := (page - 1) * size
	for b, err := range builds {
		switch {
		case err != nil:
			return nil, err
		case !f.Accepts(&b):
		case skip > 0:
			skip--
		default:
			if found = append(found, b); len(found) == size {
				return found, nil
			}
		}
	}
	return found, nil
}

// Lister lists builds, the newest first, as a *remote.Client does.
type Lister interface {
	BuildList(ctx context.Context, repo remote.Slug, filter remote.BuildFilter, page, size int) ([]remote.Build, error)
}

// Recent is how many builds are looked through for those of a branch or a commit.
const Recent = 100

// Choice is which builds of a repository are meant: all recent ones, those of a
// commit, of which the beginning is enough, or those of a branch: the ones that build
// it, and the pull requests from it.
type Choice struct{ Branch, Commit string }

// List lists them, the newest first, without stages.
func (c Choice) List(ctx context.Context, server Lister, repo remote.Slug) ([]remote.Build, error) {
	list, err := server.BuildList(ctx, repo, remote.BuildFilter{}, 1, Recent)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Commit != "":
		return slices.DeleteFunc(list, func(b remote.Build) bool { return !strings.HasPrefix(b.After, c.Commit) }), nil
	case c.Branch == "":
		return list, nil
	}
	list = slices.DeleteFunc(list, func(b remote.Build) bool { return b.Source != c.Branch && b.Target != c.Branch })
	if len(list) < Recent/4 { // there may be older ones
		more, err := server.BuildList(ctx, repo, remote.BuildFilter{Branch: c.Branch}, 1, Recent/4)
		if err != nil {
			return nil, err
		}
		for _, b := range more {
			if !slices.ContainsFunc(list, func(known remote.Build) bool { return known.Number == b.Number }) {
				list = append(list, b)
			}
		}
	}
	slices.SortFunc(list, func(a, b remote.Build) int { return int(b.Number - a.Number) })
	return list, nil
}

// Last gives of builds of the same thing, as those that were restarted, the first one
// of a list, which is the one that counts.
func Last(list []remote.Build) (last []remote.Build) {
	type thing struct{ event, ref, target, cron, deploy string }
	seen := map[thing]bool{}
	for _, b := range list {
		t := thing{b.Event, b.Ref, b.Target, b.Cron, b.Deploy}
		if !seen[t] {
			seen[t] = true
			last = append(last, b)
		}
	}
	return last
}

// means reports whether a word is the number or the name of a stage or a step.
func means(word, name string, number int) bool { return word == strconv.Itoa(number) || word == name }

func called(name string, number int) string { return fmt.Sprintf("%d (%s)", number, name) }

// Blocked finds the blocked stages that words name; all of them without words. The
// error is an *Error.
func Blocked(build *remote.Build, words []string) ([]remote.Stage, error) {
	var blocked, chosen []remote.Stage
	var names []string
	for _, stage := range build.Stages {
		if stage.Status == remote.StateBlocked {
			blocked, names = append(blocked, stage), append(names, called(stage.Name, stage.Number))
		}
	}
	if len(words) == 0 && len(blocked) == 0 {
		return nil, &Error{Message: fmt.Sprintf("no stage of build %d is blocked", build.Number)}
	}
	if len(words) == 0 {
		return blocked, nil
	}
	for _, word := range words {
		i := slices.IndexFunc(build.Stages, func(s remote.Stage) bool { return means(word, s.Name, s.Number) })
		if i < 0 {
			if len(names) == 0 {
				names = []string{"none"}
			}
			return nil, &Error{fmt.Sprintf("build %d has no stage %q", build.Number, word), "blocked there: " + strings.Join(names, ", ")}
		}
		stage := build.Stages[i]
		if stage.Status != remote.StateBlocked {
			return nil, &Error{Message: fmt.Sprintf("stage %s of build %d is not blocked, it is %s", called(stage.Name, stage.Number), build.Number, stage.Status)}
		}
		chosen = append(chosen, stage)
	}
	return chosen, nil
}

// Steps gives a filter for the steps that words name: a stage, or a stage and a step
// of it. The error is an *Error.
func Steps(build *remote.Build, words []string) (func(*remote.Stage, *remote.Step) bool, error) {
	var stages, steps []string
	found := false
	for _, stage := range build.Stages {
		stages = append(stages, called(stage.Name, stage.Number))
		if !means(words[0], stage.Name, stage.Number) {
			continue
		}
		if len(words) == 1 {
			return func(a *remote.Stage, _ *remote.Step) bool { return a.Number == stage.Number }, nil
		}
		found = true
		for _, step := range stage.Steps {
			steps = append(steps, called(step.Name, step.Number))
			if means(words[1], step.Name, step.Number) {
				return func(a *remote.Stage, b *remote.Step) bool { return a.Number == stage.Number && b.Number == step.Number }, nil
			}
		}
	}
	switch {
	case found && len(steps) == 0:
		return nil, &Error{Message: fmt.Sprintf("stage %s of build %d has no steps: they are known when it has started", words[0], build.Number)}
	case found:
		return nil, &Error{fmt.Sprintf("stage %s of build %d has no step %q", words[0], build.Number, words[1]), "it has " + strings.Join(steps, ", ")}
	case len(stages) == 0:
		return nil, &Error{fmt.Sprintf("build %d has no stages", build.Number), build.Error}
	}
	return nil, &Error{fmt.Sprintf("build %d has no stage %q", build.Number, words[0]), "it has " + strings.Join(stages, ", ")}
}

// Failed reports a step whose failure counts. It is a filter, as those of Steps.
func Failed(_ *remote.Stage, step *remote.Step) bool {
	switch step.Status {
	case remote.StateFailure, remote.StateError:
		return !step.ErrIgnore
	case remote.StateKilled:
		return true
	}
	return false
}
