// Package snapshot copies a working tree, so that what happens to the copy
// cannot change the tree: files are copied, never linked, and git in the copy
// finds its repository there. It also brings back what has changed in a copy,
// to where the caller wants it.
//
// It does not know which files belong to a tree; that is handed in. It removes
// no copy, and gives nobody's files to anybody else. Its functions may be called
// at the same time for different directories.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/internal/hostpath"
)

// Source is a working tree.
type Source struct {
	// Dir is its directory, absolute.
	Dir string
	// Files visits what belongs to it, a directory before what is in it, by
	// path from Dir on. It leaves out a directory for fs.SkipDir.
	Files func(visit func(name string, entry fs.DirEntry) error) error
	// GitDir has HEAD and the index of the tree, CommonDir everything else of
	// the repository; they are the same but in a linked worktree. Neither is a
	// symbolic link. Both are empty when there is no repository to copy.
	GitDir, CommonDir string
	// Around is the directory that the copy is part of, with what else is not
	// of the tree. It is left out where the tree has it. It may be empty.
	Around string
	// Seen is the directory as which those who work on the copy see it, as in a
	// container; empty is the copy itself.
	Seen string
	// Warn is told what of the tree is not in the copy though it was visited.
	Warn func(text string)
}

// Size is how much was copied.
type Size struct {
	Files int64 // also symbolic links, and those of git
	Bytes int64 // of regular files
}

// Copy copies a working tree into the existing directory to, which is free of
// symbolic links. Permissions and times of files stay, symbolic links are
// copied as such, whatever they point to, but those that name a place in the
// tree by its way from the root name the one in the copy. Sockets, pipes and
// devices are left out, as is what vanishes meanwhile. The copy ends early with
// the cause of ctx. What has been copied is left to the caller.
//
// Git works on the copy there, in the repositories within the tree, too. Files
// does not visit the ".git" of the tree itself.
//
// Where the file system can share blocks between files until one is changed,
// the kernel does so.
func Copy(ctx context.Context, from Source, to string) (Size, error) {
	c := newCopier(ctx, from, to)
	err := from.Files(func(name string, entry fs.DirEntry) error {
		return c.entry(filepath.Join(from.Dir, name), name, entry)
	})
	if err == nil {
		err = c.repositories()
	}
	// A file that could not be copied ends the walk, too, and says more.
	if failed := c.finish(); failed != nil {
		err = failed
	}
	return Size{c.copied.files.Load(), c.copied.bytes.Load()}, err
}

// copier copies entries into the directory to, files several at a time.
type copier struct {
	source  Source
	to      string
	started context.Context // that of Copy
	ctx     context.Context // of the files being copied
	files   *errgroup.Group
	around  fs.FileInfo // of the directory to leave out, or nil
	tops    []string    // of the tree, as it is named and without links
	dirs    []made      // in the order in which they were made
	copied  tally
	// What the walk through the tree finds of git: its repositories, and the
	// files that name the repository of the directory they are in.
	repos    []repository
	pointers []pointer
}

// tally counts what is copied, several files at a time.
type tally struct{ files, bytes atomic.Int64 }

func (t *tally) add(bytes int64) {
	t.files.Add(1)
	t.bytes.Add(bytes)
}

// made is a directory that gets its permissions when all is in it.
type made struct {
	name string
	mode fs.FileMode
}

func newCopier(ctx context.Context, from Source, to string) *copier {
	c := &copier{source: from, to: to, started: ctx, tops: []string{from.Dir}}
	if real, err := filepath.EvalSymlinks(from.Dir); err == nil {
		c.tops = append(c.tops, real)
	}
	if from.Around == "" {
		from.Around = to
	}
	if c.source.Seen == "" {
		c.source.Seen = to
	}
	if info, err := os.Lstat(from.Around); err == nil {
		c.around = info
	}
	c.begin()
	if from.GitDir != "" {
		c.repos = append(c.repos, repository{own: from.GitDir, common: from.CommonDir, to: filepath.Join(to, ".git"), tree: to})
	}
	return c
}

func (c *copier) begin() {
	c.files, c.ctx = errgroup.WithContext(c.started)
	c.files.SetLimit(2 * runtime.GOMAXPROCS(0))
}

// wait waits for the files so far.
func (c *copier) wait() error {
	err := c.files.Wait()
	c.begin()
	return err
}

// finish waits for the files, and closes directories that are closed to the
// user in the source.
func (c *copier) finish() error {
	err := c.files.Wait()
	for _, dir := range slices.Backward(c.dirs) {
		err = errors.Join(err, os.Chmod(dir.name, dir.mode))
	}
	return err
}

