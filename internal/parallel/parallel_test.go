package parallel

import (
	"runtime"
	"sync/atomic"
	"testing"
)

func TestEach(t *testing.T) {
	var calls [50]atomic.Int32
	Each(len(calls), func(i int) { calls[i].Add(1) })
	for i := range calls {
		if n := calls[i].Load(); n != 1 {
			t.Errorf("%d calls with %d", n, i)
		}
	}
}

// TestEachAtOnce has two calls wait for each other.
func TestEachAtOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	meet := make(chan int)
	Each(2, func(i int) {
		if i == 0 {
			meet <- i
			return
		}
		<-meet
	})
}

func TestPanicReachesTheCaller(t *testing.T) {
	var calls atomic.Int32
	defer func() {
		if got := recover(); got != "two" || calls.Load() != 5 {
			t.Errorf("panic %v after %d calls", got, calls.Load())
		}
	}()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	Each(5, func(i int) {
		calls.Add(1)
		if i == 2 {
			panic("two")
		}
	})
}

func TestShares(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, tc := range []struct{ n, least, want int }{
		{0, 10, 1}, {9, 10, 1}, {19, 10, 1}, {20, 10, 2}, {35, 10, 3}, {1001, 10, 4},
	} {
		shares := Shares(tc.n, tc.least)
		if len(shares) != tc.want {
			t.Errorf("%d numbers make %d shares, want %d", tc.n, len(shares), tc.want)
		}
		next := 0
		for _, s := range shares {
			if s.From != next || len(shares) > 1 && s.To-s.From < tc.least {
				t.Errorf("%d numbers make %v", tc.n, shares)
			}
			next = s.To
		}
		if next != tc.n {
			t.Errorf("the shares of %d numbers end at %d", tc.n, next)
		}
	}
}
