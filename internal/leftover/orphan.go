package leftover

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/exec/host"
	"github.com/drone-laptop/drone/internal/owner"
	"github.com/drone-laptop/drone/internal/rundir"
)

const (
	// LateTime is how long nothing may be found before all is believed to be gone
	// that a run has made which was killed: what was being made then is made all the
	// same.
	LateTime = 3 * time.Second
	// lookPause is the time between two looks, and newsPause when there is news.
	lookPause = 250 * time.Millisecond
	newsPause = 10 * time.Millisecond
	// hopeTime is how long removals are tried that get nowhere, as with an engine that
	// is gone. tendTime bounds all of it.
	hopeTime = time.Minute
	tendTime = 5 * time.Minute
	// atOnce is how many things are removed at the same time.
	atOnce = 16
)

// Orphan is a run whose program is gone. What it has made is removed as it is
// found: nothing that takes long, or does not go at all, holds up the rest or keeps
// it from looking for more. The caller closes it.
type Orphan struct {
	Run string
	// Dirs are directories in which it made directories.
	Dirs []string
	// Connect connects to its engine. It is called again when that does not answer
	// any more. Nil when the run had none.
	Connect func(context.Context) (*docker.Engine, error)

	engine *docker.Engine // nil when there is none, or it does not answer
	places chan struct{}
	all    sync.WaitGroup
	news   chan struct{} // something happened that is worth another look

	mu      sync.Mutex
	atWork  map[thing]bool // what is being removed
	hopeful int            // how many of it are not lost
	lost    map[thing]bool // networks that only a restart of the engine makes removable
	removed bool           // something, since the last look
	stay    bool           // processes did, when it was tried last
}

// thing is something that can be removed. The processes of a run are one.
type thing struct{ kind, name string }

var processes = thing{kind: "processes"}

// Tend removes what the run has made until nothing was found for a while, which may
// be 0, and reports whether that came about. It does not before ctx ends,
// or after it got nowhere for long.
func (o *Orphan) Tend(ctx context.Context, still time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, tendTime)
	defer o.all.Wait()
	defer cancel()
	o.places, o.news = make(chan struct{}, atOnce), make(chan struct{}, 1)
	o.atWork, o.lost = map[thing]bool{}, map[thing]bool{}
	return tend(ctx, still, o.news, o.look)
}

// Engine is the one that was connected to last, nil when it does not answer, or
// there is none. It is valid until Close.
func (o *Orphan) Engine() *docker.Engine { return o.engine }

// Close releases the connections to the engine.
func (o *Orphan) Close() {
	if o.engine != nil {
		_ = o.engine.Close() // nothing is lost with its connections
		o.engine = nil
	}
}

// tend repeats looks until there is nothing for so long, and reports whether
// that came about. A look says whether something has been removed since the one
// before, and whether nothing is left that it has found.
func tend(ctx context.Context, still time.Duration, news <-chan struct{}, look func(context.Context) (removed, clean bool)) bool {
	quiet, hope := time.Now(), time.Now()
	for {
		removed, clean := look(ctx)
		if removed {
			hope = time.Now()
		}
		if removed || !clean {
			quiet = time.Now()
		}
		switch {
		case !removed && clean && time.Since(quiet) >= still:
			return true
		case ctx.Err() != nil || time.Since(hope) > hopeTime:
			return false
		}
		select {
		case <-news:
			time.Sleep(newsPause)
		case <-ctx.Done():
		case <-time.After(lookPause):
		}
	}
}

// look finds out what there is, and begins to remove what is not being removed
// already.
func (o *Orphan) look(ctx context.Context) (removed, clean bool) {
	ended := o.begin(processes, func() error {
		killed, stay := host.Kill(o.Run)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.removed = o.removed || killed > 0
		o.stay = len(stay) > 0
		return errNothing
	})
	clean = o.objects(ctx)
	select {
	case <-ended: // most runs have none
	case <-time.After(lookPause):
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	removed, o.removed = o.removed, false
	return removed, clean && !o.stay && o.hopeful == 0
}

// objects looks at what the engine has, and then at directories, in which containers
// may have written. It reports whether it has found nothing.
func (o *Orphan) objects(ctx context.Context) (clean bool) {
	var found []docker.Object
	clean = true
	if o.Connect != nil {
		found, clean = o.list(ctx)
	}
	containers := map[string]bool{} // by pipeline
	for _, object := range found {
		t := thing{object.Kind, object.Name}
		switch {
		case object.Owner == owner.Self() && o.atDirectory():
			// It gives the files in there back, and goes with that.
			continue
		case object.Kind == docker.KindContainer:
			containers[object.Pipeline] = true
		case containers[object.Pipeline]:
			// Networks and volumes cannot go before the containers that use them.
			continue
		}
		clean = clean && o.isLost(t)
		engine := o.engine
		o.begin(t, func() error { return engine.Remove(ctx, nil, []docker.Object{object})[0] })
	}
	if len(containers) > 0 {
		return false
	}
	for _, parent := range o.Dirs {
		dirs, err := rundir.OfRun(parent, o.Run)
		clean = clean && err == nil && len(dirs) == 0
		for _, dir := range dirs {
			engine := o.engine
			o.begin(thing{KindDirectory, dir.Path}, func() error { return RemoveDir(ctx, engine, o.Run, dir.Path) })
		}
	}
	return clean
}

// list asks the engine, and connects to it before where that has to be.
func (o *Orphan) list(ctx context.Context) (found []docker.Object, ok bool) {
	var err error
	if o.engine == nil {
		if o.engine, err = o.Connect(ctx); err != nil {
			o.engine = nil
			return nil, false
		}
	}
	if found, err = o.engine.Objects(ctx, o.Run); err != nil {
		o.Close() // it may be another one by the next look
		return nil, false
	}
	return found, true
}

// errNothing is the end of a removal that had nothing to remove.
var errNothing = errors.New("nothing was there")

// begin begins to remove something, unless that is under way. ended is closed when
// it is over, whatever has come of it, or was under way already.
func (o *Orphan) begin(t thing, remove func() error) (ended <-chan struct{}) {
	over := make(chan struct{})
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.atWork[t] {
		close(over)
		return over
	}
	o.atWork[t] = true
	hopeful := !o.lost[t]
	if hopeful {
		o.hopeful++
	}
	o.all.Go(func() {
		defer close(over)
		o.places <- struct{}{}
		err := remove()
		<-o.places
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.atWork, t)
		if hopeful {
			o.hopeful--
		}
		o.removed = o.removed || err == nil
		if held, ok := errors.AsType[*docker.HeldError](err); ok && held.Lost {
			// It is for the next run to say so. It is tried on while others are
			// looked for: a busy engine may only have been slow.
			o.lost[t] = true
		}
		if err == nil && o.hopeful == 0 {
			select {
			case o.news <- struct{}{}:
			default: // there is some
			}
		}
	})
	return over
}

// atDirectory reports whether a directory is being removed.
func (o *Orphan) atDirectory() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for t := range o.atWork {
		if t.kind == KindDirectory {
			return true
		}
	}
	return false
}

func (o *Orphan) isLost(t thing) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost[t]
}
