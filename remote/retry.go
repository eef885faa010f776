package remote

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Trace tells of an attempt of a call. It has neither the token nor what was sent.
type Trace struct {
	Request string // the method and the path
	Attempt int    // from 1
	Status  int    // of the answer, 0 for none
	Err     error  // what the attempt ended with, nil for success
	Took    time.Duration
	Again   time.Duration // after this time there is another attempt; 0 is for none
}

// Backoff is how long to wait before each of a row of attempts: each time twice as
// long, up to Max, less up to a quarter of it that is left to chance, so that many
// clients do not come at the same time. Its zero value begins with 200 milliseconds
// and ends with 30 seconds. It is for one goroutine.
type Backoff struct {
	Min, Max time.Duration
	next     time.Duration // 0 before the first attempt
}

// Next is the next time to wait.
func (b *Backoff) Next() time.Duration {
	last := cmp.Or(b.Max, 30*time.Second)
	wait := min(cmp.Or(b.next, b.Min, 200*time.Millisecond), last)
	b.next = last
	if wait <= last/2 {
		b.next = 2 * wait
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/4+1)) // nobody gains by guessing it
}

// Reset begins again, after a success.
func (b *Backoff) Reset() { b.next = 0 }

// maxRetryAfter bounds for how long a call waits because a server says so.
const maxRetryAfter = 10 * time.Second

// retry makes a call, and makes it again when it changes nothing and the error may
// pass. The context bounds all attempts together.
func (c *Client) retry(ctx context.Context, r request, call func() (status int, err error)) error {
	backoff := Backoff{}
	for attempt := 1; ; attempt++ {
		began := time.Now()
		status, err := call()
		t := Trace{Request: r.String(), Attempt: attempt, Status: status, Err: err, Took: time.Since(began)}
		refused, isStatus := errors.AsType[*StatusError](err)
		if isStatus {
			t.Status = refused.Status
		}
		if err != nil && !r.changes() && !r.stream && attempt < c.attempts && passes(err) {
			t.Again = backoff.Next()
			if isStatus && refused.after > 0 {
				t.Again = min(refused.after, maxRetryAfter)
			}
		}
		if c.trace != nil {
			c.trace(t)
		}
		if t.Again == 0 {
			return err
		}
		select {
		case <-time.After(t.Again):
		case <-ctx.Done():
			return err
		}
	}
}

// passes reports whether an error may be gone with another attempt: a connection
// that broke, or a server that has no time. That nobody is there, or that there is
// no answer in time, is told at once: whoever waits wants to know.
func passes(err error) bool {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		switch refused.Status {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	gone, ok := errors.AsType[*UnreachableError](err)
	return ok && broke(gone) && !errors.Is(gone, errTimeout)
}

// broke reports whether a server was lost that was connected to, so that it may
// have got the request.
func broke(gone *UnreachableError) bool {
	if op, ok := errors.AsType[*net.OpError](gone.Err); ok {
		return op.Op == "read" || op.Op == "write"
	}
	return errors.Is(gone, io.EOF) || errors.Is(gone, io.ErrUnexpectedEOF) || errors.Is(gone, errTimeout)
}

// retryAfter reads the header of that name, which has seconds or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
