// Package rundir makes directories that belong to a run and are gone after it,
// also when the program that made them was killed: each one holds a file that
// names its owner, by which a later process finds what nobody will remove any
// more.
//
//	drone-<run>-<random>/
//	  .drone-owner.json   for whom it was made; removed last
//	  ...                 whatever the run puts there
//
// The files in it may be those of others, who do as they like there: nothing is
// followed out of it.
package rundir

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/drone-laptop/drone/internal/owner"
)

const (
	// ownerFile is in each directory.
	ownerFile = ".drone-owner.json"
	fileMode  = 0o600
	// dirMode: nobody but the user has any business in it.
	dirMode = 0o700
	// mostText is more than an owner file ever has.
	mostText = 64 << 10
	version  = 1
)

// Dir is a directory of a run.
type Dir struct {
	Path  string
	Run   string
	Made  time.Time
	Owner owner.Identity
}

// record is the owner file.
type record struct {
	Version int            `json:"v"`
	Run     string         `json:"run"`
	Made    time.Time      `json:"made"`
	Owner   owner.Identity `json:"owner"`
}

// Make makes a directory for a run of this process in the existing directory
// parent, and returns its path, which is absolute and free of symbolic links.
// Nobody but the user can enter it. On an error nothing is left behind.
func Make(parent, run string) (string, error) {
	real, err := filepath.EvalSymlinks(parent)
	if err != nil {
		return "", err
	}
	if real, err = filepath.Abs(real); err != nil {
		return "", err
	}
	// It must be new: a directory of that name could be a trap of somebody
	// else who writes to parent.
	root := filepath.Join(real, prefix(run)+strings.ToLower(rand.Text())[:16])
	if err := os.Mkdir(root, dirMode); err != nil {
		return "", err
	}
	text, err := json.Marshal(record{Version: version, Run: run, Made: time.Now().UTC(), Owner: owner.Self()})
	if err == nil {
		err = os.WriteFile(filepath.Join(root, ownerFile), append(text, '\n'), fileMode)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(root))
	}
	return root, nil
}

// prefix begins the names of the directories of a run.
func prefix(run string) string { return "drone-" + Slug(run) + "-" }

var notInNames = regexp.MustCompile(`[^a-z0-9_.]+`)

// Slug is text as a part of a file name.
func Slug(text string) string {
	text = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(text), "-"), "-.")
	return text[:min(len(text), 40)]
}

// List finds the directories that Make has made in parent for this user, sorted
// by path. One without a readable owner file is none, and neither is one that
// somebody else could have made, or could change.
func List(parent string) ([]Dir, error) {
	return list(parent, "drone-", func(dir Dir, err error) bool {
		return err == nil && strings.HasPrefix(filepath.Base(dir.Path), prefix(dir.Run))
	})
}

// OfRun is List for one run. The owner file may be missing: who was killed
// while it made a directory has not written it.
func OfRun(parent, run string) ([]Dir, error) {
	return list(parent, prefix(run), func(dir Dir, err error) bool {
		return errors.Is(err, fs.ErrNotExist) || err == nil && dir.Run == run
	})
}

func list(parent, prefix string, wanted func(Dir, error) bool) ([]Dir, error) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil, err
	}
	var dirs []Dir
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		if dir, err := read(filepath.Join(parent, entry.Name())); wanted(dir, err) {
			dirs = append(dirs, dir)
		}
	}
	slices.SortFunc(dirs, func(a, b Dir) int { return strings.Compare(a.Path, b.Path) })
	return dirs, nil
}

// errForeign is a directory or owner file of somebody else.
var errForeign = errors.New("it is not a directory of this user alone")

// read reads the owner file of a directory. An error that is fs.ErrNotExist
// means that only this is missing.
func read(path string) (Dir, error) {
	dir := Dir{Path: path}
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || !private(info) {
		return dir, errForeign
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return dir, errForeign
	}
	defer root.Close()
	if opened, err := root.Stat("."); err != nil || !os.SameFile(info, opened) {
		return dir, errForeign
	}
	info, err = root.Lstat(ownerFile)
	if err != nil {
		return dir, err
	}
	if !info.Mode().IsRegular() || !private(info) {
		return dir, errForeign
	}
	file, err := root.Open(ownerFile)
	if err != nil {
		return dir, errForeign
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostText))
	if err != nil {
		return dir, fmt.Errorf("cannot read %s: %w", ownerFile, err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return dir, fmt.Errorf("%s is not what it should be: %w", ownerFile, err)
	}
	if r.Version != version || r.Run == "" {
		return dir, fmt.Errorf("%s is of another version", ownerFile)
	}
	dir.Run, dir.Made, dir.Owner = r.Run, r.Made, r.Owner
	return dir, nil
}

// Size is how much the files in the directory take, as far as they can be seen.
func (d Dir) Size() int64 {
	var size int64
	_ = filepath.WalkDir(d.Path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be seen is not counted
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size
}

// Detach unmounts what is mounted in a directory, on Linux. The error names what
// stays mounted.
func Detach(root string) error { return detach(root) }

// Remove removes a directory with all that is in it, also what is read-only, as
// Go makes its modules. Symbolic links are removed, not followed, and what is
// mounted in it is unmounted: on Linux nothing is removed as long as something
// is mounted there. The owner file goes last, so that what cannot be removed now
// is found again. One that is gone already is no error.
func Remove(root string) error {
	if err := detach(root); err != nil {
		return fmt.Errorf("cannot remove %s: %w", root, err)
	}
	err := empty(root)
	if err != nil {
		unlock(root)
		err = empty(root)
	}
	if err == nil {
		err = os.RemoveAll(root)
	}
	if err == nil {
		return nil
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("cannot remove %s: files of another user are in it: %w", root, path)
	}
	return fmt.Errorf("cannot remove %s: %w", root, err)
}

// empty removes what is in a directory but the owner file.
func empty(root string) error {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var failed error
	for _, entry := range entries {
		if entry.Name() == ownerFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(root, entry.Name())); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// unlock makes every directory in root writable, as far as it can; what it
// cannot is reported by the removal that follows. The walk stays in root
// whatever links a step has left there.
func unlock(root string) {
	if info, err := os.Lstat(root); err != nil || !info.IsDir() || os.Chmod(root, dirMode) != nil {
		return
	}
	inside, err := os.OpenRoot(root)
	if err != nil {
		return
	}
	defer inside.Close()
	_ = fs.WalkDir(inside.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		// It is called before the directory is read, so that can be changed.
		if err == nil && d.IsDir() {
			_ = inside.Chmod(name, dirMode)
		}
		return nil
	})
}
