package host

import (
	"bytes"
	"context"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/testenv"
)

// TestKill ends what the steps of one run have started, by the name of the run
// alone: also what has left the session of its step, or has dropped its
// environment. A process of another run stays, and so does one that has the mark
// by accident, with its session.
func TestKill(t *testing.T) {
	if why := testenv.Missing("setsid"); why != "" {
		testenv.Lack(t, "%s, so the end of orphaned processes is not tested", why)
	}
	engine, _ := newEngine(t, nil)
	begin := func(run string) (place string, ended chan exec.Exit) {
		s, err := engine.Open(t.Context(), &exec.Pipeline{Name: "p"}, exec.Setting{Run: run})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		ended = make(chan exec.Exit, 1)
		commands := []string{
			"setsid sh -c 'echo away > away; exec sleep 600' &", "env -i sh -c 'echo bare > bare; exec sleep 600' &",
			"until [ -s away ] && [ -s bare ]; do sleep 0.01; done", "echo ready > ready", "sleep 600",
		}
		go func() {
			// It ends badly, in one way or the other.
			exit, _ := s.Run(t.Context(), step(commands...), exec.IO{Output: new(bytes.Buffer)})
			ended <- exit
		}()
		source := s.(*session).place.source
		await(t, "the step of "+run, func() bool {
			text, err := os.ReadFile(filepath.Join(source, "ready"))
			return err == nil && len(text) > 0
		})
		return source, ended
	}
	_, ended := begin("killed")
	begin("killed.too") // by name it is nearly the same
	copied := osexec.Command("sh", "-c", "DRONE_HOST_STEP=killed/x sleep 600 & wait")
	copied.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, stepMark+"=") })
	copied.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := copied.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = copied.Wait() })
	t.Cleanup(func() { _ = copied.Process.Kill() })
	await(t, "the copy of the mark", func() bool { return len(processesOf("killed")) == 5 })

	killed, left := Kill("killed")
	// The shell, its sleep, what it has put away, what is bare, and the copy.
	if killed < 5 || len(left) > 0 {
		t.Errorf("killed %d, left %v", killed, left)
	}
	if exit := <-ended; exit.Code != 137 {
		t.Errorf("the step ended with %d", exit.Code)
	}
	if others := processesOf("killed.too"); len(others) < 4 {
		t.Errorf("of the other run is left %v", others)
	}
	if stat, ok := readStat(copied.Process.Pid); !ok || stat.session != copied.Process.Pid {
		t.Errorf("a session in which the mark was copied is gone")
	}
	if killed, left := Kill("killed"); killed != 0 || len(left) > 0 {
		t.Errorf("again: killed %d, left %v", killed, left)
	}
}
