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

// samples are all values of a subject, in the unit of the report.
func samples(all []reading) (out []float64) {
	for _, r := range all {
		out = append(out, milliseconds(r.values)...)
	}
	return out
}

// perRound are the medians of the rounds.
func perRound(all []reading) (out []float64) {
	for _, r := range all {
		out = append(out, quantile(milliseconds(r.values), 0.5))
	}
	return out
}

// mostMemory is the most memory of any round, in MiB.
func mostMemory(all []reading) float64 {
	var most int64
	for _, r := range all {
		most = max(most, r.memory)
	}
	return math.Round(float64(most)/(1<<20)*10) / 10
}

// milliseconds are times in the unit of the report.
func milliseconds(times []time.Duration) []float64 {
	out := make([]float64, len(times))
	for i, t := range times {
		out[i] = round4(float64(t.Nanoseconds()) / 1e6)
	}
	return out
}

// round4 keeps four decimals, tenths of a microsecond of what is in
// milliseconds.
func round4(v float64) float64 { return math.Round(v*1e4) / 1e4 }
