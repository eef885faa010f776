package exec

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGraphFrees(t *testing.T) {
	type testCase struct {
		dependencies [][]int
		done         []int   // in this order
		want         [][]int // free at the start, then after each
	}
	cases := map[string]testCase{
		"empty":         {want: [][]int{nil}},
		"independent":   {dependencies: [][]int{nil, nil}, done: []int{1, 0}, want: [][]int{{0, 1}, nil, nil}},
		"chain":         {dependencies: [][]int{nil, {0}, {1}}, done: []int{0, 1, 2}, want: [][]int{{0}, {1}, {2}, nil}},
		"backwards":     {dependencies: [][]int{{1}, {2}, nil}, done: []int{2, 1, 0}, want: [][]int{{2}, {1}, {0}, nil}},
		"diamond":       {dependencies: [][]int{nil, {0}, {0}, {1, 2}}, done: []int{0, 2, 1, 3}, want: [][]int{{0}, {1, 2}, nil, {3}, nil}},
		"fan out":       {dependencies: [][]int{nil, {0}, {0}, {0}}, done: []int{0}, want: [][]int{{0}, {1, 2, 3}}},
		"fan in":        {dependencies: [][]int{nil, nil, {0, 1}}, done: []int{1, 0, 2}, want: [][]int{{0, 1}, nil, {2}, nil}},
		"named twice":   {dependencies: [][]int{nil, {0, 0}}, done: []int{0, 1}, want: [][]int{{0}, {1}, nil}},
		"two that wait": {dependencies: [][]int{nil, nil, {0}, {1}}, done: []int{1, 0}, want: [][]int{{0, 1}, {3}, {2}}},
	}
	run := func(t *testing.T, tc testCase) {
		g := newGraph(tc.dependencies)
		got := [][]int{g.ready()}
		for _, i := range tc.done {
			got = append(got, g.done(i))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Error(diff)
		}
		if want := len(tc.dependencies) - len(tc.done); g.left != want {
			t.Errorf("%d are left, want %d", g.left, want)
		}
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) { run(t, tc) })
	}
}

func TestGraphCycle(t *testing.T) {
	cases := map[string]struct {
		dependencies [][]int
		want         int // length of the cycle
	}{
		"none":             {[][]int{nil, {0}, {0, 1}}, 0},
		"self":             {[][]int{{0}}, 1},
		"two":              {[][]int{{1}, {0}}, 2},
		"behind others":    {[][]int{nil, {0}, {1, 4}, {2}, {3}, {4}}, 3},
		"between two":      {[][]int{{1}, {2, 0}, {3}, {2}}, 2},
		"tail before ring": {[][]int{{1}, {2}, {3}, {1}}, 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cycle := newGraph(tc.dependencies).cycle()
			if len(cycle) != tc.want {
				t.Fatalf("cycle is %v, want %d long", cycle, tc.want)
			}
			for i, v := range cycle {
				next, found := cycle[(i+1)%len(cycle)], false
				for _, d := range tc.dependencies[v] {
					found = found || d == next
				}
				if !found {
					t.Errorf("cycle is %v, but %d does not wait for %d", cycle, v, next)
				}
			}
		})
	}
}
