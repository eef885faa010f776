package cmd_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/dockerdtest"
)

const faultsFile = `kind: pipeline
name: default
steps:
- name: work
  image: drone-laptop/busybox:test
  commands: ["trap 'exit 7' TERM", touch up, "sleep 600 & wait"]
- name: after
  image: drone-laptop/busybox:test
  commands: [echo after]
`

// disturbed runs the program on an engine of its own, calls disturb when the
// step runs, and gives the exit status with what was printed.
func disturbed(t *testing.T, d *dockerdtest.Daemon, disturb func(), args ...string) (status int, out, err string) {
	t.Helper()
	dir := project(t, faultsFile)
	c := exec.Command(filepath.Join(binary, "drone"), append([]string{"exec", "--cleanup", "wait"}, args...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "DOCKER_HOST="+d.Host, "HOME="+dir)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	bound := time.AfterFunc(90*time.Second, func() { _ = c.Process.Kill() })
	defer bound.Stop()
	awaitFile(t, dir, "up")
	disturb()
	_ = c.Wait() // the status says how it ended
	return c.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

func wantAll(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// TestFaultsAreTold disturbs runs of the program: status, place, reason and
// remedy, and nothing left.
func TestFaultsAreTold(t *testing.T) {
	t.Parallel()
	d := dockerdtest.Start(t, []string{"drone-laptop/busybox:test"}, "--shutdown-timeout", "2")
	nothingLeft := func(t *testing.T) {
		t.Helper()
		for _, list := range [][]string{{"ps", "--all", "--quiet"}, {"network", "ls", "--quiet", "--filter", "label=io.drone"}} {
			if left := d.Docker(list...); left != "" {
				t.Errorf("left behind: %s", left)
			}
		}
	}
	t.Run("container killed", func(t *testing.T) {
		status, _, err := disturbed(t, d, func() { d.Docker("kill", d.Docker("ps", "--quiet")) })
		if status != 1 {
			t.Errorf("exit status %d", status)
		}
		wantAll(t, err, "step work failed with exit code 137: its container was killed by somebody else (signal 9)\n  hint: ",
			"○ after  skipped  step work failed")
		nothingLeft(t)
	})
	again := func() { d.Kill(); d.Restart() }
	t.Run("engine restarted", func(t *testing.T) {
		status, _, err := disturbed(t, d, again)
		if status != 3 {
			t.Errorf("exit status %d", status)
		}
		wantAll(t, err, ": lost the connection to Docker at "+d.Host+"\n  at .drone.yml:4:9\n  hint: ", "○ after  skipped  step work could not be run",
			"drone: error: lost the connection to Docker at "+d.Host, "drone: hint: ")
		nothingLeft(t)
	})
	t.Run("engine restarted, JSON", func(t *testing.T) {
		status, out, _ := disturbed(t, d, again, "--output", "json")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		var last struct {
			Type     string `json:"type"`
			ExitCode int    `json:"exit_code"`
		}
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Type != "run_finished" || last.ExitCode != 3 || status != 3 {
			t.Errorf("exit status %d, last line %s (%v)", status, lines[len(lines)-1], err)
		}
		nothingLeft(t)
	})
}
