package isolate

import (
	"context"
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

// TestWhileWanted: results are still brought after the end of a run, until
// there is no time left.
func TestWhileWanted(t *testing.T) {
	run, end := context.WithCancel(t.Context())
	c := &Copies{ended: run}
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
	case <-time.After(grace / 2):
		t.Error("it goes on when there is no time left")
	}
	if cause := context.Cause(ctx); cause == nil || !strings.Contains(cause.Error(), "no time left") {
		t.Errorf("the cause is %v", cause)
	}
}
