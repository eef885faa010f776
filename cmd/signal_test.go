package cmd_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// signalNumbers are those that scripts send.
var signalNumbers = map[string]syscall.Signal{
	"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "QUIT": syscall.SIGQUIT,
}

// twice runs a command until a file exists, sends it a signal, a second one
// once it has said something about the first, and checks that it ends within
// some seconds, with an exit status: twice FIRST SECOND file SECONDS N command
// args. Its output is written to out.txt and err.txt.
func twice(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 6 {
		ts.Fatalf("usage: twice FIRST SECOND file SECONDS N command [args...]")
	}
	first, second, file := signalNumbers[args[0]], signalNumbers[args[1]], ts.MkAbs(args[2])
	var seconds float64
	if _, err := fmt.Sscan(args[3], &seconds); err != nil || first == 0 || second == 0 {
		ts.Fatalf("bad signal or number of seconds")
	}
	out, err := os.Create(ts.MkAbs("out.txt"))
	ts.Check(err)
	defer out.Close()
	said, err := os.Create(ts.MkAbs("err.txt"))
	ts.Check(err)
	defer said.Close()
	// The command may be a script that is found on the path of the script.
	c := exec.Command("sh", append([]string{"-c", `exec "$@"`, "sh"}, args[5:]...)...)
	c.Dir, c.Stdout, c.Stderr = ts.MkAbs("."), out, said
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WORK", "DOCKER_HOST", "DOCKER_CONTEXT", "GIT_CONFIG_NOSYSTEM"} {
		if value := ts.Getenv(name); value != "" {
			c.Env = append(c.Env, name+"="+value)
		}
	}
	ts.Check(c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	until := func(what string, reached func() bool) {
		for end := time.Now().Add(time.Minute); !reached(); time.Sleep(10 * time.Millisecond) {
			select {
			case <-ended:
				ts.Fatalf("it ended before %s:\n%s", what, ts.ReadFile("err.txt"))
			default:
			}
			if time.Now().After(end) {
				_ = c.Process.Kill()
				ts.Fatalf("%s never came:\n%s", what, ts.ReadFile("err.txt"))
			}
		}
	}
	until("the file", func() bool { _, err := os.Stat(file); return err == nil })
	ts.Check(c.Process.Signal(first))
	until("its words", func() bool {
		text, err := os.ReadFile(ts.MkAbs("err.txt"))
		return err == nil && bytes.Contains(text, []byte("drone: "))
	})
	// One that comes sooner is taken for the same.
	time.Sleep(500 * time.Millisecond)
	begun := time.Now()
	ts.Check(c.Process.Signal(second))
	select {
	case err = <-ended:
	case <-time.After(time.Minute):
		_ = c.Process.Kill()
		ts.Fatalf("it does not end:\n%s", ts.ReadFile("err.txt"))
	}
	took := time.Since(begun)
	ts.Logf("it ended %v after the second signal", took)
	if took.Seconds() > seconds {
		ts.Fatalf("it took %v to end after the second signal, at most %s s are allowed", took, args[3])
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if got := fmt.Sprint(c.ProcessState.ExitCode()); got != args[4] {
		ts.Fatalf("exit status %s, want %s:\n%s", got, args[4], strings.TrimSpace(ts.ReadFile("err.txt")))
	}
}
