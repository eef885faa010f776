//go:build unix

package cmd_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// More moments are tried with `go test ./cmd -run TestChaos -chaos 200`, those of
// another run again with the seed that it has printed.
var (
	chaosKills = flag.Int("chaos", 15, "how many runs TestChaos kills with SIGKILL")
	chaosSeed  = flag.Uint64("chaos-seed", 0, "seed of the moments in TestChaos, 0 for a new one")
)

const (
	// promise is how long after the death of drone something of its run may be
	// there: five seconds, and as much again for a machine that is busy.
	promise = 10 * time.Second
	// busyTime is how long the run of busyFile takes, about.
	busyTime = 4 * time.Second
	// atOnce is how many runs there are at a time.
	atOnce = 4
)

// busyFile always has something under way: containers, networks and volumes are
// made, started, ended and removed, and processes begin on this machine.
const busyFile = `kind: pipeline
name: one
services:
- {name: db, image: drone-laptop/busybox:test, commands: [sleep 600]}
- {name: cache, image: drone-laptop/busybox:test, commands: [sleep 600]}
steps:
- {name: a, image: drone-laptop/busybox:test, commands: [sleep 0.2], volumes: [{name: v, path: /v}]}
- {name: b, image: drone-laptop/busybox:test, commands: [sleep 0.4], depends_on: [a]}
- {name: c, image: drone-laptop/busybox:test, commands: [sleep 0.1], depends_on: [a]}
- {name: d, image: drone-laptop/busybox:test, commands: [sleep 0.1], depends_on: [b, c]}
volumes: [{name: v, temp: {}}]
---
kind: pipeline
type: exec
name: here
steps:
- {name: e, commands: ["sleep 601 & echo x > file", sleep 0.5]}
---
kind: pipeline
name: two
steps:
- {name: f, image: drone-laptop/busybox:test, commands: [sleep 0.1]}
- {name: g, image: drone-laptop/busybox:test, commands: [sleep 0.1]}
`

// victim is a drone that runs a file in a directory, with a directory for its
// temporary files that nobody else uses.
type victim struct {
	*testing.T
	work, tmp string
	command   *exec.Cmd
	output    bytes.Buffer
	ended     chan struct{}
	lost      []string // what the engine itself keeps
}

func newVictim(t *testing.T, file string, args ...string) *victim {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{T: t, work: filepath.Join(base, "work"), tmp: filepath.Join(base, "tmp"), ended: make(chan struct{})}
	for _, dir := range []string{v.work, v.tmp} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(v.work, ".drone.yml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	v.command = v.drone(append([]string{"exec", "--host"}, args...)...)
	v.command.Stdout, v.command.Stderr = &v.output, &v.output
	v.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return v
}

// drone is another command in the same place.
func (v *victim) drone(args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(binary, "drone"), args...)
	c.Dir = v.work
	c.Env = append(environment(), "HOME="+v.work, "TMPDIR="+v.tmp, "TERM=xterm", "GIT_CONFIG_NOSYSTEM=1")
	return c
}

func (v *victim) start() {
	v.Helper()
	if err := v.command.Start(); err != nil {
		v.Fatal(err)
	}
	go func() {
		defer close(v.ended)
		_ = v.command.Wait() // it is meant to end badly
	}()
	v.Cleanup(func() { // when the test has failed
		_ = v.command.Process.Kill()
		<-v.ended
	})
}

// traces names what there is of the run: objects of the engine, directories, and
// processes, the guard and drone itself among them.
func (v *victim) traces(engine *client.Client) []string {
	v.Helper()
	found, err := leftovers(engine, v.work)
	if err != nil {
		v.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(v.tmp, "*"))
	if err != nil {
		v.Fatal(err)
	}
	return append(append(found, dirs...), processesIn(filepath.Dir(v.work))...)
}

// processesIn names the processes that have text in their environment, where
// the system shows that.
func processesIn(text string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is right
	for _, file := range files {
		if env, err := os.ReadFile(file); err == nil && bytes.Contains(env, []byte(text)) {
			args, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			found = append(found, fmt.Sprintf("process %s: %q", filepath.Base(filepath.Dir(file)), args))
		}
	}
	return found
}

// mustVanish fails unless all traces are gone in time. The guard is none of the
// run: it may look for a while longer.
func (v *victim) mustVanish(engine *client.Client, how string) {
	v.Helper()
	began := time.Now()
	for vanished := false; ; time.Sleep(100 * time.Millisecond) {
		left := v.traces(engine)
		if len(left) == 0 {
			return
		}
		if !vanished && !slices.ContainsFunc(left, func(trace string) bool { return !strings.Contains(trace, "guard-of") }) {
			vanished = true
			v.Logf("%s: nothing is left %v later", how, time.Since(began).Round(100*time.Millisecond))
		}
		if took := time.Since(began); took > patience || took > promise && !vanished {
			if v.uncounted(engine, left) {
				return
			}
			v.Errorf("%s: after %v there is left:\n%s\nThe run said:\n%s", how, took, strings.Join(left, "\n"), v.output.String())
			return
		}
	}
}

