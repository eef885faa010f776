package cmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
)

func (b buildCommands) queue() *cobra.Command {
	var o selection.Filter
	var repo string
	var r resultFlags
	c := &cobra.Command{
		Use:     "queue",
		Short:   "list the builds of a server that have not ended, as an administrator",
		Example: "  drone build queue\n  drone build queue --repo octo/hello --status running",
	}
	flags := c.Flags()
	flags.StringVar(&repo, "repo", "", "only builds of this repository, `OWNER/NAME`")
	flags.StringVar(&o.Branch, "branch", "", "only builds of this branch")
	flags.StringVar(&o.Event, "event", "", "only builds of this event")
	flags.StringVar(&o.Status, "status", "", "only builds with this status: pending, running")
	r.register(flags)
	now := time.Now()
	return b.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		all, err := q.BuildIncomplete(ctx)
		if err != nil {
			return err
		}
		var list []remote.Repo
		for _, item := range all {
			if item.Build != nil && (repo == "" || item.Slug == repo) && o.Accepts(item.Build) {
				list = append(list, item)
			}
		}
		return writeList(b.s, &r, list, []table.Column[remote.Repo]{
			{Name: "Build", Text: func(i *remote.Repo) string { return i.Slug + "#" + decimal(i.Build.Number) }},
			{Name: "Status", Text: func(i *remote.Repo) string { return i.Build.Status }, Paint: func(i *remote.Repo) (int, bool) { return statusColour(i.Build.Status) }},
			{Name: "Event", Text: func(i *remote.Repo) string { return i.Build.Event }},
			{Name: "Branch", Text: func(i *remote.Repo) string { return i.Build.Target }},
			{Name: "Author", Text: func(i *remote.Repo) string { return i.Build.Author }},
			{Name: "Created", Text: func(i *remote.Repo) string { return ago(i.Build.Created, now) }},
			{Name: "Took", Text: func(i *remote.Repo) string { return took(i.Build.Started, 0, now) }},
			{Name: "Message", Text: func(i *remote.Repo) string { return i.Build.Message }},
		}, "no build is pending or running")
	})
}

func (b buildCommands) queueStages() *cobra.Command {
	var repo string
	var r resultFlags
	c := &cobra.Command{
		Use:     "queue-v2",
		Short:   "list the stages of a server that have not ended, as an administrator",
		Example: "  drone build queue-v2 --output json",
	}
	c.Flags().StringVar(&repo, "repo", "", "only stages of this repository, `OWNER/NAME`")
	r.register(c.Flags())
	now := time.Now()
	return b.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		all, err := q.BuildIncompleteStages(ctx)
		if err != nil {
			return err
		}
		var list []remote.RepoBuildStage
		for _, item := range all {
			if repo == "" || item.RepoSlug == repo {
				list = append(list, item)
			}
		}
		return writeList(b.s, &r, list, []table.Column[remote.RepoBuildStage]{
			{Name: "Build", Text: func(i *remote.RepoBuildStage) string { return i.RepoSlug + "#" + decimal(i.BuildNumber) }},
			{Name: "Stage", Text: func(i *remote.RepoBuildStage) string { return i.StageName }},
			{Name: "Status", Text: func(i *remote.RepoBuildStage) string { return i.StageStatus }, Paint: func(i *remote.RepoBuildStage) (int, bool) { return statusColour(i.StageStatus) }},
			{Name: "Type", Text: func(i *remote.RepoBuildStage) string { return i.StageType }},
			{Name: "Platform", Text: func(i *remote.RepoBuildStage) string {
				return strings.Trim(i.StageOS+"/"+i.StageArch+"/"+i.StageVariant, "/")
			}},
			{Name: "Machine", Text: func(i *remote.RepoBuildStage) string { return i.StageMachine }},
			{Name: "Author", Text: func(i *remote.RepoBuildStage) string { return i.BuildAuthor }},
			{Name: "Created", Text: func(i *remote.RepoBuildStage) string { return ago(i.BuildCreated, now) }},
			{Name: "Took", Text: func(i *remote.RepoBuildStage) string { return took(i.StageStarted, i.StageStopped, now) }},
		}, "no stage is pending or running")
	})
}
