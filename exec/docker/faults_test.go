//go:build linux

package docker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerdtest"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

// engineAt connects to a daemon of the test.
func engineAt(t *testing.T, d *dockerdtest.Daemon) *Engine {
	t.Helper()
	return connectTo(t, Options{Endpoint: dockerhost.Endpoint{Host: d.Host, Source: "the test"}})
}

// whenUp runs a step and calls do once its process runs.
func (tr *trial) whenUp(ctx context.Context, s *exec.Step, do func()) (string, exec.Exit, error) {
	s.Name, s.Image, s.WorkingDir = "step", testImage, "/"
	out := &watcher{text: "\nup\n", seen: do}
	exit, err := tr.session.Run(ctx, s, exec.IO{Output: out, Notify: tr.notify})
	return out.String(), exit, err
}

// within fails when something took longer than a promise.
func within(t *testing.T, promise time.Duration, what string, do func()) {
	t.Helper()
	start := time.Now()
	do()
	if took := time.Since(start); took > promise {
		t.Errorf("%s took %s, more than the %s promised", what, took, promise)
	}
}

// container is the name of the only container of the run.
func (tr *trial) container() string {
	tr.Helper()
	for _, object := range leftovers(tr.T, tr.engine, tr.run) {
		if name, ok := strings.CutPrefix(object, "container "); ok {
			return name
		}
	}
	tr.Fatal("the run has no container")
	return ""
}

