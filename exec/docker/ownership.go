package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/fileowner"
)

const (
	// lookTime bounds the look at who owns what before the first step, which
	// waits for it.
	lookTime = 15 * time.Second
	// giveTime bounds the giving back at the end.
	giveTime = 20 * time.Second
	// hurryTime bounds it when there is no time left.
	hurryTime = time.Second
	// leftNamed is how many paths a warning names.
	leftNamed = 3
)

// workspaces are the directories of this machine that an engine's pipelines
// work in. What their steps create as another user than the caller is given
// back when no pipeline works there any more, also none of another process:
// sooner, a step that runs as yet another user would lose its files. What
// belonged to others before the first pipeline stays theirs.
type workspaces struct {
	engine *Engine
	caller fileowner.Owner
	give   bool   // there is somebody to give to
	state  string // what processes share, "" when they cannot

	mu    sync.Mutex
	known map[string]*workspace
}

// workspace is one such directory, from the opening of a pipeline in it until
// none is open.
type workspace struct {
	of       *workspaces
	dir      string
	previous *workspace    // for the same directory, perhaps not over yet
	looked   chan struct{} // closed when share and failed are valid
	share    *fileowner.Share
	failed   error
	over     chan struct{} // closed after the giving back

	// The rest is guarded by workspaces.mu.
	users   int      // open pipelines
	leaving bool     // there were some, and there are none any more
	undone  bool     // something could not be given back
	reaches bool     // a step could reach more than the directory
	images  []string // that were used, the last one first
}

func newWorkspaces(e *Engine, state string) *workspaces {
	caller, ok := fileowner.Caller()
	return &workspaces{engine: e, caller: caller, give: ok, state: state, known: map[string]*workspace{}}
}

