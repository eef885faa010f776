package cmd_test

import (
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drone-laptop/drone/cmd"
	"github.com/drone-laptop/drone/cmd/guard/vigil"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/registrytest"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

// binary is the directory of the drone that the scripts run: the real one.
var binary string

func TestMain(m *testing.M) {
	// A run within this process has this program as its guard.
	if vigil.Orphaned() != nil {
		os.Exit(cmd.Main(os.Args[1:], cmd.StandardStreams(), cmd.Build{}))
	}
	flag.Parse()
	// Under nohup, programs that are started here would ignore what tests send them.
	// A signal that is caught is as usual again for a program that takes the place.
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
		if self, err := os.Executable(); err == nil {
			fmt.Fprintln(os.Stderr, "tests of signals: not begun again without nohup:", syscall.Exec(self, os.Args, os.Environ()))
		}
	}
	// Tests of the history turn it on; the others leave nothing in that of the
	// user, and cost less.
	if err := os.Setenv("DRONE_HISTORY", "off"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "drone-script-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-X main.version=v0.0.0-test", "-o", filepath.Join(dir, "drone"), "./drone")
	// Like released ones the program needs no libraries, so that it can run in
	// any container; and other users may run it.
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot build drone:", err)
		return 1
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = dir
	return m.Run()
}

// TestScript runs the scripts of testdata/script. Those with a real engine
// must run on a build server.
func TestScript(t *testing.T) {
	engine := connect(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", binary+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("IMAGE", "drone-laptop/busybox:test")
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("DRONE_HISTORY", "off")
			env.Values[serverKey{}] = &serverOf{}
			for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"} {
				env.Setenv(name, os.Getenv(name))
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "docker":
				return engine != nil, nil
			case "podman":
				return podman()
			case "root":
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":    status,
			"repeat":    repeat,
			"bytes":     writeBytes,
			"signal":    signalAfter,
			"twice":     twice,
			"gone":      gone,
			"server":    serverCommand,
			"asked":     asked,
			"registry":  func(ts *testscript.TestScript, neg bool, args []string) { startRegistry(t, ts, engine) },
			"untouched": func(ts *testscript.TestScript, neg bool, args []string) { untouched(ts, engine, args) },
		},
	})
}

// connect returns a client of the engine, or nil where there is none, which a
// build server does not accept.
func connect(t *testing.T) *client.Client {
	t.Helper()
	endpoint, err := dockerhost.Resolve(dockerhost.Process(), "")
	var options []client.Opt
	if err == nil {
		options, err = endpoint.ClientOptions()
	}
	var c *client.Client
	if err == nil {
		c, err = client.NewClientWithOpts(options...)
	}
	if err == nil {
		t.Cleanup(func() { _ = c.Close() }) // nothing is lost with its connections
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, err = c.Ping(ctx)
	}
	if err == nil {
		return c
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("no container engine answers, and on a build server the scripts that need one must run: %v", err)
	}
	t.Logf("NO CONTAINER ENGINE: the scripts that need one do not run: %v", err)
	return nil
}

// needEngine skips a test where no engine answers.
func needEngine(t *testing.T) *client.Client {
	t.Helper()
	engine := connect(t)
	if engine == nil {
		t.Skip("SKIPPED: no container engine")
	}
	return engine
}

// podman reports whether the Podman of the tests answers, which on a build
// server it must.
func podman() (bool, error) {
	c, err := client.NewClientWithOpts(client.WithHost("unix:///run/drone-podman/podman.sock"))
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, err = c.Ping(ctx)
	}
	if err != nil && os.Getenv("CI") != "" {
		return false, fmt.Errorf("no Podman answers, which `make podman-up` starts: %w", err)
	}
	return err == nil, nil
}

// startRegistry starts a registry that demands a login and has the image
// team/app:1, and as team/app:both copies of it for this machine and for s390x,
// whose variable IMAGE_ARCH says which; REGISTRY is its address and REGISTRY_LOGIN the login, as the file
// of docker has it. The engine forgets the images of the registry at the end.
func startRegistry(t *testing.T, ts *testscript.TestScript, engine *client.Client) {
	if engine == nil {
		ts.Fatalf("registry needs an engine: guard it with [docker]")
	}
	r := registrytest.New(t, true)
	r.Push(engine, ts.Getenv("IMAGE"), "team/app:1")
	server, err := engine.ServerVersion(t.Context())
	ts.Check(err)
	r.ForArchs("team/app", "1", "both", "s390x", server.Arch)
	ts.Defer(func() { r.RemoveAll(engine) })
	ts.Setenv("REGISTRY", r.Address)
	ts.Setenv("REGISTRY_LOGIN", base64.StdEncoding.EncodeToString([]byte(registrytest.User+":"+registrytest.Password)))
	ts.Setenv("REGISTRY_PASSWORD", registrytest.Password)
}

