package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"

	"github.com/drone-laptop/drone/exec"
)

// privateRegistry is a registry on this machine that has one image and demands a
// login. Engines speak to loopback addresses without TLS.
type privateRegistry struct {
	address  string
	image    string // full name of the image
	login    [2]string
	blobs    map[string][]byte // by digest
	manifest []byte

	mu    sync.Mutex
	asked int // for the manifest, with the right login
	seen  bool
}

const (
	mediaManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaConfig   = "application/vnd.docker.container.image.v1+json"
	mediaLayer    = "application/vnd.docker.image.rootfs.diff.tar"
)

// newPrivateRegistry serves testImage of e under another name.
func newPrivateRegistry(t *testing.T, e *Engine) *privateRegistry {
	t.Helper()
	r := &privateRegistry{login: [2]string{"octocat", "pa55"}, blobs: map[string][]byte{}}
	saved, err := e.client.ImageSave(t.Context(), []string{testImage})
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	r.load(t, saved)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.address = strings.TrimPrefix(server.URL, "http://")
	r.image = r.address + "/private/busybox:1"
	return r
}

// load reads what `docker save` writes.
func (r *privateRegistry) load(t *testing.T, saved io.Reader) {
	t.Helper()
	files := map[string][]byte{}
	for archive := tar.NewReader(saved); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			files[header.Name], err = io.ReadAll(archive)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var images []struct {
		Config string
		Layers []string
	}
	if err := json.Unmarshal(files["manifest.json"], &images); err != nil {
		t.Fatal(err)
	}
	layers := []any{}
	for _, name := range images[0].Layers {
		layers = append(layers, r.add(mediaLayer, files[name]))
	}
	var err error
	r.manifest, err = json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": mediaManifest, "config": r.add(mediaConfig, files[images[0].Config]), "layers": layers,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (r *privateRegistry) add(media string, data []byte) any {
	digest := digestOf(data)
	r.blobs[digest] = data
	return map[string]any{"mediaType": media, "size": len(data), "digest": digest}
}

func digestOf(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func (r *privateRegistry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = true
	if user, password, _ := req.BasicAuth(); user != r.login[0] || password != r.login[1] {
		w.Header().Set("WWW-Authenticate", `Basic realm="private"`)
		reply(w, http.StatusUnauthorized, map[string]any{"errors": []any{map[string]string{"code": "UNAUTHORIZED", "message": "authentication required"}}})
		return
	}
	media, data := "application/json", []byte("{}")
	switch name := req.URL.Path; {
	case strings.Contains(name, "/manifests/"):
		media, data = mediaManifest, r.manifest
		r.asked++
	case strings.Contains(name, "/blobs/"):
		media, data = "application/octet-stream", r.blobs[name[strings.LastIndexByte(name, '/')+1:]]
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Docker-Content-Digest", digestOf(data))
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(data))
}

func (r *privateRegistry) requests() (manifests int, any bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked, r.seen
}

// TestPullSecrets pulls a private image with the login of a secret, of which
// the last one counts, and follows the pull policies from there.
func TestPullSecrets(t *testing.T) {
	e := newEngine(t)
	r := newPrivateRegistry(t, e)
	remove := func() {
		if _, err := e.client.ImageRemove(context.WithoutCancel(t.Context()), r.image, image.RemoveOptions{Force: true}); !gone(err) {
			t.Error(err)
		}
	}
	t.Cleanup(remove)
	login := func(password string) string {
		return fmt.Sprintf(`{"auths": {"http://%s/v1/": {"username": "octocat", "password": %q}}}`, r.address, password)
	}
	secrets := map[string]string{"right": login("pa55"), "wrong": login("f0rgotten"), "other": `{"auths": {"example.com": {"auth": "eDp5"}}}`}
	setting := exec.Setting{
		Run: "test-" + random()[:8], Notify: func(exec.Notice) {},
		Secret: func(name string) (string, bool) { v, ok := secrets[name]; return v, ok },
	}
	pipeline := func(pull exec.Pull, names ...string) *exec.Pipeline {
		p := &exec.Pipeline{
			Name: "p", Runs: true, Workspace: exec.Workspace{Base: "/w", Path: "/w"},
			Steps: []*exec.Step{{Name: "s", Image: r.image, Pull: pull, Entrypoint: []string{"echo", "ran"}}},
		}
		for _, name := range names {
			p.PullSecrets = append(p.PullSecrets, exec.SecretRef{Name: name})
		}
		return p
	}
	pull := func(policy exec.Pull, names ...string) error {
		t.Helper()
		failed, err := e.Pull(t.Context(), []*exec.Pipeline{pipeline(policy, names...)}, setting)
		if err != nil {
			t.Fatal(err)
		}
		return failed[r.image]
	}

	err := pull("")
	if _, seen := r.requests(); !seen {
		t.Skipf("SKIPPED: the engine does not reach a registry of this process: %v", err)
	}
	for what, err := range map[string]error{"no login": err, "another login": pull("", "other"), "the last one is wrong": pull("", "right", "wrong")} {
		got := asStepError(t, err, exec.PhasePull)
		if !strings.Contains(got.Error()+got.Hint, "image_pull_secrets") || strings.Contains(got.Error()+got.Hint, "f0rgotten") {
			t.Errorf("%s: got %q with hint %q", what, got.Error(), got.Hint)
		}
	}
	asStepError(t, pull(exec.PullNever, "right"), exec.PhasePull)
	runPulled(t, e, pipeline("", "wrong", "right", "other"), setting)
	for _, tc := range []struct {
		policy exec.Pull
		asks   bool // the registry, although the image is here
	}{{"", false}, {exec.PullNever, false}, {exec.PullIfNotExists, false}, {exec.PullAlways, true}} {
		before, _ := r.requests()
		if err := pull(tc.policy, "right"); err != nil {
			t.Errorf("pull: %q: %v", tc.policy, err)
		}
		if after, _ := r.requests(); (after > before) != tc.asks {
			t.Errorf("pull: %q asked the registry %d times for an image that is here", tc.policy, after-before)
		}
	}
	asStepError(t, pull(exec.PullAlways, "wrong"), exec.PhasePull)
}

// runPulled runs the step of p, whose image has to be pulled for it.
func runPulled(t *testing.T, e *Engine, p *exec.Pipeline, setting exec.Setting) {
	t.Helper()
	s, err := e.Open(t.Context(), p, setting)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	exit, err := s.Run(t.Context(), p.Steps[0], exec.IO{Output: &out})
	if err != nil || exit.Code != 0 || out.String() != "ran\n" {
		t.Errorf("exit %d, error %v, output %q", exit.Code, err, out.String())
	}
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
