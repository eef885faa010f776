package cmd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// TestSignals sends one after the other and checks what is said and done.
func TestSignals(t *testing.T) { synctest.Test(t, testSignals) }

func testSignals(t *testing.T) {
	arrived, done := make(chan os.Signal), make(chan struct{})
	said, hurry := make(chan string, 8), make(chan struct{})
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watch(arrived, done, ending{first: "one", second: "two", further: "more"}, said, cancel, hurry)
	}()
	arrived <- syscall.SIGHUP
	if got := <-said; got != "SIGHUP: one" {
		t.Errorf("the first says %q", got)
	}
	if s, ok := interruption(ctx); !ok || s.status() != StatusTerminated {
		t.Errorf("the context ended by %v", context.Cause(ctx))
	}
	arrived <- os.Interrupt // passed on by somebody
	select {
	case <-hurry:
		t.Error("the same signal counts twice")
	case got := <-said:
		t.Errorf("the same signal says %q", got)
	case <-time.After(2 * sameSignal):
	}
	arrived <- os.Interrupt
	if got := <-said; got != "interrupt: two" {
		t.Errorf("the second says %q", got)
	}
	<-hurry
	for range cap(said) + 1 { // nobody reads that
		arrived <- syscall.SIGTERM
	}
	close(done)
	<-ended
	if got := <-said; got != "more" {
		t.Errorf("the third says %q", got)
	}
}

// TestSignalWords has a say that blocks, and one that panics: neither keeps the
// program from ending.
func TestSignalWords(t *testing.T) {
	for name, say := range map[string]func(string){
		"blocks": func(string) { select {} },
		"panics": func(string) { panic("no") },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, signals := untilSignal(t.Context(), endingPull(), say)
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Signal(os.Interrupt)
			}
			if err != nil {
				t.Skipf("SKIPPED: no signals here: %v", err)
			}
			<-ctx.Done()
			begun := time.Now()
			signals.stop()
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("it took %v to stop", took)
			}
			if s, ok := interruption(ctx); !ok || s.status() != StatusInterrupted {
				t.Errorf("the context ended by %v", context.Cause(ctx))
			}
		})
	}
}

// stuck is a writer that takes nothing until it is freed.
type stuck struct {
	bytes.Buffer
	free chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	return s.Buffer.Write(p)
}

func TestOutlet(t *testing.T) {
	ending, hurry := make(chan struct{}), make(chan struct{})
	to := &stuck{free: make(chan struct{})}
	o := newOutlet(to)
	o.bound(ending, hurry)
	text := []byte("one\n")
	failed := make(chan error, 1)
	write := func() {
		_, err := o.Write(text)
		failed <- err
	}
	go write()
	time.AfterFunc(50*time.Millisecond, func() { to.free <- struct{}{} })
	if err := <-failed; err != nil {
		t.Errorf("a slow reader: %v", err)
	}
	close(ending)
	go write()
	time.AfterFunc(50*time.Millisecond, func() { to.free <- struct{}{} })
	if err := <-failed; err != nil {
		t.Errorf("a slow reader at the end: %v", err)
	}
	go write()
	time.AfterFunc(50*time.Millisecond, func() { close(hurry) })
	if err := <-failed; !errors.Is(err, errStuck) {
		t.Errorf("a reader that hangs: %v", err)
	}
	copy(text, "two\n")
	if _, err := o.Write(text); !errors.Is(err, errStuck) {
		t.Errorf("after that: %v", err)
	}
	close(to.free)
	select {
	case err := <-o.results: // of the write that was given up
		if err != nil {
			t.Errorf("the write that was given up: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the write that was given up never ends")
	}
	if got := to.String(); got != "one\none\none\n" {
		t.Errorf("the reader gets %q", got)
	}
}

// TestOutletUnbound is nothing but the writer behind it.
func TestOutletUnbound(t *testing.T) {
	var out bytes.Buffer
	o := newOutlet(&out)
	if n, err := io.WriteString(o, "text"); n != 4 || err != nil || out.String() != "text" || o.pieces != nil {
		t.Errorf("wrote %d, %v: %q", n, err, out.String())
	}
}

// TestPanicInMain has a command whose output panics.
func TestPanicInMain(t *testing.T) {
	var said bytes.Buffer
	status := Main([]string{"--version"}, Streams{
		In: strings.NewReader(""), Out: panicking{"drone"}, Err: &said,
		LookupEnv: func(string) (string, bool) { return "", false }, Environ: func() []string { return nil },
	}, Build{Version: "v0"})
	if status != StatusFailed || !strings.HasPrefix(said.String(), "drone: error: internal error: no paper (") ||
		!strings.Contains(said.String(), "\ndrone: hint: ") {
		t.Errorf("status %d, errors:\n%s", status, said.String())
	}
}

// panicking is a writer that panics when it is given text.
type panicking struct{ at string }

func (p panicking) Write(b []byte) (int, error) {
	if strings.Contains(string(b), p.at) {
		panic("no paper")
	}
	return len(b), nil
}

// TestPanicInARun has an output that panics while a step runs, which would go
// on for ever. The step is ended, and its directory removed.
func TestPanicInARun(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("SKIPPED: steps on this machine need /bin/sh")
	}
	dir, tmp := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	t.Setenv("TMPDIR", tmp)
	file := "kind: pipeline\ntype: exec\nname: p\nsteps:\n- name: s\n  commands: ['while :; do echo up; sleep 0.1; done']\n"
	if err := os.WriteFile(".drone.yml", []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"text", "json"} {
		var said bytes.Buffer
		status := Main([]string{"exec", "--host", "--output", form}, Streams{
			In: strings.NewReader(""), Out: panicking{"up"}, Err: &said,
			LookupEnv: os.LookupEnv, Environ: os.Environ,
		}, Build{Version: "v0"})
		if status != StatusFailed || !strings.Contains(said.String(), "drone: error: internal error: no paper (endings_test.go:") {
			t.Errorf("%s: status %d, errors:\n%s", form, status, said.String())
		}
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", form, left, err)
		}
	}
}

// TestStatusOfABrokenRun: the exit code of run_finished is that of the program,
// which a defect decides alone.
func TestStatusOfABrokenRun(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted{os.Interrupt})
	for _, broken := range []bool{false, true} {
		want := StatusInterrupted
		if broken {
			want = StatusFailed
		}
		if got := runStatus(ctx, &exec.Summary{Status: exec.StatusKilled, Broken: broken}); got != want {
			t.Errorf("broken %v: status %d, want %d", broken, got, want)
		}
	}
}
