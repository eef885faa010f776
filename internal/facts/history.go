package facts

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxVersion is the size beyond which a version of a file is passed over.
const maxVersion = 8 << 20

// Version is a file as a commit has made it.
type Version struct {
	Commit string // that made it so
	When   time.Time
	Text   []byte
}

// Versions goes through what a file was in the history, from the one at HEAD
// back to the one that added it, along the first parents, and stops when visit
// returns false, when the context ends, or where the file was not there. Outside
// of git, and for a file that no commit has, there are none. A history that is
// cut off or cannot be read ends where it does; err says so only when not even
// HEAD can be read.
func (t *Tree) Versions(ctx context.Context, file string, visit func(Version) bool) error {
	if t.repo == nil || t.Head.Hash == "" {
		return nil
	}
	name, ok := t.inTree(file)
	if !ok {
		return nil
	}
	commit, err := t.repo.CommitObject(plumbing.NewHash(t.Head.Hash))
	if err != nil {
		return fmt.Errorf("the history of %s cannot be read: %w", name, err)
	}
	blob, ok := blobAt(commit, name)
	for ok && ctx.Err() == nil {
		parent, before, inParent := parentOf(commit, name)
		if !inParent || before != blob {
			text, err := t.content(blob)
			if err != nil {
				return nil
			}
			if !visit(Version{commit.Hash.String(), commit.Committer.When, text}) {
				return nil
			}
		}
		commit, blob, ok = parent, before, inParent
	}
	return nil
}

// inTree names a file as git does; a symbolic link is the file it leads to.
func (t *Tree) inTree(file string) (string, bool) {
	path, err := filepath.EvalSymlinks(file)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", false
	}
	root, err := filepath.EvalSymlinks(t.Root)
	if err != nil {
		return "", false
	}
	name, err := filepath.Rel(root, path)
	return filepath.ToSlash(name), err == nil && filepath.IsLocal(name)
}

// parentOf gives the first parent of a commit with the file, if it has it.
func parentOf(commit *object.Commit, name string) (*object.Commit, plumbing.Hash, bool) {
	parent, err := commit.Parent(0)
	if err != nil {
		return nil, plumbing.ZeroHash, false
	}
	blob, ok := blobAt(parent, name)
	return parent, blob, ok
}

func blobAt(commit *object.Commit, name string) (plumbing.Hash, bool) {
	tree, err := commit.Tree()
	if err != nil {
		return plumbing.ZeroHash, false
	}
	entry, err := tree.FindEntry(name)
	if err != nil || !entry.Mode.IsFile() {
		return plumbing.ZeroHash, false
	}
	return entry.Hash, true
}

func (t *Tree) content(hash plumbing.Hash) ([]byte, error) {
	blob, err := t.repo.BlobObject(hash)
	if err != nil {
		return nil, err
	}
	if blob.Size > maxVersion {
		return nil, fmt.Errorf("%s has %d bytes", hash, blob.Size)
	}
	r, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
