//go:build unix

package fileowner

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// errOther is a path that leads to another file than it did.
var errOther = errors.New("it is another file now")

// Give makes files below dir belong to an owner, which takes the rights of
// root. It goes from dir to each of them without following a symbolic link,
// also where one has taken the place of a directory, and passes over what has
// vanished. It goes on after a failure; the error is that of the first.
func Give(dir string, files []File, to Owner) error {
	root, err := open(unix.AT_FDCWD, dir, pathOnly|unix.O_DIRECTORY)
	if err != nil {
		return fmt.Errorf("cannot open %s: %w", dir, err)
	}
	defer unix.Close(root)
	g := giver{root: root, parent: -1}
	defer g.leave()
	for _, f := range files {
		failure := g.give(f, to)
		if failure != nil && !errors.Is(failure, unix.ENOENT) && err == nil {
			err = fmt.Errorf("cannot change the owner of %q: %w", f.Path, failure)
		}
	}
	return err
}

// giver keeps the last directory open, since most files follow a neighbour.
type giver struct {
	root   int
	parent int // descriptor, -1 for none
	path   string
}

func (g *giver) leave() {
	if g.parent >= 0 {
		_ = unix.Close(g.parent) // nothing was written through it
	}
	g.parent = -1
}

func (g *giver) give(f File, to Owner) error {
	gid := to.GID
	if f.KeepGroup {
		gid = -1
	}
	if f.Path == "." {
		return chown(g.root, ".", f.Inode, to.UID, gid)
	}
	parent, name := path.Split(f.Path)
	if err := g.enter(strings.TrimSuffix(parent, "/")); err != nil {
		return err
	}
	return chown(g.parent, name, f.Inode, to.UID, gid)
}

// enter makes dir the directory that is open.
func (g *giver) enter(dir string) error {
	if g.parent >= 0 && g.path == dir {
		return nil
	}
	g.leave()
	at, err := open(g.root, ".", pathOnly|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(dir, "/") {
		if name == "" {
			continue
		}
		if name == ".." {
			_ = unix.Close(at)
			return errOther
		}
		next, err := open(at, name, pathOnly|unix.O_DIRECTORY|unix.O_NOFOLLOW)
		_ = unix.Close(at)
		if err != nil {
			return err
		}
		at = next
	}
	g.parent, g.path = at, dir
	return nil
}
