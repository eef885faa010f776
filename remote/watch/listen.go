package watch

import (
	"context"
	"errors"
	"net/http"

	"github.com/drone-laptop/drone/remote"
)

// listener takes the events of a repository. Without them all is told all the
// same, only later, so that what goes wrong with them is no error.
type listener struct {
	server Server
	repo   remote.Slug
	pace   Pace
	missed func() // called when some events may not have come
}

// listen has the stream open while it can be had: until ctx ends, or the server
// says that it is not for this user.
func (l listener) listen(ctx context.Context, take func(*remote.Repo) error) {
	backoff := l.pace.backoff()
	for {
		err := l.server.Events(ctx, l.repo, func(r *remote.Repo) error {
			backoff.Reset()
			return take(r)
		})
		if err != nil && !passing(err) && ctx.Err() == nil {
			if answered, ok := errors.AsType[*remote.StatusError](err); ok && answered.Status < http.StatusInternalServerError {
				return
			}
		}
		l.missed()
		if !sleep(ctx, backoff.Next()) {
			return
		}
	}
}

// passing reports an error that may be gone the next time.
func passing(err error) bool {
	if answered, ok := errors.AsType[*remote.StatusError](err); ok {
		return answered.Status >= http.StatusInternalServerError && answered.Status != http.StatusNotImplemented ||
			answered.Status == http.StatusTooManyRequests
	}
	_, gone := errors.AsType[*remote.UnreachableError](err)
	return gone
}
