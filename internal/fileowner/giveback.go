package fileowner

import (
	"context"
	"errors"
	"slices"
)

// Options say how GiveBack goes about.
type Options struct {
	// HoldLinked leaves alone what has a name besides those that are given
	// back: where steps could reach more of the file system than the
	// directory, that name may be anywhere, and the file somebody else's. The
	// same goes for a tree with directories that Look could not read.
	HoldLinked bool
}

// Report is what GiveBack did.
type Report struct {
	Given int
	// Left are paths that still belong to others, or whose contents could not
	// be looked at, sorted.
	Left []string
}

// errLinked is why something is left with Options.HoldLinked.
var errLinked = errors.New("some have a name elsewhere as well, where it may be somebody else's file")

// errUnseen is why a directory is left that its new owner may not read.
var errUnseen = errors.New("the mode of a directory keeps its owner from reading it")

// GiveBack gives what belongs to others now and did not before to the owner,
// whose UID is that of the tree. give changes the owners of files; it is not
// called when there is nothing to give, and again for what is in directories
// that only their new owner can read. What it claims is not believed: the
// report says what is so afterwards. The error says why something is left; it
// is nil when nothing is.
func (t *Tree) GiveBack(ctx context.Context, opts Options, give func(context.Context, []File) error) (Report, error) {
	g := giving{tree: t, give: give}
	// What could not be seen may have got another name by a step.
	hold := opts.HoldLinked || len(t.closed) > 0
	var held []File
	for paths := []string{"."}; len(paths) > 0; {
		found, unseen, err := t.strangers(ctx, paths)
		if err != nil {
			g.fail(err)
			break
		}
		// What was closed before it changed hands should be open now.
		for _, path := range unseen {
			if path != "." {
				g.fail(errUnseen, path)
			}
		}
		now, later := found, []File(nil)
		if hold {
			now, later = split(found)
			held = append(held, later...)
		}
		paths = g.hand(ctx, now)
	}
	whole, rest := complete(held)
	g.hand(ctx, whole)
	for _, f := range rest {
		g.fail(errLinked, f.Path)
	}
	slices.Sort(g.report.Left)
	g.report.Left = slices.Compact(g.report.Left)
	return g.report, g.failed
}

// giving is one GiveBack.
type giving struct {
	tree   *Tree
	give   func(context.Context, []File) error
	report Report
	failed error // the first
}

// fail notes why something is left.
func (g *giving) fail(err error, paths ...string) {
	g.report.Left = append(g.report.Left, paths...)
	if g.failed == nil {
		g.failed = err
	}
}

// hand has the owners of files changed, and gives the directories among them that
// only now can be looked into.
func (g *giving) hand(ctx context.Context, files []File) (opened []string) {
	if len(files) == 0 {
		return nil
	}
	err := g.give(ctx, files)
	left, missing := g.tree.still(files)
	g.report.Given += len(files) - len(left) - missing
	if err == nil {
		err = errors.New("their owner has not changed")
	}
	for _, f := range files {
		switch {
		case left[f.Path]:
			g.fail(err, f.Path)
		case f.closed:
			opened = append(opened, f.Path)
		}
	}
	return opened
}

// split takes out the files that have several names.
func split(files []File) (single, linked []File) {
	for _, f := range files {
		if f.links > 1 {
			linked = append(linked, f)
		} else {
			single = append(single, f)
		}
	}
	return single, linked
}

// complete tells the files all of whose names are listed from the others.
func complete(files []File) (whole, rest []File) {
	names := map[key]uint64{}
	for _, f := range files {
		names[f.key]++
	}
	for _, f := range files {
		if names[f.key] == f.links {
			whole = append(whole, f)
		} else {
			rest = append(rest, f)
		}
	}
	return whole, rest
}