// enter begins to work in the directory of a pipeline. It returns nil when
// nothing has to be given back there; the methods of a nil workspace do
// nothing.
func (ws *workspaces) enter(ctx context.Context, p *exec.Pipeline) *workspace {
	dir := p.Workspace.Host
	if dir == "" || !ws.give || !ws.engine.endpoint.Local() {
		return nil
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.known[dir]
	if w == nil || w.leaving {
		w = &workspace{of: ws, dir: dir, previous: w, looked: make(chan struct{}), over: make(chan struct{})}
		ws.known[dir] = w
		go w.look(context.WithoutCancel(ctx))
	}
	w.users++
	w.reaches = w.reaches || reachesOut(p)
	return w
}

// look finds out who owns what before anything runs.
func (w *workspace) look(ctx context.Context) {
	defer close(w.looked)
	look := func() (*fileowner.Tree, error) { return fileowner.Look(ctx, w.dir, w.of.caller.UID) }
	if before := w.previous; before != nil {
		<-before.over // bounded by giveTime
		w.previous = nil
		if before.undone && before.failed == nil {
			// What could not be given back must not pass for older.
			look = func() (*fileowner.Tree, error) { return before.share.Tree, nil } //nolint:unparam // it takes the place of one that may fail
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookTime, fmt.Errorf("it takes longer than %v", lookTime))
	defer cancel()
	w.failed = exec.Guard(func() (err error) {
		w.share, err = fileowner.Enter(ctx, w.of.state, w.dir, w.of.caller.UID, look)
		return err
	})
}

// ready waits until a container may work in the directory.
func (w *workspace) ready(ctx context.Context) error {
	if w == nil {
		return nil
	}
	select {
	case <-w.looked:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// used remembers an image that is here and can be started.
func (w *workspace) used(image string) {
	if w == nil {
		return
	}
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if len(w.images) == 0 || w.images[0] != image {
		w.images = slices.Insert(slices.DeleteFunc(w.images, func(s string) bool { return s == image }), 0, image)
	}
}

// leave ends the work of a pipeline whose containers are gone, and gives back
// what it and others have left, unless another one still works there. The error
// says what is left, and what to do.
func (w *workspace) leave(ctx context.Context, labels map[string]string, hurry <-chan struct{}) error {
	if w == nil {
		return nil
	}
	ws := w.of
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if w.users--; w.users > 0 {
		return nil
	}
	w.leaving = true
	give := giveBack{
		engine: ws.engine, dir: w.dir, to: ws.caller,
		images: w.images, labels: labels, hurry: hurry, options: fileowner.Options{HoldLinked: w.reaches},
	}
	ws.mu.Unlock()
	err := w.finish(ctx, give)
	ws.mu.Lock()
	if w.undone = err != nil; !w.undone && ws.known[w.dir] == w {
		delete(ws.known, w.dir)
	}
	close(w.over)
	return err
}

// finish gives back, if nobody else works in the directory.
func (w *workspace) finish(ctx context.Context, give giveBack) error {
	<-w.looked // bounded by lookTime, and over before anything ran
	if w.failed != nil {
		return fmt.Errorf("what steps created as another user in %s was not given back to you, because nobody knows what was there before: %w; `find %s ! -uid %d` shows it",
			w.dir, w.failed, quote(w.dir), w.of.caller.UID)
	}
	defer w.share.Close()
	if !w.share.Last() {
		return nil
	}
	return exec.Guard(func() error { return give.run(ctx, w.share.Tree) })
}

// GiveBackOrphaned gives back what the steps of a process have created that was
// killed while it ran pipelines in dir: the guard of that process calls it when
// everything else of the run is gone. It does nothing when others work there,
// which will do it. Options.State has to be that of the process.
func (e *Engine) GiveBackOrphaned(ctx context.Context, run, dir string) error {
	caller, ok := fileowner.Caller()
	if !ok || e.workspaces.state == "" || !e.endpoint.Local() {
		return nil
	}
	share, err := fileowner.Orphaned(e.workspaces.state, dir, caller.UID)
	if err != nil || share == nil {
		return err
	}
	defer share.Close()
	// What its steps could reach is not known any more.
	give := giveBack{engine: e, dir: dir, to: caller, labels: e.runLabels(run), options: fileowner.Options{HoldLinked: true}}
	return give.run(ctx, share.Tree)
}

// runLabels are the labels of what belongs to a run as a whole.
func (e *Engine) runLabels(run string) map[string]string {
	labels := maps.Clone(e.owner)
	labels[LabelRun] = run
	return labels
}

// GiveBack gives the caller everything below dir, whoever owns it, such as a
// copy of a working tree that must be removed. Where that takes the rights of
// root it starts a container of one of the images, or of any image of the
// engine when none is named, which belongs to the run. It does nothing when
// everything is the caller's, and leaves alone files with names outside of dir,
// which need not be the caller's to be removed.
func (e *Engine) GiveBack(ctx context.Context, run, dir string, images []string) error {
	caller, ok := fileowner.Caller()
	if !ok {
		return nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("cannot give files back: %w", err)
	}
	// Where a step could reach it, a name in it may be one of a file elsewhere.
	give := giveBack{engine: e, dir: dir, to: caller, images: images, labels: e.runLabels(run), options: fileowner.Options{HoldLinked: true}}
	return give.run(ctx, fileowner.Everything(dir, caller.UID))
}

// run gives back what is not in the tree, in bounded time.
func (g *giveBack) run(ctx context.Context, tree *fileowner.Tree) error {
	ctx, cancel := context.WithTimeoutCause(ctx, giveTime, fmt.Errorf("it takes longer than %v", giveTime))
	defer cancel()
	ctx, stop := hasten(ctx, g.hurry)
	defer stop()
	report, err := tree.GiveBack(ctx, g.options, g.give)
	left := g.close()
	if err == nil && g.shell {
		// They may have done something else as well.
		report, err = tree.GiveBack(ctx, g.options, func(context.Context, []fileowner.File) error { return errByImage })
	}
	if err == nil {
		return left
	}
	what := fmt.Sprintf("%d of the files that steps created as another user are not yours yet", len(report.Left))
	switch len(report.Left) {
	case 0:
		what = "what steps created as another user may not be yours yet"
	case 1:
		what = "what a step created as another user is not yours yet"
	}
	why := oneLine(err)
	switch {
	case errors.Is(err, errEngineGone):
		why = errEngineGone.Error() // which is why nothing else worked
	case errors.Is(err, context.DeadlineExceeded):
		why = errHurry.Error()
	}
	err = fmt.Errorf("%s, in %s%s: %s; `%s` gives it to you", what, g.dir, some(report.Left), why, chownCommand(g.dir, g.to))
	if left != nil {
		err = fmt.Errorf("%w; %w", err, left)
	}
	return err
}

// errEngineGone is why files are left when the engine is gone.
var errEngineGone = errors.New("the engine does not answer")

// errByImage is why files are left that have come while owners were changed.
var errByImage = errors.New("the chown of an image has made more of them")

// errHurry is why files are left when nobody wants to wait for them.
var errHurry = errors.New("there was no time left")

// hasten gives a context that ends hurryTime after hurry is closed.
func hasten(ctx context.Context, hurry <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-hurry:
		case <-ctx.Done():
			return
		}
		timer := time.AfterFunc(hurryTime, func() { cancel(errHurry) })
		<-ctx.Done()
		timer.Stop()
	}()
	return ctx, func() { cancel(nil) }
}

// some names the first of several paths.
func some(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	var names []string
	for _, path := range paths[:min(leftNamed, len(paths))] {
		names = append(names, quote(path))
	}
	text := " (" + strings.Join(names, ", ")
	if len(paths) > leftNamed {
		text += ", …"
	}
	return text + ")"
}

func chownCommand(dir string, to fileowner.Owner) string {
	return fmt.Sprintf("sudo chown -hR %d:%d %s", to.UID, to.GID, quote(dir))
}

// quote writes a path as a shell takes it, or on one line.
func quote(path string) string {
	plain := func(r rune) bool {
		return !strings.ContainsRune("/._-+,:@%=", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	switch {
	case path != "" && strings.IndexFunc(path, plain) < 0 && path[0] != '-':
		return path
	case strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '�' }):
		return strconv.Quote(path)
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// resolved is a path without symbolic links, as the engine sees it, where that
// can be told.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return filepath.Clean(path)
}

// reachesOut reports whether a step of p could give a file of this machine
// that is outside of the workspace a name inside: links do not cross mounts,
// so that takes a mount that holds the workspace, or rights to mount.
func reachesOut(p *exec.Pipeline) bool {
	tree := resolved(p.Workspace.Host)
	holds := func(path string) bool {
		path = strings.TrimSuffix(resolved(path), "/")
		return path == tree || strings.HasPrefix(tree, path+"/")
	}
	for _, v := range p.Volumes {
		if v.Kind == exec.VolumeHost && holds(v.HostPath) {
			return true
		}
	}
	return slices.ContainsFunc(p.Steps, func(s *exec.Step) bool {
		return s.Privileged || slices.ContainsFunc(s.Binds, func(b exec.Bind) bool { return holds(b.Host) })
	})
}
