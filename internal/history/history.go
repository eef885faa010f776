// Package history keeps the runs of this machine: each has a directory with its
// plan, its events and what its steps printed, that is written while the run
// goes on and can be read by others meanwhile.
//
//	drone/runs/<run>/
//	  run.json        what is known of the run; replaced when it ends
//	  plan.json       the plan, as `drone compile` prints it
//	  events.jsonl    the events, as `drone exec --output json` prints them, but
//	                  for the output of steps
//	  logs/<n>.log    the output of the step that was the n-th to start
//
// Nobody but the user can read it. It holds what is shown of a run, in which
// secrets are masked, and no secret itself. Whatever ends the program, what was
// written is good up to the last quarter of a second.
//
// A run waits for none of this: a goroutine writes, and when it cannot, that is
// told once and the run goes on without.
package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/owner"
)

const (
	version  = 1
	dirMode  = 0o700
	fileMode = 0o600
	// mostText is more than a run.json ever has.
	mostText = 1 << 20

	runFile    = "run.json"
	planFile   = "plan.json"
	eventsFile = "events.jsonl"
	logsDir    = "logs"
	// goingPrefix begins the name of a directory that is being removed.
	goingPrefix = ".going-"
)

// Meta is what is known of a run.
type Meta struct {
	Version    int       `json:"v"`
	ID         string    `json:"run"`
	Started    time.Time `json:"started"`
	File       string    `json:"file"`
	Directory  string    `json:"directory"` // where it was started
	Tree       string    `json:"tree"`      // the working tree that is a part of
	Repository string    `json:"repository"`
	Event      string    `json:"event"`
	Branch     string    `json:"branch"`
	Ref        string    `json:"ref"`
	Commit     string    `json:"commit"`
	Program    string    `json:"version"` // of drone

	Owner owner.Identity `json:"owner"`

	// Status is running until the run has ended; the rest is set then.
	Status     exec.Status         `json:"status"`
	Finished   *time.Time          `json:"finished,omitempty"`
	DurationMS int64               `json:"duration_ms"`
	ExitCode   int                 `json:"exit_code"`
	Counts     map[exec.Status]int `json:"counts,omitempty"`
	Failed     []Step              `json:"failed,omitempty"` // whose failure counts
	Size       int64               `json:"size"`             // of what is kept, in bytes
	// Incomplete says why not all of the run is here, or is empty.
	Incomplete string `json:"incomplete,omitempty"`
}

// Step names a step.
type Step struct {
	Pipeline string `json:"pipeline"`
	Step     string `json:"step"`
}

// The states of a run beside those of exec.
const (
	// Interrupted is that of a run whose program is gone, without having said
	// how it ended.
	Interrupted exec.Status = "interrupted"
	// Unknown is that of one of which that cannot be told, as it belongs to
	// another machine or a container.
	Unknown exec.Status = "unknown"
)

// Store is the directory of all runs of a user.
type Store struct{ dir string }

// In is the Store in a directory for state. Nothing is made yet.
func In(state string) Store { return Store{filepath.Join(state, "drone", "runs")} }

// Dir is the directory, which may not exist.
func (s Store) Dir() string { return s.dir }

// Run is a run that was found.
type Run struct {
	Meta
	dir string
}

// Dir is the directory of the run.
func (r Run) Dir() string { return r.dir }

// State is Status, but for a run that has not said how it ended: that depends on
// whether its program lives.
func (r Run) State() exec.Status {
	if r.Finished != nil {
		return r.Status
	}
	switch r.Owner.State() {
	case owner.Alive:
		return exec.StatusRunning
	case owner.Dead:
		return Interrupted
	}
	return Unknown
}

// Duration is how long the run took, or has taken until now if it goes on.
func (r Run) Duration(now time.Time) time.Duration {
	switch {
	case r.Finished != nil:
		return ms(r.DurationMS)
	case r.State() == exec.StatusRunning:
		return now.Sub(r.Started)
	}
	return 0 // nobody knows when it ended
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// List finds the runs, the newest first. What is no run is passed over; without
// a directory there are none.
func (s Store) List() ([]Run, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var runs []Run
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if run, err := s.read(entry.Name()); err == nil {
			runs = append(runs, run)
		}
	}
	slices.SortFunc(runs, func(a, b Run) int {
		if c := b.Started.Compare(a.Started); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return runs, nil
}

// read reads what is known of one run.
func (s Store) read(name string) (Run, error) {
	run := Run{dir: filepath.Join(s.dir, name)}
	file, err := os.Open(filepath.Join(run.dir, runFile))
	if err != nil {
		return run, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostText))
	if err != nil {
		return run, err
	}
	if err := json.Unmarshal(text, &run.Meta); err != nil {
		return run, fmt.Errorf("%s: %w", file.Name(), err)
	}
	if run.Version != version || run.ID != name {
		return run, fmt.Errorf("%s is of another version", file.Name())
	}
	return run, nil
}

// Size is what the run takes on the disk.
func (r Run) Size() int64 {
	if r.Finished != nil {
		return r.Meta.Size
	}
	return sizeOf(r.dir)
}

// sizeOf is the size of the files in a directory, as far as they can be seen.
func sizeOf(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
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

// Remove removes what is kept of the run. Whoever lists the runs meanwhile sees
// all of it or nothing.
func (r Run) Remove() error { return remove(r.dir) }

func remove(dir string) error {
	going := filepath.Join(filepath.Dir(dir), goingPrefix+filepath.Base(dir))
	if err := os.Rename(dir, going); err != nil {
		return err
	}
	return os.RemoveAll(going)
}

// Limits say how much is kept. A limit of 0 is none.
type Limits struct {
	Runs  int
	Bytes int64 // of all runs together
	Each  int64 // of the output of one run
}

// patience is after which a run that cannot be told to be over is taken to be:
// its program was in a container, or the machine has another name now.
const patience = 7 * 24 * time.Hour

// Prune removes the oldest runs beyond the limits, but none that goes on.
func (s Store) Prune(l Limits, now time.Time) error {
	runs, err := s.List()
	if err != nil {
		return err
	}
	var failed error
	var size int64
	for i, run := range runs {
		size += run.Size()
		if (l.Runs == 0 || i < l.Runs) && (l.Bytes == 0 || size <= l.Bytes) || !run.over(now) {
			continue
		}
		if err := run.Remove(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, s.sweep(now))
}

// over reports whether a run has surely ended.
func (r Run) over(now time.Time) bool {
	state := r.State()
	return state != exec.StatusRunning && (state != Unknown || now.Sub(r.Started) > patience)
}

// sweep removes what is left of removals that were cut off, and directories of
// runs that nothing became of.
func (s Store) sweep(now time.Time) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var failed error
	for _, entry := range entries {
		path := filepath.Join(s.dir, entry.Name())
		info, err := entry.Info()
		if err != nil || !entry.IsDir() {
			continue
		}
		_, unknown := os.Lstat(filepath.Join(path, runFile))
		if strings.HasPrefix(entry.Name(), goingPrefix) || errors.Is(unknown, fs.ErrNotExist) && now.Sub(info.ModTime()) > time.Hour {
			if err := os.RemoveAll(path); err != nil {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}
