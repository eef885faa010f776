package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/remote"
	builds "github.com/drone-laptop/drone/remote/watch"
)

type buildWait struct {
	asker
	commit          string
	timeout, appear time.Duration
	result          resultFlags
}

// lookForBuild is how often a server is asked whether a commit has a build by
// now.
const lookForBuild = 2 * time.Second

// newBuildWait waits until builds have ended.
func newBuildWait(a asker) *cobra.Command {
	w := &buildWait{asker: a}
	c := &cobra.Command{
		Use:   "wait [OWNER/NAME] [BUILD]",
		Short: "wait until a build has ended, and fail when it failed",
		Long: "wait waits for a build, or for all builds of a commit: without BUILD, of the one that is\n" +
			"checked out. Right after a push there may be none yet, so it waits for the first one, too.\n" +
			"Of builds that were restarted the last one counts.\n\n" +
			"The status is 0 when all have succeeded, 1 when one has not, 3 when the server refuses or\n" +
			"is gone, and 124 when time is up.",
		Example: "  git push && drone build wait\n  drone build wait 42 --timeout 10m\n  drone build wait octo/hello --commit 8f51ad7",
	}
	flags := c.Flags()
	flags.StringVar(&w.commit, "commit", "", "wait for all builds of this commit: HEAD (the default without BUILD), a branch, a hash")
	flags.DurationVar(&w.timeout, "timeout", 0, "give up after this `time`, with status 124; 0 is never")
	flags.DurationVar(&w.appear, "appear", time.Minute, "give up when no build of the commit has appeared after this `time`, with status 124")
	w.result.register(flags)
	return a.askRepo(c, 0, 1, w.run)
}

func (w *buildWait) run(ctx context.Context, q *session, repo remote.Slug, args []string) error {
	if len(args) > 0 && w.commit != "" {
		return usage(errors.New("a build and --commit contradict each other"), "leave out one of the two")
	}
	ctx, signals := untilSignal(ctx, ending{first: "not waiting any longer"}, w.s.note)
	defer signals.stop()
	if w.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, w.timeout, errWaited)
		defer cancel()
	}
	list, err := w.wait(ctx, q, repo, args)
	switch signal, ended := interruption(ctx); {
	case ended:
		return &failure{status: signal.status()}
	case errors.Is(context.Cause(ctx), errWaited):
		return &failure{status: StatusTimeout, err: fmt.Errorf("the build has not ended within %s", w.timeout), hint: "it goes on; `drone watch` shows it"}
	case err != nil:
		return err
	}
	now := time.Now()
	if err := writeList(w.s, &w.result, list, listColumns(now), "no build"); err != nil {
		return err
	}
	for _, b := range list {
		if !builds.Passed(b.Status) {
			f := &failure{status: StatusFailed, err: fmt.Errorf("build %d of %s has not succeeded: %s", b.Number, repo, b.Status)}
			if b.Status != remote.StateDeclined {
				f.hint = fmt.Sprintf("`drone log failed %s %d` shows why, and so does %s", repo, b.Number, q.buildLink(repo, b.Number))
			}
			return f
		}
	}
	return nil
}

var errWaited = errors.New("time is up")

// wait gives the builds that have ended.
func (w *buildWait) wait(ctx context.Context, q *session, repo remote.Slug, args []string) ([]remote.Build, error) {
	if len(args) > 0 {
		number, err := q.buildNumber(ctx, repo, args[0])
		if err != nil {
			return nil, err
		}
		b, err := w.end(ctx, q, repo, number)
		if err != nil {
			return nil, q.failBuild(err, repo, number)
		}
		return []remote.Build{*b}, nil
	}
	revision := w.commit
	if revision == "" {
		revision = "HEAD"
	}
	commit, err := commitOf(revision)
	if err != nil {
		return nil, err
	}
	ended := map[int64]remote.Build{}
	for began := time.Now(); ; {
		list, err := selection.Choice{Commit: commit}.List(ctx, q, repo)
		if err != nil {
			return nil, err
		}
		list = selection.Last(list)
		if len(list) == 0 {
			if err := w.await(ctx, began, repo, commit); err != nil {
				return nil, err
			}
			continue
		}
		goesOn := false
		for i, b := range list {
			if known, ok := ended[b.Number]; ok {
				list[i] = known
				continue
			}
			last, err := w.end(ctx, q, repo, b.Number)
			if err != nil {
				return nil, q.failBuild(err, repo, b.Number)
			}
			ended[b.Number], goesOn = *last, true
		}
		if !goesOn {
			return list, nil
		} // others may have begun meanwhile
	}
}

// await waits for the first build of a commit.
func (w *buildWait) await(ctx context.Context, began time.Time, repo remote.Slug, commit string) error {
	if waited := time.Since(began); waited >= w.appear {
		return &failure{
			status: StatusTimeout, err: fmt.Errorf("%s has no build of the commit %s", repo, commit[:min(len(commit), commitWidth)]),
			hint: "is it pushed, and is a pipeline for it? `drone plan` shows what would run; --appear waits longer",
		}
	} else if waited < lookForBuild {
		w.s.note(fmt.Sprintf("there is no build of the commit %s yet", commit[:min(len(commit), commitWidth)]))
	}
	select {
	case <-time.After(lookForBuild):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end waits for the end of a build.
func (w *buildWait) end(ctx context.Context, q *session, repo remote.Slug, number int64) (*remote.Build, error) {
	var last *remote.Build
	said := false
	f := builds.New(builds.Options{
		Server: builds.ServerOf(q.Client), Repo: repo, Build: number, Note: w.s.note,
		Logs: func(*remote.Stage, *remote.Step) bool { return false },
		Emit: func(e exec.Event) {
			if warning, ok := e.(exec.Warning); ok && warning.Pipeline != "" {
				w.s.note(fmt.Sprintf("build %d: %s", number, warning.Message))
			}
		},
		Changed: func(f *builds.Fold) {
			if last = f.Build(); !said && !remote.Finished(last.Status) {
				said = true
				w.s.note(fmt.Sprintf("build %d is %s: %s", number, last.Status, q.buildLink(repo, number)))
			}
		},
	})
	if err := f.Run(ctx); err != nil {
		return nil, err
	}
	return last, nil
}
