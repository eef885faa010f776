package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/owner"
)

func TestVolumes(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, newEngine(t), func(p *exec.Pipeline) {
		p.Volumes = []exec.Volume{
			{Name: "cache", Kind: exec.VolumeTemp}, {Name: "ram", Kind: exec.VolumeMemory, SizeLimit: 1 << 20},
			{Name: "host", Kind: exec.VolumeHost, HostPath: filepath.Join(dir, "made", "by engine")},
			{Name: "colon", Kind: exec.VolumeHost, HostPath: filepath.Join(dir, "a:b")}, {Name: "null", Kind: exec.VolumeHost, HostPath: "/dev/null"},
		}
	})
	if err := os.Mkdir(filepath.Join(dir, "a:b"), 0o700); err != nil {
		t.Fatal(err)
	}
	mounts := []exec.Mount{{Volume: "cache", Path: "/c"}, {Volume: "ram", Path: "/r"}, {Volume: "host", Path: "/h"}, {Volume: "colon", Path: "/o"}}
	s := commands("echo 1 > /c/f; echo 2 > /r/f; echo 3 > /h/f; echo 4 > /o/f; stat -c %a /r; df -k /r | tail -1 | tr -s ' ' | cut -d' ' -f2")
	s.Mounts = mounts
	if got := tr.must(s, nil); got != "700\n1024\n" {
		t.Errorf("the memory volume has mode and size %q", got)
	}
	s = commands("cat /c/f /h/f /o/f; ls /r")
	s.Mounts = mounts
	if got := tr.must(s, nil); got != "1\n3\n4\n" {
		t.Errorf("a later step sees %q", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "made", "by engine", "f")); err != nil || string(text) != "3\n" {
		t.Errorf("the host sees %q, %v", text, err)
	}
	s = commands("echo x > /b/f || echo refused", "echo y > /w/f", "echo z > /dev/sink; test -c /dev/sink")
	s.Binds = []exec.Bind{{Host: dir, Path: "/b", ReadOnly: true}, {Host: dir, Path: "/w"}}
	s.Devices = []exec.Mount{{Volume: "null", Path: "/dev/sink"}}
	if got := tr.must(s, nil); !strings.Contains(got, "refused\n") {
		t.Errorf("a read-only bind gave %q", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(text) != "y\n" {
		t.Errorf("the host sees %q, %v", text, err)
	}
}

func TestNetworks(t *testing.T) {
	e := newEngine(t)
	extra := objectName("extra")
	if _, err := e.client.NetworkCreate(t.Context(), extra, network.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// Cleanups run last first: the pipeline is closed before.
	t.Cleanup(func() {
		if err := e.removeNetwork(context.WithoutCancel(t.Context()), extra); err != nil {
			t.Error(err)
		}
	})
	tr := open(t, e, func(p *exec.Pipeline) { p.Networks = []string{extra} })
	s := commands("ip -o -4 addr | grep -c eth; nslookup build.step >/dev/null && echo named; grep 1.2.3.4 /etc/hosts")
	s.Name, s.ExtraHosts = "build.step", []string{"far:1.2.3.4"}
	if got := strings.Join(strings.Fields(tr.must(s, nil)), " "); got != "2 named 1.2.3.4 far" {
		t.Errorf("got %q", got)
	}
	s = commands("ip -o link | wc -l")
	s.NetworkMode = "none"
	if got := tr.must(s, nil); strings.TrimSpace(got) != "1" {
		t.Errorf("network_mode none has %q links", got)
	}
}

// TestPrivileged reads the capabilities of a privileged step. Where the engine
// may not start one, its word for the container has to do.
func TestPrivileged(t *testing.T) {
	tr := open(t, newEngine(t), nil)
	sysAdmin := func(s *exec.Step) (bool, error) {
		out, exit, err := tr.do(t.Context(), s, nil)
		if err != nil || exit.Code != 0 {
			return false, fmt.Errorf("exit %d, error %w", exit.Code, err)
		}
		capabilities, err := strconv.ParseUint(strings.TrimSpace(out), 16, 64)
		return capabilities>>21&1 == 1, err // CAP_SYS_ADMIN
	}
	const look = "grep CapEff /proc/self/status | cut -f 2"
	if got, err := sysAdmin(commands(look)); err != nil || got {
		t.Errorf("an ordinary step may do everything: %v, %v", got, err)
	}
	s := commands(look)
	s.Privileged = true
	got, err := sysAdmin(s)
	if err == nil && !got {
		t.Error("a privileged step may not do everything")
	}
	if err == nil {
		return
	}
	t.Logf("THIS ENGINE STARTS NO PRIVILEGED CONTAINER (%v): the test asks the engine about one that is not started", err)
	name, err := tr.session.(*session).create(t.Context(), s, about{image: s.Image}, exec.IO{Notify: tr.notify})
	if err != nil {
		t.Fatal(err)
	}
	info, err := tr.engine.client.ContainerInspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if !info.HostConfig.Privileged {
		t.Error("the container of a privileged step is not privileged")
	}
}

func TestOutOfMemory(t *testing.T) {
	tr := open(t, newEngine(t), nil)
	s := commands("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null || :")
	s.MemLimit = 16 << 20
	if limit := strings.TrimSpace(tr.must(s, nil)); limit != fmt.Sprint(16<<20) {
		t.Skipf("SKIPPED: the kernel of the engine sets no memory limit (%q)", limit)
	}
	s = commands("tail -c 100000000 /dev/zero")
	s.MemLimit, s.MemSwapLimit = 16<<20, 16<<20
	_, exit, err := tr.do(t.Context(), s, nil)
	for tries := 0; err == nil && exit.Code == 137 && !exit.OOMKilled && tries < 3; tries++ {
		t.Log("the engine did not hear of the kernel's kill, as happens to 20.10 under load")
		_, exit, err = tr.do(t.Context(), s, nil)
	}
	if err != nil || !exit.OOMKilled || exit.Code == 0 || exit.Reason != "it used more than the 16 MiB of its mem_limit" || !strings.Contains(exit.Hint, "raise mem_limit") {
		t.Errorf("got %+v, %v", exit, err)
	}
	child := commands("tail -c 100000000 /dev/zero || exit 3")
	child.MemLimit, child.MemSwapLimit = s.MemLimit, s.MemSwapLimit
	_, exit, err = tr.do(t.Context(), child, nil)
	if err != nil || exit.Code != 3 || exit.OOMKilled && !strings.HasSuffix(exit.Reason, "one of its processes was killed, and it ended with exit code 3") {
		t.Errorf("a step whose child was killed gave %+v, %v", exit, err)
	}
	if _, exit, err := tr.do(t.Context(), commands("exit 137"), nil); err != nil || exit.OOMKilled {
		t.Errorf("a step that just fails gave %+v, %v", exit, err)
	}
}

func TestLatestWithoutARegistry(t *testing.T) {
	e := newEngine(t)
	name := "localhost:1/drone-" + random()[:8] // nothing listens there
	if err := e.client.ImageTag(t.Context(), testImage, name+":latest"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.client.ImageRemove(context.WithoutCancel(t.Context()), name+":latest", image.RemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
	tr := open(t, e, nil)
	for range 2 {
		s := commands("echo ran")
		s.Image = name
		if got := tr.must(s, nil); got != "ran\n" {
			t.Errorf("got %q", got)
		}
	}
	if got := tr.warnings(); len(got) != 1 || !strings.Contains(got[0], "using the image "+name+" as it is on this machine: ") {
		t.Errorf("warnings are %q, want one", got)
	}
	s := commands("echo ran")
	s.Image, s.Pull = name, exec.PullAlways
	if got := tr.must(s, nil); got != "ran\n" {
		t.Errorf("pull: always gave %q", got)
	}
	s.Image = name + "-absent"
	_, _, err := tr.do(t.Context(), s, nil)
	if got := asStepError(t, err, exec.PhasePull); !strings.Contains(got.Error(), "connection refused") || got.Hint != hintOffline {
		t.Errorf("pull: always gave %q, %q", got.Error(), got.Hint)
	}
}

func TestStepErrorsOfTheEngine(t *testing.T) {
	tr := open(t, newEngine(t), nil)
	type testCase struct {
		name  string
		step  exec.Step
		env   map[string]string
		phase exec.Phase
		want  string
	}
	run := func(t *testing.T, tc testCase) {
		_, _, err := tr.do(t.Context(), &tc.step, tc.env)
		if got := asStepError(t, err, tc.phase); got.Error() != tc.want || got.Hint == "" {
			t.Errorf("got %q with hint %q, want %q", got.Error(), got.Hint, tc.want)
		}
	}
	quoted := fmt.Sprintf("%q", testImage)
	cases := []testCase{
		{name: "user", step: exec.Step{User: "nobodyx", Commands: []string{"true"}}, phase: exec.PhaseStart, want: "image " + quoted + ` has no user "nobodyx"`},
		{name: "program", step: exec.Step{Entrypoint: []string{"nope"}}, phase: exec.PhaseStart, want: "image " + quoted + ` has no program "nope"`},
		{name: "path", step: exec.Step{Entrypoint: []string{"/no/pe"}}, phase: exec.PhaseStart, want: "image " + quoted + ` has no program "/no/pe"`},
		{name: "not executable", step: exec.Step{Entrypoint: []string{"/etc/passwd"}}, phase: exec.PhaseStart, want: `"/etc/passwd" in image ` + quoted + " is not executable"},
		{name: "working_dir", step: exec.Step{WorkingDir: "rel"}, phase: exec.PhaseCreate, want: `working_dir "rel" is not an absolute path`},
		{name: "mem_limit", step: exec.Step{MemLimit: 1}, phase: exec.PhaseCreate, want: `mem_limit is below "6MB", the least the engine allows`},
		{name: "never", step: exec.Step{Image: "drone-laptop/none:1", Pull: exec.PullNever}, phase: exec.PhasePull,
			want: `image "drone-laptop/none:1" is not on this engine, and the step has pull: never`},
		{name: "image name", step: exec.Step{Image: "UPPER"}, phase: exec.PhaseCreate, want: `"UPPER" is not the name of an image`},
		{name: "environment", step: exec.Step{Commands: []string{"true"}}, env: map[string]string{"HUGE": strings.Repeat("x", 32*os.Getpagesize()-5)}, phase: exec.PhaseCreate,
			want: fmt.Sprintf("the environment is too long for the kernel: HUGE alone has %d bytes", 32*os.Getpagesize()-5)},
		{name: "NUL byte", step: exec.Step{Commands: []string{"true"}}, env: map[string]string{"A": "a", "TOKEN": "a\x00secret", "Z": "\x00"}, phase: exec.PhaseCreate,
			want: `the value of the variable "TOKEN" has a NUL byte, and no process can have one`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestNoShell uses an image of the test's own without any file.
func TestNoShell(t *testing.T) {
	e := newEngine(t)
	name := "drone-test-" + random()[:8] + ":1"
	response, err := e.client.ImageImport(t.Context(), image.ImportSource{Source: strings.NewReader(strings.Repeat("\x00", 1024)), SourceName: "-"}, name, image.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = readPull(response, layers{}, func() {}, func() {})
	response.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.client.ImageRemove(context.WithoutCancel(t.Context()), name, image.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	tr := open(t, e, nil)
	s := commands("true")
	s.Image = name
	_, _, err = tr.do(t.Context(), s, nil)
	if got := asStepError(t, err, exec.PhaseStart); got.Error() != fmt.Sprintf("image %q has no /bin/sh, which commands need", name) {
		t.Errorf("got %q", got.Error())
	}
	s = &exec.Step{Image: name}
	_, _, err = tr.do(t.Context(), s, nil)
	if got := asStepError(t, err, exec.PhaseCreate); got.Error() != fmt.Sprintf("image %q has neither an entrypoint nor a command", name) {
		t.Errorf("got %q", got.Error())
	}
}

func TestOpenRefuses(t *testing.T) {
	e := newEngine(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, p := range map[string]*exec.Pipeline{
		"is not a directory":        {Workspace: exec.Workspace{Host: file, Path: "/x"}},
		"no such file or directory": {Workspace: exec.Workspace{Host: file + ".none", Path: "/x"}},
		"windows containers":        {Platform: exec.Platform{OS: "windows"}},
		`there is no network "drone-no-such-net"`: {Networks: []string{"drone-no-such-net"}, Workspace: exec.Workspace{Base: "/x"},
			Volumes: []exec.Volume{{Name: "v", Kind: exec.VolumeTemp}}},
	} {
		run := "test-" + random()[:8]
		_, err := e.Open(t.Context(), p, exec.Setting{Run: run, Notify: func(exec.Notice) {}})
		if got := asStepError(t, err, exec.PhaseOpen); !strings.Contains(got.Error(), want) {
			t.Errorf("got %q, want %q", got.Error(), want)
		}
		if left := leftovers(t, e, run); len(left) > 0 {
			t.Errorf("%s: left behind: %v", want, left)
		}
	}
}

// TestSessionEnv: the names that steps are told are those of real objects, and
// a volume is named only where there is one.
func TestSessionEnv(t *testing.T) {
	e, dir := newEngine(t), t.TempDir()
	tr := open(t, e, nil)
	env := tr.session.(exec.Environer).Env()
	if _, err := e.client.NetworkInspect(t.Context(), env["DRONE_DOCKER_NETWORK_ID"], network.InspectOptions{}); err != nil {
		t.Errorf("network of %v: %v", env, err)
	}
	if _, err := e.client.VolumeInspect(t.Context(), env["DRONE_DOCKER_VOLUME_ID"]); err != nil {
		t.Errorf("volume of %v: %v", env, err)
	}
	if len(env) != 2 {
		t.Errorf("with a volume there is also something else: %v", env)
	}
	tr = open(t, e, func(p *exec.Pipeline) { p.Workspace.Host = dir })
	env = tr.session.(exec.Environer).Env()
	if env["DRONE_DOCKER_VOLUME_PATH"] != dir || env["DRONE_DOCKER_NETWORK_ID"] == "" || len(env) != 2 {
		t.Errorf("with a directory it is %v", env)
	}
}

func TestLabels(t *testing.T) {
	tr := open(t, newEngine(t), func(p *exec.Pipeline) { p.Labels = map[string]string{"io.drone.stage.name": "trial"} })
	running, cancel := context.WithCancel(t.Context())
	defer cancel()
	done, started := make(chan error, 1), make(chan struct{})
	s := commands("sleep 600")
	s.Name, s.Image, s.WorkingDir = "labelled", testImage, "/"
	go func() {
		_, err := tr.session.Run(running, s, exec.IO{Output: new(strings.Builder), Started: func() { close(started) }})
		done <- err
	}()
	<-started
	left := leftovers(t, tr.engine, tr.run)
	if !contains(left, "container drone-"+tr.run) || !contains(left, "network drone-"+tr.run) || !contains(left, "volume drone-"+tr.run) {
		t.Errorf("objects of the run are %q", left)
	}
	for _, object := range left {
		if name, ok := strings.CutPrefix(object, "container "); ok {
			info, err := tr.engine.client.ContainerInspect(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			for label, want := range map[string]string{LabelStep: "labelled", LabelPipeline: "trial", LabelRun: tr.run, LabelOwnerPID: fmt.Sprint(os.Getpid()), LabelOwnerStart: owner.Self().Start, LabelOwnerPIDNS: owner.Self().PIDNS, "io.drone.stage.name": "trial"} {
				if got := info.Config.Labels[label]; got != want {
					t.Errorf("label %s is %q, want %q", label, got, want)
				}
			}
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestGrace shows that a step is asked to end before it is killed, and begins
// nothing new then.
func TestGrace(t *testing.T) {
	e := newEngineWith(t, Options{Grace: killTime})
	const polite = `trap 'echo asked; exit 0' TERM; echo; echo up; while :; do sleep 0.1; done`
	for name, s := range map[string]*exec.Step{
		"process":            {Entrypoint: []string{"/bin/sh", "-c", polite}},
		"child of commands":  commands(`sh -c "`+polite+`" || true`, "echo never >&2"),
		"trap of commands":   commands("trap 'echo asked' EXIT", "echo; echo up; sleep 600", "echo never >&2"),
		"TERM trap of their": commands("trap 'echo asked; exit 1' TERM", "echo; echo up; sleep 600"),
	} {
		t.Run(name, func(t *testing.T) {
			tr := open(t, e, nil)
			ctx, cancel := context.WithCancelCause(t.Context())
			cause := errors.New("enough")
			s.Name, s.Image, s.WorkingDir = "s", testImage, "/"
			out := &watcher{text: "\nup\n", seen: func() { cancel(cause) }}
			_, err := tr.session.Run(ctx, s, exec.IO{Output: out})
			if !errors.Is(err, cause) || !strings.Contains(out.String(), "\nasked\n") || strings.Contains(out.String(), "\nnever\n") {
				t.Errorf("got %v, output %q", err, out.String())
			}
		})
	}
}

// watcher calls seen once, when text has been written. The output begins with
// a newline for it.
type watcher struct {
	strings.Builder
	text string
	seen func()
}

func (w *watcher) Write(p []byte) (int, error) {
	n, _ := w.Builder.Write(p)
	if w.seen != nil && strings.Contains("\n"+w.String(), w.text) {
		w.seen()
		w.seen = nil
	}
	return n, nil
}

func TestRemovedBySomebodyElse(t *testing.T) {
	tr := open(t, newEngine(t), nil)
	s := commands("echo up; sleep 600")
	s.Name, s.Image, s.WorkingDir = "s", testImage, "/"
	out := &watcher{text: "\nup\n", seen: func() {
		for _, object := range leftovers(t, tr.engine, tr.run) {
			if name, ok := strings.CutPrefix(object, "container "); ok {
				if err := tr.engine.client.ContainerRemove(t.Context(), name, container.RemoveOptions{Force: true}); err != nil {
					t.Error(err)
				}
			}
		}
	}}
	exit, err := tr.session.Run(t.Context(), s, exec.IO{Output: out})
	if err == nil && exit.Code != 137 || err != nil && !strings.Contains(err.Error(), "removed") {
		t.Errorf("got %+v, %v", exit, err)
	}
}

func TestUndeliverableOutput(t *testing.T) {
	tr := open(t, newEngine(t), nil)
	full := errors.New("disk full")
	s := commands("seq 1 100000")
	s.Name, s.Image, s.WorkingDir = "s", testImage, "/"
	_, err := tr.session.Run(t.Context(), s, exec.IO{Output: broken{full}})
	if got := asStepError(t, err, exec.PhaseRun); !errors.Is(got, full) {
		t.Errorf("got %v", got)
	}
}

func TestSecretsStayInTheEnvironment(t *testing.T) {
	tr := open(t, newEngine(t), nil)
	s := commands("cat /proc/1/cmdline", "test ${#TOKEN} = 12")
	out := tr.must(s, map[string]string{"TOKEN": "s3cret-value"})
	if strings.Contains(out, "s3cret-value") {
		t.Errorf("the arguments or the trace show the secret: %q", out)
	}
}

// TestEnvironmentAtTheLimit uses the longest variable the check lets through.
func TestEnvironmentAtTheLimit(t *testing.T) {
	tr := open(t, newEngine(t), nil)
	size := 32*os.Getpagesize() - len("HUGE") - 2
	if got := tr.must(commands("echo ${#HUGE}"), map[string]string{"HUGE": strings.Repeat("x", size)}); got != fmt.Sprintln(size) {
		t.Errorf("got %q, want %d", got, size)
	}
}

// TestCloseMeetsABeginningStep ends the session while a detached step is being
// prepared.
func TestCloseMeetsABeginningStep(t *testing.T) {
	e := newEngine(t)
	tr := open(t, e, nil)
	closed := make(chan error, 1)
	s := commands("sleep 600")
	s.Name, s.Image, s.Detach = "late", "localhost:1/none:latest", true
	ends := func(exec.Notice) {
		if tr.session.(*session).ended() {
			return
		}
		go func() { closed <- tr.session.Close(context.WithoutCancel(t.Context())) }()
		for !tr.session.(*session).ended() {
			runtime.Gosched()
		}
	}
	exit, err := tr.session.Run(t.Context(), s, exec.IO{Notify: ends})
	if err == nil {
		t.Errorf("a step of an ended session gave %+v", exit)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := tr.session.Run(t.Context(), s, exec.IO{}); !errors.Is(err, errClosed) {
		t.Errorf("a step after the end gave %v", err)
	}
}
