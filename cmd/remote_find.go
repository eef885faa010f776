package cmd

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/remote"
)

// buildOf is the build that a word names, a number or last; without one it is the
// newest of the commit that is checked out here, else the newest of all, and
// which one that is gets told.
func (q *session) buildOf(ctx context.Context, s Streams, repo remote.Slug, word string) (int64, error) {
	if word != "" {
		return q.buildNumber(ctx, repo, word)
	}
	list, err := q.BuildList(ctx, repo, remote.BuildFilter{}, 1, selection.Recent)
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
