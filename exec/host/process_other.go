//go:build unix && !linux

package host

import "syscall"

// awaitEnd cannot wait without reaping here. The time between that and the
// last signal to the session is too short for its number to come up again.
func awaitEnd(int) bool { return false }

// alive is the group of the shell, as long as something in it runs. Processes
// that have left the group are not found on this system.
func (p *process) alive() []int {
	if syscall.Kill(-p.cmd.Process.Pid, 0) != nil {
		return nil
	}
	return []int{-p.cmd.Process.Pid}
}

// processesOf knows nothing of the processes of other programs on this system.
func processesOf(string) []int { return nil }
