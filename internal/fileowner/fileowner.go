// Package fileowner finds what others than the caller own below a directory,
// and gives it to the caller: what containers wrote into a directory of this
// machine belongs to the user of the container, mostly root.
//
// Look remembers what belonged to others beforehand, and GiveBack gives the
// caller what has come since. Changing owners takes the rights of root, so
// GiveBack leaves that to a function: Give where the caller is root, else a
// helper that runs as root, to which a Client talks and which runs Serve.
//
// Nothing is changed but owner and group, and no symbolic link is followed.
// What other file systems hold that are mounted below the directory is left
// alone. On systems without numeric owners nothing is ever found.
package fileowner

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Owner is a user and a group, as this machine numbers them.
type Owner struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// File is something, of any kind, that belongs to somebody else.
type File struct {
	// Path is relative to the directory, "." for the directory itself. It
	// need not be UTF-8.
	Path string
	// Inode is the number that Path had. Path is left alone if it has another
	// one when its owner is to be changed.
	Inode uint64
	// KeepGroup is set for what has its group from a directory that hands on
	// its own (set-group-ID), as members of a team set it up.
	KeepGroup bool

	links  uint64 // how many names it has, 1 for a directory
	uid    int    // whom it belongs to
	dir    bool
	key    key
	closed bool // a directory that could not be read
}

// key tells a file from all others, also from one that was given the inode of
// a removed one, where the file system knows when a file was made.
type key struct {
	device, inode uint64
	born          int64 // nanoseconds, 0 when not known
}

// Tree is a directory and what below it belonged to others than the caller
// when Look was called. It does not change and is safe for concurrent use.
type Tree struct {
	dir string
	uid int

	paths  map[string]struct{} // that belonged to others
	files  map[key]struct{}    // the same by identity
	closed map[string]struct{} // directories that could not be read
	locked map[key]struct{}    // the same by identity
	homes  map[string]int      // directories of users other than root, and whose they were
}

// Everything is a tree in which everything should belong to uid, whoever owned
// it before.
func Everything(dir string, uid int) *Tree { return &Tree{dir: dir, uid: uid} }

// Look remembers what below dir belongs to others than uid. What is in
// directories that the caller may not read counts as that. It ends early with
// the cause of ctx.
func Look(ctx context.Context, dir string, uid int) (*Tree, error) {
	t := &Tree{
		dir: dir, uid: uid,
		paths: map[string]struct{}{}, files: map[key]struct{}{},
		closed: map[string]struct{}{}, locked: map[key]struct{}{}, homes: map[string]int{},
	}
	err := walk(ctx, dir, uid, []string{"."}, visitor{
		foreign: func(f File) bool {
			t.paths[f.Path] = struct{}{}
			t.files[f.key] = struct{}{}
			if f.dir && f.uid != 0 {
				t.homes[f.Path] = f.uid
			}
			return true
		},
		closed: func(f File) {
			t.closed[f.Path] = struct{}{}
			t.locked[f.key] = struct{}{}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot look at the owners of the files in %s: %w", dir, err)
	}
	return t, nil
}

// knew reports whether a file belonged to somebody else before, under its name
// or another one.
func (t *Tree) knew(f File) bool {
	_, path := t.paths[f.Path]
	_, file := t.files[f.key]
	return path || file
}

// sealed reports whether a directory could not be read before.
func (t *Tree) sealed(f File) bool {
	_, path := t.closed[f.Path]
	_, file := t.locked[f.key]
	return path || file
}

// strangers lists what belongs to others now and did not before, below paths,
// sorted so that a directory comes before what is in it. unseen are
// directories among paths that the caller cannot read.
func (t *Tree) strangers(ctx context.Context, paths []string) (found []File, unseen []string, err error) {
	closed := map[string]bool{}
	err = walk(ctx, t.dir, t.uid, paths, visitor{
		foreign: func(f File) bool {
			if !t.knew(f) {
				found = append(found, f)
			}
			return true
		},
		closed: func(f File) { closed[f.Path] = true },
		sealed: t.sealed, seals: len(t.closed) > 0,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("cannot look at the owners of the files in %s: %w", t.dir, err)
	}
	for i := range found {
		found[i].closed = closed[found[i].Path]
	}
	for _, path := range paths {
		if closed[path] {
			unseen = append(unseen, path)
		}
	}
	slices.SortFunc(found, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return t.withoutHomes(found), unseen, nil
}

// withoutHomes leaves out what is in a directory that belonged to its owner
// before: what a program of another user writes to its own directory, such as a
// database beside the run, is not from a step. What belongs to root is, for all
// that can be told, and root can do without. The list is sorted.
func (t *Tree) withoutHomes(found []File) []File {
	if len(t.homes) == 0 {
		return found
	}
	further := map[string]int{}
	return slices.DeleteFunc(found, func(f File) bool {
		parent := path.Dir(f.Path)
		uid, home := t.homes[parent]
		if !home {
			uid, home = further[parent]
		}
		if !home || f.Path == "." || uid != f.uid {
			return false
		}
		if f.dir {
			further[f.Path] = uid
		}
		return true
	})
}
