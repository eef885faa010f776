package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/cmd/guard"
	"github.com/drone-laptop/drone/cmd/guard/vigil"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/exec/host"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/leftover"
	"github.com/drone-laptop/drone/internal/owner"
	"github.com/drone-laptop/drone/internal/rundir"
)

const (
	// stillTime is how long nothing may be found before the guard believes that
	// nothing comes any more: what was being made when the run was killed is
	// made all the same.
	stillTime = 3 * time.Second
	// lookPause is the time between two looks of the guard.
	lookPause = 250 * time.Millisecond
	// hopeTime is how long the guard tries without getting anywhere, as with an
	// engine that is gone. guardTime bounds all that it does.
	hopeTime  = time.Minute
	guardTime = 5 * time.Minute
)

// charge is what a guard is told of the run in its charge.
type charge struct {
	Endpoint json.RawMessage `json:"endpoint,omitempty"` // of the engine, when there is one
	Dirs     []string        `json:"dirs"`               // in which the run makes directories
	// Workspaces are directories that containers of the run write to, and Share
	// is where runs agree on who gives back what they create there.
	Workspaces []string `json:"workspaces,omitempty"`
	Share      string   `json:"share,omitempty"`
}

// runGuard is the guard of a run. It is started while the engine is connected
// to. A nil one is that of a run which makes nothing.
type runGuard struct {
	started chan struct{} // closed when guard and err are set
	guard   *guard.Guard
	err     error

	needed bool // there may be something to remove
	left   bool // the run could not remove all that it has made
	heir   bool // the run has left that to it
}

// cleanupFlag says who removes the objects of a run that has come to its end by
// itself: the run, or the guard while the prompt is back.
type cleanupFlag struct{ choice }

func (f *cleanupFlag) register(flags *pflag.FlagSet) {
	f.choice = choice{value: "auto", kind: "mode", of: []string{"auto", "background", "wait"}}
	flags.Var(f, "cleanup", "whether the end of a run waits until its containers, networks and volumes are removed;\nauto does where CI is set: auto, background, wait")
}

// behind reports whether it is the guard. The end of a job on a build server, or
// of the process that a container is for, may be the end of all its processes,
// its guard too.
func (f *cleanupFlag) behind(s Streams) bool {
	return f.value == "background" || f.value == "auto" && s.getenv("CI") == "" && !endsWithAll()
}

// inheritTime is how long a guard may take to say that it removes what a run has
// left. The run goes on with that meanwhile, and if it says nothing.
const inheritTime = 300 * time.Millisecond

// inherit leaves the removal of what the run has made to the guard, if that is
// there and says so.
func (g *runGuard) inherit() bool {
	g.heir = g.guard != nil && g.err == nil && g.guard.Inherit(inheritTime)
	return g.heir
}

// identity is that of the process of the guard, nothing when there is none.
func (g *runGuard) identity() owner.Identity {
	if g.guard == nil || g.err != nil {
		return owner.Identity{}
	}
	id := owner.Of(g.guard.PID())
	if id.Start == "" && owner.Self().Start != "" {
		return owner.Identity{} // it has ended, and its number may come to be that of another
	}
	return id
}

// startGuard begins to start a guard for a run. Nothing of the run may be made
// before await.
func startGuard(s Streams, run string, plan *exec.Plan, engine *engineFlags, copies *copies) *runGuard {
	g := &runGuard{started: make(chan struct{})}
	go func() {
		defer close(g.started)
		g.err = exec.Guard(func() error {
			text, err := newCharge(plan, engine, copies.dirs(), shareDir(s))
			if err != nil {
				return err
			}
			if g.guard, err = guard.Start(run, host.Unmarked(s.Environ())); err != nil {
				return err
			}
			return g.guard.Tell(text)
		})
	}()
	return g
}

