package watch

import (
	"context"
	"iter"

	"github.com/drone-laptop/drone/remote"
)

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
