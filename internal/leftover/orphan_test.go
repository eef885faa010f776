package leftover

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/rundir"
)

// TestTend: it goes on until nothing comes any more, and gives up when it
// gets nowhere.
func TestTend(t *testing.T) {
	for _, tc := range []struct {
		name    string
		round   func(at time.Duration) (removed, clean bool)
		want    bool
		atLeast time.Duration
		atMost  time.Duration
	}{
		{"nothing", func(time.Duration) (bool, bool) { return false, true }, true, LateTime, LateTime + time.Second},
		{"something comes late", func(at time.Duration) (bool, bool) { return at > 2*time.Second && at < 2500*time.Millisecond, true },
			true, 2*time.Second + LateTime, 4*time.Second + LateTime},
		{"the engine comes back", func(at time.Duration) (bool, bool) {
			return at > 30*time.Second && at < 31*time.Second, at > 30*time.Second
		},
			true, 30*time.Second + LateTime, 33*time.Second + LateTime},
		{"the engine is gone", func(time.Duration) (bool, bool) { return false, false }, false, hopeTime, hopeTime + time.Second},
		{"there is no end of it", func(time.Duration) (bool, bool) { return true, true }, false, tendTime, tendTime + time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), tendTime)
				defer cancel()
				got := tend(ctx, LateTime, nil, func(context.Context) (bool, bool) { return tc.round(time.Since(began)) })
				if took := time.Since(began); got != tc.want || took < tc.atLeast || took > tc.atMost {
					t.Errorf("%v after %v, want %v after %v to %v", got, took, tc.want, tc.atLeast, tc.atMost)
				}
			})
		})
	}
}

// holder is an engine with what a run has left: networks that it does not remove while
// a container is connected, and containers that may not go before somebody
// lets them.
type holder struct {
	sync.Mutex
	containers map[string]string        // by name, the pipeline of each
	networks   map[string]string        // the same
	late       map[string]string        // containers that come when a network was not removed
	slow       map[string]chan struct{} // removals of containers that wait
	lost       bool                     // networks never go
}

const heldRun = "r1"

func labels(pipeline string) map[string]string {
	return map[string]string{docker.LabelRun: heldRun, docker.LabelPipeline: pipeline, docker.LabelOwnerPID: "1"}
}

func (h *holder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Api-Version", "1.41")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	h.Lock()
	defer h.Unlock()
	name := path.Base(r.URL.Path)
	switch {
	case r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/containers/"):
		if wait := h.slow[name]; wait != nil {
			h.Unlock()
			select {
			case <-wait:
			case <-r.Context().Done():
			}
			h.Lock()
		}
		delete(h.containers, name)
		reply(http.StatusNoContent, nil)
	case r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/networks/"):
		maps.Copy(h.containers, h.late)
		h.late = nil
		for _, pipeline := range h.containers {
			if pipeline == h.networks[name] || h.lost {
				reply(http.StatusForbidden, map[string]string{"message": "error while removing network: network " + name + " has active endpoints"})
				return
			}
		}
		if h.lost {
			reply(http.StatusForbidden, map[string]string{"message": "network " + name + " has active endpoints"})
			return
		}
		delete(h.networks, name)
		reply(http.StatusNoContent, nil)
	case strings.HasSuffix(r.URL.Path, "/containers/json"):
		list := []map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(h.containers)) {
			list = append(list, map[string]any{"Id": name, "Names": []string{"/" + name}, "Labels": labels(h.containers[name])})
		}
		reply(http.StatusOK, list)
	case strings.HasSuffix(r.URL.Path, "/networks"):
		list := []map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(h.networks)) {
			list = append(list, map[string]any{"Name": name, "Labels": labels(h.networks[name])})
		}
		reply(http.StatusOK, list)
	case strings.Contains(r.URL.Path, "/networks/"):
		reply(http.StatusOK, map[string]any{"Name": name, "Containers": map[string]any{}})
	case strings.HasSuffix(r.URL.Path, "/volumes"):
		reply(http.StatusOK, map[string]any{"Volumes": []any{}})
	case strings.HasSuffix(r.URL.Path, "/_ping"), strings.HasSuffix(r.URL.Path, "/version"):
		reply(http.StatusOK, map[string]string{"Version": "0.0.1", "ApiVersion": "1.41", "Os": "linux", "Arch": "amd64"})
	default:
		reply(http.StatusNotImplemented, map[string]string{"message": "not in the stub: " + r.URL.Path})
	}
}

// left names what the engine still has.
func (h *holder) left() []string {
	h.Lock()
	defer h.Unlock()
	return append(slices.Sorted(maps.Keys(h.containers)), slices.Sorted(maps.Keys(h.networks))...)
}

// tending begins to remove what the engine has of the run, and says on ended whether
// all of it is gone.
func (h *holder) tending(t *testing.T, dirs ...string) (ended chan bool) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	o := &Orphan{Run: heldRun, Dirs: dirs, Connect: func(ctx context.Context) (*docker.Engine, error) {
		return docker.New(ctx, docker.Options{Endpoint: dockerhost.Endpoint{Host: strings.Replace(server.URL, "http", "tcp", 1), Source: "the test"}})
	}}
	ended = make(chan bool, 1)
	go func() {
		defer o.Close()
		ended <- o.Tend(t.Context(), 0)
	}()
	return ended
}

// soon fails unless it becomes true long before a removal gives up.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not soon: %s", what)
		}
	}
}

// TestLateContainer: a container that comes while the network that it is connected to
// is being removed goes as well, and then the network.
func TestLateContainer(t *testing.T) {
	h := &holder{
		containers: map[string]string{"drone-r1-a": "one"}, networks: map[string]string{"drone-r1-n": "one"},
		late: map[string]string{"drone-r1-late": "one"},
	}
	ended := h.tending(t)
	soon(t, "nothing is left", func() bool { return len(h.left()) == 0 && len(ended) == 1 })
	if !<-ended {
		t.Error("it has given up")
	}
}

// TestSlowRemoval: what the engine takes its time for holds nothing else up, of any
// pipeline.
func TestSlowRemoval(t *testing.T) {
	let := make(chan struct{})
	h := &holder{
		containers: map[string]string{"drone-r1-a": "one", "drone-r1-b": "one", "drone-r1-c": "two"},
		networks:   map[string]string{"drone-r1-n1": "one", "drone-r1-n2": "two"},
		slow:       map[string]chan struct{}{"drone-r1-a": let},
	}
	ended := h.tending(t)
	only := func(names ...string) func() bool { return func() bool { return slices.Equal(h.left(), names) } }
	soon(t, "only what is slow is left", only("drone-r1-a", "drone-r1-n1"))
	h.Lock()
	h.containers["drone-r1-d"] = "two"
	h.Unlock()
	soon(t, "what has come late is gone", only("drone-r1-a", "drone-r1-n1"))
	close(let)
	soon(t, "nothing is left", only())
	if !<-ended {
		t.Error("it has given up")
	}
}

// TestLostNetwork: what only a restart of the engine makes removable is not waited
// for, and keeps nothing else.
func TestLostNetwork(t *testing.T) {
	parent := t.TempDir()
	dir, err := rundir.Make(parent, heldRun)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h := &holder{containers: map[string]string{}, networks: map[string]string{"drone-r1-n": "one"}, lost: true}
	ended := h.tending(t, parent)
	soon(t, "the directory is gone, and that is all", func() bool {
		_, err := os.Stat(dir)
		return os.IsNotExist(err) && len(ended) == 1
	})
	if !<-ended {
		t.Error("it has given up")
	}
}
