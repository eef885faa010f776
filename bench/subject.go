package main

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
)

// place is where a workload is done.
type place struct {
	dir   string // a directory of its own
	drone string // the program that is measured
	self  string // this program
	image string
	// settle waits until the engine has nothing of what was done there.
	settle func(context.Context) error
}

// newPlace makes the directory of a workload.
func newPlace(dir, name, drone, self, image string) (place, error) {
	work := filepath.Join(dir, name)
	return place{dir: work, drone: drone, self: self, image: image}, os.Mkdir(work, 0o755)
}

func (p place) write(name, text string) error {
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// prepare returns the subjects of a comparison. The ratio of the one that is
// the base is 1 by definition.
func prepare(p place, w workload, peers []peer) ([]subject, error) {
	if w.special != nil {
		return w.special(p)
	}
	if err := p.write(".drone.yml", w.pipeline(p.image)); err != nil {
		return nil, err
	}
	run := []string{"docker", "run", "--rm", "--pull", "never", "--label", dirLabel + "=" + p.dir, p.image, "sh", "-c", w.command}
	out := []subject{
		{name: "drone", dir: p.dir, argv: []string{p.drone, "exec"}, times: 1},
		{name: baseline, dir: p.dir, argv: run, times: w.steps, base: true},
	}
	if w.together {
		out = append(out, subject{name: baseline + " &", dir: p.dir, argv: run, times: w.steps, together: true})
	}
	for _, other := range peers {
		for name, write := range other.files {
			if err := p.write(name, write(w, p.image)); err != nil {
				return nil, err
			}
		}
		out = append(out, subject{name: other.name, dir: p.dir, argv: other.argv, times: 1, optional: other.optional})
	}
	for i := range out {
		out[i].settle = p.settle
	}
	return out, nil
}

// pipeline is the configuration that runs the workload.
func (w workload) pipeline(image string) string {
	var b strings.Builder
	b.WriteString("kind: pipeline\ntype: docker\nname: default\n\nsteps:\n")
	for i := range w.steps {
		fmt.Fprintf(&b, "  - name: step-%d\n    image: %s\n    pull: never\n", i+1, image)
		if w.together {
			b.WriteString("    depends_on: [clone]\n") // for nothing, here
		}
		fmt.Fprintf(&b, "    commands:\n      - %q\n", w.command)
	}
	return b.String()
}

// started is another program of the same kind, to compare a start with: it
// tells what a program that was just begun costs on this machine.
func started() subject {
	return subject{name: "docker --version", argv: []string{"docker", "--version"}, times: 1, base: true}
}

func versions(p place) ([]subject, error) {
	return []subject{{name: "drone", dir: p.dir, argv: []string{p.drone, "--version"}, times: 1}, started()}, nil
}

func lints(p place) ([]subject, error) { return readers(p, "lint", 100) }

func plans(p place) ([]subject, error) { return readers(p, "plan", 10_000) }

// readers is a command that reads a file of so many steps and runs nothing.
func readers(p place, command string, steps int) ([]subject, error) {
	if err := p.write(".drone.yml", longFile(steps, p.image)); err != nil {
		return nil, err
	}
	return []subject{{name: "drone", dir: p.dir, argv: []string{p.drone, command}, times: 1}, started()}, nil
}

// longFile has steps as people write them: with variables, two commands, and a
// condition.
func longFile(steps int, image string) string {
	var b strings.Builder
	b.WriteString("kind: pipeline\ntype: docker\nname: default\n\nsteps:\n")
	for i := range steps {
		fmt.Fprintf(&b, "  - name: step-%d\n    image: %s\n    environment:\n      TARGET: build-%d\n"+
			"    commands:\n      - echo building %d\n      - make build-%d\n    when:\n      event: [push, pull_request]\n", i+1, image, i, i, i)
	}
	return b.String()
}

// peer is another program that runs pipelines.
type peer struct {
	name string
	argv []string
	// files are what it reads, by name, beside the .drone.yml of the workload.
	files map[string]func(w workload, image string) string
	// optional peers are left out of a comparison that they cannot do.
	optional bool
}

// installed are the known peers that are in PATH. Each step is a container of
// its own with them, too: a job where steps share one.
func installed() (out []peer) {
	for _, p := range []peer{
		{name: "drone-official", argv: []string{"drone-official", "exec"}},
		{
			name: "woodpecker-cli", argv: []string{"woodpecker-cli", "exec", ".woodpecker.yml"},
			files: map[string]func(workload, string) string{".woodpecker.yml": woodpeckerFile},
		},
		{
			name: "act", argv: []string{"act", "push", "--pull=false", "-P", "ubuntu-latest=-self-hosted", "-W", "act.yml"},
			files: map[string]func(workload, string) string{"act.yml": actFile},
		},
		{
			name: "gitlab-ci-local", argv: []string{"gitlab-ci-local", "--file", ".gitlab-ci.yml"},
			files: map[string]func(workload, string) string{".gitlab-ci.yml": gitlabFile},
		},
	} {
		if _, err := osexec.LookPath(p.argv[0]); err == nil {
			p.optional = true
			out = append(out, p)
		}
	}
	return out
}

func woodpeckerFile(w workload, image string) string {
	var b strings.Builder
	b.WriteString("skip_clone: true\nwhen:\n  - event: [push, manual]\n\nsteps:\n")
	for i := range w.steps {
		fmt.Fprintf(&b, "  - name: step-%d\n    image: %s\n", i+1, image)
		if w.together {
			b.WriteString("    depends_on: []\n")
		}
		fmt.Fprintf(&b, "    commands:\n      - %q\n", w.command)
	}
	return b.String()
}

func actFile(w workload, image string) string {
	var b strings.Builder
	b.WriteString("on: push\njobs:\n")
	for i := range w.steps {
		fmt.Fprintf(&b, "  step-%d:\n    runs-on: ubuntu-latest\n    container: %s\n", i+1, image)
		if i > 0 && !w.together {
			fmt.Fprintf(&b, "    needs: step-%d\n", i)
		}
		fmt.Fprintf(&b, "    steps:\n      - run: %q\n        shell: sh\n", w.command)
	}
	return b.String()
}

func gitlabFile(w workload, image string) string {
	var b strings.Builder
	for i := range w.steps {
		fmt.Fprintf(&b, "step-%d:\n  image:\n    name: %s\n    pull_policy: if-not-present\n  stage: test\n", i+1, image)
		needs := ""
		if i > 0 && !w.together {
			needs = fmt.Sprintf("step-%d", i)
		}
		fmt.Fprintf(&b, "  needs: [%s]\n  script:\n    - %q\n\n", needs, w.command)
	}
	return b.String()
}
