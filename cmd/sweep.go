package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/exec/host"
	"github.com/drone-laptop/drone/internal/owner"
	"github.com/drone-laptop/drone/internal/rundir"
	"github.com/drone-laptop/drone/report"
)

// sweepTime is how long a run that is over waits for the end of a removal that
// has begun beside it. The next run goes on with the rest.
const sweepTime = 2 * time.Second

// sweep removes, beside a run, what runs have left whose process is gone and
// that had no guard, as after a power cut.
type sweep struct {
	ctx      context.Context
	cancel   context.CancelFunc
	removing atomic.Bool
	over     chan struct{}
}

// startSweep begins a sweep. It tells note in one line what it has removed, and
// warn in one what it could not. Whatever might belong to a run that lives is
// left alone.
func startSweep(ctx context.Context, engine *docker.Engine, note, warn func(string)) *sweep {
	ctx, cancel := context.WithCancel(ctx)
	s := &sweep{ctx: ctx, cancel: cancel, over: make(chan struct{})}
	go func() {
		defer close(s.over)
		err := exec.Guard(func() error { s.run(ctx, engine, note, warn); return nil })
		if err != nil {
			// The run is none the worse for it.
			_ = exec.Guard(func() error {
				warn("what earlier runs left was not removed: internal error: " + err.Error())
				return nil
			})
		}
	}()
	return s
}

func (s *sweep) run(ctx context.Context, engine *docker.Engine, note, warn func(string)) {
	found, err := findRemains(ctx, engine, runDirs(), false)
	found = slices.DeleteFunc(found, func(r remain) bool { return r.owner != owner.Dead })
	if len(found) > 0 {
		s.removing.Store(true)
		failed, processes := removeRemains(ctx, engine, found)
		removed := tally{processes: processes}
		for i, r := range found {
			if failed[i] == nil {
				removed.count(r.kind())
			}
		}
		err = errors.Join(append(failed, err)...)
		if removed.any() {
			note("removed what an earlier run left: " + removed.String())
		}
	}
	if err != nil && ctx.Err() == nil {
		warn("not all that an earlier run left could be removed, see `drone clean`: " + strings.Join(strings.Fields(err.Error()), " "))
	}
}

// end ends the sweep with the run. What it is at and cannot leave, such as the
// removal of a large directory, ends with the program. A nil sweep never began.
func (s *sweep) end() {
	if s == nil {
		return
	}
	defer s.cancel()
	if !s.removing.Load() {
		return
	}
	select {
	case <-s.over:
	case <-s.ctx.Done(): // somebody is in a hurry
	case <-time.After(sweepTime):
	}
}

// remain is something that a run has left, or still uses.
type remain struct {
	object *docker.Object // nil for a directory
	dir    rundir.Dir
	owner  owner.State
}

const kindDirectory = "directory"

// findRemains finds what runs have made: in the engine, when there is one, and
// in the directories parents. What was found is valid also with an error.
func findRemains(ctx context.Context, engine *docker.Engine, parents []string, sized bool) (found []remain, err error) {
	states := map[owner.Identity]owner.State{}
	state := func(id owner.Identity) owner.State {
		if _, known := states[id]; !known {
			states[id] = id.State()
		}
		return states[id]
	}
	if engine != nil {
		list := engine.Objects
		if sized {
			list = engine.SizedObjects
		}
		var objects []docker.Object
		objects, err = list(ctx, "")
		for _, o := range objects {
			found = append(found, remain{object: &o, owner: stateOf(o, state)})
		}
	}
	for _, parent := range parents {
		dirs, failed := rundir.List(parent)
		for _, dir := range dirs {
			found = append(found, remain{dir: dir, owner: state(dir.Owner)})
		}
		err = errors.Join(err, failed)
	}
	return found, err
}

// stateOf is that of the run an object belongs to. One whose guard is at work is
// not left by anybody.
func stateOf(o docker.Object, state func(owner.Identity) owner.State) owner.State {
	of := state(o.Owner)
	if of == owner.Dead && o.Guard.PID > 0 && state(o.Guard) == owner.Alive {
		return owner.Alive
	}
	return of
}

// removeRemains removes them, and the processes of steps that still work in the
// directories. It says for each why it is not gone, nil when it is.
func removeRemains(ctx context.Context, engine *docker.Engine, remains []remain) (failed []error, processes int) {
	failed = make([]error, len(remains))
	for i, r := range remains {
		if r.object != nil {
			continue
		}
		killed, stay := host.Kill(r.dir.Run)
		processes += killed
		for _, pid := range stay {
			failed[i] = errors.Join(failed[i], fmt.Errorf("cannot end process %d of a step in %s", pid, r.dir.Path))
		}
	}
	var objects []docker.Object
	var places []int
	for i, r := range remains {
		if r.object != nil {
			objects, places = append(objects, *r.object), append(places, i)
		}
	}
	if len(objects) > 0 {
		for i, err := range engine.Remove(ctx, objects) {
			failed[places[i]] = err
		}
	}
	// Containers may have written to the directories, so these go last.
	for i, r := range remains {
		if r.object == nil {
			failed[i] = errors.Join(failed[i], removeDir(ctx, engine, r.dir.Run, r.dir.Path))
		}
	}
	return failed, processes
}

// removeDir removes a directory of a run. What containers have made in it as
// another user is given to the caller first, if there is an engine for that: one
// on another machine would change a directory there that is called the same.
func removeDir(ctx context.Context, engine *docker.Engine, run, dir string) error {
	err := rundir.Remove(dir)
	if engine == nil || !engine.SharesFiles() || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	given := engine.GiveBack(ctx, run, dir, nil)
	// What could not be given may not matter: it takes the directories only.
	if err = rundir.Remove(dir); err != nil && given != nil {
		return fmt.Errorf("cannot remove %s: %w", dir, given)
	}
	return err
}

func (r remain) kind() string {
	if r.object != nil {
		return r.object.Kind
	}
	return kindDirectory
}

// tally counts what was removed.
type tally struct{ containers, networks, volumes, directories, processes int }

func (t *tally) count(kind string) {
	switch kind {
	case docker.KindContainer:
		t.containers++
	case docker.KindNetwork:
		t.networks++
	case docker.KindVolume:
		t.volumes++
	case kindDirectory:
		t.directories++
	}
}

func (t tally) any() bool { return t != tally{} }

// String is "2 containers, 1 network".
func (t tally) String() string {
	var parts []string
	for _, part := range []struct {
		n    int
		noun string
	}{{t.containers, "container"}, {t.networks, "network"}, {t.volumes, "volume"}, {t.directories, "directory"}, {t.processes, "process"}} {
		if part.n > 0 {
			parts = append(parts, report.Plural(part.n, part.noun))
		}
	}
	return strings.Join(parts, ", ")
}