// TestFaults does to an engine and its objects what others do to them while a
// run is under way. All share one daemon of their own.
func TestFaults(t *testing.T) {
	t.Parallel()
	// Room for the network of the daemon and three more.
	d := dockerdtest.Start(t, []string{testImage}, "--default-address-pool", "base=10.213.0.0/20,size=22", "--shutdown-timeout", "2")
	e := engineAt(t, d)
	up := func() *exec.Step { return commands("echo; echo up; sleep 600") }

	for _, tc := range []struct {
		name   string
		docker []string
		reason string
	}{
		{"killed by another", []string{"kill"}, "its container was killed by somebody else (signal 9)"},
		{"stopped by another", []string{"stop", "--time", "0"}, "its container was stopped by somebody else"},
		{"removed by another", []string{"rm", "--force"}, "its container was removed by somebody else"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tr := open(t, e, nil)
			_, exit, err := tr.whenUp(t.Context(), up(), func() { d.Docker(append(tc.docker, tr.container())...) })
			if err != nil || exit.Code != 137 || exit.OOMKilled || exit.Reason != tc.reason || exit.Hint == "" {
				t.Errorf("got %+v, %v", exit, err)
			}
		})
	}

	t.Run("killed by itself", func(t *testing.T) {
		tr := open(t, e, nil)
		_, exit, err := tr.do(t.Context(), commands("sh -c 'kill -9 $$'"), nil)
		if err != nil || exit.Code != 137 || exit.Reason != "that is the code of SIGKILL, which the engine was not asked for" {
			t.Errorf("got %+v, %v", exit, err)
		}
	})

	t.Run("paused by another", func(t *testing.T) {
		tr := open(t, e, nil)
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		within(t, 10*time.Second, "the end of a paused step", func() {
			_, _, err := tr.whenUp(ctx, up(), func() {
				d.Docker("pause", tr.container())
				cancel(enough)
			})
			if !errors.Is(err, enough) {
				t.Errorf("got %v", err)
			}
		})
	})

	t.Run("network removed by another", func(t *testing.T) {
		tr := open(t, e, nil)
		d.Docker("network", "prune", "--force")
		_, _, err := tr.do(t.Context(), commands("true"), nil)
		got := &exec.StepError{}
		if !errors.As(err, &got) || got.Error() != "the network of the pipeline was removed by somebody else" || got.Hint == "" {
			t.Errorf("got %v", err)
		}
	})

	t.Run("volume removed by another", func(t *testing.T) {
		tr := open(t, e, func(p *exec.Pipeline) { p.Volumes = []exec.Volume{{Name: "cache", Kind: exec.VolumeTemp}} })
		s := func() *exec.Step {
			s := commands("ls /cache; touch /cache/kept")
			s.Mounts = []exec.Mount{{Volume: "cache", Path: "/cache"}}
			return s
		}
		tr.must(s(), nil)
		tr.session.(*session).tidying.Wait() // a volume in use stays
		d.Docker("volume", "rm", tr.session.(*session).place.volumes["cache"])
		_, _, err := tr.do(t.Context(), s(), nil)
		got := asStepError(t, err, exec.PhaseStart)
		if got.Error() != `volume "cache" was removed by somebody else, with what earlier steps left there` {
			t.Errorf("got %v", got)
		}
	})

	t.Run("no addresses left", func(t *testing.T) {
		plan := &exec.Plan{}
		for _, name := range []string{"a", "b", "c", "d"} {
			s := commands("true")
			if name == "a" || name == "b" || name == "c" {
				s = commands("sleep 3")
			}
			s.Name, s.Image, s.WorkingDir = "s", testImage, "/"
			plan.Pipelines = append(plan.Pipelines, &exec.Pipeline{
				Name: name, Type: "docker", Runs: true, Workspace: exec.Workspace{Base: "/w", Path: "/w"}, Steps: []*exec.Step{s},
			})
		}
		run := "test-" + random()[:8]
		summary, err := exec.Run(t.Context(), plan, e, exec.Options{Run: run, Parallel: 4}, func(exec.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		var bad []string
		for _, p := range summary.Pipelines {
			if p.Status == exec.StatusError && p.Reason == "the engine has no addresses left for another network" &&
				strings.Contains(p.Hint, "`drone clean`") && strings.Contains(p.Hint, "`docker network prune`") {
				bad = append(bad, p.Name)
			}
		}
		if len(bad) != 1 || summary.Counts()[exec.StatusSuccess] != 3 {
			t.Errorf("without addresses were %v; steps: %v", bad, summary.Counts())
		}
		if left := leftovers(t, e, run); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})

	t.Run("image removed between steps", func(t *testing.T) {
		tr := open(t, e, nil)
		d.Docker("tag", testImage, "drone-laptop/fleeting:1")
		s := commands("true")
		s.Image = "drone-laptop/fleeting:1"
		tr.must(s, nil)
		tr.session.(*session).tidying.Wait()
		d.Docker("rmi", "--no-prune", "drone-laptop/fleeting:1")
		again := commands("true")
		again.Image = s.Image
		_, _, err := tr.do(t.Context(), again, nil)
		got := asStepError(t, err, exec.PhasePull)
		if !strings.Contains(got.Error(), `image "drone-laptop/fleeting:1" cannot be pulled`) || got.Hint == "" {
			t.Errorf("got %v with hint %q", got, got.Hint)
		}
	})

	t.Run("storage full", func(t *testing.T) {
		tr := open(t, e, func(p *exec.Pipeline) { p.Workspace.Host = t.TempDir() })
		// The storage of this daemon is seen from its own place only.
		e.full = func(dir string) bool { return full(d.Root(dir)) }
		defer func() { e.full = full }()
		_, exit, err := tr.do(t.Context(), commands("dd if=/dev/zero of=/big bs=1M count=100"), nil)
		if err != nil || exit.Code != 1 || !strings.HasPrefix(exit.Hint, "the storage of the engine, "+d.Storage+", is full: `docker system df`") {
			t.Errorf("got %+v, %v", exit, err)
		}
		tr.session.(*session).tidying.Wait() // which makes room
		ballast := d.Root(filepath.Join(d.Storage, "ballast"))
		defer os.Remove(ballast)
		if err := fill(ballast); err != nil {
			t.Fatal(err)
		}
		_, _, err = tr.do(t.Context(), commands("true"), nil)
		var got *exec.StepError
		if !errors.As(err, &got) || got.Error() != "the disk of the engine is full" || !strings.Contains(got.Hint, "docker system df") {
			t.Errorf("got %v", err)
		}
	})

	// From here on the daemon is disturbed itself.

	t.Run("engine hangs", func(t *testing.T) {
		e := engineAt(t, d)
		e.patience = patience{every: 200 * time.Millisecond, running: 2 * time.Second, closing: time.Second, back: time.Second}
		run := "test-" + random()[:8]
		session, err := e.Open(t.Context(), &exec.Pipeline{Name: "p", Workspace: exec.Workspace{Base: "/w", Path: "/w"}},
			exec.Setting{Run: run, Notify: func(exec.Notice) {}})
		if err != nil {
			t.Fatal(err)
		}
		tr := &trial{T: t, engine: e, session: session, run: run}
		within(t, 10*time.Second, "the end of a step whose engine hangs", func() {
			_, _, err = tr.whenUp(t.Context(), up(), func() { d.Signal(syscall.SIGSTOP) })
		})
		if err == nil || !strings.HasSuffix(err.Error(), "it has not answered for 2s") || !errors.As(err, new(*exec.UnreachableError)) {
			t.Errorf("got %v", err)
		}
		within(t, 10*time.Second, "the end of a pipeline whose engine hangs", func() { err = session.Close(context.WithoutCancel(t.Context())) })
		if err == nil || !strings.Contains(err.Error(), "left behind: container drone-"+run) || !strings.HasSuffix(err.Error(), "does not answer") {
			t.Errorf("close gave %v", err)
		}
		d.Signal(syscall.SIGCONT)
		sweep(t, engineAt(t, d), run)
	})

	// The containers of a daemon that was killed go on, with live-restore also
	// after its return; either way they are removed, and the step has ended.
	for _, live := range []string{"false", "true"} {
		t.Run("engine killed and started again, live-restore "+live, func(t *testing.T) {
			d.Stop()
			d.Configure(`{"live-restore": ` + live + `}`)
			d.Restart()
			e := engineAt(t, d)
			tr := open(t, e, nil)
			// It ends when it is asked to, which a daemon that starts again does.
			polite := commands("trap 'exit 7' TERM; echo; echo up; sleep 600 & wait")
			_, _, err := tr.whenUp(t.Context(), polite, func() { d.Kill(); d.Restart() })
			if got := asStepError(t, err, exec.PhaseRun); !errors.As(err, new(*exec.UnreachableError)) || !strings.HasPrefix(got.Error(), "lost the connection to Docker") {
				t.Errorf("got %v", err)
			}
		})
	}

	t.Run("engine stopped for good", func(t *testing.T) {
		e := engineAt(t, d)
		e.patience.back = 2 * time.Second
		run := "test-" + random()[:8]
		tr := &trial{T: t, engine: e, run: run}
		session, err := e.Open(t.Context(), &exec.Pipeline{Name: "p", Workspace: exec.Workspace{Base: "/w", Path: "/w"}},
			exec.Setting{Run: run, Notify: tr.notify})
		if err != nil {
			t.Fatal(err)
		}
		tr.session = session
		_, _, err = tr.whenUp(t.Context(), up(), d.Stop)
		if !errors.As(err, new(*exec.UnreachableError)) {
			t.Errorf("got %v", err)
		}
		within(t, 10*time.Second, "the end of a pipeline whose engine is gone", func() { err = session.Close(context.WithoutCancel(t.Context())) })
		if err == nil || !strings.Contains(err.Error(), "left behind: ") || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("close gave %v", err)
		}
		if !contains(tr.warnings(), "waiting up to 2s for it to come back") {
			t.Errorf("warned %q", tr.warnings())
		}
	})
}

// fill writes a file until the disk is full.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				return err
			}
			size /= 2
		}
	}
	return nil
}
