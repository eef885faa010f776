// Package snapshot copies a working tree, so that what happens to the copy
// cannot change the tree: files are copied, never linked, and git in the copy
// finds its repository there.
//
// It does not know which files belong to a tree; that is handed in.
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
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Source is a working tree.
type Source struct {
	// Dir is its directory, absolute.
	Dir string
	// Files visits what belongs to it, a directory before what is in it, by
	// path from Dir on. It leaves out a directory for fs.SkipDir.
	Files func(visit func(name string, entry fs.DirEntry) error) error
	// GitDir has HEAD and the index of the tree, CommonDir everything else of
	// the repository; they are the same but in a linked worktree. Both are
	// empty when there is no repository to copy.
	GitDir, CommonDir string
}

// Copy copies a working tree into the existing directory to. Permissions and
// times of files stay, symbolic links are copied as such, whatever they point
// to; sockets, pipes and devices are left out, as is what vanishes meanwhile.
// The copy ends early with the cause of ctx. What has been copied is left to
// the caller.
//
// Where the file system can share blocks between files until one is changed,
// the kernel does so.
func Copy(ctx context.Context, from Source, to string) error {
	c := newCopier(ctx, to)
	err := from.Files(func(name string, entry fs.DirEntry) error {
		return c.entry(filepath.Join(from.Dir, name), name, entry)
	})
	if err == nil && from.GitDir != "" {
		err = c.repository(from)
	}
	// A file that could not be copied ends the walk, too, and says more.
	if failed := c.finish(); failed != nil {
		return failed
	}
	return err
}

// copier copies entries into the directory to, files several at a time.
type copier struct {
	ctx   context.Context
	to    string
	files *errgroup.Group
	dirs  []made // in the order in which they were made
}

// made is a directory that gets its permissions when all is in it.
type made struct {
	name string
	mode fs.FileMode
}

func newCopier(ctx context.Context, to string) *copier {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	return &copier{ctx: ctx, to: to, files: group}
}

// finish waits for the files, and closes directories that are closed to the
// user in the source.
func (c *copier) finish() error {
	err := c.files.Wait()
	for i := len(c.dirs) - 1; i >= 0; i-- {
		err = errors.Join(err, os.Chmod(c.dirs[i].name, c.dirs[i].mode))
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
	case from == c.to:
		return fs.SkipDir // the copy lies in what it is a copy of
	case entry.IsDir():
		return c.directory(to, entry)
	case entry.Type()&fs.ModeSymlink != 0:
		return vanished(copyLink(from, to))
	case entry.Type().IsRegular():
		c.files.Go(func() error { return vanished(copyFile(from, to)) })
	}
	return nil
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

func copyLink(from, to string) error {
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	return os.Symlink(target, to)
}

// copyFile copies a file with its permissions and time: tools such as make
// compare times.
func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := io.Copy(target, source); err != nil {
		return fmt.Errorf("cannot copy %s: %w", from, err)
	}
	if err := target.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	return os.Chtimes(to, time.Time{}, info.ModTime())
}

// vanished forgives a file that was removed while the copy was made.
func vanished(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// repository makes the ".git" of the copy. What a linked worktree shares with
// others is its own there.
func (c *copier) repository(from Source) error {
	git := filepath.Join(c.to, ".git")
	if err := os.Mkdir(git, 0o700); err != nil {
		return err
	}
	own := from.GitDir == from.CommonDir
	err := c.tree(from.CommonDir, git, func(name string) bool {
		return name == "worktrees" || isLock(name) || name == "config" || !own && (ofCheckout(name) || isFile(from.GitDir, name))
	})
	if err == nil && !own {
		err = c.tree(from.GitDir, git, func(name string) bool {
			return isLock(name) || name == "commondir" || name == "gitdir" || name == "locked"
		})
	}
	if err != nil {
		return err
	}
	return errors.Join(
		vanished(c.rewrite(from.CommonDir, git, "config", withoutPlaces)),
		vanished(c.rewrite(from.CommonDir, git, filepath.Join("objects", "info", "alternates"), absolute(from.CommonDir))),
	)
}

// tree copies the directory from into to, but for the entries at its top that
// skip names. What is there already stays: directories that both have.
func (c *copier) tree(from, to string, skip func(name string) bool) error {
	inner := &copier{ctx: c.ctx, to: to, files: c.files}
	alternates := filepath.Join("objects", "info", "alternates")
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(from, path)
		switch {
		case err != nil:
			return vanished(err)
		case relErr != nil || name == "." || name == alternates:
			return relErr
		case skip(name) && entry.IsDir():
			return fs.SkipDir
		case skip(name):
			return nil
		}
		if err := inner.entry(path, name, entry); !entry.IsDir() || !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}

// isLock reports the marks of a git that is at work in the source.
func isLock(name string) bool { return strings.HasSuffix(name, ".lock") }

// isFile reports a file of that name in a directory.
func isFile(dir, name string) bool {
	info, err := os.Lstat(filepath.Join(dir, name))
	return err == nil && !info.IsDir()
}

// ofCheckout names what belongs to the main worktree of a repository: a linked
// one has its own.
func ofCheckout(name string) bool {
	switch name {
	case "HEAD", "index", "ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD",
		"rebase-merge", "rebase-apply", "sequencer", "config.worktree", filepath.Join("logs", "HEAD"):
		return true
	}
	return false
}
