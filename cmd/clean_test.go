//go:build unix

package cmd_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/owner"
	"github.com/drone-laptop/drone/internal/rundir"
)

// hoard plays an engine that holds a container and a network of each run, and
// a volume of the first.
type hoard struct {
	runs  map[string]owner.Identity
	made  time.Time
	stays string // end of the name of a network that counts what is gone

	mu      sync.Mutex
	removed []string
}

func (h *hoard) labels(run string) map[string]string {
	id := h.runs[run]
	return map[string]string{
		"io.drone": "true", "io.drone.run": run, "io.drone.pipeline": "p", "io.drone.step": "s",
		"io.drone.owner.pid": strconv.Itoa(id.PID), "io.drone.owner.start": id.Start, "io.drone.owner.pidns": id.PIDNS,
		"io.drone.owner.boot": id.Boot, "io.drone.owner.machine": id.Machine, "io.drone.owner.host": id.Host,
	}
}

func (h *hoard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.41")
	path := r.URL.Path[strings.Index(r.URL.Path[1:], "/")+1:] // without the version
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	list := []any{}
	switch {
	case r.Method == http.MethodDelete && h.stays != "" && strings.HasSuffix(path, h.stays):
		w.WriteHeader(http.StatusForbidden)
		answer(map[string]string{"message": "error while removing network: network x has active endpoints"})
	case r.Method == http.MethodDelete:
		h.mu.Lock()
		defer h.mu.Unlock()
		h.removed = append(h.removed, strings.TrimPrefix(path, "/"))
		w.WriteHeader(http.StatusNoContent)
	case path == "/version":
		answer(map[string]any{"Version": "1", "ApiVersion": "1.41", "Os": "linux"})
	case path == "/containers/json":
		for run := range h.runs {
			list = append(list, map[string]any{
				"Id": run, "Names": []string{"/drone-" + run + "-c"}, "Labels": h.labels(run), "SizeRw": 2000000, "Created": h.made.Unix(),
			})
		}
		// Of an image that was made from a step, and of the server's runner.
		list = append(list, map[string]any{"Id": "x", "Names": []string{"/mine"}, "Labels": h.labels("dead")})
		list = append(list, map[string]any{"Id": "y", "Names": []string{"/drone-y-y"}, "Labels": map[string]string{"io.drone": "true"}})
		answer(list)
	case path == "/networks":
		for run := range h.runs {
			list = append(list, map[string]any{"Name": "drone-" + run + "-n", "Labels": h.labels(run), "Created": h.made})
		}
		answer(list)
	case strings.HasPrefix(path, "/networks/"):
		answer(map[string]any{"Name": h.stays, "Containers": map[string]any{}})
	case path == "/volumes":
		answer(map[string]any{"Volumes": []any{map[string]any{
			"Name": "drone-dead-v", "Labels": h.labels("dead"), "CreatedAt": h.made.Format(time.RFC3339),
		}}})
	case path == "/system/df":
		answer(map[string]any{"Volumes": []any{map[string]any{"Name": "drone-dead-v", "UsageData": map[string]any{"Size": 1000000, "RefCount": 0}}}})
	}
}

