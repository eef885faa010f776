package facts

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/object"
	"golang.org/x/sync/errgroup"
)

// errChanged ends a comparison at the first difference.
var errChanged = errors.New("changed")

// dirty reports whether a tracked file differs from HEAD, staged or not, as
// `git describe --dirty` does: untracked files do not count, and of a submodule
// only the commit that is checked out does. It trusts sizes and times as git
// does and reads only files whose times say nothing, which makes it as fast as
// git; go-git's own status reads every file. A file with a content filter (Git
// LFS) counts as changed when its time changed, because filters are programs
// and are not run.
func (t *Tree) dirty() (bool, error) {
	if t.repo == nil || t.cfg.Core.IsBare {
		return false, errNoRepository
	}
	idx, err := t.index()
	if err != nil {
		return false, err
	}
	err = t.compareHead(idx)
	if err == nil {
		err = t.compareFiles(idx)
	}
	if errors.Is(err, errChanged) {
		return true, nil
	}
	return false, err
}

// compareHead finds staged changes. The index remembers the tree it would make
// as long as nothing was staged since the last commit or checkout.
func (t *Tree) compareHead(idx *index.Index) error {
	if t.Head.Hash == "" {
		if len(idx.Entries) > 0 {
			return errChanged
		}
		return nil
	}
	commit, err := t.repo.CommitObject(plumbing.NewHash(t.Head.Hash))
	if err != nil {
		return err
	}
	if c := idx.Cache; c != nil && len(c.Entries) > 0 && c.Entries[0].Entries >= 0 && c.Entries[0].Hash == commit.TreeHash {
		return nil
	}
	tree, err := commit.Tree()
	if err != nil {
		return err
	}
	staged := make(map[string]*index.Entry, len(idx.Entries))
	for _, e := range idx.Entries {
		staged[e.Name] = e
	}
	walker := object.NewTreeWalker(tree, true, nil)
	defer walker.Close()
	for {
		name, entry, err := walker.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if entry.Mode == filemode.Dir {
			continue
		}
		if e := staged[name]; e == nil || e.Hash != entry.Hash || e.Mode != entry.Mode {
			return errChanged
		}
		delete(staged, name)
	}
	if len(staged) > 0 {
		return errChanged
	}
	return nil
}

// compareFiles compares the files on disk with the index, a part per core.
func (t *Tree) compareFiles(idx *index.Index) error {
	workers := runtime.GOMAXPROCS(0)
	part := len(idx.Entries)/workers + 1
	trustMode := t.trustsMode()
	var found atomic.Bool
	var group errgroup.Group
	for start := 0; start < len(idx.Entries); start += part {
		entries := idx.Entries[start:min(start+part, len(idx.Entries))]
		group.Go(func() error {
			for _, e := range entries {
				if found.Load() {
					return nil
				}
				if err := compareFile(t.Root, e, idx.ModTime, trustMode); err != nil {
					found.Store(true)
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func compareFile(root string, e *index.Entry, written time.Time, trustMode bool) error {
	if e.Stage != 0 || e.IntentToAdd {
		return errChanged
	}
	if e.SkipWorktree {
		return nil
	}
	name := filepath.Join(root, filepath.FromSlash(e.Name))
	info, err := os.Lstat(name)
	if err != nil {
		if gone(err) {
			return errChanged
		}
		return err
	}
	if e.Mode == filemode.Submodule {
		return compareSubmodule(name, e, info)
	}
	if !sameKind(e.Mode, info.Mode(), trustMode) {
		return errChanged
	}
	// A size of 0 in the index may also be git's mark for an entry whose time
	// says nothing.
	if e.Size != 0 && uint32(info.Size()) != e.Size {
		return errChanged
	}
	// A file written at the time of the index or later can have changed
	// without its time showing it.
	if uint32(info.Size()) == e.Size && sameTime(e.ModifiedAt, info.ModTime()) && e.ModifiedAt.Before(written) {
		return nil
	}
	return compareContent(name, e, info.Mode())
}

func sameKind(tracked filemode.FileMode, mode fs.FileMode, trustMode bool) bool {
	if tracked == filemode.Symlink {
		// Where links cannot be made, git writes their target into a file.
		return mode&fs.ModeSymlink != 0 || mode.IsRegular() && runtime.GOOS == "windows"
	}
	if !mode.IsRegular() {
		return false
	}
	if !trustMode || runtime.GOOS == "windows" {
		return true
	}
	return (tracked == filemode.Executable) == (mode.Perm()&0o100 != 0)
}

// sameTime compares as exactly as the index was written: some builds of git
// store whole seconds.
func sameTime(stored, actual time.Time) bool {
	if stored.Nanosecond() == 0 {
		return stored.Unix() == actual.Unix()
	}
	return stored.Equal(actual)
}

func compareContent(name string, e *index.Entry, mode fs.FileMode) error {
	content, err := readBlob(name, mode)
	if err != nil {
		return err
	}
	if blobHash(content) == e.Hash {
		return nil
	}
	// With line end conversion the repository holds the text with "\n" only.
	if bytes.Contains(content, []byte("\r\n")) && blobHash(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))) == e.Hash {
		return nil
	}
	return errChanged
}

func readBlob(name string, mode fs.FileMode) ([]byte, error) {
	if mode&fs.ModeSymlink == 0 {
		return os.ReadFile(name)
	}
	target, err := os.Readlink(name)
	return []byte(filepath.ToSlash(target)), err
}

func blobHash(content []byte) plumbing.Hash {
	h := sha1.New() // the object format of git, not a protection
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return plumbing.Hash(h.Sum(nil))
}
