package docker

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/enginetest"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/testenv"
)

var update = flag.Bool("update", false, "write the golden files of this package")

// testImage is made by `make images`.
const testImage = "drone-laptop/busybox:test"

// newEngine connects to the engine of this machine. Without one the test is
// skipped, but fails where CI is set.
func newEngine(t *testing.T) *Engine {
	t.Helper()
	return newEngineWith(t, Options{})
}

// connectTo connects to an engine that must answer, until the test is over.
func connectTo(t *testing.T, opts Options) *Engine {
	t.Helper()
	e, err := New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close the engine: %v", err)
		}
	})
	return e
}

// socketOf is the file of the socket that an engine listens on.
func socketOf(t *testing.T, e *Engine) string {
	t.Helper()
	socket, isUnix := strings.CutPrefix(e.endpoint.Host, "unix://")
	if !isUnix {
		t.Skip("SKIPPED: the engine is not on a unix socket")
	}
	return socket
}

func newEngineWith(t *testing.T, opts Options) *Engine {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	endpoint, err := dockerhost.Resolve(dockerhost.Process(), "")
	if err == nil {
		opts.Endpoint = endpoint
		var e *Engine
		if e, err = New(ctx, opts); err == nil {
			_, err = e.client.ImageInspect(ctx, testImage)
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Errorf("close the engine: %v", err)
				}
			})
			if err == nil {
				return e
			}
		}
	}
	testenv.Lack(t, "no engine with the image %s: %v", testImage, err)
	return nil
}

// leftovers are what the engine holds for a run: "container NAME", "network NAME"
// and "volume NAME".
func leftovers(t *testing.T, e *Engine, run string) (left []string) {
	t.Helper()
	objects, err := e.Objects(context.WithoutCancel(t.Context()), run)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		left = append(left, o.Kind+" "+o.Name)
	}
	return left
}

func TestConformance(t *testing.T) {
	e := newEngine(t)
	bind := func(t *testing.T) string { return t.TempDir() }
	for _, mode := range []struct {
		name      string
		workspace func(*testing.T) string
		ahead     bool
	}{{"volume", nil, false}, {"bind", bind, false}, {"prepared", bind, true}} {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			enginetest.Run(t, enginetest.Config{
				Engine:  func(*testing.T) exec.Engine { return e },
				Patient: func(t *testing.T) exec.Engine { return newEngineWith(t, Options{Grace: time.Minute}) },
				Image:   testImage, Workspace: mode.workspace, Ahead: mode.ahead,
				Leftovers: func(t *testing.T, run string) []string { return leftovers(t, e, run) },
				Break:     func(p *exec.Pipeline) { p.Networks = []string{"drone-test-no-such-network"} },
				Features:  enginetest.Features{Images: true, Volumes: true, Network: true},
			})
		})
	}
}

// trial is one open pipeline of a test.
type trial struct {
	*testing.T
	engine   *Engine
	pipeline *exec.Pipeline
	session  exec.Session
	run      string

	mu      sync.Mutex
	notices []exec.Notice
}

// open opens a pipeline that change has set up. The end of the test closes it
// and demands that nothing is left.
func open(t *testing.T, e *Engine, change func(p *exec.Pipeline)) *trial {
	t.Helper()
	tr := &trial{T: t, engine: e, run: "test-" + random()[:8]}
	tr.pipeline = &exec.Pipeline{
		Name: "trial", Type: "docker", Runs: true,
		Workspace: exec.Workspace{Base: "/drone/src", Path: "/drone/src"},
	}
	if change != nil {
		change(tr.pipeline)
	}
	session, err := e.Open(t.Context(), tr.pipeline, exec.Setting{
		Run: tr.run, Secret: func(string) (string, bool) { return "", false }, Notify: tr.notify,
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.session = session
	t.Cleanup(func() {
		if err := session.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close: %v", err)
		}
		if left := leftovers(t, e, tr.run); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return tr
}

func (tr *trial) notify(n exec.Notice) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.notices = append(tr.notices, n)
}

func (tr *trial) warnings() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var found []string
	for _, n := range tr.notices {
		if n.Warning != "" {
			found = append(found, n.Warning)
		}
	}
	return found
}

// do runs a step and returns what it printed beside its trace.
func (tr *trial) do(ctx context.Context, s *exec.Step, env map[string]string) (string, exec.Exit, error) {
	if s.Image == "" {
		s.Image = testImage
	}
	if s.Name == "" {
		s.Name = "step"
	}
	if s.WorkingDir == "" {
		s.WorkingDir = tr.pipeline.Workspace.Path
	}
	var out bytes.Buffer
	exit, err := tr.session.Run(ctx, s, exec.IO{Env: env, Output: &out, Notify: tr.notify})
	var printed strings.Builder
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "+ ") {
			printed.WriteString(line)
		}
	}
	return printed.String(), exit, err
}

// must runs commands that must succeed.
func (tr *trial) must(s *exec.Step, env map[string]string) string {
	tr.Helper()
	out, exit, err := tr.do(tr.Context(), s, env)
	if err != nil || exit.Code != 0 {
		tr.Fatalf("exit %d, error %v, output %q", exit.Code, err, out)
	}
	return out
}

func commands(lines ...string) *exec.Step {
	return &exec.Step{Kind: exec.KindStep, Policy: exec.Always, Commands: lines}
}

func asStepError(t *testing.T, err error, phase exec.Phase) *exec.StepError {
	t.Helper()
	var failed *exec.StepError
	if !errors.As(err, &failed) || failed.Phase != phase {
		t.Fatalf("got %#v (%v), want a StepError of phase %s", err, err, phase)
	}
	return failed
}

func contains(list []string, part string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, part) })
}
