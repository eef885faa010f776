package convert

import (
	"context"
	"fmt"
	"runtime/metrics"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// What a program may take. A server counts the steps of Starlark only, and is
// left alone with everything else.
const (
	maxTime   = 20 * time.Second
	maxMemory = 1 << 30 // bytes, more than there were before
	// lookEvery is how often that is looked after.
	lookEvery = 20 * time.Millisecond
	// hearing is how long what can be stopped has for that.
	hearing = 200 * time.Millisecond
)

// bound gives a context that ends with an *Error when the time of the limits
// has passed or memory has grown by theirs. release must be called, and waits
// for what looks after that.
func bound(ctx context.Context, name string, limits Limits) (_ context.Context, release func()) {
	limit, memory := limits.Time, limits.Memory
	if limit == 0 {
		limit = maxTime
	}
	if memory == 0 {
		memory = maxMemory
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() { // release waits for it
		defer close(done)
		before := used()
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		end := time.NewTimer(limit)
		defer end.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-end.C:
				cancel(endless(name, fmt.Sprintf("it was not done after %s", limit)))
			case <-ticker.C:
				if now := used(); now > before && now-before > memory {
					cancel(endless(name, fmt.Sprintf("it took more than %d MiB of memory", memory>>20)))
				}
			}
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

func endless(name, why string) error {
	return &Error{
		Pos:     manifest.Pos{File: name},
		Message: why + " and was given up",
		Hint:    "look for a loop or a function that goes on without end, or for a huge text or list",
	}
}

// used is the memory that values take, those included that nobody needs any
// more, and stacks. These count four times: at 1 GB Go ends the process.
func used() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() + 4*sample[1].Value.Uint64()
}

// abandonable runs f and returns what it gives. When ctx ends first it returns
// the cause of that, or what f gives while it may still hear of it. Else f goes
// on in the background until it is done: that is for what nobody can stop, in a
// program that ends soon itself.
func abandonable[T any](ctx context.Context, hearing time.Duration, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() { // ends with f; nobody waits when ctx is over
		var r result
		if err := exec.Guard(func() error {
			r.value, r.err = f()
			return nil
		}); err != nil {
			r.err = fmt.Errorf("internal error: %w", err)
		}
		done <- r
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done:
		return r.value, r.err // it has heard of it, and may know the place
	case <-time.After(hearing):
		var none T
		return none, context.Cause(ctx)
	}
}
