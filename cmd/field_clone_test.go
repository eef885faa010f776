package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/client"
	"github.com/google/go-cmp/cmp"
)

// cloneEngine stands before the real engine and gives it another image in
// place of the one that clones, which no registry within reach has. It prints
// its environment and leaves a file in its working directory.
type cloneEngine struct {
	mu     sync.Mutex
	clones int
	pulls  []string
}

func newCloneEngine(t *testing.T, real *client.Client) (e *cloneEngine, address string) {
	t.Helper()
	e = &cloneEngine{}
	dial := real.Dialer()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine"
			e.see(t, r.Out)
		},
		Transport:     &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }},
		FlushInterval: -1, // the output of steps is a stream
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return e, strings.Replace(server.URL, "http", "tcp", 1)
}

func (e *cloneEngine) see(t *testing.T, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/images/create"):
		e.pulls = append(e.pulls, r.URL.Query().Get("fromImage"))
	case strings.HasSuffix(r.URL.Path, "/containers/create"):
		body, err := io.ReadAll(r.Body)
		var config map[string]any
		if err == nil {
			err = json.Unmarshal(body, &config)
		}
		if err != nil {
			t.Errorf("request for a container: %v", err)
		}
		if config["Image"] == "drone/git:latest" {
			e.clones++
			config["Image"] = "drone-laptop/busybox:test"
			config["Entrypoint"] = []string{"sh", "-c", "env; touch cloned"}
			body, _ = json.Marshal(config) // it was JSON before
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
}

const cloneFile = `
kind: pipeline
name: options
workspace: {base: /go, path: src/hello}
clone: {depth: 5, retries: 3, skip_verify: true, trace: true}
steps:
- name: look
  image: drone-laptop/busybox:test
  commands: [ls]
---
kind: pipeline
name: defaults
clone: {depth: 0, retries: 0, skip_verify: false, trace: false}
steps:
- name: look
  image: drone-laptop/busybox:test
  commands: [ls]
---
kind: pipeline
name: disabled
clone: {disable: true}
steps:
- name: look
  image: drone-laptop/busybox:test
  commands: [ls]
`

// TestCloneStep looks at what the clone step is told: its options, the login,
// and where the workspace is (reference §7.5).
func TestCloneStep(t *testing.T) {
	t.Parallel()
	engine, address := newCloneEngine(t, needEngine(t))
	repository := newEventRepository(t)
	if err := os.WriteFile(filepath.Join(repository.dir, ".drone.yml"), []byte(cloneFile), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(binary, "drone"), "exec", "--clone", "--docker-host", address, "--netrc-machine", "github.com", "--netrc-username", "octocat")
	c.Dir = repository.dir
	c.Env = []string{"HOME=" + repository.dir, "PATH=" + os.Getenv("PATH"), "DRONE_NETRC_PASSWORD=pa55-w0rd"}
	var failure bytes.Buffer
	c.Stderr = &failure
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, failure.String())
	}

	login := []string{"DRONE_NETRC_FILE=******", "DRONE_NETRC_MACHINE=github.com", "DRONE_NETRC_PASSWORD=******", "DRONE_NETRC_USERNAME=octocat"}
	remote := []string{"DRONE_REMOTE_URL=https://github.com/octocat/hello.git", "DRONE_COMMIT_SHA=" + repository.topic, "DRONE_COMMIT_REF=refs/heads/topic"}
	for step, want := range map[string][]string{
		"options/clone": slices.Concat(login, remote, []string{
			"PLUGIN_DEPTH=5", "PLUGIN_RETRIES=3", "PLUGIN_SKIP_VERIFY=true", "GIT_SSL_NO_VERIFY=true", "GIT_TRACE=true", "GIT_TERMINAL_PROMPT=0",
			"DRONE_WORKSPACE=/go/src/hello", "DRONE_WORKSPACE_BASE=/go", "DRONE_WORKSPACE_PATH=src/hello", "PWD=/go/src/hello",
			"DRONE_STEP_NAME=clone", "DRONE_STEP_NUMBER=1",
		}),
		"defaults/clone": slices.Concat(login, remote, []string{
			"GIT_TERMINAL_PROMPT=0", "DRONE_WORKSPACE=/drone/src", "DRONE_WORKSPACE_BASE=/drone/src", "PWD=/drone/src",
			"DRONE_STEP_NAME=clone", "DRONE_STEP_NUMBER=1",
		}),
		"options/look":  {"+ ls", "cloned"},
		"defaults/look": {"+ ls", "cloned"},
		"disabled/look": {"+ ls"},
	} {
		got := linesOf(string(out), step, `^([+]|cloned|PLUGIN_|GIT_[ST]|DRONE_(NETRC|REMOTE|WORKSPACE|STEP|COMMIT_(SHA|REF)=)|PWD=)`)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("step %s (-want +got):\n%s", step, diff)
		}
	}
	if engine.clones != 2 || len(engine.pulls) > 0 {
		t.Errorf("%d containers cloned, want 2; pulled %q although it is here", engine.clones, engine.pulls)
	}
}

// linesOf gives what a step printed, as far as it matches, sorted.
func linesOf(out, step, pattern string) []string {
	wanted, prefix := regexp.MustCompile(pattern), regexp.MustCompile(`^\[`+regexp.QuoteMeta(step)+`:[0-9]+\] `)
	var found []string
	for line := range strings.Lines(out) {
		at := prefix.FindString(line)
		if text := strings.TrimSuffix(line[len(at):], "\n"); at != "" && wanted.MatchString(text) {
			found = append(found, text)
		}
	}
	slices.Sort(found)
	return found
}
