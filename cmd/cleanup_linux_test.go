package cmd_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// TestCleanup: at the end of a run its guard removes what is left, and the run
// does it itself where there is no guard that says so, or where it is told to.
func TestCleanup(t *testing.T) {
	engine := connect(t)
	if engine == nil {
		t.Skip("SKIPPED: no container engine")
	}
	signal := func(sig syscall.Signal) func(*victim) {
		return func(v *victim) {
			pid := v.guard()
			if pid == 0 {
				v.Fatal("the run has no guard")
			}
			if err := syscall.Kill(pid, sig); err != nil {
				v.Fatal(err)
			}
			if sig == syscall.SIGSTOP {
				v.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) }) // it ends then
			}
		}
	}
	for _, tc := range []struct {
		name   string
		args   []string
		env    []string
		meddle func(*victim) // while a step runs
		within time.Duration // of the end of the run
	}{
		{name: "behind the prompt", args: []string{"--cleanup", "background"}, within: behindPrompt},
		{name: "waited for", args: []string{"--cleanup", "wait"}},
		{name: "on a build server", env: []string{"CI=true"}},
		{name: "without a guard", args: []string{"--cleanup", "background"}, meddle: signal(syscall.SIGKILL)},
		{name: "with a guard that does not answer", args: []string{"--cleanup", "background"}, meddle: signal(syscall.SIGSTOP)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, dockerFile, append(tc.args, "--env", "NAME=x")...)
			v.command.Env = append(v.command.Env, tc.env...)
			v.start()
			v.await("started.x")
			if tc.meddle != nil {
				tc.meddle(v)
			}
			v.touch("go.x")
			<-v.ended
			ended := time.Now()
			if !v.command.ProcessState.Success() {
				t.Errorf("the run: %v\n%s", v.command.ProcessState, v.output.String())
			}
			for {
				asked := time.Now()
				left, err := leftovers(engine, v.work)
				if err != nil {
					t.Fatal(err)
				}
				if len(left) == 0 {
					t.Logf("nothing is left %v later", time.Since(ended).Round(time.Millisecond))
					return
				}
				if asked.Sub(ended) > tc.within {
					t.Fatalf("%v after the end there is left:\n%s", asked.Sub(ended), strings.Join(left, "\n"))
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

// TestCleanupBeside: while a guard is at work behind the prompt nobody else takes
// what it removes for left behind, and the next run in the same directory is not
// disturbed; when the guard is killed the one after that removes the rest. What is
// left is held here so that it cannot be removed before.
func TestCleanupBeside(t *testing.T) {
	t.Parallel()
	engine := connect(t)
	if engine == nil {
		t.Skip("SKIPPED: no container engine")
	}
	const quick = "kind: pipeline\nname: quick\nsteps:\n- {name: a, image: drone-laptop/busybox:test, commands: [sleep 2]}\n"
	v := newVictim(t, dockerFile, "--cleanup", "background", "--env", "NAME=x")
	if err := os.WriteFile(filepath.Join(v.work, "quick.yml"), []byte(quick), 0o600); err != nil {
		t.Fatal(err)
	}
	v.start()
	v.await("started.x")
	release := v.hold(engine)
	guard := v.guard()
	v.touch("go.x")
	<-v.ended
	if !v.command.ProcessState.Success() || strings.Contains(v.output.String(), "warning") {
		t.Errorf("the run: %v\n%s", v.command.ProcessState, v.output.String())
	}
	held, err := leftovers(engine, v.work)
	for i := 0; err == nil && len(held) > 1 && i < 100; i++ { // the guard removes what it can
		time.Sleep(100 * time.Millisecond)
		held, err = leftovers(engine, v.work)
	}
	if err != nil || len(held) != 1 || !strings.HasPrefix(held[0], "network ") {
		t.Fatalf("want the network that is held, have %v, %v", held, err)
	}
	next := func() {
		out, err := v.drone("exec", "quick.yml", "--cleanup", "wait").CombinedOutput()
		if err != nil || strings.Contains(string(out), "warning") {
			t.Errorf("the next run: %v\n%s", err, out)
		}
	}
	dead := func() bool { // for whoever looks for what killed runs have left
		out, err := v.drone("clean", "--dry-run", "--output", "json").Output()
		if err != nil {
			t.Errorf("drone clean: %v", err)
		}
		return strings.Contains(string(out), strings.TrimPrefix(held[0], "network "))
	}
	next()
	if guard == 0 || syscall.Kill(guard, 0) != nil {
		t.Fatalf("the guard (%d) does not wait until it can remove everything", guard)
	}
	if dead() {
		t.Error("what a guard removes is taken for left behind")
	}
	if out, err := v.drone("clean", "--dry-run").CombinedOutput(); err != nil || !strings.Contains(string(out), "runs that are over, which their guards are removing (") {
		t.Errorf("drone clean: %v\n%s", err, out)
	}
	if err := syscall.Kill(guard, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	await(t, patience, "the guard is gone", func() bool { return v.guard() == 0 })
	if !dead() {
		t.Error("what the guard of a run has left is not found")
	}
	release()
	next()
	v.mustVanish(engine, "after the death of the guard")
}

// hold keeps the network of a run that goes on from being removed, until the
// returned function is called.
func (v *victim) hold(engine *client.Client) (release func()) {
	v.Helper()
	ctx := context.WithoutCancel(v.Context())
	mine := filters.NewArgs(filters.Arg("label", "io.drone.desktop.pipeline.dir="+v.work))
	networks, err := engine.NetworkList(ctx, network.ListOptions{Filters: mine})
	if err != nil || len(networks) != 1 {
		v.Fatalf("the run has the networks %v, error %v", networks, err)
	}
	made, err := engine.ContainerCreate(ctx, &container.Config{Image: "drone-laptop/busybox:test", Cmd: []string{"sleep", "600"}}, nil, nil, nil, "")
	if err != nil {
		v.Fatal(err)
	}
	released := false
	release = func() {
		if !released {
			released = true
			if err := engine.ContainerRemove(ctx, made.ID, container.RemoveOptions{Force: true}); err != nil {
				v.Error(err)
			}
		}
	}
	v.Cleanup(release)
	if err := engine.NetworkConnect(ctx, networks[0].ID, made.ID, nil); err != nil {
		v.Fatal(err)
	}
	if err := engine.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		v.Fatal(err)
	}
	return release
}
