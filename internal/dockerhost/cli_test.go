package dockerhost

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/dockerdtest"
	"github.com/drone-laptop/drone/internal/testenv"
)

// TestAsDocker compares what is resolved with what the docker command says that
// it would use. `docker context inspect` tells that without a connection.
func TestAsDocker(t *testing.T) {
	if why := testenv.Missing("docker"); why != "" {
		testenv.Lack(t, "nothing to compare with: %s", why)
	}
	type testCase struct {
		flag    string
		vars    []string
		current string // the current context
		// ours says why docker gives something else: nothing otherwise.
		ours string
	}
	issued := dockerdtest.NewAuthority(t).Issue(time.Now().Add(time.Hour))
	certs := "DOCKER_CERT_PATH=$HOME/certs"
	for name, tc := range map[string]testCase{
		"nothing":                         {},
		"flag":                            {flag: "tcp://flag:1", vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_CONTEXT=plain"}, current: "tls"},
		"DOCKER_HOST":                     {vars: []string{"DOCKER_HOST=tcp://var:2"}},
		"DOCKER_HOST before contexts":     {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_CONTEXT=plain"}, current: "tls"},
		"DOCKER_CONTEXT":                  {vars: []string{"DOCKER_CONTEXT=plain"}},
		"DOCKER_CONTEXT before current":   {vars: []string{"DOCKER_CONTEXT=plain"}, current: "tls"},
		"DOCKER_CONTEXT default":          {vars: []string{"DOCKER_CONTEXT=default"}, current: "tls"},
		"current context":                 {current: "tls"},
		"current context default":         {current: "default"},
		"context that is none":            {vars: []string{"DOCKER_CONTEXT=nosuch"}},
		"current context that is none":    {current: "nosuch"},
		"none, but DOCKER_HOST":           {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_CONTEXT=nosuch"}, current: "nosuch"},
		"context with some of its files":  {current: "lost"},
		"context that does not verify":    {current: "skip"},
		"context of ssh":                  {current: "ssh"},
		"ssh":                             {vars: []string{"DOCKER_HOST=ssh://me@far:22"}},
		"context does not hear variables": {vars: []string{"DOCKER_TLS_VERIFY=1", certs}, current: "plain"},
		"TLS":                             {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_TLS_VERIFY=1", certs}},
		"TLS by the flag":                 {flag: "tcp://flag:1", vars: []string{"DOCKER_TLS_VERIFY=1", certs}},
		"TLS without a port":              {vars: []string{"DOCKER_HOST=tcp://var", "DOCKER_TLS_VERIFY=1", certs}},
		"TLS without an address":          {vars: []string{"DOCKER_TLS_VERIFY=1", certs}},
		"unverified without an address":   {vars: []string{"DOCKER_TLS=1", certs}},
		"unverified":                      {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_TLS=1", certs}},
		"unverified loses to verified":    {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_TLS=1", "DOCKER_TLS_VERIFY=1", certs}},
		"TLS by any text":                 {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_TLS_VERIFY=0", certs}},
		"no TLS by no text":               {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_TLS_VERIFY=", "DOCKER_TLS=", certs}},
		"certificates without TLS":        {vars: []string{"DOCKER_HOST=tcp://var:2", certs}},
		"no certificates":                 {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_TLS_VERIFY=1"}},
		"certificates in DOCKER_CONFIG":   {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_TLS_VERIFY=1", "DOCKER_CONFIG=$HOME/certs"}},
		"contexts in DOCKER_CONFIG":       {vars: []string{"DOCKER_CONFIG=$HOME/elsewhere"}, current: "plain"},
		"DOCKER_CONFIG that is not there": {vars: []string{"DOCKER_CONFIG=$HOME/nowhere"}, current: "tls"},
		"version of the API":              {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_API_VERSION=1.30"}},
		"no scheme":                       {vars: []string{"DOCKER_HOST=far"}},
		"port alone":                      {vars: []string{"DOCKER_HOST=:7"}},
		"blanks":                          {vars: []string{"DOCKER_HOST= tcp://var:2 "}},
		"scheme alone":                    {vars: []string{"DOCKER_HOST=unix://"}},
		"path of a socket":                {vars: []string{"DOCKER_HOST=unix:///x/y.sock"}},
		"another scheme":                  {vars: []string{"DOCKER_HOST=http://var:2"}},
		"unverified without an authority": {vars: []string{"DOCKER_HOST=tcp://var:2", "DOCKER_TLS=1"}, ours: "docker wants a ca.pem that it does not use"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := asDockerEnv(t, tc.vars, tc.current, issued)
			theirs, failed := dockerInspect(t, env, tc.flag, tc.vars)
			ours, err := Resolve(env, tc.flag)
			if tc.ours != "" {
				if failed == nil || err != nil {
					t.Errorf("docker: %v; ours: %v; it is said that %s", failed, err, tc.ours)
				}
				return
			}
			if (err != nil) != (failed != nil) {
				t.Fatalf("docker gives the error %v, we %v", failed, err)
			}
			if err != nil {
				return
			}
			got := inspected{Host: ours.Host, Skip: ours.skip, Name: ours.Context}
			if got.Name == "" {
				got.Name = "default"
			}
			if data := ours.tls; data != nil {
				for name, text := range map[string][]byte{caFile: data.CA, certFile: data.Cert, keyFile: data.Key} {
					if text != nil && (name != caFile || !ours.skip) { // what is not verified needs none
						got.Files = append(got.Files, name)
					}
				}
				slices.Sort(got.Files)
			}
			if theirs.Skip && theirs.Name == "default" {
				theirs.Files = slices.DeleteFunc(theirs.Files, func(name string) bool { return name == caFile })
			}
			if got.Host != theirs.Host || got.Name != theirs.Name || got.Skip != theirs.Skip || !slices.Equal(got.Files, theirs.Files) {
				t.Errorf("got %+v, docker has %+v", got, theirs)
			}
		})
	}
}

// inspected is what docker would use.
type inspected struct {
	Name, Host string
	Skip       bool
	Files      []string // of TLS
}

// asDockerEnv is the environment of a user with certificates and contexts, made
// by the docker command. The default socket is there.
func asDockerEnv(t *testing.T, vars []string, current, certs string) Environment {
	t.Helper()
	known := map[string]string{}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		known[name] = value
	}
	env := fakeEnv(t, known)
	env.Stat = func(path string) (os.FileInfo, error) {
		if path == "/var/run/docker.sock" {
			return nil, nil
		}
		return os.Stat(path)
	}
	if err := os.CopyFS(filepath.Join(env.Home, "certs"), os.DirFS(certs)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{".docker", "elsewhere"} {
		if current != "" {
			write(t, filepath.Join(env.Home, dir, "config.json"), `{"currentContext":"`+current+`"}`)
		}
		for name, material := range map[string]string{
			"plain": "host=tcp://" + strings.Trim(dir, ".") + ":3",
			"tls":   "host=tcp://tls:4,ca=$/ca.pem,cert=$/cert.pem,key=$/key.pem",
			"lost":  "host=tcp://lost:5,ca=$/ca.pem,cert=$/cert.pem",
			"skip":  "host=tcp://skip:6,skip-tls-verify=true",
			"ssh":   "host=ssh://me@far",
		} {
			if dir != ".docker" && name != "plain" || name != current && name != known["DOCKER_CONTEXT"] {
				continue
			}
			material = strings.ReplaceAll(material, "$/", filepath.Join(env.Home, "certs")+"/")
			c := exec.Command("docker", "--config", filepath.Join(env.Home, dir), "context", "create", name, "--docker", material)
			c.Env = []string{"HOME=" + env.Home, "PATH=" + os.Getenv("PATH"), "DOCKER_CONTEXT=default"}
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("docker context create %s: %v\n%s", name, err, out)
			}
		}
	}
	return env
}

func dockerInspect(t *testing.T, env Environment, flag string, vars []string) (inspected, error) {
	t.Helper()
	var args []string
	if flag != "" {
		args = []string{"--host", flag}
	}
	c := exec.Command("docker", append(args, "context", "inspect")...)
	c.Env = []string{"HOME=" + env.Home, "PATH=" + os.Getenv("PATH")}
	for _, v := range vars {
		c.Env = append(c.Env, strings.ReplaceAll(v, "$HOME", env.Home))
	}
	out, err := c.Output()
	if err != nil {
		return inspected{}, err
	}
	var list []struct {
		Name      string
		Endpoints struct {
			Docker struct {
				Host          string
				SkipTLSVerify bool
			} `json:"docker"`
		}
		TLSMaterial struct {
			Docker []string `json:"docker"`
		}
	}
	if err := json.Unmarshal(out, &list); err != nil || len(list) != 1 {
		t.Fatalf("docker context inspect gives %s, error %v", out, err)
	}
	found := inspected{list[0].Name, list[0].Endpoints.Docker.Host, list[0].Endpoints.Docker.SkipTLSVerify, list[0].TLSMaterial.Docker}
	slices.Sort(found.Files)
	return found, nil
}