func newCharge(plan *exec.Plan, engine *engineFlags, dirs []string, share string) ([]byte, error) {
	c := charge{Dirs: dirs, Share: share}
	contained := running(plan, "docker")
	for _, p := range contained {
		if dir := p.Workspace.Host; dir != "" && !slices.Contains(c.Workspaces, dir) {
			c.Workspaces = append(c.Workspaces, dir)
		}
	}
	if len(contained) > 0 {
		endpoint, err := dockerhost.Resolve(dockerhost.Process(), engine.host)
		if err != nil {
			return nil, err
		}
		if c.Endpoint, err = endpoint.Handover(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(c)
}

// await waits until the guard runs, and warns when there is none. From then on
// it is needed.
func (g *runGuard) await(warn func(string)) {
	<-g.started
	g.needed = true
	if g.err != nil {
		warn(fmt.Sprintf("the run has no guard: should drone be killed, `drone clean` has to remove what is left: %v", g.err))
	}
}

// heed takes note of what could not be removed.
func (g *runGuard) heed(e exec.Event) {
	if w, ok := e.(exec.Warning); ok && w.Left && g != nil {
		g.left = true
	}
}

// over is told how the run has ended. With an error nobody knows what is left.
func (g *runGuard) over(err error) {
	if g != nil {
		g.needed = g.heir || g.left || err != nil
	}
}

// end ends the guard, or leaves it to its work when it is needed: also after a
// panic. That it cannot be told is no matter: it finds nothing then.
func (g *runGuard) end() {
	if g == nil {
		return
	}
	<-g.started
	switch {
	case g.guard == nil:
	case g.needed:
		_ = g.guard.Leave()
	default:
		_ = g.guard.Done()
	}
}

// orphaned is the guard whose parent is gone: it removes what that has made for
// the run, and nothing else. Nobody sees what it prints.
func orphaned(o *vigil.Orphan) int {
	var c charge
	if err := json.Unmarshal([]byte(o.Settings), &c); err != nil {
		return StatusUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), guardTime)
	defer cancel()
	r := &remover{run: o.Run, charge: c}
	defer r.close()
	still := stillTime
	if o.Heir {
		still = 0 // nothing comes any more
	}
	if !tend(ctx, still, r.round) {
		return StatusFailed
	}
	if o.Heir {
		return StatusOK // the run has seen to its files
	}
	return r.giveBack(ctx)
}

// tend repeats rounds until there is nothing for so long, and reports whether
// that came about. A round says whether it has removed something, and whether
// nothing is left that it has found.
func tend(ctx context.Context, still time.Duration, round func(context.Context) (removed, clean bool)) bool {
	quiet, hope := time.Now(), time.Now()
	for {
		removed, clean := round(ctx)
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
		time.Sleep(lookPause)
	}
}

// remover removes what there is of one run.
type remover struct {
	run    string
	charge charge
	engine *docker.Engine // nil when there is none, or it does not answer
}

// round removes what it finds, and reports whether that was something, and
// whether all of it is gone.
func (r *remover) round(ctx context.Context) (removed, clean bool) {
	type found struct{ removed, clean bool }
	processes := make(chan found, 1)
	go func() { // one that cannot be killed is waited for
		killed, stay := host.Kill(r.run)
		processes <- found{killed > 0, len(stay) == 0}
	}()
	clean = true
	if r.charge.Endpoint != nil {
		removed, clean = r.objects(ctx)
	}
	ended := <-processes
	removed, clean = removed || ended.removed, clean && ended.clean
	for _, parent := range r.charge.Dirs {
		dirs, err := rundir.OfRun(parent, r.run)
		clean = clean && err == nil
		for _, dir := range dirs {
			gone := leftover.RemoveDir(ctx, r.engine, r.run, dir.Path) == nil
			removed, clean = removed || gone, clean && gone
		}
	}
	return removed, clean
}

// giveBack gives back what the steps of the run have created in the working
// tree, unless another run that works there will.
func (r *remover) giveBack(ctx context.Context) int {
	status := StatusOK
	for _, dir := range r.charge.Workspaces {
		if r.engine == nil || r.engine.GiveBackOrphaned(ctx, r.run, dir) != nil {
			status = StatusFailed
		}
	}
	return status
}

func (r *remover) objects(ctx context.Context) (removed, clean bool) {
	if r.engine == nil {
		endpoint, err := dockerhost.HandedOver(r.charge.Endpoint)
		if err != nil {
			return false, false
		}
		if r.engine, err = docker.New(ctx, docker.Options{Endpoint: endpoint, Helper: helper(), State: r.charge.Share}); err != nil {
			r.engine = nil
			return false, false
		}
	}
	objects, err := r.engine.Objects(ctx, r.run)
	if err != nil {
		r.close() // it may be another one by the next round
		return false, false
	}
	clean = true
	for _, err := range r.engine.Remove(ctx, nil, objects) {
		held, ok := errors.AsType[*docker.HeldError](err)
		// What only a restart of the engine makes removable is for the next
		// run, which says so.
		removed, clean = removed || err == nil, clean && (err == nil || ok && held.Lost)
	}
	return removed, clean
}

func (r *remover) close() {
	if r.engine != nil {
		_ = r.engine.Close() // nothing is lost with its connections
		r.engine = nil
	}
}
