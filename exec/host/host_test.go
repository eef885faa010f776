//go:build unix

package host

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/enginetest"
)

// patience bounds what must happen; it is no measurement.
const patience = time.Minute

// grace is long enough for a shell to run a trap on a busy machine.
const grace = 2 * time.Second

func newEngine(t *testing.T, change func(o *Options)) (*Engine, string) {
	t.Helper()
	opts := Options{Dir: t.TempDir(), Getenv: os.Getenv, Grace: grace}
	if change != nil {
		change(&opts)
	}
	return New(opts), opts.Dir
}

func TestConformance(t *testing.T) {
	engine, dir := newEngine(t, func(o *Options) {
		o.Grace = 200 * time.Millisecond
		o.Workspace = func(context.Context, *exec.Pipeline, string, func(exec.Notice)) error {
			return errors.New("refused by the test")
		}
	})
	enginetest.Run(t, enginetest.Config{
		Engine: func(*testing.T) exec.Engine { return engine },
		Patient: func(*testing.T) exec.Engine {
			return New(Options{Dir: dir, Getenv: os.Getenv, Grace: time.Minute})
		},
		Leftovers: func(t *testing.T, run string) []string { return leftovers(t, dir, run) },
		Break:     func(p *exec.Pipeline) { p.Workspace.Host = "/nowhere" },
		Features:  enginetest.Features{Places: true},
	})
}

// leftovers are the directories that pipelines of a run have in dir, and the
// processes that were started with such a one in their environment.
func leftovers(t *testing.T, dir, run string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "drone-"+run+"-*"))
	if err != nil {
		t.Fatal(err)
	}
	return append(left, processesWith(t, filepath.Join(dir, "drone-"+run+"-"))...)
}

// trial is one open pipeline of a test, which its end closes.
type trial struct {
	*testing.T
	session exec.Session
	dir     string // Options.Dir
	closed  bool
}

func open(t *testing.T, p *exec.Pipeline, change func(o *Options)) *trial {
	t.Helper()
	engine, dir := newEngine(t, change)
	p.Name, p.Type = "trial", "exec"
	secrets := map[string]string{"netrc": "machine m login u password p"}
	s, err := engine.Open(t.Context(), p, exec.Setting{
		Run: "run", Notify: func(exec.Notice) {},
		Secret: func(name string) (string, bool) { v, ok := secrets[name]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{T: t, session: s, dir: dir}
	t.Cleanup(tr.close)
	return tr
}

func (tr *trial) close() {
	if tr.closed {
		return
	}
	tr.closed = true
	if err := tr.session.Close(context.Background()); err != nil {
		tr.Errorf("close: %v", err)
	}
	if left := leftovers(tr.T, tr.dir, "run"); len(left) > 0 {
		tr.Errorf("left behind: %v", left)
	}
}

// do runs commands and returns what they print, without the trace.
func (tr *trial) do(env map[string]string, commands ...string) string {
	tr.Helper()
	return tr.doStep(step(commands...), env)
}

// doStep does the same for a step.
func (tr *trial) doStep(s *exec.Step, env map[string]string) string {
	tr.Helper()
	var out bytes.Buffer
	exit, err := tr.session.Run(tr.Context(), s, exec.IO{Env: env, Output: &out})
	if err != nil || exit.Code != 0 {
		tr.Fatalf("exit %d, error %v, output %q", exit.Code, err, out.String())
	}
	return printed(out.String())
}

func printed(output string) string {
	var kept strings.Builder
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "+ ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func step(commands ...string) *exec.Step {
	return &exec.Step{Name: "Build & Test", Kind: exec.KindStep, Policy: exec.Always, Commands: commands}
}

// await repeats a question until the answer is yes.
func await(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
