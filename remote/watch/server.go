package watch

import (
	"context"
	"iter"

	"github.com/drone-laptop/drone/remote"
)

// Server is what is asked of a server. ServerOf makes one of a client.
//
// Events and LogStream give what comes until the server ends the stream, which
// is no error, until take returns an error, which is theirs then, or until the
// connection is lost or dead.
type Server interface {
	Build(ctx context.Context, repo remote.Slug, number int64) (*remote.Build, error)
	Logs(ctx context.Context, repo remote.Slug, step remote.StepRef) ([]remote.Line, error)
	Events(ctx context.Context, repo remote.Slug, take func(*remote.Repo) error) error
	LogStream(ctx context.Context, repo remote.Slug, step remote.StepRef, take func(remote.Line) error) error
}

// ServerOf is the server that a client talks to.
func ServerOf(c *remote.Client) Server { return server{c} }

type server struct{ *remote.Client }

func (s server) Events(ctx context.Context, repo remote.Slug, take func(*remote.Repo) error) error {
	stream, err := s.StreamRepo(ctx, repo)
	if err != nil {
		return err
	}
	return each(stream.All(), func(r remote.Repo) error { return take(&r) })
}

func (s server) LogStream(ctx context.Context, repo remote.Slug, step remote.StepRef, take func(remote.Line) error) error {
	stream, err := s.StreamLog(ctx, repo, step)
	if err != nil {
		return err
	}
	return each(stream.All(), take)
}

func each[T any](all iter.Seq2[T, error], take func(T) error) error {
	for value, err := range all {
		if err == nil {
			err = take(value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
