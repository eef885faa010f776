package cmd_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostFile runs without an engine until there is a file go.
const hostFile = `kind: pipeline
type: exec
name: here
steps:
- name: wait
  commands: ["setsid sleep 611 &", "touch $SIGNALS/started", "until [ -e $SIGNALS/go ]; do sleep 0.05; done"]
`

// dockerFile does the same in containers.
const dockerFile = `kind: pipeline
name: there
services:
- {name: db, image: drone-laptop/busybox:test, commands: [sleep 600]}
steps:
- name: wait
  image: drone-laptop/busybox:test
  commands: ["touch started.$NAME", "until [ -e go.$NAME ]; do sleep 0.05; done"]
  volumes: [{name: v, path: /v}]
volumes: [{name: v, temp: {}}]
`

// await waits until a file exists in the directory of the victim.
func (v *victim) await(name string) {
	v.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(v.work, name)); err == nil {
			return
		}
		select {
		case <-v.ended:
			v.Fatalf("it ended before there was %s:\n%s", name, v.output.String())
		default:
		}
		if time.Now().After(end) {
			v.Fatalf("there never was %s", name)
		}
	}
}

func (v *victim) touch(name string) {
	v.Helper()
	if err := os.WriteFile(filepath.Join(v.work, name), nil, 0o600); err != nil {
		v.Fatal(err)
	}
}

// guard is the process of the guard of a run, 0 when there is none.
func (v *victim) guard() int {
	for _, process := range processesIn(filepath.Dir(v.work)) {
		number, args, _ := strings.Cut(strings.TrimPrefix(process, "process "), ": ")
		if pid, err := strconv.Atoi(number); err == nil && strings.HasPrefix(args, `"drone\x00guard-of`) {
			return pid
		}
	}
	return 0
}

func (v *victim) waitHost() {
	v.Helper()
	v.start()
	v.await("started")
}

func newHostVictim(t *testing.T) *victim {
	t.Helper()
	v := newVictim(t, hostFile)
	v.command.Args = append(v.command.Args, "--env", "SIGNALS="+v.work)
	return v
}

// TestGuardOfRun looks at the guard of a run that goes on, and demands that it
// ends with the run.
func TestGuardOfRun(t *testing.T) {
	t.Parallel()
	v := newHostVictim(t)
	v.waitHost()
	pid := v.guard()
	if pid == 0 {
		t.Fatal("the run has no guard")
	}
	proc := "/proc/" + strconv.Itoa(pid)
	// It was started beside the run, and takes its name when it is ready.
	await(t, 20*time.Second, "the guard has its name", func() bool {
		name, err := os.ReadFile(proc + "/comm")
		return err == nil && string(name) == "drone-guard\n"
	})
	stat, err := os.ReadFile(proc + "/stat")
	if fields := strings.Fields(string(stat)); err != nil || fields[1] != "(drone-guard)" || fields[5] != strconv.Itoa(pid) || fields[6] != "0" {
		t.Errorf("it leads no session without a terminal: %q, error %v", stat, err)
	}
	if dir, err := os.Readlink(proc + "/cwd"); dir != "/" {
		t.Errorf("it works in %q, error %v", dir, err)
	}
	// A few MiB is what was promised; without care it would be twenty. It gives
	// up what its start has taken after it has its name.
	await(t, 20*time.Second, "the guard takes 6 MiB at most", func() bool { return memory(t, pid) <= 6<<20 })
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGQUIT} {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Error(err)
		}
	}
	v.touch("go")
	<-v.ended
	if !v.command.ProcessState.Success() {
		t.Errorf("the run: %v\n%s", v.command.ProcessState, v.output.String())
	}
	// The run has waited for it.
	if left := v.traces(connect(t)); len(left) > 0 {
		t.Errorf("there is left:\n%s", strings.Join(left, "\n"))
	}
}

