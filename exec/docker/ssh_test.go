package docker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

// dialStdioVar has the program of the tests join its standard streams to the socket that it
// names, as `docker system dial-stdio` does on the other end of ssh.
const dialStdioVar = "DRONE_TEST_DIAL_STDIO"

func dialStdio(socket string) int {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		_, _ = io.Copy(conn, os.Stdin)
		_ = conn.(*net.UnixConn).CloseWrite()
	}()
	if _, err := io.Copy(os.Stdout, conn); err != nil {
		return 1
	}
	return 0
}

// fakeSSH puts a program ssh in front of PATH that is a shell script.
func fakeSSH(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestSSH runs a step on an engine behind a program ssh, which is told where by
// its arguments.
func TestSSH(t *testing.T) {
	socket := socketOf(t, newEngine(t))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	fakeSSH(t, fmt.Sprintf(`
case "$*" in *"-l me -p 2222 "*"far.example docker system dial-stdio") ;; *) head -c 1 >/dev/null; echo "called with $*" >&2; exit 1 ;; esac
%s='%s' exec '%s'`, dialStdioVar, socket, self))
	endpoint, err := dockerhost.Resolve(dockerhost.Process(), "ssh://me@far.example:2222")
	if err != nil {
		t.Fatal(err)
	}
	if endpoint.Local() {
		t.Error("an engine behind ssh is taken for one of this machine")
	}
	e := connectTo(t, Options{Endpoint: endpoint})
	if at := e.endpoint; at.Host != "ssh://me@far.example:2222" || at.Source != dockerhost.SourceFlag {
		t.Errorf("the engine is at %s, found through %s", at.Host, at.Source)
	}
	tr := open(t, e, nil)
	if got := tr.must(commands("echo over there"), nil); got != "over there\n" {
		t.Errorf("got %q", got)
	}
}

// TestSSHFails: what ssh says is passed on, with the command to try.
func TestSSHFails(t *testing.T) {
	fakeSSH(t, "head -c 1 >/dev/null; echo 'me@far.example: Permission denied (publickey).' >&2; exit 255")
	endpoint, err := dockerhost.Resolve(dockerhost.Process(), "ssh://me@far.example")
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(t.Context(), Options{Endpoint: endpoint})
	var unreachable *exec.UnreachableError
	if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), "Permission denied (publickey)") ||
		!strings.Contains(unreachable.Hint, "`ssh me@far.example docker version`") {
		t.Errorf("got %v", err)
	}
}
