package cmd

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/remote"
)

// recentBuilds is how many builds are looked through for those of a branch or a
// commit.
const recentBuilds = 100

// buildOf is the build that a word names, a number or last; without one it is the
// newest of the commit that is checked out here, else the newest of all, and
// which one that is gets told.
func (q *session) buildOf(ctx context.Context, s Streams, repo remote.Slug, word string) (int64, error) {
	if word != "" {
		return q.buildNumber(ctx, repo, word)
	}
	list, err := q.BuildList(ctx, repo, remote.BuildFilter{}, 1, recentBuilds)
	if err != nil {
		return 0, err
	}
	if len(list) == 0 {
		return 0, usage(fmt.Errorf("%s has no build yet", repo), "`drone build create` starts one")
	}
	b := list[0]
	if head := facts.Read(".").Head.Hash; head != "" {
		if i := slices.IndexFunc(list, func(b remote.Build) bool { return b.After == head }); i >= 0 {
			b = list[i]
		}
	}
	s.note(fmt.Sprintf("build %d of %s: %s, %s@%s", b.Number, repo, b.Event, b.Target, b.After[:min(len(b.After), commitWidth)]))
	return b.Number, nil
}

var hash = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// commitOf is the hash of a commit, or the beginning of one that this working tree
// does not have.
func commitOf(revision string) (string, error) {
	if full, ok := facts.Read(".").Revision(revision); ok {
		return full, nil
	}
	if hash.MatchString(revision) {
		return revision, nil
	}
	return "", usage(fmt.Errorf("git knows no commit %q", revision), "write HEAD, a branch, or a hash of at least 7 digits")
}

// choice says which builds of a repository are meant.
type buildChoice struct{ branch, commit string }

// choose lists them, the newest first, without stages. Those of a branch are the
// ones that build it, and the pull requests from it.
func (q *session) choose(ctx context.Context, repo remote.Slug, o buildChoice) ([]remote.Build, error) {
	list, err := q.BuildList(ctx, repo, remote.BuildFilter{}, 1, recentBuilds)
	if err != nil {
		return nil, err
	}
	switch {
	case o.commit != "":
		return slices.DeleteFunc(list, func(b remote.Build) bool { return !strings.HasPrefix(b.After, o.commit) }), nil
	case o.branch == "":
		return list, nil
	}
	list = slices.DeleteFunc(list, func(b remote.Build) bool { return b.Source != o.branch && b.Target != o.branch })
	if len(list) < recentBuilds/4 { // there may be older ones
		more, err := q.BuildList(ctx, repo, remote.BuildFilter{Branch: o.branch}, 1, recentBuilds/4)
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

// stepsNamed gives a filter for the steps that words name: STAGE, or STAGE and
// STEP, by number or by name.
func stepsNamed(build *remote.Build, words []string) (func(*remote.Stage, *remote.Step) bool, error) {
	names := func(word, name string, number int) bool { return word == fmt.Sprint(number) || word == name }
	var stages, steps []string
	found := false
	for _, stage := range build.Stages {
		stages = append(stages, fmt.Sprintf("%d (%s)", stage.Number, stage.Name))
		if !names(words[0], stage.Name, stage.Number) {
			continue
		}
		found = true
		for _, step := range stage.Steps {
			steps = append(steps, fmt.Sprintf("%d (%s)", step.Number, step.Name))
			if len(words) > 1 && names(words[1], step.Name, step.Number) {
				return func(a *remote.Stage, b *remote.Step) bool { return a.Number == stage.Number && b.Number == step.Number }, nil
			}
		}
		if len(words) == 1 {
			return func(a *remote.Stage, _ *remote.Step) bool { return a.Number == stage.Number }, nil
		}
	}
	if found {
		if len(steps) == 0 {
			return nil, usage(fmt.Errorf("stage %s of build %d has no steps: they are known when it has started", words[0], build.Number), "")
		}
		return nil, usage(fmt.Errorf("stage %s of build %d has no step %q", words[0], build.Number, words[1]), "it has "+strings.Join(steps, ", "))
	}
	if len(stages) == 0 {
		return nil, usage(fmt.Errorf("build %d has no stages", build.Number), build.Error)
	}
	return nil, usage(fmt.Errorf("build %d has no stage %q", build.Number, words[0]), "it has "+strings.Join(stages, ", "))
}

// failedStep reports a step whose failure counts.
func failedStep(_ *remote.Stage, step *remote.Step) bool {
	switch step.Status {
	case remote.StateFailure, remote.StateError:
		return !step.ErrIgnore
	case remote.StateKilled:
		return true
	}
	return false
}
