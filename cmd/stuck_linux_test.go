package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStuckReader has a reader of standard output and standard error that
// takes nothing, while a step prints without end: the step waits, memory is
// bounded, and a signal or a limit ends the run all the same.
func TestStuckReader(t *testing.T) {
	c := connect(t)
	if c == nil {
		t.Skip("SKIPPED: no engine") // connect fails where CI is set
	}
	for name, tc := range map[string]struct {
		args []string
		end  func(p *os.Process) error
		want int
	}{
		"signal": {nil, func(p *os.Process) error { return p.Signal(syscall.SIGTERM) }, 143},
		"limit":  {[]string{"--timeout", "4s"}, func(*os.Process) error { return nil }, 124},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := "kind: pipeline\nname: default\nsteps:\n- name: loud\n  image: drone-laptop/busybox:test\n  commands: [touch up, \"yes\"]\n"
			if err := os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			drone := exec.Command(filepath.Join(binary, "drone"), append([]string{"exec", "--grace", "1s"}, tc.args...)...)
			drone.Dir, drone.Stdout, drone.Stderr = dir, writer, writer
			if err := drone.Start(); err != nil {
				t.Fatal(err)
			}
			writer.Close()
			bound := time.AfterFunc(time.Minute, func() { _ = drone.Process.Kill() })
			defer bound.Stop()
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				if _, err := os.Stat(filepath.Join(dir, "up")); err == nil {
					break
				}
			}
			time.Sleep(2 * time.Second) // of printing
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", drone.Process.Pid))
			if err == nil {
				for line := range strings.Lines(string(status)) {
					var kB int
					if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kB); err == nil && kB > 200<<10 {
						t.Errorf("it took %d MiB", kB>>10)
					}
				}
			}
			if err := tc.end(drone.Process); err != nil {
				t.Fatal(err)
			}
			_ = drone.Wait() // the status says how it ended
			if got := drone.ProcessState.ExitCode(); got != tc.want {
				t.Errorf("exit status %d, want %d", got, tc.want)
			}
			left, err := leftovers(c, dir)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
