package docker

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/drone-laptop/drone/exec"
)

// TestInherited: a session says that only removal is left when nothing of it runs
// any more, its output is delivered and the files are the caller's, and leaves the
// rest when somebody else goes on with it. What it leaves is found and removed.
// When nobody does it removes that itself.
func TestInherited(t *testing.T) {
	e := newEngine(t)
	for _, tc := range []struct {
		name  string
		serve bool // a service runs, whose output is wanted to the last
		alone bool // nobody goes on with it
	}{{"steps that have ended", false, false}, {"a service that runs", true, false}, {"by nobody", true, true}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			run, dir := "test-"+random()[:8], t.TempDir()
			inherited, removing := make(chan struct{}), make(chan struct{}, 9)
			p := &exec.Pipeline{
				Name: "left", Type: "docker", Runs: true, Workspace: exec.Workspace{Base: "/drone/src", Path: "/drone/src", Host: dir},
				Volumes: []exec.Volume{{Name: "v", Kind: exec.VolumeTemp}},
			}
			s, err := e.Open(t.Context(), p, exec.Setting{Run: run, Inherited: inherited, Notify: func(n exec.Notice) {
				if n.Phase == exec.PhaseRemove {
					removing <- struct{}{}
				}
				if n.Warning != "" {
					t.Errorf("warning: %s", n.Warning)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			tidy := context.WithoutCancel(t.Context())
			t.Cleanup(func() {
				objects, err := e.Objects(tidy, run)
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range e.Remove(tidy, nil, objects) {
					if err != nil {
						t.Error(err)
					}
				}
				if left := leftovers(t, e, run); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			})
			ctx, over := context.WithCancelCause(t.Context())
			var said bytes.Buffer
			served := make(chan struct{})
			if tc.serve {
				started := make(chan struct{})
				db := &exec.Step{Name: "db", Kind: exec.KindService, Image: testImage, WorkingDir: "/drone/src", Commands: []string{"echo up; while :; do sleep 0.1; echo more; done"}}
				go func() {
					defer close(served)
					if _, err := s.Run(ctx, db, exec.IO{Output: &said, Started: func() { close(started) }}); err == nil {
						t.Error("the service is said to have ended by itself")
					}
				}()
				<-started
			} else {
				close(served)
			}
			step := &exec.Step{Name: "step", Image: testImage, WorkingDir: "/drone/src", Commands: []string{"touch made", "sleep 0.3"}}
			if exit, err := s.Run(ctx, step, exec.IO{Output: &bytes.Buffer{}}); exit.Code != 0 || err != nil {
				t.Errorf("the step: %+v, %v", exit, err)
			}
			if tc.serve && !tc.alone {
				hold(t, e, s.(*session).place.network)
			}
			over(exec.ErrOver)
			closed := make(chan error, 1)
			go func() { closed <- s.Close(tidy) }()
			select {
			case <-removing:
			case err := <-closed:
				t.Fatalf("close did not tell that it only removes: %v", err)
			}
			select {
			case <-served:
			default:
				t.Error("a service runs while only removal is said to be left")
			}
			if tc.serve && !strings.Contains(said.String(), "up\n") {
				t.Errorf("output is missing: %q", said.String())
			}
			if !tc.alone {
				close(inherited)
			}
			select {
			case err := <-closed:
				if err != nil {
					t.Errorf("close: %v", err)
				}
			case <-time.After(30 * time.Second): // a network alone takes less, on any machine
				t.Fatal("close does not return")
			}
			left := leftovers(t, e, run)
			if tc.alone && len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if tc.serve && !tc.alone && len(left) == 0 {
				t.Error("nothing was left, not even what could not be removed")
			}
		})
	}
}

// hold keeps a network from being removed until the test is over: Close by itself
// would try for ten seconds and say that it failed.
func hold(t *testing.T, e *Engine, name string) {
	t.Helper()
	config := &container.Config{Image: testImage, Cmd: []string{"sleep", "600"}}
	made, err := e.client.ContainerCreate(t.Context(), config, nil, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.removeContainer(context.WithoutCancel(t.Context()), made.ID); err != nil {
			t.Error(err)
		}
	})
	if err := e.client.NetworkConnect(t.Context(), name, made.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.client.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
}
