package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/leftover"
	"github.com/drone-laptop/drone/internal/owner"
)

// endpoint finds the address of the engine.
func (o Options) endpoint() (dockerhost.Endpoint, Check) {
	at, err := dockerhost.Resolve(o.Env, o.Host)
	check := ok("%s, found through %s", at.Host, at.Source)
	if wrong, ok := errors.AsType[*dockerhost.Error](err); ok {
		check = fail(wrong.Hint, "%v", wrong)
	} else if err != nil {
		check = fail("", "%v", err)
	}
	check.Name = Endpoint
	return at, check
}

// connect greets the engine, which explains itself better than a check that was
// cut off.
func (o Options) connect(ctx context.Context, at dockerhost.Endpoint) (*docker.Engine, Check) {
	within := o.Limit
	if strings.HasPrefix(at.Host, "ssh://") {
		within *= 2 // most of it is spent before the engine hears of it
	}
	engine, err := docker.New(ctx, docker.Options{Endpoint: at, Greeting: within})
	check := Check{}
	var unreachable *exec.UnreachableError
	switch {
	case err == nil:
		check = ok("answers: %s", engine.Version())
	case errors.As(err, &unreachable):
		check = fail(unreachable.Hint, "%v", unreachable)
	default:
		check = fail("", "%v", err)
	}
	check.Name = Engine
	return engine, check
}

// trial is an engine that is tried out.
type trial struct {
	Options
	engine   *docker.Engine
	endpoint dockerhost.Endpoint

	facts  func() (docker.Facts, error)
	images func() ([]string, error)
	file   func() (string, error)
	seen   func() error
	names  func(ctx context.Context, enough func(names) bool) (names, error)

	begin func() // the trial step, once
	said  *answers
}

// errOther means that a container sees a file, but not the one of this machine.
var errOther = errors.New("another file is there")

// mostImages is how many images are tried before it is said that none serves.
const mostImages = 3

// start begins all checks of the engine at once. What several of them need is
// asked for once, within the limit of a check.
func (t *trial) start(ctx context.Context, p patient) []func() Check {
	shared, cancel := context.WithTimeout(ctx, p.limit)
	context.AfterFunc(shared, cancel)
	t.facts = sync.OnceValues(func() (docker.Facts, error) { return t.engine.Facts(shared) })
	t.images = sync.OnceValues(func() ([]string, error) { return t.engine.Local(shared, t.Images, mostImages) })
	t.file = sync.OnceValues(func() (string, error) { return t.writeFile(t.Dir) })
	t.seen = sync.OnceValue(func() error { return t.readFile(shared) })
	t.said, t.names = newAnswers(), t.ask
	t.begin = sync.OnceFunc(func() {
		p.late.Go(func() { t.said.end(exec.Guard(func() error { return t.lookUp(shared) })) })
	})
	return []func() Check{
		p.check(ctx, "kind", t.kind),
		p.check(ctx, "storage", t.storage),
		p.check(ctx, "clock", t.clock),
		p.check(ctx, "mounts", t.mounts),
		p.check(ctx, "copies", t.copies),
		p.check(ctx, "service names", t.serviceNames),
		p.check(ctx, "dns", t.dns),
		p.check(ctx, "leftovers", t.leftovers),
	}
}

func (t *trial) kind(ctx context.Context) Check {
	f, err := t.facts()
	switch {
	case err != nil && ctx.Err() != nil:
		return t.unfinished()
	case err != nil:
		return fail("see what `docker info` says", "%v", err)
	}
	words := []string{f.Product}
	switch {
	case f.Rootless:
		words = append(words, "rootless")
	case f.Userns:
		words = append(words, "with user namespaces")
	}
	if f.Cgroup != "" {
		words = append(words, "cgroup version "+f.Cgroup)
	}
	text := fmt.Sprintf("%s, on %s (%s)", strings.Join(words, ", "), f.OS, f.Arch)
	if !f.MemoryLimit {
		return warn("use cgroup version 2 with the memory controller delegated: https://docs.docker.com/engine/security/rootless/tips/",
			"%s; it cannot limit memory, so mem_limit has no effect", text)
	}
	return ok("%s", text)
}

// maxSkew is how far the clock of the engine may be off before builds notice,
// by the time stamps of files and by certificates that do not hold yet.
const maxSkew = 10 * time.Second

func (t *trial) clock(context.Context) Check {
	f, err := t.facts()
	switch {
	case err != nil:
		return warn("", "not checked: %v", err)
	case f.Time.IsZero():
		return ok("the engine does not tell its time")
	}
	skew := time.Duration(0)
	if f.Time.Before(f.Asked) {
		skew = f.Time.Sub(f.Asked)
	} else if f.Time.After(f.Answered) {
		skew = f.Time.Sub(f.Answered)
	}
	skew = skew.Round(time.Second)
	switch {
	case skew > maxSkew:
		return warn("restart the engine, or the virtual machine it is in", "the clock of the engine is %s ahead of that of this machine", skew)
	case skew < -maxSkew:
		return warn("restart the engine, or the virtual machine it is in", "the clock of the engine is %s behind that of this machine", -skew)
	}
	return ok("the clock of the engine is that of this machine")
}

// The space below which an engine soon fails, and that below which it cannot
// work.
const (
	lowStorage = 5 << 30
	noStorage  = 200 << 20
)

func (t *trial) storage(context.Context) Check {
	f, err := t.facts()
	if err != nil {
		return warn("", "not checked: %v", err)
	}
	text := fmt.Sprintf("driver %s in %s", f.Storage, f.Root)
	if !t.sameMachine(f) {
		return ok("%s; how much is free there cannot be seen from here", text)
	}
	free, err := freeSpace(f.Root)
	if err != nil {
		return ok("%s; how much is free there cannot be told: %v", text, err)
	}
	return space(free, lowStorage, noStorage, text, "see `docker system df`, then `docker system prune` frees what nobody uses")
}

