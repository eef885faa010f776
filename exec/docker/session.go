package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

const (
	// makeLag is how long the making of an object goes on after its context
	// has ended, so that its result is known.
	makeLag = 15 * time.Second
	// tidyTime bounds removals that no caller bounds.
	tidyTime = 30 * time.Second
)

// errClosed is what a step is told that begins while its session ends.
var errClosed = errors.New("the pipeline has ended")

// session is one open pipeline. Its containers carry names that only this
// process knows, so that they can be removed even when the answer to their
// creation was lost.
type session struct {
	engine      *Engine
	pipeline    *exec.Pipeline
	place       place
	name        string // beginning of every name
	networkID   string
	credentials *dockerhost.Credentials
	platform    *ocispec.Platform // that images are asked for; nil when the file names none
	workspace   *workspace        // nil when it is no directory of this machine
	notify      func(exec.Notice)
	hurry       <-chan struct{} // closed when there is no time left
	inherited   <-chan struct{} // closed when somebody else removes what is left

	deaths     deaths
	containers inventory
	tidying    sync.WaitGroup // removals of ended containers
	hopeless   chan struct{}  // closed when the engine hangs while all is removed

	pulse      context.Context // ends when the engine is given up
	leavePulse func()
	watching   sync.WaitGroup // of the pulse

	mu       sync.Mutex // guards the rest, and what prepared says
	closed   bool
	running  int           // runs and preparations under way
	idle     chan struct{} // closed when closed and nothing runs any more
	prepared map[*exec.Step]*prepared
	broken   error // the first panic of a removal
}

