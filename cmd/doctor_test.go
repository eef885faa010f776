//go:build unix

package cmd_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDoctorOfASilentEngine: who listens and never answers holds doctor up for
// the limit of one check, not for the time that a run would wait.
func TestDoctorOfASilentEngine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	command := exec.Command(filepath.Join(binary, "drone"), "doctor", "--docker-host", "unix://"+socket)
	command.Dir = dir
	command.Env = []string{"HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1"}
	start := time.Now()
	out, err := command.Output()
	took := time.Since(start)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("it ended with %v, not with status 3", err)
	}
	if !strings.Contains(string(out), "fail  engine") || !strings.Contains(string(out), "something listens there, but it does not answer") {
		t.Errorf("it printed\n%s", out)
	}
	if took > 15*time.Second {
		t.Errorf("it took %v", took)
	}

	// An interrupt ends the waiting.
	command = exec.Command(command.Path, command.Args[1:]...)
	command.Dir, command.Env = dir, []string{"HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1"}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan() && !strings.Contains(lines.Text(), "endpoint"); {
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(stdout)
	if err != nil || strings.Contains(string(rest), "fail") {
		t.Errorf("after the interrupt it printed %q, %v", rest, err)
	}
	if err := command.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ended with %v, not with status 130", err)
	}
}
