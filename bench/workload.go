package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// workload is one comparison: work that all its subjects do, and what is
// promised of it.
type workload struct {
	name   string
	title  string
	share  int // of the rounds asked for: one in so many, 1 when 0
	lines  int // of output, all steps together
	counts string

	// Of a workload that runs steps:
	steps    int
	together bool   // the steps wait for nothing, in place of one for another
	command  string // of each step

	// Of one that does not:
	special func(place) ([]subject, error)

	read    reader // what a run gives, its time when nil
	targets []target
}

// stepTime is how long the steps last between which gaps are measured: what is
// done meanwhile is hidden as behind any step of that length.
const stepTime = "1"

// stamps is a command that says when it is. What a shell of busybox has for
// that tells whole seconds only, but for adjtimex.
func stamps(mark string) string {
	return "echo mark-" + mark + " $(adjtimex | grep -o 'tv_u*sec: *[0-9]*')"
}

func workloads() []workload {
	stamped := stamps("begin") + "; sleep " + stepTime + "; " + stamps("end")
	return []workload{
		{
			name: "gap", title: "gap between steps of 1 s", share: 2, counts: "gap", steps: 6,
			// The second one tells what taking the time takes.
			command: stamps("begin") + "; " + stamps("again") + "; sleep " + stepTime + "; " + stamps("end"), lines: 18,
			read:    gaps,
			targets: []target{atMost(median, 30), atMost(p95, 60)},
		},
		{
			name: "end", title: "end of the last step to the prompt", share: 2, counts: "run", steps: 1, command: stamped, lines: 2,
			read:    tail,
			targets: []target{atMost(median, 150)},
		},
		{
			name: "clean", title: "end of the last step until nothing is left", share: 2, counts: "run", steps: 1, command: stamped, lines: 2,
			read:    emptied,
			targets: []target{atMost(p95, 5000)},
		},
		{name: "step", title: "1 trivial step", steps: 1, command: "true", targets: []target{atMost(ratio, 1.6)}},
		{name: "steps", title: "10 trivial steps in a row", steps: 10, command: "true", targets: []target{atMost(ratio, 0.5)}},
		{
			name: "parallel", title: "10 trivial steps at once", steps: 10, together: true, command: "true",
			targets: []target{atMost(ratio, 0.4)},
		},
		{
			name: "lines", title: "1,000,000 lines of output", share: 2, steps: 1, command: "seq 1000000", lines: 1_000_000,
			targets: []target{atMost(ratio, 1), atMost(memory, 64)},
		},
		{name: "version", title: "drone --version", special: versions, targets: []target{atMost(median, 20)}},
		{name: "lint", title: "drone lint, 100 steps", special: lints, targets: []target{atMost(median, 35)}},
		{name: "plan", title: "drone plan, 10,000 steps", special: plans, targets: []target{atMost(median, 300)}},
		schedules("wide", "schedule 10,000 steps at once, each"),
		schedules("deep", "schedule 10,000 steps in a row, each"),
	}
}

// schedules is the comparison of a graph with one of a tenth of its size: the
// ratio is 1 where the work of a step does not depend on how many there are.
func schedules(shape, title string) workload {
	return workload{
		name: shape, title: title, read: printed, counts: "step",
		special: func(p place) ([]subject, error) {
			many := subject{name: "drone", argv: inside(p.self, shape, 10_000), times: 1}
			few := subject{name: "of 1,000", argv: inside(p.self, shape, 1000), times: 1, base: true}
			return []subject{many, few}, nil
		},
		targets: []target{atMost(median, 0.05), atMost(ratio, 1.5)},
	}
}

func workloadNames() []string {
	var names []string
	for _, w := range workloads() {
		names = append(names, w.name)
	}
	return names
}

// selectWorkloads returns the workloads named in a list separated by commas,
// all of them for an empty list.
func selectWorkloads(only string) ([]workload, error) {
	if only == "" {
		return workloads(), nil
	}
	var out []workload
	for name := range strings.SplitSeq(only, ",") {
		found := slices.IndexFunc(workloads(), func(w workload) bool { return w.name == strings.TrimSpace(name) })
		if found < 0 {
			return nil, fmt.Errorf("no comparison named %q, there are %s", name, strings.Join(workloadNames(), ", "))
		}
		out = append(out, workloads()[found])
	}
	return out, nil
}

// rounds is how many of the rounds that were asked for the workload takes part
// in, one at least.
func (w workload) rounds(asked int) int {
	return max(1, (asked+max(w.share, 1)-1)/max(w.share, 1))
}

// target is a promise about drone: a measure of its score is at most limit.
type target struct {
	measure measured
	limit   float64 // milliseconds, MiB, or a ratio
}

func atMost(m measured, limit float64) target { return target{m, limit} }

// measured names a figure of a score.
type measured string

const (
	median measured = "median"
	p95    measured = "p95"
	ratio  measured = "ratio"
	memory measured = "memory"
)

// of gives the figure.
func (m measured) of(s score) float64 {
	switch m {
	case median:
		return s.Median
	case p95:
		return s.P95
	case memory:
		return s.Memory
	}
	return s.Ratio
}

// text is a figure as people read it.
func (m measured) text(v float64) string {
	switch m {
	case ratio:
		return fmt.Sprintf("%.2f ×", v)
	case memory:
		return fmt.Sprintf("%.0f MiB", v)
	}
	return span(v)
}

// reader makes values of what one run of a subject gave.
type reader func(outcome) ([]time.Duration, error)
