package cmd

import (
	"bytes"
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	run := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		build := Build{Version: "v1.2.3", Commit: "0f1e2d", Date: "2026-11-21T10:00:00Z"}
		if status := Main(args, Streams{Out: &out, Err: &errs}, build); status != StatusOK || errs.Len() > 0 {
			t.Fatalf("%v: status %d, %s", args, status, errs.String())
		}
		return out.String()
	}
	if got, want := run("version"), "drone v1.2.3\ncommit   0f1e2d\ndate     2026-11-21T10:00:00Z\ngo       "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want it to begin with %q", got, want)
	}
	got := map[string]string{}
	if err := json.Unmarshal([]byte(run("version", "--output", "json")), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"version": "v1.2.3", "commit": "0f1e2d", "date": "2026-11-21T10:00:00Z",
		"go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

// TestBuildWithoutLinker is what `go install` and `go build` give.
func TestBuildWithoutLinker(t *testing.T) {
	recorded := &debug.BuildInfo{
		Main:     debug.Module{Version: "v1.0.0"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "GOOS", Value: "plan9"}},
	}
	if got, want := (Build{}).with(recorded), (Build{"v1.0.0", "abc", "2026-01-02T03:04:05Z"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if linked := (Build{"v2.0.0", "def", "2027-01-02T03:04:05Z"}); linked.with(recorded) != linked {
		t.Errorf("the linker's words became %+v", linked.with(recorded))
	}
	if got, want := (Build{}).with(&debug.BuildInfo{}), (Build{Version: "(devel)"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
