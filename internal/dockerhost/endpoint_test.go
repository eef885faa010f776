package dockerhost

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
)

// fakeEnv is an environment over maps, with a real home directory because the
// docker libraries read files themselves.
func fakeEnv(t *testing.T, vars map[string]string, files ...string) Environment {
	t.Helper()
	home := t.TempDir()
	return Environment{
		Home:   home,
		Getenv: func(name string) string { return strings.ReplaceAll(vars[name], "$HOME", home) },
		Stat: func(path string) (fs.FileInfo, error) {
			if slices.Contains(files, strings.Replace(path, home, "$HOME", 1)) {
				return nil, nil
			}
			return nil, fs.ErrNotExist
		},
		Glob: func(pattern string) (found []string, err error) {
			for _, file := range files {
				file = strings.Replace(file, "$HOME", home, 1)
				if ok, err := filepath.Match(pattern, file); err != nil {
					return nil, err
				} else if ok {
					found = append(found, file)
				}
			}
			return found, nil
		},
		UID:      -1,
		LookPath: func(string) (string, error) { return "", exec.ErrNotFound },
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeContext(t *testing.T, dir, name, host string) {
	t.Helper()
	meta := map[string]any{"Name": name, "Metadata": map[string]any{}, "Endpoints": map[string]any{
		"docker": map[string]any{"Host": host, "SkipTLSVerify": false},
	}}
	text, err := json.Marshal(meta)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "contexts", "meta", digest.FromString(name).Encoded(), "meta.json"), string(text))
}

