package owner

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func bootID() string    { return sysctl("kern.bootsessionuuid") }
func machineID() string { return sysctl("kern.uuid") }

func pidNamespace() string { return "" }

func sysctl(name string) string {
	value, err := unix.Sysctl(name)
	if err != nil {
		return ""
	}
	return value
}

// zombie is the state of a process of which only the number is left.
const zombie = 5

// startOf is when a process was started, in microseconds.
func startOf(pid int) (start string, dead bool) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return "", false
	}
	return fmt.Sprintf("%d.%06d", info.Proc.P_starttime.Sec, info.Proc.P_starttime.Usec), info.Proc.P_stat == zombie
}