// memory is how much a process has in memory, what it shares with others too.
func memory(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// TestStoppedGuard: a run does not wait for a guard that somebody has stopped,
// which ends all the same when it goes on.
func TestStoppedGuard(t *testing.T) {
	t.Parallel()
	v := newHostVictim(t)
	v.waitHost()
	pid := v.guard()
	if pid == 0 {
		t.Fatal("the run has no guard")
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	v.touch("go")
	select {
	case <-v.ended:
	case <-time.After(30 * time.Second):
		t.Error("the run waits for its guard")
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	await(t, 10*time.Second, "the guard ends", func() bool { return syscall.Kill(pid, 0) != nil })
	<-v.ended
}

// TestGuardHoldsNothing: whoever reads what a run prints, or has handed down a
// pipe, sees its end with the run though the guard is still at work.
func TestGuardHoldsNothing(t *testing.T) {
	t.Parallel()
	v := newHostVictim(t)
	var ends []*os.File
	pipe := func() *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		ends = append(ends, r)
		return w
	}
	out, extra := pipe(), pipe()
	v.command.Stdout, v.command.Stderr, v.command.ExtraFiles = out, out, []*os.File{extra}
	v.waitHost()
	if err := errors.Join(out.Close(), extra.Close(), v.command.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	<-v.ended
	// The standard streams of steps are their own, but what was handed down
	// they have, too, until the guard has killed them.
	if _, err := io.Copy(io.Discard, ends[0]); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, ends[1]); err != nil {
		t.Error(err)
	}
	if v.guard() == 0 {
		t.Error("the guard has ended before its pipes, or with them")
	}
	v.mustVanish(connect(t), "SIGKILL")
}

// TestTwoRunsInOneDirectory kills one of two runs that share a directory, and a
// third one sweeps meanwhile: the other run does not notice.
func TestTwoRunsInOneDirectory(t *testing.T) {
	t.Parallel()
	engine := needEngine(t)
	killed := newVictim(t, dockerFile, "--env", "NAME=killed")
	other := killed.drone("exec", "--env", "NAME=other")
	var said bytes.Buffer
	other.Stdout, other.Stderr = &said, &said
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill() }) // when the test has failed
	killed.start()
	killed.await("started.killed")
	killed.await("started.other")
	if guard := killed.guard(); guard == 0 {
		t.Error("there is no guard")
	}
	if err := killed.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-killed.ended
	// Objects of the killed run go, those of the other one stay.
	third := killed.drone("exec", "--env", "NAME=third")
	killed.touch("go.third")
	if out, err := third.CombinedOutput(); err != nil {
		t.Errorf("the third run: %v\n%s", err, out)
	}
	// Two containers, a network and a volume are those of the other run.
	var left []string
	await(t, promise, "what the killed run has made is gone", func() bool {
		var err error
		if left, err = leftovers(engine, killed.work); err != nil {
			t.Fatal(err)
		}
		return len(left) <= 4
	})
	if len(left) < 4 {
		t.Errorf("while the other run goes on there is\n%s", strings.Join(left, "\n"))
	}
	killed.touch("go.other")
	if err := other.Wait(); err != nil {
		t.Errorf("the other run: %v\n%s", err, said.String())
	}
	killed.mustVanish(engine, "all runs are over")
}

// TestRunWithoutGuard takes the program away before its guard can be started:
// the run says so, and goes on.
func TestRunWithoutGuard(t *testing.T) {
	t.Parallel()
	v := newVictim(t, "")
	program, err := os.ReadFile(filepath.Join(binary, "drone"))
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(filepath.Dir(v.work), "drone")
	if err := os.WriteFile(own, program, 0o700); err != nil {
		t.Fatal(err)
	}
	v.command.Path = own
	v.command.Args = append(v.command.Args, "-")
	stdin, err := v.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	v.start()
	_, failed := io.WriteString(stdin, "kind: pipeline\ntype: exec\nname: here\nsteps:\n- {name: a, commands: [echo ran]}\n")
	if err := errors.Join(failed, os.Remove(own), stdin.Close()); err != nil {
		t.Fatal(err)
	}
	<-v.ended
	said := v.output.String()
	want := "drone: warning: the run has no guard: should drone be killed, `drone clean` has to remove what is left: "
	if !v.command.ProcessState.Success() || strings.Count(said, want) != 1 || !strings.Contains(said, "[a:2] ran\n") {
		t.Errorf("%v:\n%s", v.command.ProcessState, said)
	}
}
