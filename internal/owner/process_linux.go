package owner

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

func bootID() string { return line("/proc/sys/kernel/random/boot_id") }

func machineID() string { return line("/etc/machine-id") }

func pidNamespace() string {
	name, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.Trim(strings.TrimPrefix(name, "pid:"), "[]")
}

func line(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// startOf is when a process was started, in ticks since the boot. It is empty
// when that cannot be read; dead is a process of which only the number is left.
func startOf(pid int) (start string, dead bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", false
	}
	// The name in front may hold spaces and brackets itself. What follows it
	// begins with the third field (proc_pid_stat(5)).
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return "", false
	}
	return string(fields[19]), fields[0][0] == 'Z' || fields[0][0] == 'X'
}
