package docker

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// startsEach is how many containers are started at the same time for each
	// processor of the machine, and startsMost how many at most: what starts wait
	// for is a lock of the kernel, which no number of processors divides.
	startsEach = 4
	startsMost = 16
	// The same for Docker before 23.0, of which each start takes another
	// processor while it waits for that lock.
	startsEachOld = 2
	startsMostOld = 8
	// startTime is how long a start counts as one. One that takes longer waits
	// for something else, such as a server of files, and keeps nobody.
	startTime = 10 * time.Second
)

// startQueue puts the starts of containers in order. Each keeps a processor
// busy, so that many at once are all late: with Docker 20.10 forty take twice the
// time that they take four at a time. It is safe for concurrent use.
type startQueue struct {
	limit int // of all under way
	spare int // of all under way when one is begun that nobody waits for

	mu       sync.Mutex
	underWay int
	queue    []*turn // in the order in which they came
}

// newStartQueue gives an order for an engine that has as many processors as this
// machine, which is right for most.
func newStartQueue(product, version string) *startQueue {
	n := runtime.NumCPU()
	limit := min(n*startsEach, startsMost)
	if old(product, version) {
		limit = min(n*startsEachOld, startsMostOld)
	}
	return &startQueue{limit: limit, spare: min(n, limit)}
}

// old reports whether an engine is a Docker before 23.0, the one after 20.10. A
// version that is no number is that of somebody's own making, and new.
func old(product, version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return product == productDocker && err == nil && n < 23
}

// turn is the right to start a container, as soon as it comes.
type turn struct {
	of     *startQueue
	held   bool          // the container stays at the gate
	came   chan struct{} // closed when it has come
	urgent bool          // somebody waits for the container; guarded by of.mu
}

// turn is asked for by who starts a container. Where held is set, those that
// are not come first.
func (s *startQueue) turn(held bool) *turn {
	return &turn{of: s, held: held, urgent: !held, came: make(chan struct{})}
}

// await waits for the turn. What it returns has to be called when the container
// has been started.
func (t *turn) await(ctx context.Context) (done func(), err error) {
	s := t.of
	s.mu.Lock()
	s.queue = append(s.queue, t)
	s.next()
	s.mu.Unlock()
	select {
	case <-t.came:
	case <-ctx.Done():
		if s.withdraw(t) {
			return nil, context.Cause(ctx)
		}
	}
	over := sync.OnceFunc(s.over)
	late := time.AfterFunc(startTime, over)
	return func() { late.Stop(); over() }, nil
}

// hurry says that somebody waits for the container now.
func (t *turn) hurry() {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	t.urgent = true
	t.of.next()
}

// next gives turns while there is room. It is called with the lock held.
func (s *startQueue) next() {
	for s.underWay < s.limit {
		i := slices.IndexFunc(s.queue, func(t *turn) bool { return t.urgent })
		if i < 0 && len(s.queue) > 0 && s.underWay < s.spare {
			i = 0
		}
		if i < 0 {
			return
		}
		close(s.queue[i].came)
		s.queue = slices.Delete(s.queue, i, i+1)
		s.underWay++
	}
}

// withdraw takes back a turn that has not come, and reports whether it had not.
func (s *startQueue) withdraw(t *turn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.queue, t)
	if i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
	}
	return i >= 0
}

func (s *startQueue) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay--
	s.next()
}
