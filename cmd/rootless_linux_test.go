package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/internal/rootlesstest"
)

// rootlessFile makes files as root in a container.
const rootlessFile = `kind: pipeline
name: mine
services:
- name: web
  image: drone-laptop/busybox:test
  commands: [mkdir /www, echo the answer is 42 > /www/index.html, httpd -f -p 8000 -h /www]
steps:
- name: a
  image: drone-laptop/busybox:test
  commands:
  - mkdir -m 700 out
  - touch made out/file
  - for i in $(seq 50); do wget -q -O - http://web:8000/ && break; sleep 0.2; done
`

// rootlessKilled makes one of another user, too, and never ends.
const rootlessKilled = `kind: pipeline
name: mine
services:
- {name: db, image: drone-laptop/busybox:test, commands: [sleep 600]}
steps:
- name: a
  image: drone-laptop/busybox:test
  commands: [mkdir -m 700 out, touch out/file other, chown 77 other out/file, touch up, sleep 600]
  volumes: [{name: v, path: /v}]
volumes: [{name: v, temp: {}}]
`

// TestRootless runs the program as an ordinary user whose only engines are their
// own, in the order in which they are found.
func TestRootless(t *testing.T) {
	t.Parallel()
	image := "drone-laptop/busybox:test"
	t.Run("Podman", func(t *testing.T) {
		t.Parallel()
		p := rootlesstest.New(t, "podman", "runc")
		testRootless(t, p, p.Podman(image), "podman/podman.sock", "the socket of rootless Podman", "Podman, rootless, ")
	})
	t.Run("Docker", func(t *testing.T) {
		t.Parallel()
		p := rootlesstest.New(t, "dockerd", "docker", "rootlesskit")
		testRootless(t, p, p.Docker(image), "docker.sock", "the socket of rootless Docker", "Docker, rootless, ")
	})
}

func testRootless(t *testing.T, p *rootlesstest.Place, host, socket, through, kind string) {
	engine, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	tree := func(name, file string) string {
		dir := filepath.Join(p.Home, name)
		p.Run(`mkdir -p "$1"; printf %s "$2" >"$1/.drone.yml"`, dir, file)
		return dir
	}
	// drone is the program in a directory of the user; its number is in the file
	// pid.
	drone := func(dir string, args ...string) *exec.Cmd {
		return p.Command("sh", append([]string{"-c", `cd "$1"; shift; echo $$ >../pid; exec "$@"`, "sh", dir, filepath.Join(binary, "drone")}, args...)...)
	}
	mine := func(t *testing.T, path string) {
		t.Helper()
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid != rootlesstest.UID {
			t.Errorf("%s belongs to %d", path, uid)
		}
	}
	t.Run("run", func(t *testing.T) {
		dir, began := tree("run", rootlessFile), time.Now()
		out, err := drone(dir, "exec").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		wantAll(t, string(out), "] the answer is 42\n", "✔ success")
		if strings.Contains(string(out), "warning") {
			t.Errorf("there is a warning:\n%s", out)
		}
		mine(t, filepath.Join(dir, "made"))
		mine(t, filepath.Join(dir, "out/file"))
		awaitNothingLeft(t, engine, dir) // it is removed behind the prompt
		if n := made(t, engine, began); n != 2 {
			t.Errorf("%d containers were made: for files that are the user's already none is needed", n)
		}
	})
	t.Run("doctor", func(t *testing.T) {
		dir := tree("doctor", rootlessFile)
		// On a busy machine an engine may not answer in the time of a check.
		for end := time.Now().Add(patience); ; {
			out, err := drone(dir, "doctor", "--output", "json").Output()
			var checks []struct{ Name, Status, Message string }
			if failed := json.Unmarshal(out, &checks); failed != nil {
				t.Fatalf("%v, %v:\n%s", err, failed, out)
			}
			want := map[string]string{
				"endpoint": "unix:///run/user/23457/" + socket + ", found through " + through, "engine": "answers: version ",
				"kind": kind, "mounts": "containers see the files of ", "service names": "containers of a pipeline find each other by name",
			}
			for _, c := range checks {
				if begin, ok := want[c.Name]; ok && c.Status != "fail" && strings.HasPrefix(c.Message, begin) {
					delete(want, c.Name)
				}
			}
			switch {
			case len(want) == 0:
				return
			case time.Now().After(end):
				t.Fatalf("doctor does not say %v:\n%s", want, out)
			}
		}
	})
	t.Run("killed", func(t *testing.T) {
		dir := tree("killed", rootlessKilled)
		c := drone(dir, "exec")
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		ended := make(chan struct{})
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			defer close(ended)
			_ = c.Wait() // it is killed
		}()
		await := func(what string, limit time.Duration, done func() bool) {
			t.Helper()
			for end := time.Now().Add(limit); !done(); time.Sleep(50 * time.Millisecond) {
				if time.Now().After(end) {
					left, err := leftovers(engine, dir)
					t.Fatalf("%s has not happened within %v; there is %v, error %v", what, limit, left, err)
				}
			}
		}
		await("the step", patience, func() bool {
			select {
			case <-ended:
				t.Fatalf("the run has ended:\n%s", &said)
			default:
			}
			_, err := os.Lstat(filepath.Join(dir, "up"))
			return err == nil
		})
		p.Run(`kill -9 "$(cat "$1/../pid")"`, dir)
		<-ended
		await("the removal", promise, func() bool { left, err := leftovers(engine, dir); return err == nil && len(left) == 0 })
		// Then the guard gives back, once nothing more has come for a while.
		await("the giving back", patience, func() bool {
			info, err := os.Lstat(filepath.Join(dir, "other"))
			return err == nil && info.Sys().(*syscall.Stat_t).Uid == rootlesstest.UID
		})
		mine(t, filepath.Join(dir, "out/file"))
	})
}

// made counts the containers that an engine has made since.
func made(t *testing.T, engine *client.Client, since time.Time) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	messages, failed := engine.Events(ctx, events.ListOptions{
		Since:   since.Format(time.RFC3339Nano), // Podman lists nothing when this is over already.
		Until:   time.Now().Add(time.Second).Format(time.RFC3339Nano),
		Filters: filters.NewArgs(filters.Arg("event", "create"), filters.Arg("type", "container")),
	})
	for {
		select {
		case <-messages:
			n++
		case <-failed: // the end of the list
			return n
		}
	}
}
