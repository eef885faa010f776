// Package isolate gives pipelines copies of the working tree to work on, and brings
// out of them what their steps have made.
//
// It decides neither which pipelines get one nor what is copied of a tree, which is
// what package snapshot knows, and it prints nothing: what is to be told goes to a
// function.
package isolate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/leftover"
	"github.com/drone-laptop/drone/internal/rundir"
	"github.com/drone-laptop/drone/internal/snapshot"
	"github.com/drone-laptop/drone/report"
)

// grace is how long results may still be brought after the run was ended before its
// time.
const grace = 10 * time.Second

// slow is after what time it is told that results are being brought.
const slow = 5 * time.Second

// Options are for the copies of one run.
type Options struct {
	Plan *exec.Plan
	// Dir is where copies for containers are made. Without one, "", these pipelines
	// work on the tree itself, and those on this machine on copies where the engine
	// has them.
	Dir string
	// Clean copies what is committed only.
	Clean bool
	// Out is where results are brought; nil is nowhere. Close closes it.
	Out *os.Root
	// Environ is the environment of git.
	Environ []string
	// Say is told what a user may want to know. It is called at any time, from any
	// goroutine, until Wait has returned.
	Say func(string)
}

// Copies makes the copies of the working tree that the pipelines of a run work
// on, and brings out of them what is asked for. The zero value is for a run that
// makes nothing. It is safe for concurrent use.
type Copies struct {
	o       Options
	several bool                      // pipelines run, so what is said names them
	places  map[*exec.Pipeline]string // in the directory of results
	ended   context.Context           // with the run

	bringing sync.WaitGroup
	mu       sync.Mutex
	states   map[string]*snapshot.State // by the directory of the copy
	failed   []error                    // of bringing
}

// New gives the copies of a run, which ends with ctx. Results are brought a little
// longer. The caller closes them.
func New(ctx context.Context, o Options) *Copies {
	places := outPlaces(o.Plan)
	return &Copies{o: o, several: len(places) > 1, places: places, ended: ctx, states: map[string]*snapshot.State{}}
}

// Dir is where copies for containers are made, "" without them.
func (c *Copies) Dir() string { return c.o.Dir }

// Isolated reports whether pipelines in containers work on copies.
func (c *Copies) Isolated() bool { return c.o.Dir != "" }

// Close releases the directory for results.
func (c *Copies) Close() error {
	if c.o.Out == nil {
		return nil
	}
	return c.o.Out.Close()
}

// isolation is the session of a pipeline that works on a copy.
type isolation struct {
	exec.Session
	copies   *Copies
	pipeline *exec.Pipeline
	setting  exec.Setting
	place    place
	engine   *docker.Engine
	stop     context.CancelCauseFunc // ends what open has begun
}

// Open opens a pipeline in engine on a copy of its workspace.
func (c *Copies) Open(ctx context.Context, engine *docker.Engine, p *exec.Pipeline, env exec.Setting) (exec.Session, error) {
	root, err := rundir.Make(c.o.Dir, env.Run)
	if err != nil {
		return nil, copyError(err, c.o.Dir)
	}
	s := &isolation{copies: c, pipeline: p, setting: env, engine: engine, place: place{root: root, tree: filepath.Join(root, "src"), seen: p.Workspace.Path}}
	if err = s.open(ctx); err != nil {
		return nil, errors.Join(err, rundir.Remove(root))
	}
	return s, nil
}

func (s *isolation) open(ctx context.Context) error {
	if err := os.Mkdir(s.place.tree, 0o700); err != nil {
		return copyError(err, s.copies.o.Dir)
	}
	// The engine does its part while files are copied. When one of the two
	// fails the other one is cut short.
	ctx, s.stop = context.WithCancelCause(ctx)
	opened := make(chan error, 1)
	go func() {
		err := exec.Guard(func() (err error) {
			onCopy := *s.pipeline
			onCopy.Workspace.Host = s.place.tree
			s.Session, err = s.engine.Open(ctx, &onCopy, s.setting)
			return err
		})
		if err != nil {
			s.stop(err)
		}
		opened <- err
	}()
	failed := exec.Guard(func() error { return s.copy(ctx) })
	if failed != nil {
		s.stop(failed)
	}
	if err := <-opened; err != nil {
		return err // or why it was cut short
	}
	if failed == nil {
		return nil
	}
	tidy, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer stop()
	return errors.Join(failed, s.Session.Close(tidy))
}

