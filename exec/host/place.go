package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Nobody but the user has any business in the directory of a pipeline.
const (
	dirMode    = 0o700
	scriptMode = 0o700
	netrcMode  = 0o600
)

// place is the directory of a pipeline and the parts of it. All paths are
// absolute and free of symbolic links, so that they are what `pwd` prints.
type place struct{ root, home, source, scripts string }

// newPlace makes the directory for a pipeline of a run in dir. On an error
// nothing is left behind.
func newPlace(dir, run string) (place, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return place{}, err
	}
	if real, err = filepath.Abs(real); err != nil {
		return place{}, err
	}
	root := filepath.Join(real, "drone-"+slug(run)+"-"+random())
	at := place{
		root:    root,
		home:    filepath.Join(root, "home", "drone"),
		source:  filepath.Join(root, "drone", "src"),
		scripts: filepath.Join(root, "opt"),
	}
	// It must be new: a directory of that name could be a trap of somebody
	// else who writes to dir.
	if err := os.Mkdir(root, dirMode); err != nil {
		return place{}, err
	}
	for _, part := range []string{at.home, at.source, at.scripts} {
		if err := os.MkdirAll(part, dirMode); err != nil {
			return place{}, errors.Join(err, at.remove())
		}
	}
	return at, nil
}

// writeNetrc puts the login for git and curl where they look for it.
func (at place) writeNetrc(line string) error {
	name := ".netrc"
	if runtime.GOOS == "windows" {
		name = "_netrc"
	}
	return os.WriteFile(filepath.Join(at.home, name), []byte(line+"\n"), netrcMode)
}

// writeScript writes the script of a step and returns its path. number makes
// the names of scripts differ whose steps are called nearly the same.
func (at place) writeScript(number int, step, text string) (string, error) {
	file := filepath.Join(at.scripts, fmt.Sprintf("%d-%s", number, slug(step)))
	return file, os.WriteFile(file, []byte(text), scriptMode)
}

// remove removes the directory with all that is in it, also what a step has
// made read-only, as Go does with its modules. Symbolic links are removed, not
// followed, and what a step has mounted is unmounted: on Linux nothing is
// removed as long as something is mounted there.
func (at place) remove() error {
	if err := detach(at.root); err != nil {
		return fmt.Errorf("cannot remove %s: %w", at.root, err)
	}
	if err := os.RemoveAll(at.root); err == nil {
		return nil
	}
	unlock(at.root)
	if err := os.RemoveAll(at.root); err != nil {
		return fmt.Errorf("cannot remove %s: %w", at.root, err)
	}
	return nil
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

var notInNames = regexp.MustCompile(`[^a-z0-9_.]+`)

// slug is text as a part of a file name.
func slug(text string) string {
	text = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(text), "-"), "-.")
	return text[:min(len(text), 40)]
}

// random is text that nobody can guess.
func random() string { return strings.ToLower(rand.Text())[:16] }
