package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/remote"
	builds "github.com/drone-laptop/drone/remote/watch"
	"github.com/drone-laptop/drone/tui/viewer"
)

type watchOptions struct {
	branch, commit string
	all            bool
}

// newWatch shows builds of a server while they go on.
func newWatch(s Streams) *cobra.Command {
	a := asker{s, &serverFlags{}}
	o := &watchOptions{}
	c := &cobra.Command{
		Use:   "watch [OWNER/NAME] [BUILD]",
		Short: "watch the builds of this branch on a server, on the whole screen",
		Long: "watch lists the builds of a branch, and the pull requests from it, as they come and go:\n" +
			"of the branch that is checked out, of --branch, of a --commit, or with --all of the whole\n" +
			"repository. Enter opens one, with its pipelines, steps, and their logs as they grow.\n" +
			"Builds are approved, declined, cancelled, restarted and promoted with keys; ? lists them.\n\n" +
			"It needs a terminal; elsewhere `drone build ls` and `drone log follow` tell the same.",
		Example: "  drone watch\n  drone watch --commit HEAD\n  drone watch octo/hello --all\n  drone watch octo/hello 42",
	}
	flags := c.Flags()
	flags.StringVar(&o.branch, "branch", "", "builds of this branch (default: the one that is checked out)")
	flags.StringVar(&o.commit, "commit", "", "builds of this commit: HEAD, a branch, a hash")
	flags.BoolVar(&o.all, "all", false, "builds of all branches")
	a.server.register(flags)
	return a.askRepo(c, 0, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		if why := s.whyNoView(); why != "" {
			return usage(errors.New("there is no terminal to watch on: "+why), "`drone build ls` lists builds, and `drone log follow` shows one")
		}
		choice, title, err := o.choice(repo)
		if err != nil {
			return err
		}
		w := &watching{s: s, q: q, repo: repo, choice: choice, title: title}
		if len(args) > 0 {
			if w.first, err = q.buildNumber(ctx, repo, args[0]); err != nil {
				return err
			}
		}
		return w.run(ctx)
	})
}

// choice says which builds are listed, in words, too.
func (o *watchOptions) choice(repo remote.Slug) (c selection.Choice, title string, err error) {
	given := 0
	for _, is := range []bool{o.branch != "", o.commit != "", o.all} {
		if is {
			given++
		}
	}
	if given > 1 {
		return c, "", usage(errors.New("--branch, --commit and --all contradict each other"), "leave out all but one")
	}
	switch tree := facts.Read("."); {
	case o.commit != "":
		if c.Commit, err = commitOf(o.commit); err != nil {
			return c, "", err
		}
		return c, repo.String() + ", commit " + c.Commit[:min(len(c.Commit), commitWidth)], nil
	case o.branch != "":
		c.Branch = o.branch
	case !o.all && strings.EqualFold(tree.Remote.Slug, repo.String()):
		c.Branch = tree.Branch
	}
	if c.Branch == "" {
		return c, repo.String(), nil
	}
	return c, repo.String() + ", branch " + c.Branch, nil
}

// listEvery is how often a list is fetched when nothing tells of a change; it is
// longer than a build.
const listEvery = 10 * time.Second

// watching is a list of builds, and those that are opened.
type watching struct {
	s      Streams
	q      *session
	repo   remote.Slug
	choice selection.Choice
	title  string
	first  int64 // the build that is opened before the list is shown, or 0
}

func (w *watching) run(ctx context.Context) error {
	ctx, signals := untilSignal(ctx, ending{first: "leaving"}, func(string) {})
	defer signals.stop()
	watching, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var list *viewer.Builds
	lister := builds.NewList(builds.ListOptions{
		Server: builds.ServerOf(w.q.Client), Repo: w.repo, Pace: builds.Pace{Poll: listEvery},
		Fetch: func(ctx context.Context) ([]remote.Build, error) { return w.choice.List(ctx, w.q, w.repo) },
		Show: func(rows []remote.Build, err error) {
			note := ""
			if err != nil {
				note = err.Error()
			}
			list.Set(buildRows(rows), note)
		},
	})
	list = viewer.NewBuilds(viewer.BuildsOptions{
		Input: w.s.In, Terminal: w.s.Terminal, Look: w.s.look(), Title: w.title, Empty: "there is no build of it yet",
		Control: func(number int64) *viewer.Control { return w.build(number).control(watching, lister.LookAgain) },
	})
	var listing sync.WaitGroup
	listing.Go(func() {
		if err := exec.Guard(func() error { return lister.Run(watching) }); err != nil {
			cancel(err)
		}
	})
	err := w.choose(watching, list, lister.LookAgain)
	refused := context.Cause(watching)
	cancel(nil)
	listing.Wait()
	if signal, ended := interruption(ctx); ended {
		return &failure{status: signal.status()}
	}
	if err == nil && refused != nil {
		err = refused
	}
	return err
}

// choose lets somebody open one build after the other. look has the list looked
// at again.
func (w *watching) choose(ctx context.Context, list *viewer.Builds, look func()) error {
	number := w.first
	for {
		if number != 0 {
			if _, err := w.build(number).onScreen(ctx, true); err != nil && ctx.Err() == nil {
				return w.q.failBuild(err, w.repo, number)
			}
			look()
		}
		if ctx.Err() != nil {
			return nil
		}
		var err error
		if number, err = list.Choose(ctx); err != nil || number == 0 {
			return err
		}
	}
}

func (w *watching) build(number int64) *buildShow {
	return &buildShow{s: w.s, q: w.q, repo: w.repo, number: number, silent: true}
}

func buildRows(list []remote.Build) []viewer.Build {
	rows := make([]viewer.Build, len(list))
	at := func(seconds int64) time.Time {
		if seconds == 0 {
			return time.Time{}
		}
		return time.Unix(seconds, 0)
	}
	for i, b := range list {
		message := b.Message
		if b.Error != "" {
			message = b.Error
		} else if b.Title != "" {
			message = b.Title
		}
		branch := b.Target
		if b.Event == remote.EventTag {
			branch = strings.TrimPrefix(b.Ref, "refs/tags/")
		} else if b.Source != "" && b.Source != b.Target {
			branch = fmt.Sprintf("%s>%s", b.Source, b.Target)
		}
		rows[i] = viewer.Build{
			Number: b.Number, Status: b.Status, Event: b.Event, Branch: branch, Commit: b.After, Author: b.Author, Message: message,
			Created: at(b.Created), Started: at(b.Started), Finished: at(b.Finished),
		}
	}
	return rows
}
