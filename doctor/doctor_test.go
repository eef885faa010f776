package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/owner"
	"github.com/drone-laptop/drone/internal/testenv"
)

// expect compares the status, and looks for words in the message and the fix.
func (c Check) expect(t *testing.T, status Status, message, fix string) {
	t.Helper()
	if c.Status != status || !strings.Contains(c.Message, message) || !strings.Contains(c.Fix, fix) {
		t.Errorf("got %s %q, fix %q; want %s %q, fix %q", c.Status, c.Message, c.Fix, status, message, fix)
	}
}

func TestPatience(t *testing.T) {
	var late sync.WaitGroup
	p := patient{limit: 20 * time.Millisecond, late: &late}
	release := make(chan struct{})
	p.check(t.Context(), "a", func(context.Context) Check { return ok("fine") })().expect(t, OK, "fine", "")
	p.check(t.Context(), "b", func(context.Context) Check { panic("oops") })().expect(t, Fail, "internal error: oops", "report it")
	p.check(t.Context(), "c", func(context.Context) Check { <-release; return ok("too late") })().expect(t, Warn, "not finished within 20ms", "")
	p = patient{limit: 2 * time.Second, late: &late}
	found := p.check(t.Context(), "d", func(ctx context.Context) Check {
		deadline, _ := ctx.Deadline()
		return ok("%v", time.Until(deadline) < 3*time.Second)
	})()
	found.expect(t, OK, "true", "")
	if found.Name != "d" {
		t.Errorf("the name is %q", found.Name)
	}
	close(release)
	late.Wait()
}