// TestClean has an engine that holds what a dead run has left, what a live one
// uses, and what is of a container or of another machine.
func TestClean(t *testing.T) {
	type testCase struct {
		name    string
		args    []string
		stays   string // what the engine does not remove
		status  int
		removed string // from the engine
		out     string // words on standard output
		err     string // on standard error
	}
	dead := "containers/drone-dead-c networks/drone-dead-n volumes/drone-dead-v"
	all := "containers/drone-dead-c containers/drone-inside-c containers/drone-live-c " +
		"networks/drone-dead-n networks/drone-inside-n networks/drone-live-n volumes/drone-dead-v"
	alone := "drone: left alone what belongs to live runs (1) and runs of other machines or containers (1); --all removes that, too\n"
	run := func(t *testing.T, tc testCase) {
		t.Parallel()
		gone, inside := owner.Self(), owner.Self()
		gone.Start, inside.PIDNS = "1", "somewhere else"
		h := &hoard{runs: map[string]owner.Identity{"dead": gone, "live": owner.Self(), "inside": inside}, made: time.Now().Add(-26 * time.Hour), stays: tc.stays}
		engine := httptest.NewServer(h)
		defer engine.Close()
		c := exec.Command(filepath.Join(binary, "drone"), append([]string{"clean"}, tc.args...)...)
		dir := t.TempDir()
		c.Env = []string{"HOME=" + dir, "TMPDIR=" + dir, "DOCKER_HOST=tcp://" + engine.Listener.Addr().String()}
		var out, err strings.Builder
		c.Stdout, c.Stderr = &out, &err
		_ = c.Run() // its status is looked at
		slices.Sort(h.removed)
		if got := strings.Join(h.removed, " "); got != tc.removed || c.ProcessState.ExitCode() != tc.status {
			t.Errorf("status %d, removed %s\nwant   %d, %s", c.ProcessState.ExitCode(), got, tc.status, tc.removed)
		}
		if !strings.Contains(out.String(), tc.out) || tc.out == "" && out.Len() > 0 || err.String() != tc.err {
			t.Errorf("output\n%s\nwant\n%s\nerrors\n%s\nwant\n%s", out.String(), tc.out, err.String(), tc.err)
		}
	}
	for _, tc := range []testCase{
		{
			name: "what is dead", removed: dead, err: "drone: removed 1 container, 1 network, 1 volume: 3.0 MB\n" + alone,
			out: "KIND       NAME          SIZE    AGE  OWNER  RUN\n" +
				"container  drone-dead-c  2.0 MB  26h  dead   dead\n" +
				"network    drone-dead-n  -       26h  dead   dead\n" +
				"volume     drone-dead-v  1.0 MB  26h  dead   dead\n",
		},
		{
			name: "what the engine does not remove", stays: "dead-n", status: 1,
			removed: "containers/drone-dead-c volumes/drone-dead-v", out: "network    drone-dead-n  -       26h  dead   dead\n",
			err: "drone: removed 1 container, 1 volume: 3.0 MB\n" + alone +
				"drone: error: cannot remove network drone-dead-n: nothing is connected to it, but the engine has lost count and says that something is\n" +
				"drone: error: not everything could be removed\n" +
				"drone: hint: restart the engine, as with `sudo systemctl restart docker`, and `drone clean` can remove the network\n",
		},
		{name: "only listed", args: []string{"--dry-run"}, out: "volume     drone-dead-v  1.0 MB  26h  dead   dead\n",
			err: "drone: would remove 1 container, 1 network, 1 volume: 3.0 MB\n" + alone},
		{name: "everything", args: []string{"--all"}, removed: all, out: "26h  unknown  inside\n",
			err: "drone: removed 3 containers, 3 networks, 1 volume: 7.0 MB, which has ended 1 run\n"},
		{name: "everything, only listed", args: []string{"--all", "--dry-run"}, out: "26h  alive    live\n",
			err: "drone: would remove 3 containers, 3 networks, 1 volume: 7.0 MB, which ends 1 run\n"},
		{name: "old enough", args: []string{"--older-than", "1d"}, removed: dead, out: "dead",
			err: "drone: removed 1 container, 1 network, 1 volume: 3.0 MB\n" + alone},
		{name: "too young", args: []string{"--older-than", "27h"}, err: "drone: nothing to remove\n"},
		{name: "no age", args: []string{"--older-than", "old"}, status: 2,
			err: "drone: error: --older-than \"old\" is not a duration\ndrone: hint: write it as 90s, 10m or 1h30m\n"},
		{name: "as JSON", args: []string{"--output", "json", "--dry-run"}, out: `"size": 2000000,
    "owner": "dead",
    "removed": false,
    "error": ""`, err: "drone: would remove 1 container, 1 network, 1 volume: 3.0 MB\n" + alone},
		{name: "nothing, as JSON", args: []string{"--output", "json", "--older-than", "7d"}, out: "[]\n", err: "drone: nothing to remove\n"},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestCleanWithoutAnEngine removes directories all the same.
func TestCleanWithoutAnEngine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left, err := rundir.Make(dir, "run")
	if err != nil {
		t.Fatal(err)
	}
	// The test has made it, so it is that of a live run.
	text, err := os.ReadFile(filepath.Join(left, ".drone-owner.json"))
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), fmt.Sprintf(`"start":%q`, owner.Self().Start), `"start":"1"`, 1))
	clean := func() (string, int) {
		c := exec.Command(filepath.Join(binary, "drone"), "clean", "-H", "tcp://127.0.0.1:1")
		c.Env = []string{"HOME=" + dir, "TMPDIR=" + dir}
		out, _ := c.CombinedOutput() // its status is looked at
		return string(out), c.ProcessState.ExitCode()
	}
	if out, status := clean(); status != 3 || !strings.Contains(out, "cannot reach Docker") || strings.Contains(out, "nothing to remove") {
		t.Errorf("status %d\n%s", status, out)
	}
	if _, err := os.Stat(left); err != nil {
		t.Fatal("the directory of a live run is gone")
	}
	if err := os.WriteFile(filepath.Join(left, ".drone-owner.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, status := clean(); status != 3 || !strings.Contains(out, "drone: removed 1 directory: ") {
		t.Errorf("status %d\n%s", status, out)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the directory of a dead run: %v", err)
	}
}