// sameMachine reports whether paths of the engine are those of this machine.
func (t *trial) sameMachine(f docker.Facts) bool {
	host, err := os.Hostname()
	return err == nil && runtime.GOOS == "linux" && t.endpoint.Local() && f.Machine == host && !strings.Contains(f.OS, "Docker Desktop")
}

// writeFile makes a file in dir that containers should see, and gives its name.
func (t *trial) writeFile(dir string) (string, error) {
	file, err := os.CreateTemp(dir, ".drone-doctor-*")
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(t.Run)
	// Root in a container may be anybody here.
	err = errors.Join(err, file.Close(), os.Chmod(file.Name(), 0o644))
	return filepath.Base(file.Name()), err
}

// end removes the file. Who comes later does not make it again.
func (t *trial) end() {
	if name, _ := t.file(); name != "" {
		_ = os.Remove(filepath.Join(t.Dir, name)) // a file system that is gone takes it along
	}
}

// readFile reads the file of the working directory through a container.
func (t *trial) readFile(ctx context.Context) error {
	images, err := t.images()
	if err != nil {
		return err
	}
	if len(images) == 0 {
		return errNoImage
	}
	name, err := t.file()
	if err != nil {
		return err
	}
	return t.readThrough(ctx, images[0], t.Dir, name)
}

// readThrough reads what writeFile has made through a container of an image.
func (t *trial) readThrough(ctx context.Context, image, dir, name string) error {
	text, err := t.engine.ReadMounted(ctx, t.Run, image, dir, name)
	if err == nil && string(text) != t.Run {
		return errOther
	}
	return err
}

// copies tells whether containers see what is written where copies of the
// working tree are made. It is no failure when they do not: most runs make none.
func (t *trial) copies(ctx context.Context) Check {
	const fix = "name a directory that the engine can mount with TMPDIR"
	images, err := t.images()
	switch {
	case ctx.Err() != nil:
		return t.unfinished()
	case err != nil || len(images) == 0:
		return noImage(err)
	case !t.endpoint.Local():
		return ok("not needed: with an engine on another machine there is no --isolate")
	}
	dir := existing(t.Copies)
	name, err := t.writeFile(dir)
	if name != "" {
		defer os.Remove(filepath.Join(dir, name)) // a file system that is gone takes it along
	}
	if err != nil {
		return warn(fix, "--isolate cannot make copies in %s: %v", t.Copies, reason(err))
	}
	err = t.readThrough(ctx, images[0], dir, name)
	switch {
	case ctx.Err() != nil:
		return t.unfinished()
	case err != nil:
		return warn(fix, "containers do not see the files of %s, where --isolate makes copies: %v", dir, err)
	}
	return ok("containers see the files of %s, where --isolate makes copies", dir)
}

// existing is dir or, when there is none yet, the directory in which it would be
// made.
func existing(dir string) string {
	for {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// mounts tells whether containers see the file that was just written here. The
// engine itself can do so where containers may not, for example with SELinux.
func (t *trial) mounts(ctx context.Context) Check {
	images, err := t.images()
	switch {
	case ctx.Err() != nil:
		return t.unfinished()
	case err != nil || len(images) == 0:
		return noImage(err)
	}
	if _, err := t.file(); err != nil {
		return warn("", "not checked: no file can be written in the workspace: %v", reason(err))
	}
	err = t.seen()
	switch {
	case ctx.Err() != nil:
		return t.unfinished()
	case err != nil && !t.endpoint.Local():
		return warn("run with --clone, or use an engine of this machine", "containers do not see the files of %s, since the engine is on another machine: %v", t.Dir, err)
	case err != nil:
		return fail(mountFix(err), "containers do not see the files of %s: %v", t.Dir, err)
	}
	// Its error is told elsewhere.
	if found, _ := t.names(ctx, func(n names) bool { return n.file != "" || n.service != "" }); found.file == "no" {
		return fail(fmt.Sprintf("with SELinux, `chcon -Rt container_file_t %s`; with user namespaces, let others read it; or run with --clone", t.Dir),
			"containers see the files of %s, but may not read them", t.Dir)
	}
	return ok("containers see the files of %s", t.Dir)
}

func mountFix(err error) string {
	var step *exec.StepError
	if errors.As(err, &step) && step.Hint != "" {
		return step.Hint
	}
	return "share this directory with the engine (Docker Desktop: Settings, Resources, File sharing; Colima: `colima start --mount`; snap: work below your home directory), or run with --clone"
}

func (o Options) unfinished() Check { return warn("", "not finished within %s", o.Limit) }

// errNoImage means that there is nothing to make a container of.
var errNoImage = errors.New("no image is on this machine")

func noImage(err error) Check {
	if err != nil {
		return warn("", "not checked: %v", err)
	}
	return warn("drone pull", "not checked: %v", errNoImage)
}

// leftovers counts what runs have left whose process is gone.
func (t *trial) leftovers(ctx context.Context) Check {
	found, err := leftover.Find(ctx, t.engine, t.RunDirs, false)
	var left leftover.Tally
	for _, item := range found {
		if item.Owner == owner.Dead {
			left.Count(item.Kind())
		}
	}
	switch {
	case left.Any():
		return warn("drone clean", "runs that were killed have left %s", left)
	case err != nil:
		return warn("", "not checked in full: %s", strings.Join(strings.Fields(err.Error()), " "))
	}
	return ok("runs have left nothing behind")
}
