package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

// line is a socket in front of the real engine that can be cut, which is how
// an engine that dies looks to its clients.
type line struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	conns []net.Conn
	down  bool
}

func newLine(t *testing.T, target string) *line {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "d.sock"))
	if err != nil {
		t.Fatal(err)
	}
	ln := &line{listener: l, target: target}
	t.Cleanup(ln.cut)
	go ln.serve()
	return ln
}

// behindLine gives the engine direct as it is seen through a line.
func behindLine(t *testing.T, direct *Engine) (*Engine, *line) {
	t.Helper()
	ln := newLine(t, socketOf(t, direct))
	return connectTo(t, Options{Endpoint: dockerhost.Endpoint{Host: "unix://" + ln.listener.Addr().String(), Source: "the test"}}), ln
}

func (l *line) serve() {
	for {
		in, err := l.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("unix", l.target)
		if err != nil {
			in.Close()
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, in, out)
		if l.down {
			in.Close()
			out.Close()
		}
		l.mu.Unlock()
		go join(in, out)
		go join(out, in)
	}
}

func join(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
}

func (l *line) cut() {
	l.listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, c := range l.conns {
		c.Close()
	}
}

// drop cuts what is connected now.
func (l *line) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func TestLostConnection(t *testing.T) {
	direct := newEngine(t)
	e, ln := behindLine(t, direct)
	e.patience.back = time.Second
	run := "test-" + random()[:8]
	p := &exec.Pipeline{Name: "p", Workspace: exec.Workspace{Base: "/w", Path: "/w"}}
	session, err := e.Open(t.Context(), p, exec.Setting{Run: run, Notify: func(exec.Notice) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sweep(t, direct, run) })
	s := commands("echo up; sleep 600")
	s.Name, s.Image = "s", testImage
	out := &watcher{text: "\nup\n", seen: ln.cut}
	_, err = session.Run(t.Context(), s, exec.IO{Output: out})
	if got := asStepError(t, err, exec.PhaseRun); got.Error() != "lost the connection to "+e.product+" at "+e.endpoint.Host || !errors.As(err, new(*exec.UnreachableError)) {
		t.Errorf("got %q", got.Error())
	}
	err = session.Close(context.WithoutCancel(t.Context()))
	if err == nil || !strings.Contains(err.Error(), "left behind: container drone-"+run) || !strings.Contains(err.Error(), ", network drone-"+run) ||
		!strings.Contains(err.Error(), "does not answer") {
		t.Errorf("close gave %v", err)
	}
	if _, err := e.Open(t.Context(), p, exec.Setting{Run: run, Notify: func(exec.Notice) {}}); err == nil || !strings.Contains(err.Error(), "cannot reach Docker") {
		t.Errorf("open gave %v", err)
	}
}

// TestCutStream cuts every connection of a run, as a proxy may, while the engine
// stays: the step goes on, its end is known, and that lines may be lost is said.
func TestCutStream(t *testing.T) {
	e, ln := behindLine(t, newEngine(t))
	tr := open(t, e, func(p *exec.Pipeline) { p.Workspace.Host = t.TempDir() })
	s := commands("echo; echo up; sleep 3; echo after; exit 4")
	s.Name, s.Image, s.WorkingDir = "s", testImage, "/"
	out := &watcher{text: "\nup\n", seen: ln.drop}
	exit, err := tr.session.Run(t.Context(), s, exec.IO{Output: out, Notify: tr.notify})
	if err != nil || exit.Code != 4 || !strings.Contains(out.String(), "\nafter\n") {
		t.Errorf("got %+v, %v, output %q", exit, err, out.String())
	}
	if got := strings.Join(tr.warnings(), "\n"); got != brokenOff {
		t.Errorf("warned %q", got)
	}
}

// TestClosedStreams has a step that closes its output and goes on, which is no
// connection that was cut.
func TestClosedStreams(t *testing.T) {
	tr := open(t, newEngine(t), nil)
	s := &exec.Step{Entrypoint: []string{"/bin/sh", "-c", "echo last; exec >&- 2>&-; sleep 4; exit 3"}}
	out, exit, err := tr.do(t.Context(), s, nil)
	if out != "last\n" || exit.Code != 3 || err != nil || len(tr.warnings()) > 0 {
		t.Errorf("got %q, %+v, %v, warnings %q", out, exit, err, tr.warnings())
	}
}

// sweep removes what a session could not.
func sweep(t *testing.T, e *Engine, run string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for _, kind := range []string{"container ", "network ", "volume "} {
		for _, object := range leftovers(t, e, run) {
			name, ok := strings.CutPrefix(object, kind)
			if !ok {
				continue
			}
			remove := map[string]func(context.Context, string) error{
				"container ": e.removeContainer, "network ": e.removeNetwork, "volume ": e.removeVolume,
			}[kind]
			if err := remove(ctx, name); err != nil {
				t.Error(err)
			}
		}
	}
}
