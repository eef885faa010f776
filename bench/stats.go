package main

import (
	"math"
	"slices"
	"time"
)

// quantile is the value below which the share q of the values lies, 0 ≤ q ≤ 1,
// interpolated between neighbours. It is NaN without values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}

// ratios divides pairwise, so that what slowed a whole round down cancels out.
func ratios(ours, theirs []float64) []float64 {
	out := make([]float64, 0, min(len(ours), len(theirs)))
	for i := range min(len(ours), len(theirs)) {
		if theirs[i] > 0 {
			out = append(out, ours[i]/theirs[i])
		}
	}
	return out
}

// milliseconds are the samples in the unit of the report, to the microsecond.
func milliseconds(samples []time.Duration) []float64 {
	out := make([]float64, len(samples))
	for i, s := range samples {
		out[i] = float64(s.Microseconds()) / 1000
	}
	return out
}

// round3 keeps three decimals.
func round3(v float64) float64 { return math.Round(v*1000) / 1000 }
