package facts

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// file is the state of a file, in a commit or on disk.
type file struct {
	hash plumbing.Hash
	// plain is the hash that the content has without "\r", zero when that makes
	// no difference: a commit may hold it so.
	plain plumbing.Hash
	mode  filemode.FileMode
}

// differs reports whether the file under that name is another one than it was,
// or was not there.
func (f file) differs(before map[string]file, name string) bool {
	was, ok := before[name]
	if !ok || kindOf(was.mode) != kindOf(f.mode) {
		return true
	}
	return was.hash != f.hash && was.hash != f.plain
}

// kindOf is a mode without what does not count.
func kindOf(m filemode.FileMode) filemode.FileMode {
	if m == filemode.Deprecated {
		return filemode.Regular
	}
	return m
}

// filesAt lists the files of a commit; those of the zero hash are none.
func (t *Tree) filesAt(hash plumbing.Hash) (map[string]file, error) {
	files := map[string]file{}
	if hash.IsZero() {
		return files, nil
	}
	commit, err := t.repo.CommitObject(hash)
	if err != nil {
		return nil, t.missing(hash)
	}
	if err := t.addFolder(files, "", commit.TreeHash); err != nil {
		return nil, fmt.Errorf("the files of commit %s cannot be read: %w", hash.String()[:7], err)
	}
	return files, nil
}

// addFolder adds what is in a folder of a commit, by its path with a slash at
// the end.
func (t *Tree) addFolder(files map[string]file, path string, hash plumbing.Hash) error {
	tree, err := object.GetTree(t.repo.Storer, hash)
	if err != nil {
		return err
	}
	for _, e := range tree.Entries {
		if e.Mode != filemode.Dir {
			files[path+e.Name] = file{hash: e.Hash, mode: e.Mode}
			continue
		}
		if err := t.addFolder(files, path+e.Name+"/", e.Hash); err != nil {
			return err
		}
	}
	return nil
}

// changedSince lists the files of the working tree that differ from those
// before. Staged or not makes no difference; files that are neither tracked
// nor ignored count as new ones. A submodule counts as one file, whose content
// is the commit that is checked out in it.
func (t *Tree) changedSince(before map[string]file) ([]string, error) {
	if t.cfg.Core.IsBare {
		return nil, errNoRepository
	}
	idx, err := t.index()
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	for name := range before {
		changed[name] = true
	}
	tracked := map[string]bool{}
	for _, e := range idx.Entries {
		tracked[e.Name] = true
		now, there, err := t.fileOf(e, idx.ModTime)
		if err != nil {
			return nil, err
		}
		changed[e.Name] = hasChanged(before, e.Name, now, there)
	}
	for _, name := range t.untracked(tracked) {
		now, there, err := t.read(name, filemode.Regular)
		if err != nil {
			return nil, err
		}
		changed[name] = hasChanged(before, name, now, there)
	}
	return names(changed), nil
}

// hasChanged compares a file, or its absence, with what was before.
func hasChanged(before map[string]file, name string, now file, there bool) bool {
	if _, was := before[name]; was != there {
		return true
	}
	return there && now.differs(before, name)
}

func (t *Tree) index() (*index.Index, error) {
	idx, err := t.repo.Storer.Index()
	// With index.skipHash git leaves the checksum out; everything else has been
	// read when the checksum turns out wrong.
	if err != nil && !errors.Is(err, index.ErrInvalidChecksum) {
		return nil, fmt.Errorf("the git index cannot be read: %w", err)
	}
	return idx, nil
}

// fileOf is a tracked file as it is on disk. It reads the content only when
// size and times do not tell that it is as the index has it.
func (t *Tree) fileOf(e *index.Entry, written time.Time) (now file, there bool, err error) {
	err = compareFile(t.Root, e, written, t.trustsMode())
	if err == nil {
		return file{hash: e.Hash, mode: e.Mode}, true, nil
	}
	if !errors.Is(err, errChanged) {
		return file{}, false, err
	}
	return t.read(e.Name, e.Mode)
}

// read is a file on disk; mode is what it counts as where the disk cannot say.
func (t *Tree) read(name string, mode filemode.FileMode) (now file, there bool, err error) {
	full := filepath.Join(t.Root, filepath.FromSlash(name))
	info, err := os.Lstat(full)
	switch {
	case gone(err):
		return file{}, false, nil
	case err != nil:
		return file{}, false, err
	case info.IsDir() && mode == filemode.Submodule:
		head, err := submoduleHead(full)
		return file{hash: head, mode: mode}, true, err
	case info.Mode()&fs.ModeSymlink != 0:
		mode = filemode.Symlink
	case !info.Mode().IsRegular():
		return file{}, false, nil
	case t.trustsMode() && info.Mode().Perm()&0o100 != 0:
		mode = filemode.Executable
	case t.trustsMode():
		mode = filemode.Regular
	}
	content, err := readBlob(full, info.Mode())
	if err != nil {
		return file{}, false, err
	}
	now = file{hash: blobHash(content), mode: mode}
	if bytes.Contains(content, []byte("\r\n")) {
		now.plain = blobHash(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")))
	}
	return now, true, nil
}

// gone reports that there is no such file, also because a folder on the way to
// it has become a file.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, syscall.ENOTDIR)
}

// trustsMode reports whether the disk says which files are executable.
func (t *Tree) trustsMode() bool {
	return !strings.EqualFold(t.cfg.Raw.Section("core").Option("filemode"), "false")
}
