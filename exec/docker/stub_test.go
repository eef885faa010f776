package docker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/drone-laptop/drone/internal/dockerhost"
)

// stub is an engine that knows images and registries only, for what no
// registry within reach could show.
type stub struct {
	api  string // version, "1.41" when ""
	arch string

	mu     sync.Mutex
	local  map[string]bool // images that are here, as asked for
	pull   func(w http.ResponseWriter, r *http.Request, image string)
	pulled []string
	auth   []string
	asked  []string // for which platforms
	looked int      // inspections of images
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	api := s.api
	if api == "" {
		api = "1.41"
	}
	w.Header().Set("Api-Version", api)
	path := r.URL.Path
	switch {
	case path == "/_ping":
	case strings.HasSuffix(path, "/version"):
		reply(w, http.StatusOK, map[string]string{"Version": "0.0.1", "ApiVersion": api, "Os": "linux", "Arch": s.arch})
	case strings.HasSuffix(path, "/images/create"):
		s.create(w, r)
	case strings.Contains(path, "/images/") && strings.HasSuffix(path, "/json"):
		s.inspect(w, path)
	default:
		reply(w, http.StatusNotImplemented, map[string]string{"message": "not in the stub: " + path})
	}
}

func (s *stub) inspect(w http.ResponseWriter, path string) {
	_, image, _ := strings.Cut(strings.TrimSuffix(path, "/json"), "/images/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked++
	if !s.local[image] {
		reply(w, http.StatusNotFound, map[string]string{"message": "No such image: " + image})
		return
	}
	reply(w, http.StatusOK, map[string]string{"Id": "sha256:1"})
}

func (s *stub) create(w http.ResponseWriter, r *http.Request) {
	image := strings.TrimPrefix(r.URL.Query().Get("fromImage"), "docker.io/library/") + ":" + r.URL.Query().Get("tag")
	s.mu.Lock()
	s.pulled = append(s.pulled, image)
	s.auth = append(s.auth, r.Header.Get("X-Registry-Auth"))
	s.asked = append(s.asked, r.URL.Query().Get("platform"))
	s.mu.Unlock()
	s.pull(w, r, image)
}

func (s *stub) counts() (pulled, looked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pulled), s.looked
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// answer is a registry that cannot be reached.
func answer(status int, message string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		reply(w, status, map[string]string{"message": message})
	}
}

// stream is a pull that begins and sends lines.
func stream(lines ...string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		for _, line := range lines {
			fmt.Fprintln(w, line)
		}
	}
}

func (s *stub) engine(t *testing.T, credentials *dockerhost.Credentials) *Engine {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return connectTo(t, Options{
		Endpoint: dockerhost.Endpoint{Host: strings.Replace(server.URL, "http", "tcp", 1), Source: "the test"}, Credentials: credentials,
	})
}
