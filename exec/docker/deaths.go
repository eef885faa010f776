package docker

import (
	"context"
	"sync"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/drone-laptop/drone/exec"
)

// deaths knows which containers of a session have ended. The engine tells
// of an end as soon as nothing of the container runs any more, and answers a
// wait only after it has taken the network of the container apart, which takes
// longer than anything else between two steps. Ends that are worth a closer
// look are left to the wait, and so is everything when no news comes.
type deaths struct {
	mu   sync.Mutex
	wait map[string]death // by the name of the container
}

// death is that of a container, as news.
type death struct {
	well chan struct{} // closed when it has ended with exit code 0, or never
	any  chan struct{} // closed when it has ended, or never
}

// of gives the news of a container. It is called before the container is
// started.
func (d *deaths) of(name string) death {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wait == nil {
		d.wait = map[string]death{}
	}
	news := death{make(chan struct{}), make(chan struct{})}
	d.wait[name] = news
	return news
}

// forget is called when nobody waits any more.
func (d *deaths) forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.wait, name)
}

func (d *deaths) heard(m events.Message) {
	if m.Action != events.ActionDie {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	name := m.Actor.Attributes["name"]
	news, known := d.wait[name]
	if !known {
		return
	}
	delete(d.wait, name)
	close(news.any)
	if m.Actor.Attributes["exitCode"] == "0" {
		close(news.well)
	}
}

// hearDeaths listens until the session ends, or the connection does.
func (s *session) hearDeaths() {
	if s.engine.product != productDocker {
		return
	}
	s.watching.Go(func() {
		// When it breaks off, the waits go on.
		s.defect(exec.Guard(func() error { return s.listen(s.pulse) }))
	})
}

func (s *session) listen(ctx context.Context) error {
	label := func(name string) filters.KeyValuePair {
		return filters.Arg("label", name+"="+s.place.labels[name])
	}
	messages, failures := s.engine.client.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", string(events.ContainerEventType)), filters.Arg("event", string(events.ActionDie)),
		label(LabelRun), label(LabelPipeline),
	)})
	for {
		select {
		case m := <-messages:
			s.deaths.heard(m)
		case err := <-failures:
			return err
		}
	}
}
