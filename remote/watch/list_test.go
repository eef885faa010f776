package watch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/watch"
)

// TestList: the list is fetched now and then, at once after an event, and stays
// what it was while the server is away.
func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex // for the variables below
		var away error
		builds := 1
		set := func(n int, err error) { mu.Lock(); defer mu.Unlock(); builds, away = n, err }
		type shown struct {
			builds int
			err    error
			at     time.Duration
		}
		var list []shown
		began := time.Now()
		l := watch.NewList(watch.ListOptions{
			Server: f, Repo: remote.Slug{Owner: "octo", Name: "cat"},
			Fetch: func(context.Context) ([]remote.Build, error) {
				mu.Lock()
				defer mu.Unlock()
				return make([]remote.Build, builds), away
			},
			Show: func(b []remote.Build, err error) {
				mu.Lock()
				defer mu.Unlock()
				list = append(list, shown{len(b), err, time.Since(began)})
			},
		})
		over := make(chan error)
		go func() { over <- l.Run(ctx) }()
		last := func(want int, err error) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if got := list[len(list)-1]; got.builds != want || !errors.Is(got.err, err) {
				t.Errorf("%d builds, error %v, want %d, %v", got.builds, got.err, want, err)
			}
		}
		last(1, nil)
		time.Sleep(2 * time.Second)
		set(2, nil)
		for range 50 { // many at once are one reason to look
			f.events <- remote.Repo{}
		}
		last(2, nil)
		mu.Lock()
		if n := len(list); n > 3 {
			t.Errorf("%d looks for a crowd of events", n)
		}
		mu.Unlock()
		set(2, errGone)
		time.Sleep(10 * time.Second)
		last(2, errGone)
		set(3, nil)
		time.Sleep(time.Minute)
		last(3, nil)
		set(4, nil)
		time.Sleep(7 * time.Second) // no event tells of a new build (§3.2)
		last(4, nil)
		set(5, nil)
		l.LookAgain()
		time.Sleep(time.Second)
		last(5, nil)
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

func TestListRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watch.NewList(watch.ListOptions{
			Server: newFake(), Fetch: func(context.Context) ([]remote.Build, error) { return nil, errNone },
			Show: func([]remote.Build, error) { t.Error("there is nothing to show") },
		})
		if err := l.Run(t.Context()); !errors.Is(err, remote.ErrNotFound) {
			t.Errorf("error %v", err)
		}
	})
}
