package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/drone-laptop/drone/internal/rundir"
)

// Nobody but the user has any business in the directory of a pipeline.
const (
	dirMode    = 0o700
	scriptMode = 0o700
	netrcMode  = 0o600
)

// place is the directory of a pipeline of a run and the parts of it. All paths are
// absolute and free of symbolic links, so that they are what `pwd` prints.
type place struct{ run, root, home, source, scripts string }

// newPlace makes the directory for a pipeline of a run in dir. On an error
// nothing is left behind.
func newPlace(dir, run string) (place, error) {
	root, err := rundir.Make(dir, run)
	if err != nil {
		return place{}, err
	}
	at := place{
		run:     run,
		root:    root,
		home:    filepath.Join(root, "home", "drone"),
		source:  filepath.Join(root, "drone", "src"),
		scripts: filepath.Join(root, "opt"),
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
	file := filepath.Join(at.scripts, fmt.Sprintf("%d-%s", number, rundir.Slug(step)))
	return file, os.WriteFile(file, []byte(text), scriptMode)
}

// remove removes the directory with all that is in it.
func (at place) remove() error { return rundir.Remove(at.root) }

// random is text that nobody can guess.
func random() string { return strings.ToLower(rand.Text())[:16] }
