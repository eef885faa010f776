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
	"context"
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

// Damaged is a run of which cannot be read what it was.
type Damaged struct {
	ID  string
	Err error

	dir     string
	changed time.Time
}

// Remove removes what is left of the run.
func (d Damaged) Remove() error { return remove(d.dir) }

// Size is what it takes on the disk.
func (d Damaged) Size() int64 { return sizeOf(d.dir) }

// List finds the runs, the newest first, and those that are damaged. What is no
// run, or one of another version of this, is passed over; without a directory
// there are none.
func (s Store) List() ([]Run, []Damaged, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var runs []Run
	var damaged []Damaged
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		run, err := s.read(entry.Name())
		switch {
		case err == nil:
			runs = append(runs, run)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errVersion):
		default:
			d := Damaged{ID: entry.Name(), Err: err, dir: run.dir}
			if info, err := entry.Info(); err == nil {
				d.changed = info.ModTime()
			}
			damaged = append(damaged, d)
		}
	}
	slices.SortFunc(runs, func(a, b Run) int {
		if c := b.Started.Compare(a.Started); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return runs, damaged, nil
}

// errVersion is what keeps a run to those who have written it.
var errVersion = errors.New("is of another version")

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
	switch {
	case run.Version != version:
		return run, fmt.Errorf("%s %w", file.Name(), errVersion)
	case run.ID != name:
		return run, fmt.Errorf("%s is about run %q", file.Name(), run.ID)
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

// Missing is how many bytes of what was kept are not there any more. It is 0 for
// a run that has not ended, or of which not all was kept.
func (r Run) Missing() int64 {
	if r.Finished == nil || r.Incomplete != "" {
		return 0
	}
	there := sizeOf(r.dir)
	if info, err := os.Stat(filepath.Join(r.dir, runFile)); err == nil {
		there -= info.Size() // which does not count itself
	}
	return max(0, r.Meta.Size-there)
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

// prune removes the oldest runs beyond the limits, but none that goes on. Of a
// damaged one its directory tells the age. When ctx ends, what is left to remove
// stays for the next time; one run goes in any case.
func (s Store) prune(ctx context.Context, l Limits, now time.Time) error {
	runs, damaged, err := s.List()
	if err != nil {
		return err
	}
	failed := s.sweep(now)
	var all []prunable
	for _, run := range runs {
		all = append(all, prunable{run.dir, run.Started, run.Size(), run.over(now)})
	}
	for _, d := range damaged {
		all = append(all, prunable{d.dir, d.changed, d.Size(), now.Sub(d.changed) > time.Hour})
	}
	slices.SortStableFunc(all, func(a, b prunable) int { return b.since.Compare(a.since) })
	var size int64
	for i, p := range all {
		size += p.size
		if (l.Runs == 0 || i < l.Runs) && (l.Bytes == 0 || size <= l.Bytes) || !p.over {
			continue
		}
		if err := remove(p.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return failed
}

// prunable is what is kept of a run, for who makes room.
type prunable struct {
	dir   string
	since time.Time
	size  int64
	over  bool // nobody writes it any more
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
	if errors.Is(err, fs.ErrNotExist) {
		return nil // somebody has removed all
	}
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
