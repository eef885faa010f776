package compile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCycles(t *testing.T) {
	for name, tc := range map[string]struct {
		next [][]int
		want [][]int
	}{
		"none":               {[][]int{{}, {0}, {0, 1}}, nil},
		"two":                {[][]int{{1}, {0}}, [][]int{{0, 1}}},
		"itself":             {[][]int{{0}}, [][]int{{0}}},
		"three, entered":     {[][]int{{1}, {2}, {3}, {1}}, [][]int{{1, 2, 3}}},
		"two groups":         {[][]int{{1}, {0, 2}, {3}, {2}}, [][]int{{0, 1}, {2, 3}}},
		"shortest is chosen": {[][]int{{1, 2}, {2}, {0}}, [][]int{{0, 2}}},
		"nothing":            {nil, nil},
	} {
		if diff := cmp.Diff(tc.want, cycles(tc.next)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// A long chain must not be walked once for each of its nodes.
func TestCyclesOfLongChain(t *testing.T) {
	next := make([][]int, 200_000)
	for i := range next {
		next[i] = []int{(i + 1) % len(next)}
	}
	got := cycles(next)
	if len(got) != 1 || len(got[0]) != len(next) {
		t.Errorf("got %d cycles, want one through all nodes", len(got))
	}
}
