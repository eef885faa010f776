package exec_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// The tests in this file keep what work costs from growing. They count
// allocations and events and never look at a clock, so that a slow machine
// cannot make them fail.

// cost is what a piece of work allocates.
type cost struct{ objects, bytes float64 }

// costOf measures work, which is done once before.
func costOf(work func()) cost {
	work()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return cost{float64(after.Mallocs - before.Mallocs), float64(after.TotalAlloc - before.TotalAlloc)}
}

// TestSchedulingIsLinear runs graphs of n and 2n steps: the second may cost
// twice as much and a little more, where a queue that is copied or a list that
// is searched for every step would make it four times.
func TestSchedulingIsLinear(t *testing.T) {
	const n, most = 1000, 2.6
	for shape, dependsOn := range shapes() {
		t.Run(shape, func(t *testing.T) {
			asked := map[int]int{}
			run := func(steps int) func() {
				plan := graphOf(steps, dependsOn)
				return func() {
					asked[steps] = 0
					opts := exec.Options{Now: func() time.Time { asked[steps]++; return time.Now() }}
					s, err := exec.Run(t.Context(), plan, none{}, opts, func(exec.Event) {})
					if err != nil || s.Status != exec.StatusSuccess {
						t.Fatalf("%v, %v", s.Status, err)
					}
				}
			}
			one, two := costOf(run(n)), costOf(run(2*n))
			for what, ratio := range map[string]float64{
				"objects": two.objects / one.objects, "bytes": two.bytes / one.bytes,
				"looks at the clock": float64(asked[2*n]) / float64(asked[n]),
			} {
				if ratio > most {
					t.Errorf("twice the steps cost %.1f times the %s", ratio, what)
				}
			}
			if perStep := one.objects / n; perStep > 60 {
				t.Errorf("a step costs %.0f objects", perStep)
			}
		})
	}
}

// TestLinesCostTheirEvent says that of a line nothing is allocated but the
// event that tells it, with or without secrets to mask.
func TestLinesCostTheirEvent(t *testing.T) {
	const lines, most = 100_000, 1.1
	for _, secret := range []string{"", "ghp_abcdefghijklmnop"} {
		c := costOf(func() {
			told := 0
			plan := &exec.Plan{Pipelines: []*exec.Pipeline{{Name: "p", Runs: true, Steps: []*exec.Step{{
				Name: "a", Secrets: []exec.SecretRef{{Env: "TOKEN", Name: "token"}},
			}}}}}
			opts := exec.Options{Secret: func(string) (string, bool) { return secret, true }}
			_, err := exec.Run(t.Context(), plan, flood{"a line of which nothing is secret\n", lines}, opts, func(e exec.Event) {
				if _, ok := e.(exec.StepOutput); ok {
					told++
				}
			})
			if err != nil || told != lines {
				t.Fatalf("%d lines, %v", told, err)
			}
		})
		if perLine := c.objects / lines; perLine > most {
			t.Errorf("a line costs %.2f objects, want at most %.1f", perLine, most)
		}
	}
}

// TestWaitingOutputIsBounded keeps a reader from taking anything until the
// engine has given all it can: what waits for it is its text and little more.
func TestWaitingOutputIsBounded(t *testing.T) {
	const most = 24 << 20
	line := []byte("x\n") // the worst there is: more is known of it than it has
	stuck, full := make(chan struct{}), make(chan struct{})
	plan := &exec.Plan{Pipelines: []*exec.Pipeline{{Name: "p", Runs: true, Steps: []*exec.Step{{Name: "a"}}}}}
	chunk := bytes.Repeat(line, 32<<10)
	engine := writer{func(io exec.IO) error {
		if _, err := io.Output.Write(line); err != nil {
			return err
		}
		<-stuck
		defer close(full)
		for range 60 { // the inbox has room for them
			if _, err := io.Output.Write(chunk); err != nil {
				return err
			}
		}
		return nil
	}}
	before := inUse()
	var waiting uint64
	_, err := exec.Run(t.Context(), plan, engine, exec.Options{}, func(e exec.Event) {
		if o, ok := e.(exec.StepOutput); ok && o.Line == 1 {
			close(stuck)
			<-full
			waiting = inUse() - min(before, inUse())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if waiting > most {
		t.Errorf("%d MiB wait for the reader", waiting>>20)
	}
}

// writer is an engine whose steps write.
type writer struct{ write func(exec.IO) error }

func (w writer) Open(context.Context, *exec.Pipeline, exec.Setting) (exec.Session, error) {
	return w, nil
}
func (w writer) Run(_ context.Context, _ *exec.Step, io exec.IO) (exec.Exit, error) {
	return exec.Exit{}, w.write(io)
}
func (w writer) Close(context.Context) error { return nil }

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// shapes are graphs, by what step i waits for.
func shapes() map[string]func(i int) []string {
	return map[string]func(i int) []string{
		"wide": func(int) []string { return nil },
		"deep": func(i int) []string {
			if i == 0 {
				return nil
			}
			return []string{fmt.Sprintf("s%d", i-1)}
		},
		"star": func(i int) []string {
			if i == 0 {
				return nil
			}
			return []string{"s0"}
		},
	}
}

// graphOf is a plan of so many steps, with as many variables as a build has.
func graphOf(steps int, dependsOn func(i int) []string) *exec.Plan {
	p := &exec.Pipeline{Name: "p", Runs: true, Env: make(map[string]string)}
	for i := range 90 {
		p.Env[fmt.Sprintf("DRONE_VARIABLE_%d", i)] = "value"
	}
	for i := range steps {
		p.Steps = append(p.Steps, &exec.Step{Name: fmt.Sprintf("s%d", i), DependsOn: dependsOn(i)})
	}
	return &exec.Plan{Pipelines: []*exec.Pipeline{p}}
}
