package cmd

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
)

type queueCommands struct{ asker }

func newQueue(s Streams) *cobra.Command {
	x := queueCommands{asker{s, &serverFlags{}}}
	return x.group("queue", "look at the queue of a server and pause it, as an administrator",
		"queue asks a server about the stages that runners are to take, which only administrators may.",
		x.ls(), x.pause(), x.resume(), x.stats(),
	)
}

func (x queueCommands) ls() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "ls",
		Short:   "list the stages that are pending or running",
		Example: "  drone queue ls\n  drone queue ls --format '{{ .ID }} {{ .Machine }}'",
	}
	f.register(c.Flags())
	now := time.Now()
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		list, err := q.QueueList(ctx)
		if err != nil {
			return q.fail(err, "queue")
		}
		return writeList(x.s, &f, list, []table.Column[remote.Stage]{
			{Name: "Item", Text: func(t *remote.Stage) string { return decimal(t.ID) }},
			{Name: "Status", Text: func(t *remote.Stage) string { return t.Status }, Paint: func(t *remote.Stage) (int, bool) { return statusColour(t.Status) }},
			{Name: "Name", Text: func(t *remote.Stage) string { return t.Name }},
			{Name: "Type", Text: func(t *remote.Stage) string { return t.Type }},
			{Name: "Platform", Text: func(t *remote.Stage) string { return strings.Trim(t.OS+"/"+t.Arch+"/"+t.Variant, "/") }},
			{Name: "Kernel", Text: func(t *remote.Stage) string { return t.Kernel }},
			{Name: "Machine", Text: func(t *remote.Stage) string { return t.Machine }},
			{Name: "Created", Text: func(t *remote.Stage) string { return ago(t.Created, now) }},
			{Name: "Labels", Text: func(t *remote.Stage) string { return labels(t.Labels) }},
		}, "the queue is empty")
	})
}

func labels(of map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		words = append(words, name+"="+of[name])
	}
	return strings.Join(words, " ")
}

func (x queueCommands) pause() *cobra.Command {
	c := &cobra.Command{
		Use:     "pause",
		Short:   "give runners no more work",
		Long:    "pause has the server give runners no more work, until `drone queue resume` or until it is\nrestarted. What runs goes on.",
		Example: "  drone queue pause",
	}
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		if err := q.QueuePause(ctx); err != nil {
			return q.fail(err, "queue")
		}
		return x.say("paused the queue of %s", q.Server())
	})
}

func (x queueCommands) resume() *cobra.Command {
	c := &cobra.Command{Use: "resume", Short: "give runners work again", Example: "  drone queue resume"}
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		if err := q.QueueResume(ctx); err != nil {
			return q.fail(err, "queue")
		}
		return x.say("resumed the queue of %s", q.Server())
	})
}

func (x queueCommands) stats() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "stats",
		Short:   "count what a server has and does",
		Example: "  drone queue stats --output json",
	}
	f.register(c.Flags())
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		stats, err := q.Stats(ctx)
		if err != nil {
			return q.fail(err, "statistics")
		}
		return writeOne(x.s, &f, stats, []table.Column[remote.Stats]{
			{Name: "Users", Text: func(s *remote.Stats) string { return decimal(s.Users.Total) }},
			{Name: "Repositories", Text: func(s *remote.Stats) string { return decimal(s.Repos.Active) }},
			{Name: "Builds", Text: func(s *remote.Stats) string { return decimal(s.Builds.Total) }},
			{Name: "Pending", Text: func(s *remote.Stats) string { return decimal(s.Builds.Pending) }},
			{Name: "Running", Text: func(s *remote.Stats) string { return decimal(s.Builds.Running) }},
			{Name: "Streams", Text: func(s *remote.Stats) string { return decimal(s.Events.Subscribers) }},
		})
	})
}
