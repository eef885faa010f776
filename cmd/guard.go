package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/cmd/guard"
	"github.com/drone-laptop/drone/cmd/guard/vigil"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/exec/host"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/isolate"
	"github.com/drone-laptop/drone/internal/leftover"
	"github.com/drone-laptop/drone/internal/owner"
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

	ending sync.Once
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
	g.heir = g.works() && g.guard.Inherit(inheritTime)
	return g.heir
}

// identity is that of the process of the guard, nothing when there is none.
func (g *runGuard) identity() owner.Identity {
	if !g.works() {
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
func startGuard(s Streams, run string, plan *exec.Plan, engine *engineFlags, copies *isolate.Copies) *runGuard {
	g := &runGuard{started: make(chan struct{})}
	go func() {
		defer close(g.started)
		g.err = exec.Guard(func() error {
			text, err := newCharge(plan, engine, madeIn(copies), shareDir(s))
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

// over is told how the run has ended. With an error, or in a hurry, nobody knows
// what is left: it may be being made yet.
func (g *runGuard) over(err error, hurried bool) {
	if g != nil {
		g.needed = g.heir || g.left || hurried || err != nil
	}
}

// works reports whether there is a guard.
func (g *runGuard) works() bool { return g != nil && g.guard != nil && g.err == nil }

// end ends the guard, or leaves it to its work when it is needed: also after a
// panic. That it cannot be told is no matter: it finds nothing then. Further calls
// do nothing.
func (g *runGuard) end() {
	if g == nil {
		return
	}
	<-g.started
	g.ending.Do(func() {
		switch {
		case g.guard == nil:
		case g.needed:
			_ = g.guard.Leave()
		default:
			_ = g.guard.Done()
		}
	})
}

// orphaned is the guard whose parent is gone: it removes what that has made for
// the run, and nothing else. Nobody sees what it prints.
func orphaned(o *vigil.Orphan) int {
	var c charge
	if err := json.Unmarshal([]byte(o.Settings), &c); err != nil {
		return StatusUsage
	}
	ctx := context.Background()
	run := c.orphan(o.Run)
	defer run.Close()
	still := leftover.LateTime
	if o.Heir {
		still = 0 // nothing comes any more
	}
	if !run.Tend(ctx, still) {
		return StatusFailed
	}
	if o.Heir {
		return StatusOK // the run has seen to its files
	}
	return c.giveBack(ctx, run)
}

// orphan is the run in its charge when that is left alone.
func (c *charge) orphan(run string) *leftover.Orphan {
	o := &leftover.Orphan{Run: run, Dirs: c.Dirs}
	if c.Endpoint != nil {
		o.Connect = func(ctx context.Context) (*docker.Engine, error) {
			endpoint, err := dockerhost.HandedOver(c.Endpoint)
			if err != nil {
				return nil, err
			}
			return docker.New(ctx, docker.Options{Endpoint: endpoint, Helper: helper(), State: c.Share})
		}
	}
	return o
}

// giveBack gives back what the steps of the run have created in the working
// tree, unless another run that works there will.
func (c *charge) giveBack(ctx context.Context, run *leftover.Orphan) int {
	status := StatusOK
	for _, dir := range c.Workspaces {
		if run.Engine() == nil || run.Engine().GiveBackOrphaned(ctx, run.Run, dir) != nil {
			status = StatusFailed
		}
	}
	return status
}
