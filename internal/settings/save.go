package settings

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/drone-laptop/drone/internal/dirlock"
	"github.com/drone-laptop/drone/internal/rewrite"
)

// Change opens a file, has do change it, and saves it, unless that fails or
// changes nothing. Of several processes one does so after the other. Errors are
// of type *Error, but for that of do.
func Change(path string, do func(*File) error) error {
	failed := func(err error) error {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		return &Error{Path: path, Message: "cannot be written: " + err.Error()}
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return failed(err)
	}
	release, err := dirlock.Hold(dir)
	if err != nil {
		return failed(err)
	}
	defer release()
	f, err := Open(path)
	if err != nil {
		return err
	}
	before := string(f.text)
	if err := do(f); err != nil {
		return err
	}
	switch {
	case f.broken != nil:
		return failed(f.broken)
	case before == string(f.text):
		return nil
	}
	if err := f.write(); err != nil {
		return failed(err)
	}
	return nil
}

// write replaces the file as a whole. A new one is for its owner alone.
func (f *File) write() error {
	if info, err := os.Lstat(f.Path); err == nil {
		if _, err := os.Stat(f.Path); errors.Is(err, fs.ErrNotExist) && info.Mode()&fs.ModeSymlink != 0 {
			return errors.New("it is a link to a file that is not there")
		}
		return rewrite.File(f.Path, f.text)
	}
	fresh, err := os.CreateTemp(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name()) // nothing is left to remove when all went well
	if _, err = fresh.Write(f.text); err == nil {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), f.Path)
}

// othersMayWrite looks at the modes of a file and of its folder, which say
// nothing on Windows.
func othersMayWrite(path string) bool {
	if runtime.GOOS == "windows" {
		return false
	}
	const everybody = 0o002
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&everybody != 0 {
		return true
	}
	info, err := os.Stat(filepath.Dir(path))
	return err == nil && info.Mode().Perm()&everybody != 0 && info.Mode()&fs.ModeSticky == 0
}
