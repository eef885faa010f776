// Package leftover finds what runs have made, on this machine and in an engine,
// tells whether the process still lives that it belongs to, and removes it.
//
// What is to go, and who is told, is for the caller to decide: Remove removes
// whatever it is given.
package leftover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/exec/host"
	"github.com/drone-laptop/drone/internal/owner"
	"github.com/drone-laptop/drone/internal/rundir"
	"github.com/drone-laptop/drone/report"
)

// KindDirectory is the kind of an item that the engine does not hold; the others
// are those of docker.Object.
const KindDirectory = "directory"

// Item is something that a run has left, or still uses.
type Item struct {
	// Owner is the state of the process that it belongs to. That of one whose
	// guard is at work lives: nobody has left it.
	Owner owner.State
	// Guarded says that the process is gone, and its guard lives.
	Guarded bool

	object *docker.Object // nil for a directory
	dir    rundir.Dir
}

// Kind is docker.KindContainer, KindNetwork, KindVolume or KindDirectory.
func (i Item) Kind() string {
	if i.object != nil {
		return i.object.Kind
	}
	return KindDirectory
}

// Name is that of an object of the engine, and the path of a directory.
func (i Item) Name() string {
	if i.object != nil {
		return i.object.Name
	}
	return i.dir.Path
}

// Run is the run that has made it.
func (i Item) Run() string {
	if i.object != nil {
		return i.object.Run
	}
	return i.dir.Run
}

// Made is when that was.
func (i Item) Made() time.Time {
	if i.object != nil {
		return i.object.Made
	}
	return i.dir.Made
}

// Of names the pipeline and, for a container, the step that it is for. Both are
// empty for a directory.
func (i Item) Of() (pipeline, step string) {
	if i.object != nil {
		return i.object.Pipeline, i.object.Step
	}
	return "", ""
}

// Size is how many bytes it takes, or negative where that is not known. It looks
// at all files of a directory.
func (i Item) Size() int64 {
	if i.object != nil {
		return i.object.Size
	}
	return i.dir.Size()
}

// Find finds what runs have made: in the engine, unless that is nil, and in the
// directories parents. With sized the engine looks for sizes, which takes longer.
// What was found is valid also with an error, which is that of everything that
// could not be looked at.
func Find(ctx context.Context, engine *docker.Engine, parents []string, sized bool) (found []Item, err error) {
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
			of, guarded := stateOf(o, state)
			found = append(found, Item{object: &o, Owner: of, Guarded: guarded})
		}
	}
	for _, parent := range parents {
		dirs, failed := rundir.List(parent)
		for _, dir := range dirs {
			found = append(found, Item{dir: dir, Owner: state(dir.Owner)})
		}
		err = errors.Join(err, failed)
	}
	return found, err
}

// stateOf is that of the run an object belongs to, and whether it lives only in its
// guard.
func stateOf(o docker.Object, state func(owner.Identity) owner.State) (of owner.State, guarded bool) {
	of = state(o.Owner)
	if of == owner.Dead && o.Guard.PID > 0 && state(o.Guard) == owner.Alive {
		return owner.Alive, true
	}
	return of, false
}

// Remove removes items, and the processes of steps that still work in the
// directories. It says for each why it is not gone, nil when it is, and how many
// processes it has ended. The engine may be nil when none of them is in one. What is
// held up there is not tried again once enough is closed.
func Remove(ctx context.Context, enough <-chan struct{}, engine *docker.Engine, items []Item) (failed []error, processes int) {
	failed = make([]error, len(items))
	var objects []docker.Object
	var places []int
	for n, i := range items {
		if i.object != nil {
			objects, places = append(objects, *i.object), append(places, n)
			continue
		}
		killed, stay := host.Kill(i.dir.Run)
		processes += killed
		for _, pid := range stay {
			failed[n] = errors.Join(failed[n], fmt.Errorf("cannot end process %d of a step in %s", pid, i.dir.Path))
		}
	}
	if len(objects) > 0 {
		for n, err := range engine.Remove(ctx, enough, objects) {
			failed[places[n]] = err
		}
	}
	// Containers may have written to the directories, so these go last.
	for n, i := range items {
		if i.object == nil {
			failed[n] = errors.Join(failed[n], RemoveDir(ctx, engine, i.dir.Run, i.dir.Path))
		}
	}
	return failed, processes
}

// RemoveDir removes a directory of a run. What containers have made in it as
// another user is given to the caller first, if there is an engine for that: one
// on another machine would change a directory there that is called the same.
func RemoveDir(ctx context.Context, engine *docker.Engine, run, dir string) error {
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

// Tally counts things by what they are. The zero value has counted none.
type Tally struct{ containers, networks, volumes, directories, processes int }

// Count counts something of a kind of Item.
func (t *Tally) Count(kind string) {
	switch kind {
	case docker.KindContainer:
		t.containers++
	case docker.KindNetwork:
		t.networks++
	case docker.KindVolume:
		t.volumes++
	case KindDirectory:
		t.directories++
	}
}

// Processes counts processes.
func (t *Tally) Processes(n int) { t.processes += n }

// Any reports whether something was counted.
func (t Tally) Any() bool { return t != Tally{} }

// String is "2 containers, 1 network".
func (t Tally) String() string {
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