// status runs a command and checks its exit status: status N command args.
// Standard output and error are kept for stdout and stderr checks.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [args...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("cannot run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// repeat writes text N times to a file: repeat N text file.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	var n int
	if len(args) != 3 {
		ts.Fatalf("usage: repeat N text file")
	}
	if _, err := fmt.Sscan(args[0], &n); err != nil {
		ts.Fatalf("%q is no number", args[0])
	}
	text := strings.Repeat(strings.ReplaceAll(args[1], `\n`, "\n"), n)
	appendFile(ts, args[2], []byte(text))
}

// writeBytes appends hexadecimal bytes to a file: bytes file 00 ff.
func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	var data []byte
	for _, hex := range args[1:] {
		var b byte
		if _, err := fmt.Sscanf(hex, "%02x", &b); err != nil {
			ts.Fatalf("%q is no byte", hex)
		}
		data = append(data, b)
	}
	appendFile(ts, args[0], data)
}

func appendFile(ts *testscript.TestScript, name string, data []byte) {
	f, err := os.OpenFile(ts.MkAbs(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	ts.Check(err)
	_, err = f.Write(data)
	ts.Check(err)
	ts.Check(f.Close())
}

// signalAfter runs a command, waits until a file exists, sends the command a
// signal and checks its exit status: signal INT file N command args. Its output
// is written to out.txt and err.txt.
func signalAfter(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: signal NAME file N command [args...]")
	}
	script := fmt.Sprintf(`"$@" > out.txt 2> err.txt & pid=$!
for i in $(seq 600); do [ -e %[1]s ] && break; kill -0 $pid || break; sleep 0.1; done
[ -e %[1]s ] || { cat out.txt err.txt; exit 99; }
kill -%[2]s $pid; wait $pid`, args[1], args[0])
	status(ts, false, append([]string{args[2], "sh", "-c", script, "sh"}, args[3:]...))
}

// gone fails when the process runs whose number is in a file, and removes the
// file: gone file.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone file")
	}
	pid := strings.TrimSpace(ts.ReadFile(args[0]))
	state, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	if err == nil && !strings.HasPrefix(string(state), "Z") {
		ts.Fatalf("process %s of %s still runs", pid, args[0])
	}
	ts.Check(os.Remove(ts.MkAbs(args[0])))
}

// behindPrompt is how long after the end of a run its guard may take to remove
// what it has left: what is promised.
const behindPrompt = 5 * time.Second

// untouched fails when the engine still holds an object made for the working
// directory of the script, after the time that its removal may take behind the
// prompt: untouched. A run that was ended, or was told to wait, has removed
// everything itself: untouched now.
func untouched(ts *testscript.TestScript, c *client.Client, args []string) {
	if c == nil {
		ts.Fatalf("untouched needs an engine: guard it with [docker]")
	}
	end := time.Now().Add(behindPrompt)
	if len(args) > 0 {
		if len(args) > 1 || args[0] != "now" {
			ts.Fatalf("usage: untouched [now]")
		}
		end = time.Now()
	}
	for {
		asked := time.Now()
		left, err := leftovers(c, ts.MkAbs("."))
		ts.Check(err)
		if len(left) == 0 {
			return
		}
		if !asked.Before(end) {
			ts.Fatalf("left behind: %s", strings.Join(left, "; "))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// leftovers names what the engine still holds of runs in dir.
func leftovers(c *client.Client, dir string) (left []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	mine := filters.NewArgs(filters.Arg("label", "io.drone.desktop.pipeline.dir="+dir))
	containers, err := c.ContainerList(ctx, container.ListOptions{All: true, Filters: mine})
	if err != nil {
		return nil, err
	}
	for _, o := range containers {
		left = append(left, "container "+strings.Join(o.Names, ","))
	}
	networks, err := c.NetworkList(ctx, network.ListOptions{Filters: mine})
	if err != nil {
		return nil, err
	}
	for _, o := range networks {
		left = append(left, "network "+o.Name)
	}
	volumes, err := c.VolumeList(ctx, volume.ListOptions{Filters: mine})
	if err != nil {
		return nil, err
	}
	for _, o := range volumes.Volumes {
		left = append(left, "volume "+o.Name)
	}
	return left, nil
}
