package host

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// awaitEnd waits for the end of a child without reaping it. It reports false
// when the kernel cannot do that.
func awaitEnd(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err == nil
		}
	}
}

// alive lists the processes of the step that run: those of its session, and
// those that have left it but carry its mark. Only one that has left and
// removed the mark from its environment, too, is not found.
func (p *process) alive() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	shell := p.cmd.Process.Pid
	born := uint64(0)
	if stat, ok := readStat(shell); ok {
		born = stat.born
	}
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, ok := readStat(pid)
		if !ok || stat.dead || stat.born < born {
			continue
		}
		if stat.session == shell || marked(pid, p.mark) {
			found = append(found, pid)
		}
	}
	return found
}

// marked reports whether a process was started with a mark in its environment.
func marked(pid int, mark string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false // it is gone, or of another user
	}
	for variable := range bytes.SplitSeq(env, []byte{0}) {
		if marks, ok := bytes.CutPrefix(variable, []byte(stepMark+"=")); ok {
			return slices.Contains(strings.Split(string(marks), markGap), mark)
		}
	}
	return false
}

// stat is what matters of /proc/PID/stat.
type stat struct {
	dead    bool   // a zombie
	session int    // number of its leader
	born    uint64 // in ticks since the start of the machine
}

func readStat(pid int) (stat, bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, false
	}
	// The name in front may hold spaces and brackets itself. What follows it
	// begins with the third field (proc(5)).
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return stat{}, false
	}
	session, err := strconv.Atoi(string(fields[3]))
	if err != nil {
		return stat{}, false
	}
	born, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return stat{dead: fields[0][0] == 'Z' || fields[0][0] == 'X', session: session, born: born}, err == nil
}
