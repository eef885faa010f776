package cmd_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestSweep kills a run together with its guard, which leaves everything, and
// has the next command remove that.
func TestSweep(t *testing.T) {
	engine := connect(t)
	orphan := func(t *testing.T, v *victim) {
		t.Helper()
		guard := v.guard()
		if guard == 0 {
			t.Fatal("there is no guard")
		}
		if err := errors.Join(syscall.Kill(guard, syscall.SIGKILL), v.command.Process.Kill()); err != nil {
			t.Fatal(err)
		}
		<-v.ended
	}
	for _, tc := range []struct {
		name string
		args []string
		want string // of what is private to the test
	}{
		{"exec", []string{"exec", "quick.yml", "--host"}, `(?m)^drone: removed what an earlier run left: 1 directory, [23] processes$`},
		{"clean", []string{"clean"}, `(?m)^drone: removed 1 directory: `},
	} {
		t.Run(tc.name+" after a run on this machine", func(t *testing.T) {
			t.Parallel()
			v := newHostVictim(t)
			v.waitHost()
			orphan(t, v)
			if len(v.traces(engine)) < 3 {
				t.Fatalf("nothing was left: %v", v.traces(engine))
			}
			next := v.drone(tc.args...)
			quick := "kind: pipeline\ntype: exec\nname: quick\nsteps:\n- {name: a, commands: [sleep 1]}\n"
			if err := os.WriteFile(filepath.Join(v.work, "quick.yml"), []byte(quick), 0o600); err != nil {
				t.Fatal(err)
			}
			// Where other tests leave something at the same time, that may be
			// in the list, too. No engine is asked here.
			next.Env = append(next.Env, "DOCKER_HOST=tcp://127.0.0.1:1")
			out, err := next.CombinedOutput()
			if tc.name == "exec" && err != nil || !regexp.MustCompile(tc.want).Match(out) {
				t.Errorf("error %v, want %q in\n%s", err, tc.want, out)
			}
			if left := v.traces(engine); len(left) > 0 {
				t.Errorf("there is left:\n%s", strings.Join(left, "\n"))
			}
		})
		t.Run(tc.name+" after a run in containers", func(t *testing.T) {
			t.Parallel()
			if engine == nil {
				t.Skip("SKIPPED: no container engine")
			}
			v := newVictim(t, dockerFile, "--env", "NAME=x")
			v.start()
			v.await("started.x")
			orphan(t, v)
			quick := "kind: pipeline\nname: quick\nsteps:\n- {name: a, image: drone-laptop/busybox:test, commands: [sleep 1]}\n"
			if err := os.WriteFile(filepath.Join(v.work, "quick.yml"), []byte(quick), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := v.drone(tc.args...).CombinedOutput(); err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
			// Another run on this machine may be the one that removes them.
			v.mustVanish(engine, "swept")
		})
	}
}