func TestResolve(t *testing.T) {
	type testCase struct {
		name     string
		flag     string
		vars     map[string]string
		os       string
		uid      int
		temp     string
		files    []string
		config   string
		contexts map[string]string
		want     Endpoint
		wantErr  string
	}
	run := func(t *testing.T, tc testCase) {
		env := fakeEnv(t, tc.vars, tc.files...)
		env.OS, env.TempDir = tc.os, tc.temp
		if tc.uid != 0 {
			env.UID = tc.uid
		}
		dir := env.configDir()
		if tc.config != "" {
			write(t, filepath.Join(dir, "config.json"), tc.config)
		}
		for name, host := range tc.contexts {
			writeContext(t, dir, name, host)
		}
		got, err := Resolve(env, tc.flag)
		if tc.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
				t.Fatalf("got error %v, want one with %q", err, tc.wantErr)
			}
			var e *Error
			if !errors.As(err, &e) || e.Hint == "" {
				t.Errorf("%#v is not an *Error with a hint", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got.Host = strings.Replace(got.Host, env.Home, "$HOME", 1)
		got.tls, got.certs = nil, ""
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(Endpoint{})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	std := "/var/run/docker.sock"
	colima := map[string]string{"colima": "unix:///c.sock"}
	cases := []testCase{
		{name: "flag", flag: "tcp://h:1", vars: map[string]string{"DOCKER_HOST": "tcp://other:2"},
			want: Endpoint{Host: "tcp://h:1", Source: "the command line"}},
		{name: "flag without a scheme", flag: "h:1", want: Endpoint{Host: "tcp://h:1", Source: "the command line"}},
		{name: "bad flag", flag: "ftp://h:1", wantErr: `the command line: "ftp://h:1" is not an address of an engine`},
		{name: "DOCKER_HOST wins over contexts", vars: map[string]string{"DOCKER_HOST": "ssh://me@h", "DOCKER_CONTEXT": "colima"},
			contexts: colima, want: Endpoint{Host: "ssh://me@h", Source: "DOCKER_HOST"}},
		{name: "DOCKER_CONTEXT wins over config", vars: map[string]string{"DOCKER_CONTEXT": "colima"},
			config: `{"currentContext":"x"}`, contexts: colima,
			want: Endpoint{Host: "unix:///c.sock", Context: "colima", Source: `context "colima", DOCKER_CONTEXT`}},
		{name: "DOCKER_CONTEXT default overrides config", vars: map[string]string{"DOCKER_CONTEXT": "default"},
			config: `{"currentContext":"colima"}`, contexts: colima, files: []string{std},
			want: Endpoint{Host: "unix://" + std, Source: "the default address"}},
		{name: "current context", config: `{"currentContext":"colima"}`, contexts: colima,
			want: Endpoint{Host: "unix:///c.sock", Context: "colima", Source: `context "colima", the current context of ~/.docker/config.json`}},
		{name: "DOCKER_CONFIG", vars: map[string]string{"DOCKER_CONFIG": "$HOME/dc"}, config: `{"currentContext":"colima"}`, contexts: colima,
			want: Endpoint{Host: "unix:///c.sock", Context: "colima", Source: `context "colima", the current context of ~/dc/config.json`}},
		{name: "unknown context", vars: map[string]string{"DOCKER_CONTEXT": "nope"}, wantErr: `DOCKER_CONTEXT: docker context "nope" cannot be used`},
		{name: "broken config", config: `{"auths": {"h": {"auth": "c2VjcmV0"`, wantErr: `~/.docker/config.json: the file is not valid JSON`},
		{name: "default socket", files: []string{std, "$HOME/.colima/default/docker.sock"},
			want: Endpoint{Host: "unix://" + std, Source: "the default address"}},
		{name: "rootless before others", vars: map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"},
			files: []string{"/run/user/7/docker.sock", "$HOME/.docker/run/docker.sock"},
			want:  Endpoint{Host: "unix:///run/user/7/docker.sock", Source: "the socket of rootless Docker"}},
		{name: "Docker Desktop", files: []string{"$HOME/.docker/run/docker.sock", "$HOME/.rd/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.docker/run/docker.sock", Source: "the socket of Docker Desktop"}},
		{name: "Colima", files: []string{"$HOME/.colima/default/docker.sock", "$HOME/.rd/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.colima/default/docker.sock", Source: "the socket of Colima"}},
		{name: "Docker Desktop on Linux", files: []string{"$HOME/.docker/desktop/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.docker/desktop/docker.sock", Source: "the socket of Docker Desktop"}},
		{name: "rootless without a session", uid: 7, files: []string{"/run/user/7/docker.sock", "/run/user/7/podman/podman.sock"},
			want: Endpoint{Host: "unix:///run/user/7/docker.sock", Source: "the socket of rootless Docker"}},
		{name: "rootless Podman without a session", uid: 7, files: []string{"/run/user/7/podman/podman.sock"},
			want: Endpoint{Host: "unix:///run/user/7/podman/podman.sock", Source: "the socket of rootless Podman"}},
		{name: "Colima's profile", vars: map[string]string{"COLIMA_PROFILE": "work"}, files: []string{"$HOME/.colima/default/docker.sock", "$HOME/.colima/work/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.colima/work/docker.sock", Source: "the socket of Colima, profile work"}},
		{name: "Colima's profile by the name of its instance", vars: map[string]string{"COLIMA_PROFILE": "colima-work"}, files: []string{"$HOME/.colima/work/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.colima/work/docker.sock", Source: "the socket of Colima, profile work"}},
		{name: "the only profile of Colima", files: []string{"$HOME/.colima/other/docker.sock", "$HOME/.rd/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.colima/other/docker.sock", Source: "the socket of Colima, profile other"}},
		{name: "COLIMA_HOME", vars: map[string]string{"COLIMA_HOME": "/c"}, files: []string{"$HOME/.colima/default/docker.sock", "/c/default/docker.sock"},
			want: Endpoint{Host: "unix:///c/default/docker.sock", Source: "the socket of Colima"}},
		{name: "Colima among the settings", files: []string{"$HOME/.config/colima/default/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.config/colima/default/docker.sock", Source: "the socket of Colima"}},
		{name: "Colima in XDG_CONFIG_HOME", vars: map[string]string{"XDG_CONFIG_HOME": "/x"}, files: []string{"/x/colima/default/docker.sock"},
			want: Endpoint{Host: "unix:///x/colima/default/docker.sock", Source: "the socket of Colima"}},
		{name: "OrbStack", files: []string{"$HOME/.orbstack/run/docker.sock", "$HOME/.rd/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.orbstack/run/docker.sock", Source: "the socket of OrbStack"}},
		{name: "Lima", files: []string{"$HOME/.lima/docker/sock/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.lima/docker/sock/docker.sock", Source: "the socket of Lima"}},
		{name: "Podman's machine", temp: "/var/folders/x", files: []string{"/var/folders/x/podman/podman-machine-default-api.sock", "/run/podman/podman.sock"},
			want: Endpoint{Host: "unix:///var/folders/x/podman/podman-machine-default-api.sock", Source: "the socket of Podman's machine"}},
		{name: "Podman's machine in the home", files: []string{"$HOME/.local/share/containers/podman/machine/podman.sock"},
			want: Endpoint{Host: "unix://$HOME/.local/share/containers/podman/machine/podman.sock", Source: "the socket of Podman's machine"}},
		{name: "Rancher Desktop", files: []string{"$HOME/.rd/docker.sock", "/run/podman/podman.sock"},
			want: Endpoint{Host: "unix://$HOME/.rd/docker.sock", Source: "the socket of Rancher Desktop"}},
		{name: "rootless Podman", vars: map[string]string{"XDG_RUNTIME_DIR": "/r"},
			files: []string{"/run/podman/podman.sock", "/r/podman/podman.sock"},
			want:  Endpoint{Host: "unix:///r/podman/podman.sock", Source: "the socket of rootless Podman"}},
		{name: "Podman", files: []string{"/run/podman/podman.sock"},
			want: Endpoint{Host: "unix:///run/podman/podman.sock", Source: "the socket of Podman"}},
		{name: "nothing", want: Endpoint{Host: "unix://" + std, Source: "the default address", Tried: []string{
			std, "~/.docker/run/docker.sock", "~/.docker/desktop/docker.sock", "~/.colima/default/docker.sock", "~/.config/colima/default/docker.sock",
			"~/.orbstack/run/docker.sock", "~/.rd/docker.sock", "~/.lima/docker/sock/docker.sock",
			"~/.local/share/containers/podman/machine/podman.sock", "~/.local/share/containers/podman/machine/qemu/podman.sock", "/run/podman/podman.sock"}}},
		{name: "Docker Desktop on macOS", os: "darwin", files: []string{"$HOME/.docker/run/docker.sock"},
			want: Endpoint{Host: "unix://$HOME/.docker/run/docker.sock", Source: "the socket of Docker Desktop"}},
		{name: "default pipe", os: "windows", files: []string{"//./pipe/docker_engine", "//./pipe/dockerDesktopLinuxEngine", std},
			want: Endpoint{Host: "npipe:////./pipe/docker_engine", Source: "the default address"}},
		{name: "pipe of Docker Desktop", os: "windows", files: []string{"//./pipe/dockerDesktopLinuxEngine", "//./pipe/podman-machine-default"},
			want: Endpoint{Host: "npipe:////./pipe/dockerDesktopLinuxEngine", Source: "the pipe of Docker Desktop"}},
		{name: "pipe of Podman", os: "windows", files: []string{"//./pipe/podman-machine-default"},
			want: Endpoint{Host: "npipe:////./pipe/podman-machine-default", Source: "the pipe of Podman's machine"}},
		{name: "no pipe, and sockets that Windows has not", os: "windows", files: []string{std, "$HOME/.docker/run/docker.sock"},
			want: Endpoint{Host: "npipe:////./pipe/docker_engine", Source: "the default address", Tried: []string{
				"//./pipe/docker_engine", "//./pipe/dockerDesktopLinuxEngine", "//./pipe/podman-machine-default"}}},
		{name: "a pipe in DOCKER_HOST", os: "windows", vars: map[string]string{"DOCKER_HOST": "npipe:////./pipe/mine"},
			want: Endpoint{Host: "npipe:////./pipe/mine", Source: "DOCKER_HOST"}},
		{name: "a context of Docker Desktop", os: "windows", config: `{"currentContext":"desktop-linux"}`,
			contexts: map[string]string{"desktop-linux": "npipe:////./pipe/dockerDesktopLinuxEngine"},
			want: Endpoint{Host: "npipe:////./pipe/dockerDesktopLinuxEngine", Context: "desktop-linux",
				Source: `context "desktop-linux", the current context of ~/.docker/config.json`}},
		{name: "TLS without certificates", vars: map[string]string{"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1"},
			wantErr: "DOCKER_TLS_VERIFY: cannot read the certificates"},
		{name: "TLS without an address", vars: map[string]string{"DOCKER_TLS": "1"}, files: []string{std, "$HOME/.rd/docker.sock"},
			want: Endpoint{Host: "tcp://localhost:2376", Source: "the default address with DOCKER_TLS", skip: true}},
		{name: "TLS unverified", vars: map[string]string{"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS": "1"},
			want: Endpoint{Host: "tcp://h:2376", Source: "DOCKER_HOST", skip: true}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestResolveReadsCertificates(t *testing.T) {
	env := fakeEnv(t, map[string]string{"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "$HOME/certs"},
		"$HOME/certs/cert.pem", "$HOME/certs/key.pem")
	for _, name := range []string{"ca.pem", "cert.pem", "key.pem"} {
		write(t, filepath.Join(env.Home, "certs", name), name)
	}
	got, err := Resolve(env, "")
	if err != nil {
		t.Fatal(err)
	}
	if string(got.tls.CA) != "ca.pem" || string(got.tls.Cert) != "cert.pem" || string(got.tls.Key) != "key.pem" || got.skip {
		t.Errorf("got %+v, skip %v", got.tls, got.skip)
	}
	if _, err := got.ClientOptions(); err == nil || !strings.Contains(err.Error(), "cannot use tcp://h:2376 from DOCKER_HOST") {
		t.Errorf("certificates that are none gave %v", err)
	}
}

func TestLocal(t *testing.T) {
	for host, want := range map[string]bool{
		"unix:///x": true, "npipe:////./pipe/docker_engine": true, "tcp://localhost:2375": true, "tcp://[::1]:2375": true,
		"tcp://127.0.0.1:1": true, "tcp://build.example:2376": false, "ssh://me@h": false,
	} {
		if got := (Endpoint{Host: host}).Local(); got != want {
			t.Errorf("Local of %s is %v", host, got)
		}
	}
}

// TestBusyPipe is that a pipe which others have open is there.
func TestBusyPipe(t *testing.T) {
	env := fakeEnv(t, nil)
	env.OS = "windows"
	env.Stat = func(path string) (fs.FileInfo, error) {
		if path == "//./pipe/docker_engine" {
			return nil, errors.New("All pipe instances are busy.") //nolint:revive // the words of Windows
		}
		return nil, fs.ErrNotExist
	}
	got, err := Resolve(env, "")
	if err != nil || got.Host != "npipe:////./pipe/docker_engine" || len(got.Tried) > 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}
