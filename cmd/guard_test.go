package cmd

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestTend: the guard goes on until nothing comes any more, and gives up when it
// gets nowhere.
func TestTend(t *testing.T) {
	for _, tc := range []struct {
		name    string
		round   func(at time.Duration) (removed, clean bool)
		want    bool
		atLeast time.Duration
		atMost  time.Duration
	}{
		{"nothing", func(time.Duration) (bool, bool) { return false, true }, true, stillTime, stillTime + time.Second},
		{"something comes late", func(at time.Duration) (bool, bool) { return at > 2*time.Second && at < 2500*time.Millisecond, true },
			true, 2*time.Second + stillTime, 4*time.Second + stillTime},
		{"the engine comes back", func(at time.Duration) (bool, bool) {
			return at > 30*time.Second && at < 31*time.Second, at > 30*time.Second
		},
			true, 30*time.Second + stillTime, 33*time.Second + stillTime},
		{"the engine is gone", func(time.Duration) (bool, bool) { return false, false }, false, hopeTime, hopeTime + time.Second},
		{"there is no end of it", func(time.Duration) (bool, bool) { return true, true }, false, guardTime, guardTime + time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), guardTime)
				defer cancel()
				got := tend(ctx, stillTime, func(context.Context) (bool, bool) { return tc.round(time.Since(began)) })
				if took := time.Since(began); got != tc.want || took < tc.atLeast || took > tc.atMost {
					t.Errorf("%v after %v, want %v after %v to %v", got, took, tc.want, tc.atLeast, tc.atMost)
				}
			})
		})
	}
}
