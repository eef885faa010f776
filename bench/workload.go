package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// workload is the work that all subjects of a comparison do.
type workload struct {
	name    string
	title   string
	steps   int    // one after another
	command string // of each step
	lines   int    // of output, all steps together
}

func workloads() []workload {
	return []workload{
		{name: "step", title: "1 trivial step", steps: 1, command: "true"},
		{name: "steps", title: "10 trivial steps in a row", steps: 10, command: "true"},
		{name: "lines", title: "1,000,000 lines of output", steps: 1, command: "seq 1000000", lines: 1_000_000},
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
	for _, name := range strings.Split(only, ",") {
		found := false
		for _, w := range workloads() {
			if w.name == strings.TrimSpace(name) {
				out, found = append(out, w), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no comparison named %q, there are %s", name, strings.Join(workloadNames(), ", "))
		}
	}
	return out, nil
}

// pipeline is the configuration that runs the workload.
func (w workload) pipeline(image string) string {
	var b strings.Builder
	b.WriteString("kind: pipeline\ntype: docker\nname: default\n\nsteps:\n")
	for i := range w.steps {
		fmt.Fprintf(&b, "  - name: step-%d\n    image: %s\n    pull: never\n    commands:\n      - %s\n", i+1, image, w.command)
	}
	return b.String()
}

// prepare returns the subjects of a comparison: drone, docker run, and the
// peers of the options. Docker's ratio is 1 by definition.
func prepare(dir string, w workload, drone string, opts options) ([]subject, error) {
	work := filepath.Join(dir, w.name)
	if err := os.Mkdir(work, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(work, ".drone.yml"), []byte(w.pipeline(opts.image)), 0o644); err != nil {
		return nil, err
	}
	run := []string{"docker", "run", "--rm", "--pull", "never", opts.image, "sh", "-c", w.command}
	out := []subject{
		{name: "drone", dir: work, argv: []string{drone, "exec"}, times: 1},
		{name: baseline, dir: work, argv: run, times: w.steps},
	}
	for _, p := range opts.peers {
		out = append(out, subject{name: p.name, dir: work, argv: p.argv, times: 1})
	}
	return out, nil
}
