package docker

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"

	"github.com/drone-laptop/drone/exec"
)

// bound is a pipeline in a directory of this machine.
func bound(dir string) func(p *exec.Pipeline) {
	return func(p *exec.Pipeline) { p.Workspace.Host = dir }
}

// prepare prepares a step and gives what was made of it, nil when nothing was.
func (tr *trial) prepare(ctx context.Context, s *exec.Step, env map[string]string) *held {
	tr.Helper()
	if s.Image == "" {
		s.Image = testImage
	}
	if s.Name == "" {
		s.Name = "step"
	}
	if s.WorkingDir == "" {
		s.WorkingDir = tr.pipeline.Workspace.Path
	}
	own := tr.session.(*session)
	own.Prepare(ctx, s, env)
	own.mu.Lock()
	p := own.prepared[s]
	own.mu.Unlock()
	select {
	case <-p.done:
		return p.held
	case <-time.After(time.Minute):
		tr.Fatal("the preparation hangs")
		return nil
	}
}

func (tr *trial) id(name string) string {
	tr.Helper()
	info, err := tr.engine.client.ContainerInspect(tr.Context(), name)
	if err != nil {
		tr.Fatal(err)
	}
	return info.ID[:12]
}

// TestPreparedIsUsed shows that a step runs in the container that was made
// ahead, if all is as it was then, and in another one if not.
func TestPreparedIsUsed(t *testing.T) {
	e := newEngine(t)
	tag := "drone-laptop/" + objectName("prepared")[6:] + ":test"
	if err := e.client.ImageTag(t.Context(), testImage, tag); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.client.ImageRemove(context.WithoutCancel(t.Context()), tag, image.RemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(t.TempDir(), "workspace")
	cache := filepath.Join(t.TempDir(), "cache")
	for _, d := range []string{dir, cache} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	tr := open(t, e, bound(dir))
	same := map[string]string{"DRONE_STAGE_STATUS": "success", "OWN": "x"}
	for _, tc := range []struct {
		name  string
		env   map[string]string // of the turn
		image string
		binds []exec.Bind
		// before its turn
		meanwhile func(t *testing.T, h *held)
		used      bool
	}{
		{name: "nothing has changed", env: same, used: true},
		{name: "a status has changed", env: map[string]string{"DRONE_STAGE_STATUS": "failure", "OWN": "x"}, used: true},
		{name: "a status came and one went", env: map[string]string{"DRONE_FAILED_STEPS": "it's, one", "OWN": "x"}, used: true},
		{name: "another variable has changed", env: map[string]string{"DRONE_STAGE_STATUS": "success", "OWN": "y"}},
		{name: "a value that shells may not read alike", env: map[string]string{"DRONE_FAILED_STEPS": "größe", "OWN": "x"}},
		{name: "it was killed", env: same, meanwhile: func(t *testing.T, h *held) {
			if err := e.client.ContainerKill(t.Context(), h.name, "KILL"); err != nil {
				t.Fatal(err)
			}
			<-h.output.read
		}},
		{name: "its connection broke", env: same, meanwhile: func(_ *testing.T, h *held) {
			h.feed.close()
			<-h.output.read
		}},
		{name: "the tag names another image", env: same, image: tag, meanwhile: func(t *testing.T, h *held) {
			if _, err := e.client.ContainerCommit(t.Context(), h.name, container.CommitOptions{Reference: tag, Config: &container.Config{}}); err != nil {
				t.Fatal(err)
			}
		}},
		{
			name: "a mounted directory was replaced", env: same, binds: []exec.Bind{{Host: cache, Path: "/cache"}},
			meanwhile: func(t *testing.T, _ *held) {
				if err := os.Rename(cache, cache+".old"); err != nil {
					t.Fatal(err)
				}
				if err := os.Mkdir(cache, 0o700); err != nil {
					t.Fatal(err)
				}
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tr := &trial{T: t, engine: tr.engine, pipeline: tr.pipeline, session: tr.session}
			s := commands(`echo "$HOSTNAME ${DRONE_STAGE_STATUS-unset} ${DRONE_FAILED_STEPS-unset} $OWN"`)
			s.Commands = append([]string{"HOSTNAME=$(hostname)"}, s.Commands...)
			s.Image, s.Binds = tc.image, tc.binds
			h := tr.prepare(t.Context(), s, maps.Clone(same))
			if h == nil {
				t.Fatal("it was not prepared")
			}
			id := tr.id(h.name)
			if tc.meanwhile != nil {
				tc.meanwhile(t, h)
			}
			got, _, _ := strings.Cut(tr.must(s, tc.env), "\n")
			in, rest, _ := strings.Cut(got, " ")
			if used := in == id; used != tc.used {
				t.Errorf("it ran in the prepared container: %v, want %v", used, tc.used)
			}
			or := func(name string) string {
				if v, ok := tc.env[name]; ok {
					return v
				}
				return "unset"
			}
			if want := or("DRONE_STAGE_STATUS") + " " + or("DRONE_FAILED_STEPS") + " " + tc.env["OWN"]; rest != want {
				t.Errorf("it saw %q, want %q", rest, want)
			}
		})
	}
}

// TestGateWithoutClient shows that a container whose client dies ends, and has
// run nothing.
func TestGateWithoutClient(t *testing.T) {
	e := newEngine(t)
	dir := t.TempDir()
	tr := open(t, e, bound(dir))
	h := tr.prepare(t.Context(), commands("echo > ran"), nil)
	if h == nil {
		t.Fatal("it was not prepared")
	}
	id := tr.id(h.name)
	h.feed.mu.Lock()
	h.feed.conn.Close() // as the kernel does when the process is killed
	h.feed.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended, failed := e.client.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case res := <-ended:
		if res.StatusCode != 143 {
			t.Errorf("it ended with code %d, want 143", res.StatusCode)
		}
	case err := <-failed:
		t.Errorf("it did not end: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); !os.IsNotExist(err) {
		t.Errorf("the commands have run: %v", err)
	}
}

// TestGate runs the script of the gate in the shell of this machine.
func TestGate(t *testing.T) {
	if _, err := osexec.LookPath("sh"); err != nil {
		t.Skipf("SKIPPED: no shell: %v", err)
	}
	words, ok := gateWords(map[string]string{"DRONE_A": "old", "CI_GONE": "x", "SAME": "s"},
		map[string]string{"DRONE_A": "it's $(echo new) `x` \\ ", "DRONE_B": "", "SAME": "s"})
	if !ok {
		t.Fatal("the gate cannot take the variables")
	}
	for _, tc := range []struct {
		name, stdin, want string
		code              int
	}{
		{name: "opens", stdin: words + "the rest", want: "it's $(echo new) `x` \\ |set|unset|s|unset|\n"},
		{name: "ends with stdin", stdin: "", code: 143},
		{name: "ends in the middle", stdin: words[:len(words)-1], code: 143},
		{name: "ends within a line", stdin: words[:5], code: 143},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const body = `printf '%s|' "$DRONE_A" "${DRONE_B+set}" "${CI_GONE-unset}" "$SAME" "${DRONE_SCRIPT_LINE-unset}" "$(cat)"` + "\necho"
			cmd := osexec.CommandContext(t.Context(), "sh", "-c", `eval "$DRONE_SCRIPT"`)
			cmd.Env = append(os.Environ(), "DRONE_A=old", "CI_GONE=x", "SAME=s", "DRONE_SCRIPT="+gateScript+body)
			cmd.Stdin = strings.NewReader(tc.stdin)
			out, err := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("exit code is %d (%v), want %d", code, err, tc.code)
			}
			want := strings.Replace(tc.want, "unset|\n", "unset||\n", 1)
			if string(out) != want {
				t.Errorf("printed %q, want %q", out, want)
			}
		})
	}
}