// Open implements exec.Engine. A pipeline gets a network of its own and its
// temporary volumes; a workspace that is a directory of the host must exist.
func (e *Engine) Open(ctx context.Context, p *exec.Pipeline, env exec.Setting) (exec.Session, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := e.check(p); err != nil {
		return nil, err
	}
	s := &session{
		engine: e, pipeline: p, name: objectName(env.Run), idle: make(chan struct{}), hopeless: make(chan struct{}),
		prepared:    map[*exec.Step]*prepared{},
		credentials: e.pullSecrets(p, env), platform: platformOf(p), notify: env.Notify, hurry: env.Hurry, inherited: env.Inherited,
		workspace: e.workspaces.enter(ctx, p),
	}
	s.place = place{labels: pipelineLabels(e.owner, p, env.Run), network: s.name, volumes: map[string]string{}}
	if p.Workspace.Host == "" {
		s.place.workspace = s.name + "-workspace"
	} else if !e.endpoint.Local() {
		env.Notify(exec.Notice{Warning: fmt.Sprintf("the engine at %s is on another machine: steps see its %s, not the one here",
			e.endpoint.Host, p.Workspace.Host)})
	}
	for i, v := range p.Volumes {
		if v.Kind == exec.VolumeTemp {
			s.place.volumes[v.Name] = fmt.Sprintf("%s-%d", s.name, i+1)
		}
	}
	e.warnEmulated(s.platform, env)
	err := s.make(ctx)
	if err == nil && ctx.Err() == nil {
		s.feelPulse()
		s.hearDeaths()
		return s, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	s.leaveWorkspace(tidy)
	left, broken := s.removeShared(tidy)
	return nil, errors.Join(err, leftError(e, nil, left), broken)
}

// check finds what no engine call would explain.
func (e *Engine) check(p *exec.Pipeline) error {
	fail := func(hint, format string, args ...any) error {
		return &exec.StepError{Phase: exec.PhaseOpen, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	if p.Platform.OS == "windows" {
		return fail("run the pipeline on a server with Windows runners",
			"pipeline %q is for windows containers, which this engine does not run", p.Name)
	}
	dir := p.Workspace.Host
	if dir == "" || !e.endpoint.Local() {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fail("", "workspace %q cannot be used: %v", dir, err)
	}
	if !info.IsDir() {
		return fail("", "workspace %q is not a directory", dir)
	}
	return nil
}

// warnEmulated tells that the steps of a pipeline are for another processor than
// that of the engine.
func (e *Engine) warnEmulated(p *ocispec.Platform, env exec.Setting) {
	if p != nil && e.arch != "" && !platforms.Only(e.images.own).Match(*p) {
		env.Notify(exec.Notice{Warning: fmt.Sprintf("the platform of the pipeline is %s, but the engine runs %s: steps work only where it emulates that, and slowly",
			platforms.Format(*p), platforms.Format(e.images.own))})
	}
}

// pullSecrets puts the pipeline's credentials in front of those of the user.
func (e *Engine) pullSecrets(p *exec.Pipeline, env exec.Setting) *dockerhost.Credentials {
	all := e.credentials
	for _, ref := range p.PullSecrets {
		text, ok := env.Secret(ref.Name)
		if !ok {
			continue // MissingSecrets names it
		}
		with, err := all.With(fmt.Sprintf("secret %q of image_pull_secrets", ref.Name), text)
		if err != nil {
			env.Notify(exec.Notice{Warning: fmt.Sprintf("image_pull_secrets names %q, which cannot be used: %v", ref.Name, err)})
			continue
		}
		all = with
	}
	return all
}

// make creates the network and the volumes, and looks for the networks that
// must exist already, all at once.
func (s *session) make(ctx context.Context) error {
	longer, cancel := outlive(ctx)
	defer cancel()
	api := s.engine.client
	var group errgroup.Group
	group.Go(guarded(func() error {
		err := untilPassed(longer, func() error {
			made, err := api.NetworkCreate(longer, s.place.network, network.CreateOptions{Driver: "bridge", Labels: s.place.labels})
			s.networkID = made.ID
			s.passOn(made.Warning)
			return err
		})
		return s.openError(ctx, "network", err)
	}))
	for _, name := range s.volumes() {
		group.Go(guarded(func() error {
			_, err := api.VolumeCreate(longer, volume.CreateOptions{Name: name, Labels: s.place.labels})
			return s.openError(ctx, "volume", err)
		}))
	}
	for _, name := range s.pipeline.Networks {
		group.Go(guarded(func() error {
			_, err := api.NetworkInspect(longer, name, network.InspectOptions{})
			return s.openError(ctx, "network", err)
		}))
	}
	return group.Wait()
}

// guarded is f in exec.Guard, for a goroutine of a group.
func guarded(f func() error) func() error {
	return func() error { return exec.Guard(f) }
}

func (s *session) volumes() []string {
	var names []string
	if s.place.workspace != "" {
		names = append(names, s.place.workspace)
	}
	for _, name := range s.place.volumes {
		names = append(names, name)
	}
	return names
}

func (s *session) openError(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if lost(err) {
		return s.engine.unreachable(ctx, err)
	}
	explained := stepError(exec.PhaseOpen, about{}, err)
	if explained.Hint == "" {
		explained.Err = fmt.Errorf("cannot prepare a %s for pipeline %q: %w", what, s.pipeline.Name, explained.Err)
	}
	return explained
}

// Env implements exec.Environer: what the server's runner tells its steps about
// what it made (reference §5.2). Docker takes a name where it asks for an ID.
func (s *session) Env() map[string]string {
	env := map[string]string{"DRONE_DOCKER_NETWORK_ID": s.place.network}
	if host := s.pipeline.Workspace.Host; host != "" {
		env["DRONE_DOCKER_VOLUME_PATH"] = host
	} else {
		env["DRONE_DOCKER_VOLUME_ID"] = s.place.workspace
	}
	return env
}

// begin counts a run in, unless the session has ended.
func (s *session) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.running++
	return nil
}

func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.closed && s.running == 0 {
		close(s.idle)
	}
}

// ended reports whether Close has begun.
func (s *session) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// claim gives a name for a container and remembers to remove it.
func (s *session) claim() (string, error) {
	name := s.name + "-" + random()[:6]
	if err := s.containers.claim(name); err != nil {
		return "", err
	}
	return name, nil
}

// discard removes an ended container in the background, while the next step
// runs: at the end of the pipeline nothing has to be waited for. What cannot
// be removed now is tried again by Close.
func (s *session) discard(name string) {
	s.containers.discard(name)
	s.tidying.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), tidyTime)
		defer cancel()
		go func() {
			select {
			case <-s.hopeless:
				cancel()
			case <-ctx.Done():
			}
		}()
		err := exec.Guard(func() error { return s.engine.removeContainer(ctx, name) })
		s.defect(err)
		if err == nil {
			s.containers.removed(name)
		}
	})
}

// defect remembers a panic for Close, which tells of it.
func (s *session) defect(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := errors.AsType[*exec.PanicError](err); ok && s.broken == nil {
		s.broken = err
	}
}

// firstDefect is the panic to tell of, or nil.
func (s *session) firstDefect() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

// objectName begins the names of what belongs to one session.
func objectName(run string) string { return namePrefix(run) + random()[:10] }

// namePrefix begins the names of what belongs to one run.
func namePrefix(run string) string {
	run = notInNames.ReplaceAllString(run, "-")
	return "drone-" + run[:min(len(run), 40)] + "-"
}

func random() string { return strings.ToLower(rand.Text()) }

// gone reports whether a removal has nothing left to do.
func gone(err error) bool { return err == nil || errdefs.IsNotFound(err) }
