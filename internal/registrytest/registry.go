// Package registrytest runs the reference registry on a loopback address, for
// tests of pulling. Engines on this machine speak to such an address without
// TLS. What is pushed is kept in memory and gone with the test; what an engine
// has pulled stays there until RemoveAll.
//
// It is no stand-in for a registry: answers that the reference registry does not
// give are put in its place by the test, with Intercept.
package registrytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd" // registers itself
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory" // registers itself
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

// The login of a registry that demands one.
const (
	User     = "octocat"
	Password = "pa55-w0rd"
)

// Registry is a registry that runs until the end of its test. It is safe for
// concurrent use.
type Registry struct {
	// Address is host and port, the first part of the names of its images.
	Address string

	t      testing.TB
	app    http.Handler
	login  bool
	server *httptest.Server

	mu        sync.Mutex
	requests  int // all
	manifests int // of manifests, answered with one
	intercept http.HandlerFunc
}

// New starts a registry; with login it demands that of User.
func New(t testing.TB, login bool) *Registry {
	t.Helper()
	logrus.SetOutput(io.Discard) // the registry's log is that of the process
	config := &configuration.Configuration{Storage: configuration.Storage{
		"inmemory":    configuration.Parameters{},
		"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
	}}
	config.HTTP.Secret = "of one process"
	config.Catalog.MaxEntries = 10
	if login {
		hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "htpasswd")
		if err := os.WriteFile(file, fmt.Appendf(nil, "%s:%s\n", User, hash), 0o600); err != nil {
			t.Fatal(err)
		}
		config.Auth = configuration.Auth{"htpasswd": configuration.Parameters{"realm": "test", "path": file}}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	app := handlers.NewApp(ctx, config)
	r := &Registry{t: t, app: app, login: login}
	r.server = httptest.NewServer(r)
	r.Address = strings.TrimPrefix(r.server.URL, "http://")
	t.Cleanup(func() {
		r.server.Close()
		if err := app.Shutdown(); err != nil {
			t.Errorf("shut the registry down: %v", err)
		}
		cancel()
	})
	return r
}

// ServeHTTP implements http.Handler.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.requests++
	intercept := r.intercept
	r.mu.Unlock()
	if intercept != nil {
		intercept(w, req)
		return
	}
	r.Answer(w, req)
}

// Answer gives the registry's own answer.
func (r *Registry) Answer(w http.ResponseWriter, req *http.Request) {
	seen := &recorder{ResponseWriter: w, status: http.StatusOK}
	r.app.ServeHTTP(seen, req)
	if strings.Contains(req.URL.Path, "/manifests/") && seen.status == http.StatusOK {
		r.mu.Lock()
		r.manifests++
		r.mu.Unlock()
	}
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Intercept has answer take every request from now on; it may call Answer.
func (r *Registry) Intercept(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intercept = answer
}

// Down has nothing answer at the address any more.
func (r *Registry) Down() { r.server.Close() }

// Requests counts the requests, and those that were answered with a manifest.
func (r *Registry) Requests() (all, manifests int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests, r.manifests
}

// Push has an engine push its image local under name, "team/app:1", and returns
// the full name, which the engine has not got then.
func (r *Registry) Push(c *client.Client, local, name string) string {
	r.t.Helper()
	ctx, full := r.t.Context(), r.Address+"/"+name
	if err := c.ImageTag(ctx, local, full); err != nil {
		r.t.Fatal(err)
	}
	defer Remove(r.t, c, full)
	auth, err := registry.EncodeAuthConfig(registry.AuthConfig{Username: User, Password: Password})
	if err != nil {
		r.t.Fatal(err)
	}
	stream, err := c.ImagePush(ctx, full, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		r.t.Fatal(err)
	}
	defer stream.Close()
	said, err := io.ReadAll(stream)
	if err != nil || bytes.Contains(said, []byte(`"error"`)) {
		r.t.Fatalf("push of %s: %v\n%s", full, err, said)
	}
	return full
}

// Remove takes a name of an image from an engine, also at the end of a test.
func Remove(t testing.TB, c *client.Client, name string) {
	t.Helper()
	_, err := c.ImageRemove(context.WithoutCancel(t.Context()), name, image.RemoveOptions{Force: true})
	if err != nil && !errdefs.IsNotFound(err) {
		t.Error(err)
	}
}

// RemoveAll takes every name with the registry's address in it from an engine,
// also those that are kept for a platform, and digests that lost their tags.
func (r *Registry) RemoveAll(c *client.Client) {
	r.t.Helper()
	all, err := c.ImageList(context.WithoutCancel(r.t.Context()), image.ListOptions{})
	if err != nil {
		r.t.Error(err)
	}
	inPath := "/" + strings.ReplaceAll(r.Address, ":", "__") + "/"
	for _, i := range all {
		for _, name := range slices.Concat(i.RepoTags, i.RepoDigests) {
			if strings.HasPrefix(name, r.Address+"/") || strings.Contains(name, inPath) {
				Remove(r.t, c, name)
			}
		}
	}
}

// The media types of what is put.
const (
	MediaManifest = "application/vnd.docker.distribution.manifest.v2+json"
	MediaIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// Manifest is a manifest as far as tests look at it.
type Manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *Descriptor  `json:"config,omitempty"`
	Layers        []Descriptor `json:"layers,omitempty"`
	Manifests     []Descriptor `json:"manifests,omitempty"`
}

// Descriptor names a blob or a manifest.
type Descriptor struct {
	MediaType string        `json:"mediaType"`
	Size      int           `json:"size"`
	Digest    digest.Digest `json:"digest"`
	Platform  *Platform     `json:"platform,omitempty"`
}

// Platform is what an image is for.
type Platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

// Get returns the manifest of a repository's reference, with its descriptor.
func (r *Registry) Get(repository, reference string) (Manifest, Descriptor) {
	r.t.Helper()
	data := r.do(http.MethodGet, "/v2/"+repository+"/manifests/"+reference, MediaManifest, nil)
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		r.t.Fatal(err)
	}
	return m, Descriptor{MediaType: m.MediaType, Size: len(data), Digest: digest.FromBytes(data)}
}

