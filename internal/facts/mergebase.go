package facts

import (
	"container/heap"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// errUnrelated means that two histories have no commit in common.
var errUnrelated = errors.New("the two histories have no commit in common")

// Marks of a commit on the way to a merge base.
const (
	fromOne = 1 << iota
	fromOther
	older // than a commit that both histories hold
)

// mergeBase finds the newest commit that is in the history of both commits and
// in that of no other such commit. It walks back from the newest on, as git
// does, so that it reads little more than what came after the base; go-git
// reads one history as a whole. Where histories have crossed there may be
// several, and it takes the newest.
//
// The error is errUnrelated, or names what is missing in a repository whose
// history is cut off.
func (t *Tree) mergeBase(one, other plumbing.Hash) (plumbing.Hash, error) {
	w := walk{tree: t, marks: map[plumbing.Hash]int{}}
	w.reach(one, fromOne)
	w.reach(other, fromOther)
	var found []plumbing.Hash
	for w.undecided() {
		c := heap.Pop(&w.queue).(*object.Commit)
		mark := w.marks[c.Hash]
		if mark == fromOne|fromOther {
			found = append(found, c.Hash)
			mark |= older
		}
		for _, parent := range c.ParentHashes {
			w.reach(parent, mark)
		}
	}
	for _, hash := range found {
		if w.marks[hash]&older == 0 {
			return hash, nil
		}
	}
	if w.lost.IsZero() {
		return plumbing.ZeroHash, errUnrelated
	}
	return plumbing.ZeroHash, t.missing(w.lost)
}

// walk is a way back through history.
type walk struct {
	tree  *Tree
	queue commits
	marks map[plumbing.Hash]int
	lost  plumbing.Hash // a commit that is not in the repository
}

// reach marks a commit and puts it into the queue, unless it has been there.
func (w *walk) reach(hash plumbing.Hash, mark int) {
	if w.marks[hash]|mark == w.marks[hash] {
		return
	}
	w.marks[hash] |= mark
	c, err := w.tree.repo.CommitObject(hash)
	if err != nil {
		w.lost = hash
		return
	}
	heap.Push(&w.queue, c)
}

// undecided reports whether a commit in the queue may still be a base or lead
// to one. Dates alone do not tell: clocks differ, and many commits have one.
func (w *walk) undecided() bool {
	for _, c := range w.queue {
		if w.marks[c.Hash]&older == 0 {
			return true
		}
	}
	return false
}

// commits is a heap with the newest commit on top.
type commits []*object.Commit

func (c commits) Len() int           { return len(c) }
func (c commits) Less(i, j int) bool { return c[i].Committer.When.After(c[j].Committer.When) }
func (c commits) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *commits) Push(x any)        { *c = append(*c, x.(*object.Commit)) }
func (c *commits) Pop() any {
	old := *c
	last := old[len(old)-1]
	*c = old[:len(old)-1]
	return last
}