// copy makes the copy.
func (s *isolation) copy(ctx context.Context) error {
	if err := s.copies.fill(ctx, s.pipeline, s.place, s.setting.Notify); err != nil {
		return err
	}
	// Steps may run as anybody; those who may not enter the tree may not enter
	// the copy. The directory around it is the user's alone.
	info, err := os.Stat(s.pipeline.Workspace.Host)
	if err == nil {
		err = os.Chmod(s.place.tree, info.Mode().Perm()|0o700)
	}
	if err != nil {
		return copyError(err, s.copies.o.Dir)
	}
	return nil
}

// Env implements exec.Environer where the engine does.
func (s *isolation) Env() map[string]string {
	if inner, ok := s.Session.(exec.Environer); ok {
		return inner.Env()
	}
	return nil
}

// Close implements exec.Session. Results are brought, and the copy is removed,
// while other pipelines run; Wait waits for that.
func (s *isolation) Close(ctx context.Context) error {
	err := s.Session.Close(ctx)
	s.stop(nil)
	if s.copies.o.Out == nil {
		return errors.Join(err, s.remove(ctx))
	}
	s.copies.bring(s.pipeline, s.place, s.setting.Hurry, s.remove)
	return err
}

// remove removes the copy. Its files are the caller's, unless they could not be
// given back.
func (s *isolation) remove(ctx context.Context) error {
	return leftover.RemoveDir(ctx, s.engine, s.setting.Run, s.place.root)
}

// FillHost fills the workspace of a pipeline on this machine.
func (c *Copies) FillHost(ctx context.Context, p *exec.Pipeline, dir string, notify func(exec.Notice)) error {
	return c.fill(ctx, p, place{root: hostRoot(dir), tree: dir}, notify)
}

// hostRoot is the directory of a pipeline on this machine that has its
// workspace in dir, beside home and scripts.
func hostRoot(dir string) string { return filepath.Dir(filepath.Dir(dir)) }

// place is where a copy is made.
type place struct {
	root string // directory of the pipeline, with what else it has
	tree string // in it, for the copy
	seen string // as which those who work on the copy see that, "" for as it is
}

// parent is what a full disk is about.
func (at place) parent() string { return filepath.Dir(at.root) }

// fill copies the working tree of a pipeline as it is, or as it is committed.
func (c *Copies) fill(ctx context.Context, p *exec.Pipeline, at place, notify func(exec.Notice)) error {
	begun := time.Now()
	from := p.Workspace.Host
	warn := func(text string) {
		if notify != nil {
			notify(exec.Notice{Warning: text})
		}
	}
	own, common, err := facts.GitDir(from)
	if err != nil {
		// Without knowing where git works it might work on the original.
		return &exec.StepError{
			Phase: exec.PhaseOpen,
			Err:   fmt.Errorf("cannot copy the git repository of the working tree: %w", err),
			Hint:  "`git status` has to work there: repair or remove " + filepath.Join(from, ".git"),
		}
	}
	if own != "" && snapshot.Foreign(from, own, common) {
		return &exec.StepError{
			Phase: exec.PhaseOpen,
			Err:   fmt.Errorf("the .git of the working tree leads to the repository of another checkout, %s, which steps must not get", own),
			Hint:  "see who has changed " + filepath.Join(from, ".git") + "; if the tree was moved, `git worktree repair` mends it",
		}
	}
	tree := facts.Read(from)
	source := snapshot.Source{
		Dir:    from,
		Files:  func(visit func(string, fs.DirEntry) error) error { return tree.Files(from, visit, warn) },
		GitDir: own, CommonDir: common, Warn: warn, Seen: at.seen, Around: at.root,
	}
	var size snapshot.Size
	if c.o.Clean {
		size, err = snapshot.Commit(ctx, source, at.tree, c.o.Environ)
	} else {
		size, err = snapshot.Copy(ctx, source, at.tree)
	}
	if err == nil && c.o.Out != nil {
		err = c.record(ctx, at.tree)
	}
	if err != nil {
		return copyError(err, at.parent())
	}
	if c.Isolated() {
		c.o.Say(c.about(p) + fmt.Sprintf("copied %s, %s, %.1f s", report.Plural(int(size.Files), "file"), report.Bytes(size.Bytes), time.Since(begun).Seconds()))
	}
	return nil
}

// record remembers what a copy is like before anything works on it.
func (c *Copies) record(ctx context.Context, tree string) error {
	state, err := snapshot.Record(ctx, tree)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[tree] = state
	return err
}

