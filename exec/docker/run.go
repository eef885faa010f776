package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/versions"

	"github.com/drone-laptop/drone/exec"
)

// Run implements exec.Session.
func (s *session) Run(ctx context.Context, step *exec.Step, io exec.IO) (exec.Exit, error) {
	if ctx.Err() != nil {
		return exec.Exit{}, context.Cause(ctx)
	}
	if err := s.begin(); err != nil {
		return exec.Exit{}, s.failure(ctx, exec.PhaseCreate, about{}, err)
	}
	defer s.end()
	ctx, cancel := s.whileAlive(ctx)
	defer cancel()
	if io.Started == nil {
		io.Started = func() {}
	}
	if io.Notify == nil {
		io.Notify = func(exec.Notice) {}
	}
	of := about{image: step.Image, commands: len(step.Commands) > 0, env: io.Env}
	if p := s.released(ctx, step, io); p != nil {
		defer s.discard(p.name)
		return s.watch(ctx, step, of, p, io)
	}
	name, err := s.create(ctx, step, of, io)
	if name != "" {
		defer s.discard(name)
	}
	if err == nil && s.ended() {
		// Close may have looked for the container before it existed.
		err = errClosed
	}
	if err != nil {
		return exec.Exit{}, s.failure(ctx, exec.PhaseCreate, of, err)
	}
	p, err := s.launch(ctx, of, name, s.engine.startQueue.turn(false), io.Notify)
	if err != nil {
		return exec.Exit{}, err
	}
	return s.watch(ctx, step, of, p, io)
}

// failure is the error of a step: the cause of its context when that ended,
// what is explained already, or an explanation.
func (s *session) failure(ctx context.Context, phase exec.Phase, of about, err error) error {
	var explained *exec.StepError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &explained):
		return explained
	case s.ended():
		return &exec.StepError{Phase: phase, Err: errClosed}
	case s.networkGone(phase, err) != nil:
		return s.networkGone(phase, err)
	case lost(err):
		return &exec.StepError{
			Phase: phase, Err: s.engine.lostConnection(),
		}
	}
	return stepError(phase, of, err)
}

// create makes the container of a step, with its image, networks and script.
// The name is returned as soon as the container may exist.
func (s *session) create(ctx context.Context, step *exec.Step, of about, io exec.IO) (string, error) {
	converted, err := containerSpec(s.pipeline, step, io.Env, s.place)
	if err != nil {
		return "", &exec.StepError{Phase: exec.PhaseCreate, Err: err, Hint: "declare it under volumes of the pipeline"}
	}
	if s.engine.product == productPodman {
		spellMounts(converted.Host)
	}
	if name, has := withNUL(io.Env); has {
		return "", nulError(name)
	}
	if !fits(io.Env, os.Getpagesize()) {
		return "", tooLong(exec.PhaseCreate, of)
	}
	want := s.wants(step, io.Notify)
	io.Notify(exec.Notice{Phase: exec.PhasePull})
	if err := s.engine.images.before(ctx, want); err != nil {
		return "", err
	}
	io.Notify(exec.Notice{Phase: exec.PhaseCreate})
	// From here on the engine may make directories in the workspace: those
	// that it mounts something at.
	if err := s.workspace.ready(ctx); err != nil {
		return "", err
	}
	var from *local
	if want.platform != nil && !s.engine.refusesPlatform() {
		if from, err = s.engine.images.missing(ctx, want); err != nil {
			return "", err
		}
	}
	return s.build(ctx, step, converted, want, from, func() (*local, error) { return s.engine.images.missing(ctx, want) })
}

// wants is the image of a step.
func (s *session) wants(step *exec.Step, notify func(exec.Notice)) wanted {
	return wanted{image: step.Image, pull: step.Pull, platform: s.platform, credentials: s.credentials, notify: notify}
}

// refusesPlatform reports whether the engine makes no container of an image for
// another platform than it is told.
func (e *Engine) refusesPlatform() bool {
	return e.product == productDocker && versions.GreaterThanOrEqualTo(e.client.ClientVersion(), createsForPlatform)
}

// build makes a container of its specification: from an image that was looked
// for, or else by its name. Then missing provides the image when it is not
// there.
func (s *session) build(ctx context.Context, step *exec.Step, converted spec, want wanted, from *local, missing func() (*local, error)) (string, error) {
	name, err := s.claim()
	if err != nil {
		return "", err
	}
	if from == nil {
		from = &local{name: step.Image, platform: want.platform}
	}
	err = s.createContainer(ctx, converted, want, from, name)
	if unknownImage(err) {
		if from, err = missing(); err != nil {
			return name, err
		}
		err = s.createContainer(ctx, converted, want, from, name)
	}
	if err != nil {
		return name, err
	}
	s.workspace.used(from.name)
	if ctx.Err() != nil {
		return name, context.Cause(ctx)
	}
	longer, cancel := outlive(ctx)
	defer cancel()
	if err := s.joinNetworks(longer, step, name); err != nil {
		return name, err
	}
	return name, s.copyScript(longer, name, converted.Script)
}

func (s *session) createContainer(ctx context.Context, c spec, want wanted, from *local, name string) error {
	platform := from.platform
	if want.platform == nil || !s.engine.refusesPlatform() {
		platform = nil
	}
	config := *c.Config
	config.Image = from.name
	done, err := s.engine.images.fixed(ctx, from.name)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := outlive(ctx)
	defer cancel()
	made, err := s.engine.client.ContainerCreate(ctx, &config, c.Host, c.Network, platform, name)
	for _, text := range made.Warnings {
		if !s.engine.images.compareWarned(want, text) {
			s.passOn(text)
		}
	}
	return err
}

// passOn tells what the engine has warned of when it made something, such as a
// limit that it cannot set, once in a run: it holds for other steps, too, and the
// step that it was made for may only be prepared.
func (s *session) passOn(warning string) {
	if text := strings.Join(strings.Fields(warning), " "); text != "" {
		s.engine.images.warnOnce(s.notify, "the engine warns: "+text)
	}
}

// joinNetworks adds the networks that exist outside the pipeline. The alias
// there is the name of the network, as with the server's runner (reference
// §7.3).
func (s *session) joinNetworks(ctx context.Context, step *exec.Step, name string) error {
	if step.NetworkMode != "" {
		return nil
	}
	for _, extra := range s.pipeline.Networks {
		err := s.engine.client.NetworkConnect(ctx, extra, name, &network.EndpointSettings{Aliases: []string{extra}})
		if err != nil {
			return fmt.Errorf("cannot join network %q: %w", extra, err)
		}
	}
	return nil
}

// copyScript puts a script that is too long for a variable into a container
// that has not been started.
func (s *session) copyScript(ctx context.Context, name, script string) error {
	if script == "" {
		return nil
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	header := &tar.Header{Name: strings.TrimPrefix(scriptPath, "/"), Mode: 0o644, Size: int64(len(script)), Typeflag: tar.TypeReg}
	if err := errors.Join(w.WriteHeader(header), writeString(w, script), w.Close()); err != nil {
		return err
	}
	return s.engine.client.CopyToContainer(ctx, name, "/", &archive, container.CopyToContainerOptions{})
}

func writeString(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}
