package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	imagetypes "github.com/docker/docker/api/types/image"

	"github.com/drone-laptop/drone/exec"
)

var errStop = errors.New("stopped by the test")

// mark is an io.Writer that says when text has been written.
type mark struct {
	text string
	seen chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

func (m *mark) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := strings.Contains(m.out.String(), m.text)
	m.out.Write(p)
	if !before && strings.Contains(m.out.String(), m.text) {
		close(m.seen)
	}
	return len(p), nil
}

func (m *mark) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.out.String()
}

// cancelled runs a step until it has printed up, cancels it with cause, and
// returns its output and how long it took to end.
func cancelled(tr *trial, s *exec.Step, cause error) (string, time.Duration) {
	tr.Helper()
	if s.Image == "" {
		s.Image = testImage
	}
	s.Name, s.WorkingDir = "step", tr.pipeline.Workspace.Path
	ctx, cancel := context.WithCancelCause(tr.Context())
	out := &mark{text: "up\n", seen: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		_, err := tr.session.Run(ctx, s, exec.IO{Output: out, Notify: tr.notify})
		ended <- err
	}()
	select {
	case <-out.seen:
	case err := <-ended:
		tr.Fatalf("the step ended: %v, output %q", err, out)
	}
	begun := time.Now()
	cancel(cause)
	if err := <-ended; !errors.Is(err, cause) {
		tr.Errorf("error is %v, want the cause", err)
	}
	return out.String(), time.Since(begun)
}

// TestGraceIsNotUsedUp gives steps a minute that they do not need. The signal
// comes once, so what is to end by it must have begun.
func TestGraceIsNotUsedUp(t *testing.T) {
	e := newEngineWith(t, Options{Grace: time.Minute})
	for name, tc := range map[string]struct {
		step  *exec.Step
		cause error
	}{
		"a command that knows nothing of signals": {commands("(sleep 1; echo up) & sleep 600", "echo never"), errStop},
		"commands in the background":              {commands("sleep 600 & sleep 600 & echo up; wait"), errStop},
		"the other steps are over":                {commands("trap '' TERM", "echo up; while :; do sleep 0.1; done"), exec.ErrOver},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, took := cancelled(open(t, e, nil), tc.step, tc.cause)
			if took > 20*time.Second || strings.Contains(out, "never\n") {
				t.Errorf("it took %v, output %q", took, out)
			}
			t.Logf("it took %v", took)
		})
	}
}

// TestGraceEnds has steps that do not do what they are asked.
func TestGraceEnds(t *testing.T) {
	const grace = 500 * time.Millisecond
	e := newEngineWith(t, Options{Grace: grace})
	for name, s := range map[string]*exec.Step{
		"a command that ignores it": commands("trap '' TERM", "echo up; while :; do sleep 0.1; done"),
		// Process 1 ignores every signal that it does not handle.
		"a plugin that knows nothing of signals": {Entrypoint: []string{"/bin/sh", "-c", "echo up; exec sleep 600"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, took := cancelled(open(t, e, nil), s, errStop)
			if took < grace || took > 20*time.Second {
				t.Errorf("it took %v, output %q", took, out)
			}
		})
	}
}

// TestStopSignal has an image that names another signal than TERM.
func TestStopSignal(t *testing.T) {
	e := newEngineWith(t, Options{Grace: time.Minute})
	image := "drone-test/stopsignal:" + random()[:8]
	made, err := e.client.ContainerCreate(t.Context(), &container.Config{Image: testImage, Cmd: []string{"true"}, StopSignal: "SIGUSR1"}, nil, nil, nil, objectName("stopsignal"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.client.ContainerCommit(t.Context(), made.ID, container.CommitOptions{Reference: image})
	if err := errors.Join(err, e.removeContainer(t.Context(), made.ID)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.client.ImageRemove(context.WithoutCancel(t.Context()), image, imagetypes.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	tr := open(t, e, nil)
	both := "trap 'echo TERM; exit 1' TERM; trap 'echo USR1; exit 1' USR1; echo up; while :; do sleep 0.1; done"
	service := &exec.Step{Image: image, Entrypoint: []string{"/bin/sh", "-c", both}}
	if out, _ := cancelled(tr, service, errStop); !strings.HasSuffix(out, "USR1\n") {
		t.Errorf("a service gave %q, want the signal of the image", out)
	}
	s := commands(both)
	s.Image = image
	if out, _ := cancelled(tr, s, errStop); !strings.HasSuffix(out, "TERM\n") {
		t.Errorf("commands gave %q, want TERM: the image does not know the shell", out)
	}
}

// TestPumpInAHurry leaves output that nobody takes, but for what is being
// written.
func TestPumpInAHurry(t *testing.T) {
	hurry, block, inside := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	reader, writer := io.Pipe()
	wrote := 0
	p := newPump(reader, once, writerFunc(func(b []byte) (int, error) {
		wrote += len(b)
		signal(inside)
		<-block
		return len(b), nil
	}))
	p.hurry = hurry
	p.release()
	go func() {
		piece := framed(t, strings.Repeat("x", 1000))
		for {
			if _, err := writer.Write(piece); err != nil {
				return
			}
		}
	}()
	<-inside
	close(hurry)
	time.AfterFunc(100*time.Millisecond, func() { close(block) })
	begun := time.Now()
	if err := p.finish(func() { reader.Close() }); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > pumpStall/2 || wrote > 2*pumpPiece {
		t.Errorf("it took %v, and %d bytes were written", took, wrote)
	}
}

// TestPumpPanic has an output that panics.
func TestPumpPanic(t *testing.T) {
	p := newPump(bytes.NewReader(framed(t, "x")), once, writerFunc(func([]byte) (int, error) { panic("no") }))
	p.release()
	defect, ok := errors.AsType[*exec.PanicError](p.finish(func() {}))
	if !ok || defect.Value != "no" {
		t.Errorf("error is %v, want the panic", defect)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
