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
		if stat.session == shell || slices.Contains(marksOf(pid), p.mark) {
			found = append(found, pid)
		}
	}
	return found
}

// marksOf are the marks in the environment with which a process was started,
// none when it is gone or of another user.
func marksOf(pid int) []string {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return nil
	}
	for variable := range bytes.SplitSeq(env, []byte{0}) {
		if marks, ok := bytes.CutPrefix(variable, []byte(stepMark+"=")); ok {
			return strings.Split(string(marks), markGap)
		}
	}
	return nil
}

// processesOf lists the processes of the steps of a run that are alive: those
// with its mark, and what else is in the sessions of such a one. A session whose
// leader runs without the mark is none of a step: somebody has merely copied the
// environment of one.
func processesOf(run string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	sessions, marked := map[int]int{}, map[int]bool{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, ok := readStat(pid)
		if !ok || stat.dead {
			continue
		}
		sessions[pid] = stat.session
		marked[pid] = slices.ContainsFunc(marksOf(pid), func(mark string) bool { return strings.HasPrefix(mark, runMark(run)) })
	}
	ofSteps := map[int]bool{}
	for pid, session := range sessions {
		// Session 0 is that of everybody who came from outside of this process
		// namespace.
		if _, leads := sessions[session]; marked[pid] && session > 0 && (marked[session] || !leads) {
			ofSteps[session] = true
		}
	}
	var found []int
	for pid, session := range sessions {
		if marked[pid] || ofSteps[session] {
			found = append(found, pid)
		}
	}
	slices.Sort(found)
	return found
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
