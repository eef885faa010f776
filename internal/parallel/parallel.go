// Package parallel spreads work that needs nothing but a processor over those of
// the machine. It is not for work that waits, such as for files or the network,
// nor for work that can fail or be called off: for that there is errgroup.
//
// Functions may be called at the same time, also from within what they run; each
// returns when all that it has started is over.
package parallel

import (
	"runtime"
	"sync"
)

// Each calls f with 0 to n-1, as many at the same time as there are processors,
// and returns when all calls have. A panic of a call is one of Each.
func Each(n int, f func(int)) {
	if n < 2 || runtime.GOMAXPROCS(0) < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	var all sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	panics := make([]any, n)
	for i := range n {
		free <- struct{}{}
		all.Go(func() {
			defer func() { panics[i] = recover(); <-free }()
			f(i)
		})
	}
	all.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p)
		}
	}
}

// Share is the numbers from From to To-1.
type Share struct{ From, To int }

// Shares cuts the numbers from 0 to n-1 into one share for each processor, but
// into none smaller than least while there is more than one.
func Shares(n, least int) []Share {
	count := max(1, min(runtime.GOMAXPROCS(0), n/least))
	out := make([]Share, count)
	for i := range out {
		out[i] = Share{From: n * i / count, To: n * (i + 1) / count}
	}
	return out
}
