// Package rewrite replaces the content of a user's file so that at no time the
// file is half written: whoever reads it sees the old content or the new one.
//
// It is not for files that are new, and not for several at once. Of two that
// replace the same file at the same time the last one wins; it locks nothing.
package rewrite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File replaces the content of an existing regular file. Through a symbolic
// link it is the file that the link leads to. Mode and owner stay; where the
// owner cannot be kept, or the folder cannot be written to, the file is written
// in place, which is the only way then. A file that may not be written to is an
// error, wherever it lies. On an error the file is as it was,
// unless it had to be written in place.
func File(path string, content []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", path)
	}
	// A file that its owner has closed to writing is not to be replaced either.
	writable, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := writable.Close(); err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return os.WriteFile(target, content, info.Mode().Perm())
		}
		return err
	}
	defer os.Remove(fresh.Name()) // nothing is left to remove when all went well
	if _, err = fresh.Write(content); err == nil {
		err = errors.Join(fresh.Chmod(info.Mode().Perm()), fresh.Sync())
	}
	if err = errors.Join(err, fresh.Close()); err != nil {
		return err
	}
	if !keepOwner(fresh.Name(), info) {
		return os.WriteFile(target, content, info.Mode().Perm())
	}
	return os.Rename(fresh.Name(), target)
}