// entry copies one entry. Other than those of directories, errors of reading
// may come from finish.
func (c *copier) entry(from, name string, entry fs.DirEntry) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	to := filepath.Join(c.to, name)
	switch {
	case entry.IsDir() && c.isAround(entry):
		return fs.SkipDir // the copy lies in what it is a copy of
	case entry.Name() == ".git":
		return c.nested(from, name, entry)
	case entry.IsDir():
		return c.directory(to, entry)
	case entry.Type()&fs.ModeSymlink != 0:
		return vanished(c.link(from, name, to))
	case entry.Type().IsRegular():
		c.file(from, to)
	}
	return nil
}

// file copies a file as soon as there is room for another one.
func (c *copier) file(from, to string) {
	ctx := c.ctx
	c.files.Go(func() error {
		size, err := copyFile(ctx, from, to)
		if err == nil && size >= 0 {
			c.copied.add(size)
		}
		return vanished(err)
	})
}

func (c *copier) directory(to string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return vanished(err)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode != 0o700 {
		c.dirs = append(c.dirs, made{to, mode})
	}
	return nil
}

// isAround reports the directory around the copy, by whatever way the walk has
// come to it.
func (c *copier) isAround(entry fs.DirEntry) bool {
	if c.around == nil || entry.Name() != c.around.Name() {
		return false
	}
	info, err := entry.Info()
	return err == nil && os.SameFile(info, c.around)
}

// link copies a symbolic link. One that leaves the tree and comes back to it,
// as an absolute one does, would lead from the copy to the original.
func (c *copier) link(from, name, to string) error {
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	full := target
	if !filepath.IsAbs(target) {
		full = filepath.Join(filepath.Dir(from), target)
	}
	if filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), target)) {
		if inside, ok := c.inside(full); ok {
			target = hostpath.Join(c.source.Seen, filepath.ToSlash(inside))
		}
	}
	if err := os.Symlink(target, to); err != nil {
		return err
	}
	c.copied.add(0)
	return nil
}

// inside is the way from the top of the tree to a path in it.
func (c *copier) inside(name string) (string, bool) {
	names := []string{name}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		names = append(names, real)
	}
	for _, name := range names {
		for _, top := range c.tops {
			if way, err := filepath.Rel(top, name); err == nil && filepath.IsLocal(way) {
				return way, true
			}
		}
	}
	return "", false
}

// copyFile copies a file with its permissions and time: tools such as make
// compare times. The size is negative when it is no file any more.
func copyFile(ctx context.Context, from, to string) (size int64, err error) {
	source, err := openRegular(from)
	if source == nil {
		return -1, err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return -1, err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return -1, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if err := copyContent(ctx, target, source, info); err != nil {
		if ctx.Err() != nil {
			return -1, context.Cause(ctx)
		}
		return -1, fmt.Errorf("cannot copy %s: %w", from, err)
	}
	if err := target.Chmod(info.Mode().Perm()); err != nil {
		return -1, err
	}
	return info.Size(), os.Chtimes(to, time.Time{}, info.ModTime())
}

// openRegular opens a file to read. It is nil, without an error, when there is
// something else by now: opening a pipe would wait for somebody to write, and a
// link may lead anywhere.
func openRegular(name string) (*os.File, error) {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDONLY|dontWait, 0)
	if err != nil {
		return nil, err
	}
	if info, err = file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// piece is how much is copied between two looks at whether to go on.
const piece = 16 << 20

// copyContent fills an empty file.
func copyContent(ctx context.Context, to, from *os.File, info fs.FileInfo) error {
	if info.Size() == 0 || clone(to, from) {
		return nil
	}
	return copyPieces(ctx, to, from, info.Size(), mayHaveHoles(info))
}

// copyPieces copies as much as was in a file when the copy began: one that
// grows as fast as it is copied would have no end. Holes stay holes where the
// system tells them.
func copyPieces(ctx context.Context, to, from *os.File, size int64, holes bool) error {
	written := int64(0)
	for at := int64(0); at < size; {
		begin, end := at, size
		if holes {
			if begin, end = nextData(from, at, size); begin >= size {
				break
			}
			if _, err := from.Seek(begin, io.SeekStart); err != nil {
				return err
			}
			if _, err := to.Seek(begin, io.SeekStart); err != nil {
				return err
			}
		}
		for at = begin; at < end; {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			n, err := io.CopyN(to, from, min(piece, end-at))
			if errors.Is(err, io.EOF) {
				return nil // it has become shorter
			}
			if err != nil {
				return err
			}
			at += n
			written = at
		}
	}
	if written == size {
		return nil
	}
	return to.Truncate(size) // it ends with a hole
}

// vanished forgives a file that was removed while the copy was made.
func vanished(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
