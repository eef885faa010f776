package cmd

import (
	"fmt"
	"strings"
	"testing"
)

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
