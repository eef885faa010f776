package testenv

import (
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
)

// Hold starts a shell in namespaces of its own, which the flags of clone(2) name.
// Its script makes a place for other processes there, prints a line when that is
// ready, and stays to bury their children. Whoever kills the shell ends all that
// runs in its process tree; it ends with this process at the latest.
func Hold(namespaces uintptr, script string, args ...string) (*exec.Cmd, error) {
	holder := exec.Command("sh", append([]string{"-c", script, "sh"}, args...)...)
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	holder.Stderr = &said
	ready, err := holder.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := holder.Start(); err != nil {
		return nil, err
	}
	if _, err := ready.Read(make([]byte, 16)); err != nil {
		_ = holder.Process.Kill() // it mostly has ended
		_ = holder.Wait()
		return nil, fmt.Errorf("the place for it could not be made: %w: %s", err, said.String())
	}
	return holder, nil
}