func TestSpace(t *testing.T) {
	space(10e9, 1<<30, 1<<20, "here", "fix").expect(t, OK, "here, 10.0 GB free", "")
	space(512e6, 1<<30, 1<<20, "here", "fix").expect(t, Warn, "here, 512.0 MB free, which is not much", "fix")
	space(1, 1<<30, 1<<20, "here", "fix").expect(t, Fail, "here, 1 B free, too little", "fix")
	free, err := freeSpace(t.TempDir())
	if err != nil || free == 0 {
		t.Errorf("%d bytes are free, %v", free, err)
	}
	dir := t.TempDir()
	if found := directory(dir, "x", "y"); found.Status == Fail {
		t.Errorf("got %+v", found)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	directory(filepath.Join(dir, "none"), "the workspace", "go away").expect(t, Fail, "the workspace, "+filepath.Join(dir, "none")+", cannot be written to: ", "or go away")
}

// TestCredentials runs helpers that answer, fail, are missing and never answer.
func TestCredentials(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the helpers are shell scripts")
	}
	dir := t.TempDir()
	helper := func(name, script string) {
		if err := os.WriteFile(filepath.Join(dir, "docker-credential-"+name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	helper("good", `[ "$1" = list ] && echo '{"https://secret.example": "hunter2"}'`)
	helper("bad", "echo hunter2; echo hunter2 >&2; exit 3")
	helper("slow", "exec sleep 60")
	env := dockerhost.Environment{
		Getenv: func(name string) string { return map[string]string{"DOCKER_CONFIG": dir}[name] }, Stat: os.Stat,
		LookPath: func(name string) (string, error) {
			_, err := os.Stat(filepath.Join(dir, name))
			return filepath.Join(dir, name), err
		},
	}
	file := filepath.Join(dir, "config.json")
	for config, want := range map[string]Check{
		"":                        {Status: OK, Message: "no credential helper is configured"},
		`{"credsStore": "good"}`:  {Status: OK, Message: "docker-credential-good answers"},
		`{"credsStore": "bad"}`:   {Status: Fail, Fix: "see what `docker-credential-bad list` says", Message: "docker-credential-bad fails with exit status 3, and credsStore of " + file + " names it"},
		`{"credsStore": "none"}`:  {Status: Fail, Fix: "install docker-credential-none, or remove it from " + file, Message: "docker-credential-none is not in PATH, but credsStore of " + file + " names it"},
		`{"credsStore": "slow"}`:  {Status: Fail, Fix: "docker-credential-slow list", Message: "docker-credential-slow does not answer"},
		`{"credsStore": {"good":`: {Status: Fail, Fix: "repair or move the file", Message: "not valid JSON"},
		`{"credHelpers": {"a.example": "bad", "b.example": "bad", "c.example": "good"}}`: {Status: Fail, Fix: "list", Message: "credHelpers of " + file + " names it for a.example, b.example"},
		`{"credHelpers": {"a.example": "bad", "b.example": "none"}}`:                     {Status: Fail, Fix: "; install docker-credential-none", Message: "exit status 3, and credHelpers of " + file + " names it for a.example; docker-credential-none"},
	} {
		t.Run(config, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			if config == "" {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
			limit := 10 * time.Second
			if strings.Contains(config, "slow") {
				limit = 100 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			got := Options{Env: env}.credentials(ctx)
			got.expect(t, want.Status, want.Message, want.Fix)
			if strings.Contains(got.Message+got.Fix, "hunter2") {
				t.Error("what the helper said is shown")
			}
		})
	}
}

func TestGit(t *testing.T) {
	dir := t.TempDir()
	Options{Dir: dir}.git(t.Context()).expect(t, Warn, "is in no git working tree", "git init")
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	Options{Dir: dir}.git(t.Context()).expect(t, Warn, "has no HEAD", "git status")
}

// at is an environment in which the engine is at an address.
func at(host string) dockerhost.Environment {
	return dockerhost.Environment{
		Getenv: func(name string) string { return map[string]string{"DOCKER_HOST": host}[name] },
		Stat:   os.Stat, LookPath: func(string) (string, error) { return "", errors.New("none") },
	}
}

// gather makes all checks and returns them by name, and their names in order.
func gather(t *testing.T, opts Options) (map[string]Check, []string) {
	t.Helper()
	dir := t.TempDir()
	opts.Dir, opts.Temp, opts.Copies, opts.RunDirs = dir, dir, filepath.Join(dir, "none", "yet"), []string{dir}
	opts.Run = "doctor-test-" + strconv.Itoa(os.Getpid())
	if opts.Name == "" {
		opts.Name = "name.invalid"
	}
	found, names := map[string]Check{}, []string{}
	Run(t.Context(), opts, func(c Check) {
		found[c.Name] = c
		names = append(names, c.Name)
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return found, names
}

// TestSilence: who listens and never answers costs no more than the limits.
func TestSilence(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	found, names := gather(t, Options{Env: at("tcp://" + listener.Addr().String()), Limit: 100 * time.Millisecond})
	found[Engine].expect(t, Fail, "does not answer", "restart the engine")
	if want := []string{Endpoint, Engine, "credentials", "git", "workspace", "temporary files"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	found, _ = gather(t, Options{Env: at("nonsense://"), Limit: 100 * time.Millisecond})
	found[Endpoint].expect(t, Fail, "is not an address of an engine", "unix:///")
	if _, there := found[Engine]; there {
		t.Error("an engine without an address was asked")
	}
}

// stub is an engine that greets, and then answers what it is told to.
func stub(t *testing.T, answer func(path string) (any, bool)) string {
	t.Helper()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Content-Type", "application/json")
		path := r.URL.Path
		if i := strings.Index(path[1:], "/"); strings.HasPrefix(path, "/v1.") && i > 0 {
			path = path[i+1:]
		}
		value, known := answer(path)
		switch {
		case path == "/_ping":
		case path == "/version":
			_ = json.NewEncoder(w).Encode(map[string]string{"Version": "0.0.1", "ApiVersion": "1.41", "Os": "linux"})
		case known:
			_ = json.NewEncoder(w).Encode(value)
		default:
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	return strings.Replace(server.URL, "http", "tcp", 1)
}

// TestEngineThatStops greets and then never answers again: every check of the
// engine says so within its limit.
func TestEngineThatStops(t *testing.T) {
	host := stub(t, func(string) (any, bool) { return nil, false })
	start := time.Now()
	found, names := gather(t, Options{Env: at(host), Limit: 200 * time.Millisecond})
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	found[Engine].expect(t, OK, "version 0.0.1, API 1.41", "")
	if len(names) != 14 {
		t.Errorf("the checks are %q", names)
	}
	for _, name := range []string{"kind", "storage", "clock", "mounts", "copies", "service names", "dns", "leftovers"} {
		if c := found[name]; c.Status != Warn || !strings.HasPrefix(c.Message, "not ") {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestFindings has an engine say what a healthy one would not.
func TestFindings(t *testing.T) {
	self := owner.Self()
	labels := map[string]string{
		docker.LabelRun: "r", docker.LabelOwnerPID: fmt.Sprint(self.PID), docker.LabelOwnerStart: "before", docker.LabelOwnerPIDNS: self.PIDNS,
		docker.LabelOwnerBoot: self.Boot, docker.LabelOwnerMachine: self.Machine, docker.LabelOwnerHost: self.Host,
	}
	container := func(name string) map[string]any {
		return map[string]any{"Names": []string{"/drone-r-" + name}, "Labels": labels}
	}
	guarded := container("guarded") // somebody is removing it
	guarded["Labels"] = maps.Clone(labels)
	maps.Copy(guarded["Labels"].(map[string]string), map[string]string{docker.LabelGuardPID: fmt.Sprint(self.PID), docker.LabelGuardStart: self.Start})
	host := stub(t, func(path string) (any, bool) {
		switch path {
		case "/info":
			return map[string]any{
				"OperatingSystem": "Test OS", "Architecture": "x86_64", "Name": "elsewhere", "CgroupVersion": "1", "Driver": "vfs", "DockerRootDir": "/none",
				"SecurityOptions": []string{"name=seccomp,profile=default", "name=rootless"}, "SystemTime": time.Now().Add(-time.Hour).Format(time.RFC3339Nano),
			}, true
		case "/images/json":
			return []any{}, true
		case "/containers/json":
			return []any{container("a"), container("b"), guarded}, true
		case "/networks":
			return []any{map[string]any{"Name": "drone-r-n", "Labels": labels}}, true
		case "/volumes":
			return map[string]any{"Volumes": []any{}}, true
		}
		return nil, false
	})
	found, _ := gather(t, Options{Env: at(host), Limit: 5 * time.Second})
	found["kind"].expect(t, Warn, "Docker, rootless, cgroup version 1, on Test OS (x86_64); it cannot limit memory", "cgroup version 2")
	found["storage"].expect(t, OK, "driver vfs in /none; how much is free there cannot be seen from here", "")
	found["clock"].expect(t, Warn, "1h0m0s behind", "restart")
	found["mounts"].expect(t, Warn, "not checked: no image is on this machine", "drone pull")
	found["service names"].expect(t, Warn, "no image is on this machine", "drone pull")
	found["dns"].expect(t, Warn, "no image is on this machine", "drone pull")
	if self.Start != "" { // else a number that is used again cannot be told
		found["leftovers"].expect(t, Warn, "runs that were killed have left 2 containers, 1 network", "drone clean")
	}
}

// TestCopies: what containers do not see of the place for copies is a warning,
// wherever the working directory is.
func TestCopies(t *testing.T) {
	blind := stub(t, func(path string) (any, bool) {
		switch {
		case path == "/images/json":
			return []any{map[string]any{"RepoTags": []string{"x:1"}}}, true
		case strings.HasPrefix(path, "/containers/"): // it makes what it is asked for, and has no files
			return map[string]any{"Id": "x", "Names": []string{}}, true
		}
		return nil, false
	})
	engine, err := docker.New(t.Context(), docker.Options{Endpoint: dockerhost.Endpoint{Host: blind, Source: "the test"}})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	for _, tc := range []struct {
		at           dockerhost.Endpoint
		copies       string
		status       Status
		message, fix string
	}{
		{at: dockerhost.Endpoint{Host: "unix:///s"}, copies: t.TempDir(), status: Warn, message: "containers do not see the files of", fix: "TMPDIR"},
		{at: dockerhost.Endpoint{Host: "unix:///s"}, copies: "/proc/none/yet", status: Warn, message: "cannot make copies in /proc/none/yet", fix: "TMPDIR"},
		{at: dockerhost.Endpoint{Host: "ssh://me@there"}, copies: t.TempDir(), status: OK, message: "not needed"},
	} {
		tr := &trial{
			Options: Options{Copies: tc.copies, Run: "r"}, endpoint: tc.at, engine: engine,
			images: func() ([]string, error) { return []string{"x:1"}, nil },
		}
		tr.copies(t.Context()).expect(t, tc.status, tc.message, tc.fix)
		if left, err := os.ReadDir(existing(tc.copies)); err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".drone") }) {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// TestMounts has a file that containers see, do not see, and may not read.
func TestMounts(t *testing.T) {
	local, remote := dockerhost.Endpoint{Host: "unix:///s"}, dockerhost.Endpoint{Host: "ssh://me@there"}
	for _, tc := range []struct {
		at           dockerhost.Endpoint
		file         error
		seen         error
		read         string
		status       Status
		message, fix string
	}{
		{at: local, read: "yes", status: OK, message: "containers see the files of /d"},
		{at: local, status: OK, message: "containers see the files of /d"},
		{at: local, read: "no", status: Fail, message: "see the files of /d, but may not read them", fix: "chcon -Rt container_file_t /d"},
		{at: local, seen: errOther, status: Fail, message: "do not see the files of /d: another file is there", fix: "share this directory"},
		{at: local, seen: &exec.StepError{Err: errors.New("mounts denied"), Hint: "the engine's own hint"}, status: Fail, message: "do not see the files of /d: mounts denied", fix: "own hint"},
		{at: remote, seen: errOther, status: Warn, message: "the engine is on another machine", fix: "--clone"},
		{at: local, file: os.ErrPermission, status: Warn, message: "not checked: no file can be written"},
	} {
		tr := &trial{
			Options: Options{Dir: "/d"}, endpoint: tc.at,
			images: func() ([]string, error) { return []string{"x"}, nil },
			file:   func() (string, error) { return "f", tc.file },
			seen:   func() error { return tc.seen },
			names:  func(context.Context, func(names) bool) (names, error) { return names{file: tc.read}, nil },
		}
		tr.mounts(t.Context()).expect(t, tc.status, tc.message, tc.fix)
	}
}

// TestSlowNameServer has the trial step wait for an answer that never comes: what
// it has said before that is known.
func TestSlowNameServer(t *testing.T) {
	t.Parallel()
	tr := &trial{
		Options:  Options{Dir: "/d", Name: "far.example", Resolve: func(context.Context, string) error { return nil }},
		endpoint: dockerhost.Endpoint{Host: "unix:///x"},
		images:   func() ([]string, error) { return []string{"x"}, nil },
		file:     func() (string, error) { return "f", nil },
		seen:     func() error { return nil },
		said:     newAnswers(),
	}
	tr.names = tr.ask
	tr.begin = sync.OnceFunc(func() {
		go func() {
			for _, part := range []string{"fi", "le=yes\nserv", "ice=yes", "\n", "out"} {
				fmt.Fprint(tr.said, part)
			}
		}()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	tr.dns(ctx).expect(t, Fail, "containers do not resolve far.example, this machine does", "name servers that containers reach")
	tr.mounts(t.Context()).expect(t, OK, "containers see the files of /d", "")
	tr.serviceNames(t.Context()).expect(t, OK, "find each other by name", "")
	tr.said.end(errNoTool)
	tr.dns(t.Context()).expect(t, Fail, "containers do not resolve far.example", "")
}

// TestRealEngine tries out the engine of this machine, of which nothing is left
// then.
func TestRealEngine(t *testing.T) {
	endpoint, err := dockerhost.Resolve(dockerhost.Process(), "")
	var e *docker.Engine
	if err == nil {
		e, err = docker.New(t.Context(), docker.Options{Endpoint: endpoint, Greeting: 20 * time.Second})
	}
	if err != nil {
		testenv.Lack(t, "no engine: %v", err)
	}
	defer e.Close()
	for _, tc := range []struct {
		name    string
		resolve error
		status  Status
		message string
	}{
		{name: alias, status: OK, message: "containers resolve drone-doctor"},
		{name: "name.invalid", status: Fail, message: "containers do not resolve name.invalid, this machine does"},
		{name: "name.invalid", resolve: errors.New("no network"), status: Warn, message: "neither containers nor this machine resolve name.invalid"},
	} {
		// The machine may have much else to do.
		found, names := gather(t, Options{
			Env: dockerhost.Process(), Images: []string{"drone-laptop/busybox:test"}, Name: tc.name, Limit: time.Minute,
			Resolve: func(context.Context, string) error { return tc.resolve },
		})
		for _, name := range []string{Endpoint, Engine, "storage", "mounts", "service names"} {
			if found[name].Status == Fail {
				t.Errorf("%s: %+v", name, found[name])
			}
		}
		found["mounts"].expect(t, OK, "containers see the files of", "")
		found["copies"].expect(t, OK, ", where --isolate makes copies", "")
		found["service names"].expect(t, OK, "find each other by name", "")
		found["dns"].expect(t, tc.status, tc.message, "")
		if len(names) != 14 {
			t.Errorf("the checks are %q", names)
		}
	}
	if left, err := e.Objects(t.Context(), "doctor-test-"+strconv.Itoa(os.Getpid())); err != nil || len(left) > 0 {
		t.Errorf("left behind: %+v, %v", left, err)
	}
}