// uncounted reports whether all that is left are networks that nothing is connected
// to and that the engine nevertheless refuses to remove for that, which lasts until it
// is restarted (see docker.HeldError): Docker 20.10 comes to that now and then when
// somebody removes a container at the moment in which it is being started.
func (v *victim) uncounted(engine *client.Client, left []string) bool {
	for _, trace := range left {
		name, ok := strings.CutPrefix(trace, "network ")
		if !ok {
			return false
		}
		found, err := engine.NetworkInspect(context.Background(), name, network.InspectOptions{})
		if err != nil || len(found.Containers) > 0 {
			return false
		}
		// Where it can be removed, drone should have.
		if err := engine.NetworkRemove(context.Background(), name); err == nil || !strings.Contains(err.Error(), "has active endpoints") {
			return false
		}
		v.Logf("the engine has lost count, and keeps %s until it is restarted", trace)
		v.lost = append(v.lost, trace)
	}
	return true
}

// TestChaos ends drone in every way there is, at random moments of a busy run,
// and demands that nothing of the run is left soon after. Every other one works on
// copies and brings results.
func TestChaos(t *testing.T) {
	t.Parallel()
	engine := needEngine(t)
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("moments are those of -chaos-seed %d", seed)
	moments := rand.New(rand.NewPCG(seed, 0))
	type ending struct {
		name string
		end  func(v *victim)
	}
	send := func(signal syscall.Signal) func(*victim) {
		return func(v *victim) { _ = v.command.Process.Signal(signal) } // it may have ended
	}
	var endings []ending
	for range *chaosKills {
		endings = append(endings, ending{"SIGKILL", send(syscall.SIGKILL)})
	}
	for range 2 {
		endings = append(endings,
			ending{"SIGINT", send(syscall.SIGINT)}, ending{"SIGTERM", send(syscall.SIGTERM)}, ending{"SIGHUP", send(syscall.SIGHUP)},
			ending{"SIGKILL of the process group", func(v *victim) { _ = syscall.Kill(-v.command.Process.Pid, syscall.SIGKILL) }},
			ending{"closed terminal", nil},
			ending{"docker kill", func(v *victim) { v.strike(engine, false) }},
			ending{"docker rm -f", func(v *victim) { v.strike(engine, true) }},
		)
	}
	var all sync.WaitGroup
	var victims []*victim
	places := make(chan struct{}, atOnce)
	for _, e := range endings {
		moment := time.Duration(moments.Int64N(int64(busyTime)))
		var args []string
		if len(victims)%2 == 1 {
			args = []string{"--isolate", "--out", filepath.Join(t.TempDir(), "out")}
		}
		v := newVictim(t, busyFile, args...)
		victims = append(victims, v)
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			end := e.end
			if end == nil {
				end = v.inTerminal()
			}
			v.start()
			v.waitFor(moment)
			end(v)
			how := fmt.Sprintf("%s %s after %v", e.name, args, moment.Round(time.Millisecond))
			select {
			case <-v.ended:
				v.mustVanish(engine, how)
			case <-time.After(time.Minute):
				v.Errorf("%s: drone has not ended", how)
				_ = v.command.Process.Kill()
			}
		})
	}
	all.Wait()
	// What was being made when all seemed to be gone is not forgotten.
	for _, v := range victims {
		left := slices.DeleteFunc(v.traces(engine), func(trace string) bool { return slices.Contains(v.lost, trace) })
		if len(left) > 0 {
			t.Errorf("it came back: %s", strings.Join(left, "\n"))
		}
	}
}

func (v *victim) waitFor(moment time.Duration) {
	select {
	case <-v.ended:
	case <-time.After(moment):
	}
}

// strike kills or removes one of the containers that the run has at the moment,
// or will have; the run goes on or ends by itself then.
func (v *victim) strike(engine *client.Client, remove bool) {
	mine := filters.NewArgs(filters.Arg("label", "io.drone.desktop.pipeline.dir="+v.work))
	for {
		// What is struck may be gone by then.
		list, err := engine.ContainerList(context.Background(), container.ListOptions{Filters: mine})
		switch {
		case err != nil:
			v.Error(err)
			return
		case len(list) > 0 && remove:
			_ = engine.ContainerRemove(context.Background(), list[0].ID, container.RemoveOptions{Force: true})
			return
		case len(list) > 0:
			_ = engine.ContainerKill(context.Background(), list[0].ID, "KILL")
			return
		}
		select {
		case <-v.ended:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// inTerminal has the run start in a terminal of its own, which end closes.
func (v *victim) inTerminal() (end func(*victim)) {
	master, tty, err := pty.Open()
	if err != nil {
		v.Error(err)
		return func(*victim) {}
	}
	v.command.Stdin, v.command.Stdout, v.command.Stderr = tty, tty, tty
	v.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(&v.output, master) }) // until it is closed
	return func(*victim) {
		_ = tty.Close()
		_ = master.Close()
		reading.Wait()
	}
}
