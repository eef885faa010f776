//go:build unix

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
	"github.com/drone-laptop/drone/report"
)

// TestRunsLeakNothing counts goroutines and descriptors over 200 runs of all
// shapes, a third of them cancelled, some with real processes.
func TestRunsLeakNothing(t *testing.T) {
	const warmUp, runs = 10, 200
	for seed := range uint64(warmUp) {
		leakRun(t, seed)
	}
	// Whoever ends last may still be on its way.
	before := settled(t, func(held) bool { return false })
	for seed := range uint64(runs) {
		leakRun(t, warmUp+seed)
	}
	after := settled(t, func(h held) bool { return h.goroutines <= before.goroutines && len(h.files) <= len(before.files) })
	if after.goroutines > before.goroutines {
		var stacks bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("%d runs left %d goroutines:\n%s", runs, after.goroutines-before.goroutines, &stacks)
	}
	if len(after.files) > len(before.files) {
		t.Errorf("%d runs left descriptors: %q, before there were %q", runs, after.files, before.files)
	}
}

// TestLeaksAreSeen shows that the counting can fail.
func TestLeaksAreSeen(t *testing.T) {
	before := settled(t, func(held) bool { return false })
	stop := make(chan struct{})
	go func() { <-stop }()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	after := settled(t, func(held) bool { return false })
	if after.goroutines <= before.goroutines {
		t.Error("a goroutine is not seen")
	}
	if runtime.GOOS == "linux" && len(after.files) != len(before.files)+2 {
		t.Errorf("a pipe is not seen: %q, before %q", after.files, before.files)
	}
	close(stop)
	if err := errors.Join(r.Close(), w.Close()); err != nil {
		t.Error(err)
	}
}

// leakRun runs a random plan with the renderers that tests of other packages
// compare. Every tenth run has processes and pipes.
func leakRun(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	text, scripts := randomPlan(random)
	plan := parsePlan(t, text)
	var engine exec.Engine = &fake.Engine{Scripts: scripts}
	if seed%10 == 0 {
		engine = &fake.Shell{}
		for _, p := range plan.Pipelines {
			for _, s := range p.Steps {
				s.Commands = []string{"echo " + s.Name, "exec 3>&1; sleep 30 & wait $!"}
				if s.Kind == exec.KindStep && !s.Detach {
					s.Commands = s.Commands[:1]
				}
			}
		}
	}
	stop := -1
	if random.IntN(3) == 0 {
		stop = random.IntN(30)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	plain, json := report.NewPlain(io.Discard, io.Discard, report.Style{}, report.Style{}), report.NewJSON(io.Discard, (*exec.Summary).ExitCode)
	_, err := exec.Run(ctx, plan, engine, exec.Options{Run: fmt.Sprint("leak", seed), Parallel: 1 + random.IntN(3)}, func(e exec.Event) {
		if err := errors.Join(plain.Handle(e), json.Handle(e)); err != nil {
			t.Error(err)
		}
		if stop--; stop == 0 {
			cancel(errors.New("interrupted"))
		}
	})
	if _, ok := errors.AsType[*exec.PanicError](err); ok {
		err = nil // some of the scripts do
	}
	if err := errors.Join(err, plain.Close(), json.Close()); err != nil {
		t.Errorf("run %d: %v", seed, err)
	}
}

// held is what a process holds.
type held struct {
	goroutines int
	files      []string // what descriptors lead to; nil where that cannot be told
}

// settled waits until what is held is as wanted or has stayed the same for a
// while.
func settled(t *testing.T, wanted func(held) bool) held {
	t.Helper()
	last, same := count(t), 0
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && same < 20 && !wanted(last); {
		time.Sleep(25 * time.Millisecond)
		now := count(t)
		if same++; now.goroutines != last.goroutines || len(now.files) != len(last.files) {
			same = 0
		}
		last = now
	}
	return last
}

func count(t *testing.T) held {
	t.Helper()
	h := held{goroutines: runtime.NumGoroutine()}
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		return h
	}
	for _, e := range entries {
		// The one that the directory was read through is gone by now.
		if target, err := os.Readlink(dir + "/" + e.Name()); err == nil && !strings.HasPrefix(target, "/proc/") {
			h.files = append(h.files, target)
		}
	}
	slices.Sort(h.files)
	return h
}
