package main

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuantile(t *testing.T) {
	type testCase struct {
		name   string
		values []float64
		q      float64
		want   float64
	}
	run := func(t *testing.T, tc testCase) {
		if got := quantile(tc.values, tc.q); got != tc.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", tc.values, tc.q, got, tc.want)
		}
	}
	for _, tc := range []testCase{
		{"one value", []float64{7}, 0.5, 7},
		{"odd median, unsorted", []float64{9, 1, 5}, 0.5, 5},
		{"even median", []float64{4, 1, 3, 2}, 0.5, 2.5},
		{"minimum", []float64{4, 1, 3}, 0, 1},
		{"maximum", []float64{4, 1, 3}, 1, 4},
		{"first quartile", []float64{1, 2, 3, 4, 5}, 0.25, 2},
		{"between neighbours", []float64{0, 10}, 0.75, 7.5},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("quantile of nothing is %v, want NaN", got)
	}
	values := []float64{3, 1, 2}
	quantile(values, 0.5)
	if diff := cmp.Diff([]float64{3, 1, 2}, values); diff != "" {
		t.Errorf("quantile changed its argument:\n%s", diff)
	}
}

func TestRatiosArePairwise(t *testing.T) {
	// The second round was slow for both, which must not show.
	got := ratios([]float64{10, 100, 12}, []float64{5, 50, 6})
	if diff := cmp.Diff([]float64{2, 2, 2}, got); diff != "" {
		t.Errorf("ratios differ (-want +got):\n%s", diff)
	}
	if got := ratios([]float64{1, 2, 3}, []float64{0, 4}); !cmp.Equal(got, []float64{0.5}) {
		t.Errorf("ratios with a zero and a missing partner are %v, want [0.5]", got)
	}
}

func TestMilliseconds(t *testing.T) {
	got := milliseconds([]time.Duration{1500 * time.Microsecond, 2 * time.Second})
	if diff := cmp.Diff([]float64{1.5, 2000}, got); diff != "" {
		t.Errorf("milliseconds differ (-want +got):\n%s", diff)
	}
}
