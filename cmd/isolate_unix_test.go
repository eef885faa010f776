//go:build unix

package cmd_test

import (
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rootsFile has steps that make files that are closed to everybody else.
const rootsFile = `
kind: pipeline
name: default
steps:
- name: make
  image: drone-laptop/busybox:test
  commands:
  - echo made > made && chmod 600 made && mkdir -m 700 closed && touch closed/in
  - echo changed > theirs && chown -R 1234 closed
  - mkdir -p mod/a && touch mod/a/x && chmod -R a-w mod
- name: second
  image: drone-laptop/busybox:test
  commands: [test -e closed/in, touch /seen/second, "if test -e wait; then sleep 600; fi"]
`

// copiesOf names what is left of copies in the home of a user.
func (u *ordinary) copiesOf() []string {
	u.Helper()
	left, err := filepath.Glob(filepath.Join(u.home, "drone-*"))
	u.check(err)
	return left
}

// TestIsolateOfOrdinaryUser: what root has made in a copy is brought to a user
// who may not even look at it there, and the copy can be removed.
func TestIsolateOfOrdinaryUser(t *testing.T) {
	needEngine(t)
	u := newOrdinary(t)
	u.write(".drone.yml", rootsFile, false)
	u.write("theirs", "before", false)
	u.run(0, "--out", "../out", "--volume", u.home+":/seen")
	for _, name := range []string{"../out", "../out/made", "../out/closed", "../out/closed/in", "../out/theirs", "../out/mod/a/x"} {
		if owner := u.owner(name); owner != u.uid {
			t.Errorf("%s belongs to %d", name, owner)
		}
	}
	if info, err := os.Stat(u.path("../out/made")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("made is %v, error %v", info, err)
	}
	if text, err := os.ReadFile(u.path("theirs")); err != nil || string(text) != "before" {
		t.Errorf("the original is %q, error %v", text, err)
	}
	if left := u.copiesOf(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	u.check(filepath.WalkDir(u.path("../out"), func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(name, 0o755)
		}
		return err
	}))
}

// TestIsolateKilled: a copy with files of root is gone soon after drone was
// killed.
func TestIsolateKilled(t *testing.T) {
	needEngine(t)
	u := newOrdinary(t)
	u.write(".drone.yml", rootsFile, false)
	u.write("wait", "", false)
	u.write("theirs", "", false)
	p, _ := u.drone("--isolate", "--volume", u.home+":/seen")
	awaitFile(t, u.home, "second")
	if len(u.copiesOf()) != 1 {
		t.Errorf("copies while it runs: %v", u.copiesOf())
	}
	u.check(p.Process.Signal(syscall.SIGKILL))
	_ = p.Wait() // it was killed
	await(t, promise, "the copy is gone", func() bool { return len(u.copiesOf()) == 0 })
}

// TestIsolateElsewhere refuses an engine that could not mount the copy, before
// anything is copied.
func TestIsolateElsewhere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.2:0") // not the usual name of this machine
	if err != nil {
		t.Skipf("SKIPPED: only one address leads to this machine here, so engines elsewhere are not tested: %v", err)
	}
	engine := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"Version": "20.10", "Os": "linux", "Arch": "amd64"}`)
	})}
	t.Cleanup(func() { engine.Close() })
	go func() { _ = engine.Serve(listener) }() // it ends with the test
	u := newOrdinary(t)
	u.write(".drone.yml", rootsFile, false)
	c, out := u.drone("--isolate", "-H", "tcp://"+listener.Addr().String())
	u.end(c, out, 2)
	if said := out.String(); !strings.Contains(said, "error: --isolate needs an engine on this machine") || strings.Contains(said, "copied") {
		t.Errorf("it says:\n%s", said)
	}
}
