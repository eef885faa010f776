package cmd

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/owner"
)

// TestSweepOfWhatStays has an engine that does not remove the network of a dead
// run. The end of a run does not wait until it does, and tells of it once.
func TestSweepOfWhatStays(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CACHE_HOME", dir)
	for _, tc := range []struct {
		name, by string
		want     string // of the warnings
	}{
		{"nobody", "", "not all that an earlier run left could be removed, see `drone clean`: cannot remove network drone-dead-n: network drone-dead-n has active endpoints\n"},
		{"somebody else", "other", "not all that an earlier run left could be removed, see `drone clean`: cannot remove network drone-dead-n: containers are connected to it: other\n"},
		{"what another sweep removes", "drone-dead-n-abcdef", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked := make(chan struct{})
			h := &holding{by: tc.by, asked: sync.OnceFunc(func() { close(asked) })}
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			endpoint := dockerhost.Endpoint{Host: strings.Replace(server.URL, "http", "tcp", 1), Source: "the test"}
			engine, err := docker.New(t.Context(), docker.Options{Endpoint: endpoint})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = engine.Close() })
			var said strings.Builder // of one goroutine, which has ended with the sweep
			s := startSweep(t.Context(), engine, func(text string) { t.Error(text) }, func(text string) { said.WriteString(text + "\n") })
			<-asked
			began := time.Now()
			s.end()
			if took := time.Since(began); took >= sweepTime {
				t.Errorf("the end took %v", took)
			}
			<-s.over
			if said.String() != tc.want {
				t.Errorf("said %q\nwant %q", said.String(), tc.want)
			}
		})
	}
}

// holding is an engine with a network of a dead run, which it does not remove.
type holding struct {
	by    string // the container that is connected to it
	asked func() // to remove it
}

func (h *holding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.41")
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch _, path, _ := strings.Cut(r.URL.Path[1:], "/"); {
	case r.Method == http.MethodDelete:
		h.asked()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		answer(map[string]string{"message": "network drone-dead-n has active endpoints"})
	case path == "version":
		answer(map[string]any{"Version": "1", "ApiVersion": "1.41", "Os": "linux"})
	case path == "networks":
		id := owner.Self()
		answer([]any{map[string]any{"Name": "drone-dead-n", "Labels": map[string]string{
			docker.LabelRun: "dead", docker.LabelPipeline: "p", docker.LabelOwnerPID: strconv.Itoa(id.PID), docker.LabelOwnerStart: "1",
			docker.LabelOwnerPIDNS: id.PIDNS, docker.LabelOwnerBoot: id.Boot, docker.LabelOwnerMachine: id.Machine, docker.LabelOwnerHost: id.Host,
		}}})
	case strings.HasPrefix(path, "networks/"):
		containers := map[string]any{}
		if h.by != "" {
			containers["1"] = map[string]string{"Name": h.by}
		}
		answer(map[string]any{"Name": "drone-dead-n", "Containers": containers})
	case path == "volumes":
		answer(map[string]any{})
	default:
		answer([]any{})
	}
}
