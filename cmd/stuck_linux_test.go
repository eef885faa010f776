package cmd_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestStuckReader has a reader of standard output and standard error that
// takes nothing, while a step prints without end: the step waits, memory is
// bounded, and a signal or a limit ends the run all the same.
func TestStuckReader(t *testing.T) {
	c := needEngine(t)
	for name, tc := range map[string]struct {
		args []string
		end  func(p *os.Process) error
		want int
	}{
		"signal": {nil, func(p *os.Process) error { return p.Signal(syscall.SIGTERM) }, 143},
		"limit":  {[]string{"--timeout", "15s"}, func(*os.Process) error { return nil }, 124},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, "kind: pipeline\nname: default\nsteps:\n- name: loud\n  image: drone-laptop/busybox:test\n  commands: [touch up, \"yes\"]\n")
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
			defer drone.Process.Kill() // when the test has failed
			awaitFile(t, dir, "up")
			time.Sleep(2 * time.Second) // of printing
			if err := tc.end(drone.Process); err != nil {
				t.Fatal(err)
			}
			used := make(chan int)
			go func() { used <- most(drone.Process.Pid) }()
			_ = drone.Wait() // the status says how it ended
			if got := drone.ProcessState.ExitCode(); got != tc.want {
				t.Errorf("exit status %d, want %d", got, tc.want)
			}
			if kib := <-used; kib == 0 || kib > 200<<10 {
				t.Errorf("it took %d MiB", kib>>10)
			}
			left, err := leftovers(c, dir)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// most is how much memory a process has ever used, in KiB, looked at until it is
// gone. What the kernel tells of one that has ended counts the memory of its parent
// too, in which it began.
func most(pid int) (kib int) {
	for ; ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, after, found := bytes.Cut(text, []byte("VmHWM:"))
		if err != nil || !found { // gone, or a zombie
			return kib
		}
		if _, err := fmt.Sscan(string(after), &kib); err != nil {
			return 0
		}
	}
}