// about begins what is said of a pipeline.
func (c *Copies) about(p *exec.Pipeline) string {
	if !c.several {
		return ""
	}
	return "pipeline " + p.Name + ": "
}

// copyError is why the working tree cannot be copied to a directory in parent.
func copyError(err error, parent string) error {
	hint := ""
	var commit *snapshot.CommitError
	switch {
	case errors.As(err, &commit):
		return &exec.StepError{Phase: exec.PhaseOpen, Err: commit, Hint: commit.Hint}
	case errors.Is(err, fs.ErrPermission):
		hint = "make it readable, or name it in .gitignore if the pipeline does not need it"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "the copy is made in " + parent + "; TMPDIR names another place"
	}
	return &exec.StepError{Phase: exec.PhaseOpen, Err: fmt.Errorf("cannot copy the working tree: %w", err), Hint: hint}
}

// KeepHost takes over the workspace of a pipeline that ran on this machine, if
// results are brought out of it.
func (c *Copies) KeepHost(p *exec.Pipeline, env exec.Setting, dir string) error {
	if c.o.Out == nil || !c.has(dir) {
		return nil
	}
	root, err := rundir.Make(filepath.Dir(hostRoot(dir)), env.Run)
	if err != nil {
		return err
	}
	at := place{root: root, tree: filepath.Join(root, "src")}
	if err := os.Rename(dir, at.tree); err != nil {
		return errors.Join(err, rundir.Remove(root))
	}
	c.mu.Lock()
	c.states[at.tree] = c.states[dir]
	c.mu.Unlock()
	c.bring(p, at, env.Hurry, func(context.Context) error { return rundir.Remove(at.root) })
	return nil
}

func (c *Copies) has(dir string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.states[dir] != nil
}

// bring brings the results of a pipeline in the background, and has its
// directory removed then.
func (c *Copies) bring(p *exec.Pipeline, at place, hurry <-chan struct{}, remove func(context.Context) error) {
	c.bringing.Go(func() {
		ctx, cancel := c.whileWanted(hurry)
		defer cancel(nil)
		err := exec.Guard(func() error { return c.results(ctx, p, at.tree) })
		if err = errors.Join(err, remove(ctx)); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.failed = append(c.failed, fmt.Errorf("%s%w", c.about(p), err))
		}
	})
}

func (c *Copies) results(ctx context.Context, p *exec.Pipeline, tree string) error {
	c.mu.Lock()
	state := c.states[tree]
	c.mu.Unlock()
	name := filepath.Join(c.o.Out.Name(), c.places[p])
	to, err := subdirectory(c.o.Out, c.places[p])
	if err != nil {
		return fmt.Errorf("the results cannot be brought to %s: %w", name, err)
	}
	defer to.Close()
	results, err := state.Bring(ctx, tree, to)
	c.o.Say(c.about(p) + describeResults(results, name))
	if err != nil {
		return fmt.Errorf("not all results could be brought to %s: %w", name, err)
	}
	return nil
}

func describeResults(r snapshot.Results, name string) string {
	text := fmt.Sprintf("%s brought to %s, %s", report.Plural(int(r.Files), "file"), name, report.Bytes(r.Bytes))
	if r.Files == 0 {
		text = "no files to bring to " + name
	}
	if r.Deleted > 0 {
		text += "; steps deleted " + report.Plural(r.Deleted, "file")
	}
	if r.Odd > 0 {
		text += fmt.Sprintf("; left out what is no file (%d)", r.Odd)
	}
	return text
}

// whileWanted is a context that outlives the end of the run by grace, and
// ends when there is no time left.
func (c *Copies) whileWanted(hurry <-chan struct{}) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(c.ended))
	context.AfterFunc(c.ended, func() {
		timer := time.AfterFunc(grace, func() { cancel(fmt.Errorf("the run was ended, and %s were not enough", grace)) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	go func() {
		select {
		case <-hurry:
			cancel(errors.New("there was no time left"))
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Wait waits until everything has been brought.
func (c *Copies) Wait() {
	if c.o.Out == nil {
		return
	}
	late := time.AfterFunc(slow, func() { c.o.Say("bringing the results to " + c.o.Out.Name()) })
	defer late.Stop()
	c.bringing.Wait()
}

// Failure says what of the results could not be brought so far.
func (c *Copies) Failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.failed...)
}
