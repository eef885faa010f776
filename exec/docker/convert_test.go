package docker

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
)

func TestContainerSpec(t *testing.T) {
	type testCase struct {
		name     string
		pipeline exec.Pipeline
		step     exec.Step
		env      map[string]string
	}
	at := place{
		network: "drone-1-net", workspace: "drone-1-ws", volumes: map[string]string{"cache": "drone-1-1"},
		labels: map[string]string{Label: "true", LabelRun: "1", LabelPipeline: "p"},
	}
	volume := exec.Pipeline{Workspace: exec.Workspace{Base: "/go", Path: "/go/src/x"}}
	bind := exec.Pipeline{
		Workspace: exec.Workspace{Host: "/home/me/x", Base: "/drone/src", Path: "/drone/src"},
		Volumes: []exec.Volume{
			{Name: "cache", Kind: exec.VolumeTemp},
			{Name: "ram", Kind: exec.VolumeMemory, SizeLimit: 1 << 20},
			{Name: "data", Kind: exec.VolumeHost, HostPath: "/srv/data"},
			{Name: "odd", Kind: exec.VolumeHost, HostPath: "/srv/a:b"},
			{Name: "null", Kind: exec.VolumeHost, HostPath: "/dev/null"},
			{Name: "pipe", Kind: exec.VolumeHost, HostPath: `\\.\pipe\docker_engine`},
		},
	}
	run := func(t *testing.T, tc testCase) {
		got, err := containerSpec(&tc.pipeline, &tc.step, tc.env, at)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, tc.name+".json", brief(t, got))
	}
	cases := []testCase{
		{name: "plugin", pipeline: volume, step: exec.Step{Name: "publish it", Image: "plugins/docker", Privileged: true},
			env: map[string]string{"B": "2", "A": "x=y\n", "EMPTY": ""}},
		{name: "commands", pipeline: bind, step: exec.Step{Name: "build", Image: "golang:1", Commands: []string{"go build", "echo 'x'"},
			Entrypoint: []string{"/ignored"}, Command: []string{"ignored"}, User: "1000:1000", WorkingDir: "/drone/src"},
			env: map[string]string{"A": "1", scriptEnv: "hidden by the script"}},
		{name: "entrypoint", pipeline: volume, step: exec.Step{Name: "e", Image: "x", Entrypoint: []string{"/e", "-a"}, Command: []string{"c"}}},
		{name: "volumes", pipeline: bind, step: exec.Step{Name: "v", Image: "x",
			Mounts: []exec.Mount{{Volume: "cache", Path: "/c"}, {Volume: "ram", Path: "/r"}, {Volume: "data", Path: "/d"},
				{Volume: "odd", Path: "/o"}, {Volume: "null", Path: "/n"}, {Volume: "pipe", Path: `\\.\pipe\docker_engine`}},
			Binds:   []exec.Bind{{Host: "/h", Path: "/b"}, {Host: "/h", Path: "/ro", ReadOnly: true}, {Host: "/a:b", Path: "/ro2", ReadOnly: true}},
			Devices: []exec.Mount{{Volume: "null", Path: "/dev/zero2"}}}},
		{name: "limits", pipeline: volume, step: exec.Step{Name: "l", Image: "x", ShmSize: 1, MemLimit: 2, MemSwapLimit: 3,
			DNS: []string{"1.1.1.1"}, DNSSearch: []string{"d"}, ExtraHosts: []string{"h:1.2.3.4"}}},
		{name: "network_mode", pipeline: volume, step: exec.Step{Name: "n", Image: "x", NetworkMode: "host"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestContainerSpecRefuses(t *testing.T) {
	p := &exec.Pipeline{Volumes: []exec.Volume{{Name: "new", Kind: "cloud"}}}
	for name, s := range map[string]*exec.Step{
		`volume "x" is not declared by the pipeline`:  {Mounts: []exec.Mount{{Volume: "x"}}},
		`volume "d" is not declared by the pipeline`:  {Devices: []exec.Mount{{Volume: "d"}}},
		`volume "new" is of the unknown kind "cloud"`: {Mounts: []exec.Mount{{Volume: "new"}}},
	} {
		if _, err := containerSpec(p, s, nil, place{}); err == nil || err.Error() != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

func TestContainerSpecPutsLongScriptsIntoAFile(t *testing.T) {
	env := map[string]string{"A": "1"}
	s := &exec.Step{Name: "s", Image: "x", Commands: []string{"# " + strings.Repeat("x", scriptEnvLimit)}}
	got, err := containerSpec(&exec.Pipeline{}, s, env, place{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Script != stepScript(s.Commands) {
		t.Errorf("the file is not the script but %d bytes", len(got.Script))
	}
	if diff := cmp.Diff([]string{"A=1"}, got.Config.Env); diff != "" {
		t.Errorf("environment -want +got:\n%s", diff)
	}
	if len(env) != 1 {
		t.Errorf("the caller's environment became %v", env)
	}
}

func TestPipelineLabels(t *testing.T) {
	p := &exec.Pipeline{Name: "p", Labels: map[string]string{"io.drone.stage.name": "p", LabelRun: "forged"}}
	got := pipelineLabels(ownerLabels(), p, "run1")
	for _, name := range []string{LabelOwnerPID, LabelOwnerHost} {
		if got[name] == "" {
			t.Errorf("no label %s", name)
		}
	}
	if got[LabelRun] != "run1" || got[LabelPipeline] != "p" || got["io.drone.stage.name"] != "p" || got[Label] != "true" {
		t.Errorf("labels are %v", got)
	}
}

func TestObjectName(t *testing.T) {
	a, b := objectName("a b/ü:"+strings.Repeat("x", 100)), objectName("")
	if !strings.HasPrefix(a, "drone-a-b-") || len(a) > 60 || notInNames.MatchString(a) {
		t.Errorf("name is %q", a)
	}
	if b == objectName("") || !strings.HasPrefix(b, "drone-") {
		t.Errorf("name is %q, twice", b)
	}
}

// golden compares text with a file of testdata, which -update writes.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s: -want +got:\n%s", path, diff)
	}
}

// brief writes v as JSON without what is zero.
func brief(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	text, err = json.MarshalIndent(withoutZeros(tree), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func withoutZeros(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			if child = withoutZeros(child); child == nil {
				delete(v, name)
			} else {
				v[name] = child
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i, child := range v {
			v[i] = withoutZeros(child)
		}
		if len(v) == 0 || !slices.ContainsFunc(v, func(c any) bool { return c != nil }) {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// TestBindsOfEverySystem is how directories of this machine are mounted, on
// whatever system that is.
func TestBindsOfEverySystem(t *testing.T) {
	bind := func(source string) mount.Mount {
		return mount.Mount{Type: mount.TypeBind, Source: source, Target: "/b"}
	}
	for _, test := range []struct {
		path  string
		short string
		long  mount.Mount
	}{
		{path: "/home/me/src", short: "/home/me/src:/b"},
		{path: "/Users/me/my src", short: "/Users/me/my src:/b"},
		{path: "/Volumes/disk/src", short: "/Volumes/disk/src:/b"},
		{path: "/mnt/c/Users/me", short: "/mnt/c/Users/me:/b"},
		{path: "/var/run/docker.sock", short: "/var/run/docker.sock:/b"},
		{path: "/home/me/a:b", long: bind("/home/me/a:b")},
		{path: "/dev/kvm", long: bind("/dev/kvm")},
		{path: `C:\Users\me\src`, long: bind(`C:\Users\me\src`)},
		{path: "d:/src", long: bind("d:/src")},
		{path: `\\server\share\src`, long: bind(`\\server\share\src`)},
		{path: `\\wsl.localhost\Ubuntu\home\me`, long: bind(`\\wsl.localhost\Ubuntu\home\me`)},
		{path: `\\wsl$\Ubuntu\home\me`, long: bind(`\\wsl$\Ubuntu\home\me`)},
		{path: `\\.\pipe\docker_engine`, long: mount.Mount{Type: mount.TypeNamedPipe, Source: `\\.\pipe\docker_engine`, Target: "/b"}},
		{path: "//./pipe/docker_engine", long: mount.Mount{Type: mount.TypeNamedPipe, Source: "//./pipe/docker_engine", Target: "/b"}},
	} {
		var got, want container.HostConfig
		addBind(&got, exec.Bind{Host: test.path, Path: "/b"})
		if want.Mounts = []mount.Mount{test.long}; test.short != "" {
			want.Binds, want.Mounts = []string{test.short}, nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.path, diff)
		}
		// The workspace has no short form, so that no path needs one.
		var workspace container.HostConfig
		addWorkspace(&workspace, &exec.Pipeline{Workspace: exec.Workspace{Host: test.path, Base: "/b", Path: "/b"}}, place{})
		if diff := cmp.Diff([]mount.Mount{bind(test.path)}, workspace.Mounts); diff != "" {
			t.Errorf("%s as the workspace: -want +got:\n%s", test.path, diff)
		}
	}
}
