package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// compareSubmodule compares the commit that is checked out in a submodule with
// the one in the index. One in which none is checked out has not changed: who
// does not need a submodule leaves it so.
func compareSubmodule(name string, e *index.Entry, info fs.FileInfo) error {
	if !info.IsDir() {
		return errChanged
	}
	head, err := submoduleHead(name)
	if err != nil {
		return err
	}
	if !head.IsZero() && head != e.Hash {
		return errChanged
	}
	return nil
}

// submoduleHead is the commit that is checked out in a submodule, zero where
// there is none.
func submoduleHead(folder string) (plumbing.Hash, error) {
	head, err := headOf(folder)
	if err != nil {
		return head, fmt.Errorf("the submodule %s cannot be read: %w", folder, err)
	}
	return head, nil
}

func headOf(folder string) (plumbing.Hash, error) {
	dot := filepath.Join(folder, ".git")
	info, err := os.Stat(dot)
	if gone(err) {
		return plumbing.ZeroHash, nil
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	loc, err := resolveGitDir(folder, dot, info.IsDir())
	if err != nil {
		return plumbing.ZeroHash, err
	}
	disk, err := openStorage(loc)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	head, err := storer.ResolveReference(disk, plumbing.HEAD)
	if errors.Is(err, plumbing.ErrReferenceNotFound) { // no commit yet
		return plumbing.ZeroHash, nil
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return head.Hash(), nil
}