func TestGateWordsRefuse(t *testing.T) {
	for _, tc := range []struct{ was, now map[string]string }{
		{nil, map[string]string{"OTHER": "x"}},
		{map[string]string{"OTHER": "x"}, nil},
		{nil, map[string]string{"DRONE_A B": "x"}},
		{nil, map[string]string{"DRONE_A": "two\nlines"}},
		{nil, map[string]string{"DRONE_A": "ü"}},
		{map[string]string{"PATH": "/a"}, map[string]string{"PATH": "/b"}},
	} {
		if words, ok := gateWords(tc.was, tc.now); ok {
			t.Errorf("from %v to %v: %q, want none", tc.was, tc.now, words)
		}
	}
}

// TestPreparable lists what keeps a step from being prepared.
func TestPreparable(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(p *exec.Pipeline, s *exec.Step)
		env    map[string]string
		want   bool
	}{
		"commands":              {want: true},
		"a plugin":              {change: func(_ *exec.Pipeline, s *exec.Step) { s.Commands = nil }},
		"a service":             {change: func(_ *exec.Pipeline, s *exec.Step) { s.Kind = exec.KindService }},
		"detached":              {change: func(_ *exec.Pipeline, s *exec.Step) { s.Detach = true }},
		"privileged":            {change: func(_ *exec.Pipeline, s *exec.Step) { s.Privileged = true }},
		"a device":              {change: func(_ *exec.Pipeline, s *exec.Step) { s.Devices = []exec.Mount{{}} }},
		"the host's network":    {change: func(_ *exec.Pipeline, s *exec.Step) { s.NetworkMode = "host" }},
		"networks of others":    {change: func(p *exec.Pipeline, _ *exec.Step) { p.Networks = []string{"x"} }},
		"a volume as workspace": {change: func(p *exec.Pipeline, _ *exec.Step) { p.Workspace.Host = "" }},
		"a directory within":    {change: func(_ *exec.Pipeline, s *exec.Step) { s.WorkingDir = "/drone/src/sub" }},
		"pull: always":          {change: func(_ *exec.Pipeline, s *exec.Step) { s.Pull = exec.PullAlways }},
		"latest":                {change: func(_ *exec.Pipeline, s *exec.Step) { s.Image = "x" }},
		"latest that was asked for": {want: true, change: func(_ *exec.Pipeline, s *exec.Step) {
			s.Image = "settled"
		}},
		"latest, pull: never": {want: true, change: func(_ *exec.Pipeline, s *exec.Step) { s.Image, s.Pull = "x", exec.PullNever }},
		"a temporary volume":  {change: func(_ *exec.Pipeline, s *exec.Step) { s.Mounts = []exec.Mount{{Volume: "temp", Path: "/t"}} }},
		"a volume in memory":  {want: true, change: func(_ *exec.Pipeline, s *exec.Step) { s.Mounts = []exec.Mount{{Volume: "ram", Path: "/t"}} }},
		"memory in workspace": {change: func(_ *exec.Pipeline, s *exec.Step) { s.Mounts = []exec.Mount{{Volume: "ram", Path: "/drone/src/t"}} }},
		"mounts in one another": {change: func(_ *exec.Pipeline, s *exec.Step) {
			s.Binds = []exec.Bind{{Host: "/a", Path: "/b"}, {Host: "/c", Path: "/b/c/"}}
		}},
		"mounts beside": {want: true, change: func(_ *exec.Pipeline, s *exec.Step) {
			s.Binds = []exec.Bind{{Host: "/a", Path: "/b"}, {Host: "/c", Path: "/bc"}}
		}},
		"a variable of shells":   {env: map[string]string{"TMOUT": "1"}},
		"a function of bash":     {env: map[string]string{"BASH_FUNC_read%%": "() { :; }"}},
		"its name is spoken of":  {change: func(p *exec.Pipeline, _ *exec.Step) { p.Steps[0].Commands = []string{"curl http://staging/"} }},
		"a variable holds it":    {change: func(p *exec.Pipeline, _ *exec.Step) { p.Env = map[string]string{"TARGET": "staging"} }},
		"another name is spoken": {want: true, change: func(p *exec.Pipeline, _ *exec.Step) { p.Steps[0].Commands = []string{"curl http://web/"} }},
	} {
		t.Run(name, func(t *testing.T) {
			st := &exec.Step{Name: "staging", Kind: exec.KindStep, Image: "x:1", WorkingDir: "/drone/src", Commands: []string{"make"}}
			p := &exec.Pipeline{
				Workspace: exec.Workspace{Host: "/w", Base: "/drone/src", Path: "/drone/src"},
				Volumes:   []exec.Volume{{Name: "temp", Kind: exec.VolumeTemp}, {Name: "ram", Kind: exec.VolumeMemory}},
				Steps:     []*exec.Step{{Name: "first", Commands: []string{"true"}}, st},
			}
			if tc.change != nil {
				tc.change(p, st)
			}
			e := &Engine{product: productDocker, images: newImages(nil, false)}
			e.images.settle(wanted{image: "settled"})
			s := &session{engine: e, pipeline: p}
			if got := s.preparable(st, tc.env); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestMentioned(t *testing.T) {
	for command, want := range map[string]bool{
		"go test ./...":                   false,
		"npm run test && echo testing":    false,
		"make test:unit":                  false,
		"curl -s http://test/health":      true,
		"curl http://user:pass@test/":     true,
		"git clone git@test:repo":         true,
		"nc -z test 80":                   true,
		"until ping -c1 test; do :; done": true,
		"ssh deploy@test uptime":          true,
		"echo ok | nc test.example 80":    false,
		"docker push test:5000/app":       true,
		"curl http://web/test":            false,
		"curl http://test.example.com/":   false,
		"wget -O- web; go test ./...":     false,
	} {
		p := &exec.Pipeline{Steps: []*exec.Step{{Name: "a", Commands: []string{command}}}}
		if got := mentioned(p, "test"); got != want {
			t.Errorf("%q: got %v, want %v", command, got, want)
		}
	}
}

// TestUnusedPreparation takes a preparation back: nothing of it stays while the
// session goes on.
func TestUnusedPreparation(t *testing.T) {
	e := newEngine(t)
	tr := open(t, e, bound(t.TempDir()))
	ctx, cancel := context.WithCancel(t.Context())
	s := commands("echo > ran")
	h := tr.prepare(ctx, s, nil)
	if h == nil {
		t.Fatal("it was not prepared")
	}
	cancel()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := e.client.ContainerInspect(t.Context(), h.name); gone(err) && err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("its container stays")
		}
	}
	if got := tr.must(commands("ls"), nil); got != "" {
		t.Errorf("it left %q", got)
	}
}

// TestPreparedOutput shows that what a shell says before the gate comes with
// the output of the step, and not before it has started.
func TestPreparedOutput(t *testing.T) {
	tr := open(t, newEngine(t), bound(t.TempDir()))
	s := commands("echo out", "readlink /proc/self/fd/0", "cat", "echo end")
	if tr.prepare(t.Context(), s, nil) == nil {
		t.Fatal("it was not prepared")
	}
	var out bytes.Buffer
	started := false
	exit, err := tr.session.Run(t.Context(), s, exec.IO{
		Output: writerFunc(func(b []byte) (int, error) {
			if !started {
				t.Error("output before the start")
			}
			return out.Write(b)
		}),
		Started: func() { started = true },
	})
	if err != nil || exit.Code != 0 {
		t.Fatalf("exit %d, error %v, output %q", exit.Code, err, out.String())
	}
	if want := "+ echo out\nout\n+ readlink /proc/self/fd/0\n/dev/null\n+ cat\n+ echo end\nend\n"; out.String() != want {
		t.Errorf("output is %q, want %q", out.String(), want)
	}
}

var _ io.Writer = writerFunc(nil)

// TestPreparedTwice prepares a step that is prepared already: there is one container
// for it, which is the one that runs.
func TestPreparedTwice(t *testing.T) {
	tr := open(t, newEngine(t), bound(t.TempDir()))
	s := commands("cat /proc/sys/kernel/hostname")
	first := tr.prepare(t.Context(), s, nil)
	if first == nil {
		t.Fatal("it was not prepared")
	}
	if again := tr.prepare(t.Context(), s, nil); again != first {
		t.Error("it was prepared anew")
	}
	id := tr.id(first.name)
	if got := strings.TrimSpace(tr.must(s, nil)); got != id {
		t.Errorf("it ran in %s, was prepared in %s", got, id)
	}
	own := tr.session.(*session)
	own.tidying.Wait()
	if left := own.containers.names(true); len(left) > 0 {
		t.Errorf("containers are left: %v", left)
	}
}
