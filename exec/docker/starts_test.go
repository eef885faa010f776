package docker

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// arrived is what became of one that waits for its turn.
type arrived struct {
	done func()
	err  error
}

// queueUp has a turn waited for, and comes back when that is settled.
func queueUp(ctx context.Context, t *turn) <-chan arrived {
	result := make(chan arrived, 1)
	go func() {
		done, err := t.await(ctx)
		result <- arrived{done, err}
	}()
	synctest.Wait()
	return result
}

// came gives what became of a turn, nil when it is still waited for.
func came(result <-chan arrived) *arrived {
	synctest.Wait()
	select {
	case a := <-result:
		return &a
	default:
		return nil
	}
}

// TestStartsInOrder shows that no more containers are started at once than is
// good, and that those that nobody waits for leave room for those that somebody
// does wait for.
func TestStartsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &startQueue{limit: 2, spare: 1}
		ctx := t.Context()
		first := came(queueUp(ctx, s.turn(true)))
		if first == nil {
			t.Fatal("the first has no turn")
		}
		early := s.turn(true)
		waiting := queueUp(ctx, early)
		if came(waiting) != nil {
			t.Error("a second one that nobody waits for has a turn")
		}
		second := came(queueUp(ctx, s.turn(false)))
		if second == nil {
			t.Fatal("one that is waited for has no turn beside one that is not")
		}
		third := queueUp(ctx, s.turn(false))
		if came(third) != nil {
			t.Error("there are three at once")
		}
		first.done()
		first.done() // once more is no matter
		if a := came(third); a == nil {
			t.Error("who is waited for does not come next")
		} else {
			a.done()
		}
		if came(waiting) != nil {
			t.Error("one that nobody waits for has a turn beside another")
		}
		early.hurry()
		if a := came(waiting); a == nil {
			t.Error("it has no turn though it is waited for now")
		} else {
			a.done()
		}
		second.done()
		if s.underWay != 0 || len(s.queue) != 0 {
			t.Errorf("%d are under way and %d wait in the end", s.underWay, len(s.queue))
		}
	})
}

// TestStartIsLeft shows that who does not wait any longer keeps nobody, and
// neither does a start that takes too long.
func TestStartIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &startQueue{limit: 1, spare: 1}
		long := came(queueUp(t.Context(), s.turn(false)))
		ctx, cancel := context.WithCancelCause(t.Context())
		left, next := queueUp(ctx, s.turn(false)), queueUp(t.Context(), s.turn(false))
		enough := errors.New("enough")
		cancel(enough)
		if a := came(left); a == nil || !errors.Is(a.err, enough) {
			t.Errorf("who leaves gets %v, want the cause", a)
		}
		time.Sleep(startTime - time.Millisecond)
		if came(next) != nil {
			t.Error("there are two at once")
		}
		time.Sleep(2 * time.Millisecond)
		a := came(next)
		if a == nil {
			t.Fatal("one that takes too long keeps the next")
		}
		long.done()
		a.done()
		if s.underWay != 0 || len(s.queue) != 0 {
			t.Errorf("%d are under way and %d wait in the end", s.underWay, len(s.queue))
		}
	})
}

// TestStartThatHangs has an engine that does not answer a start: what waits behind
// it ends with the run, and is never started.
func TestStartThatHangs(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	hangs, refuse := make(chan struct{}), make(chan struct{})
	e := behindProxy(t, func(proxy *httputil.ReverseProxy) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/start") {
				if asked.Add(1) == 1 {
					close(hangs)
				}
				<-refuse
				reply(w, http.StatusInternalServerError, map[string]string{"message": "it was too much"})
				return
			}
			proxy.ServeHTTP(w, r)
		})
	})
	e.startQueue = &startQueue{limit: 1, spare: 1}
	tr := open(t, e, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	failed := make([]error, 4)
	var all sync.WaitGroup
	for i := range failed {
		all.Go(func() {
			step := &exec.Step{Name: "s", Kind: exec.KindStep, Image: testImage, Entrypoint: []string{"true"}}
			_, failed[i] = tr.session.Run(ctx, step, exec.IO{Output: io.Discard})
		})
	}
	<-hangs
	queued := func() int {
		e.startQueue.mu.Lock()
		defer e.startQueue.mu.Unlock()
		return len(e.startQueue.queue)
	}
	for end := time.Now().Add(startTime / 2); queued() < len(failed)-1 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	enough := errors.New("enough")
	cancel(enough)
	for end := time.Now().Add(startTime / 2); queued() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := queued(); n != 0 {
		t.Errorf("%d still wait", n)
	}
	close(refuse)
	all.Wait()
	for i, err := range failed {
		if !errors.Is(err, enough) {
			t.Errorf("step %d ends with %v, want the cause", i, err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the engine was asked to start %d containers, want 1", n)
	}
	if e.startQueue.underWay != 0 {
		t.Errorf("%d are under way in the end", e.startQueue.underWay)
	}
}

// TestOldEngines shows which engines are started less on at once.
func TestOldEngines(t *testing.T) {
	for version, want := range map[string]bool{
		"17.06.0-ce": true, "20.10.24+dfsg1": true, "23.0.1": false, "28.5.2": false, "dev": false, "": false,
	} {
		if got := old(productDocker, version); got != want {
			t.Errorf("old(%q) = %v, want %v", version, got, want)
		}
	}
	if old(productPodman, "4.3.1") {
		t.Error("a Podman is taken for an old Docker")
	}
}
