package cmd

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
)

// TestOutPlaces gives each pipeline a directory that is no other one's, and
// none above.
func TestOutPlaces(t *testing.T) {
	type testCase struct{ names, want []string }
	for _, tc := range []testCase{
		{[]string{"one"}, []string{"."}},
		{[]string{"../../up"}, []string{"."}},
		{[]string{"one", "two"}, []string{"one", "two"}},
		{[]string{"a/b", "a-b", "A-B"}, []string{"a-b", "a-b-2", "A-B-3"}},
		{[]string{"..", ".", "", ".git"}, []string{"pipeline", "pipeline-2", "pipeline-3", "git"}},
		{[]string{"../../up", `c:\x`, "a\nb"}, []string{"-..-up", "c--x", "a-b"}},
		{[]string{"x", strings.Repeat("é", 150)}, []string{"x", strings.Repeat("é", 100)}},
	} {
		plan := &exec.Plan{}
		for _, name := range tc.names {
			plan.Pipelines = append(plan.Pipelines, &exec.Pipeline{Name: name, Runs: true}, &exec.Pipeline{Name: name})
		}
		places := outPlaces(plan)
		var got []string
		for _, p := range plan.Pipelines {
			if p.Runs {
				got = append(got, places[p])
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tc.names, diff)
		}
	}
}

func TestIsolateFlags(t *testing.T) {
	for _, tc := range []struct {
		flags    isolateFlags
		given    string
		clone    bool
		isolated bool
		jobs     string // "1", "many"
	}{
		{flags: isolateFlags{}, jobs: "1"},
		{flags: isolateFlags{isolate: true}, given: "isolate", isolated: true, jobs: "many"},
		{flags: isolateFlags{clean: true}, given: "clean", isolated: true, jobs: "many"},
		{flags: isolateFlags{out: "x"}, given: "out", isolated: true, jobs: "many"},
		{flags: isolateFlags{isolate: true, jobs: 1}, given: "isolate jobs", isolated: true, jobs: "1"},
		{flags: isolateFlags{jobs: 1}, given: "jobs", jobs: "1"},
		{flags: isolateFlags{jobs: 3}, given: "jobs", clone: true, jobs: "3"},
		{flags: isolateFlags{}, clone: true, jobs: "1"},
	} {
		f := tc.flags
		changed := func(name string) bool { return strings.Contains(tc.given, name) }
		if err := f.resolve(changed, tc.clone); err != nil {
			t.Errorf("%+v: %v", tc, err)
		}
		jobs := fmt.Sprint(f.jobs)
		if tc.jobs == "many" && f.jobs >= 1 {
			jobs = "many"
		}
		if f.isolate != tc.isolated || jobs != tc.jobs {
			t.Errorf("%+v: isolated %v, %d jobs", tc, f.isolate, f.jobs)
		}
	}
}

// TestWhileWanted: results are still brought after the end of a run, until
// there is no time left.
func TestWhileWanted(t *testing.T) {
	run, end := context.WithCancel(t.Context())
	c := &copies{ended: run}
	hurry := make(chan struct{})
	ctx, cancel := c.whileWanted(hurry)
	defer cancel(nil)
	end()
	if ctx.Err() != nil {
		t.Fatal("it ends with the run")
	}
	close(hurry)
	select {
	case <-ctx.Done():
	case <-time.After(outGrace / 2):
		t.Error("it goes on when there is no time left")
	}
	if cause := context.Cause(ctx); cause == nil || !strings.Contains(cause.Error(), "no time left") {
		t.Errorf("the cause is %v", cause)
	}
}