// PutManifest stores a manifest under a tag, or its digest when that is "", and
// returns its descriptor.
func (r *Registry) PutManifest(repository, tag string, m Manifest) Descriptor {
	r.t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		r.t.Fatal(err)
	}
	d := Descriptor{MediaType: m.MediaType, Size: len(data), Digest: digest.FromBytes(data)}
	if tag == "" {
		tag = d.Digest.String()
	}
	r.do(http.MethodPut, "/v2/"+repository+"/manifests/"+tag, m.MediaType, data)
	return d
}

// ForArch stores a copy of an image that says it is for another processor, under
// a tag or, when that is "", under its digest only. Its variable IMAGE_ARCH names
// the processor.
func (r *Registry) ForArch(repository, reference, arch, tag string) Descriptor {
	r.t.Helper()
	m, _ := r.Get(repository, reference)
	var config map[string]any
	blob := r.do(http.MethodGet, "/v2/"+repository+"/blobs/"+m.Config.Digest.String(), "", nil)
	if err := json.Unmarshal(blob, &config); err != nil {
		r.t.Fatal(err)
	}
	config["architecture"] = arch
	started, ok := config["config"].(map[string]any)
	if !ok {
		r.t.Fatalf("the configuration of %s:%s is %s", repository, reference, blob)
	}
	env, _ := started["Env"].([]any)
	started["Env"] = append(env, "IMAGE_ARCH="+arch)
	changed, err := json.Marshal(config)
	if err != nil {
		r.t.Fatal(err)
	}
	m.Config.Size, m.Config.Digest = len(changed), digest.FromBytes(changed)
	r.putBlob(repository, changed)
	d := r.PutManifest(repository, tag, m)
	d.Platform = &Platform{OS: "linux", Architecture: arch}
	return d
}

// ForArchs stores, under a tag, a list of such copies.
func (r *Registry) ForArchs(repository, reference, tag string, archs ...string) Descriptor {
	r.t.Helper()
	list := Manifest{SchemaVersion: 2, MediaType: MediaIndex}
	for _, arch := range archs {
		list.Manifests = append(list.Manifests, r.ForArch(repository, reference, arch, ""))
	}
	return r.PutManifest(repository, tag, list)
}

func (r *Registry) putBlob(repository string, data []byte) {
	r.t.Helper()
	response := r.send(http.MethodPost, "/v2/"+repository+"/blobs/uploads/", "", nil)
	place, err := url.Parse(response.Header.Get("Location"))
	if err != nil {
		r.t.Fatal(err)
	}
	query := place.Query()
	query.Set("digest", digest.FromBytes(data).String())
	r.do(http.MethodPut, place.Path+"?"+query.Encode(), "application/octet-stream", data)
}

func (r *Registry) do(method, path, media string, data []byte) []byte {
	r.t.Helper()
	response := r.send(method, path, media, data)
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		r.t.Fatalf("%s %s: %s, %v\n%s", method, path, response.Status, err, body)
	}
	return body
}

// send asks the registry itself, past Intercept and what is counted.
func (r *Registry) send(method, path, media string, data []byte) *http.Response {
	request := httptest.NewRequest(method, "http://"+r.Address+path, bytes.NewReader(data))
	request.Header.Set("Content-Type", media)
	request.Header.Set("Accept", media)
	request.SetBasicAuth(User, Password)
	answer := httptest.NewRecorder()
	r.app.ServeHTTP(answer, request)
	return answer.Result()
}
