package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/drone-laptop/drone/exec"
)

// Terminal is where a shell is: what somebody types, what the shell writes, and
// how large it is.
type Terminal struct {
	In   io.Reader
	Out  io.Writer
	Size func() (columns, rows int)
}

// shellCommand starts the shell of a container that somebody would choose.
const shellCommand = "if command -v bash >/dev/null 2>&1; then exec bash; fi; exec sh"

// resizeEvery is how often is looked whether a terminal has another size, and
// firstSize how often it is tried to tell the first one to a shell that starts.
const (
	resizeEvery = 300 * time.Millisecond
	firstSize   = 20 * time.Millisecond
)

// Shell runs a shell in the container of a step of a run of this engine, beside
// what the step does, until it or the container ends, or ctx. It reads from In
// no more than is there until then; a Read that waits is for the caller to end.
func (e *Engine) Shell(ctx context.Context, run string, step exec.StepName, t Terminal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	name, err := e.containerOf(ctx, run, step)
	if err != nil {
		return err
	}
	made, err := e.client.ContainerExecCreate(ctx, name, container.ExecOptions{
		Cmd: []string{"/bin/sh", "-c", shellCommand}, Tty: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		Env: []string{"TERM=xterm-256color"},
	})
	if err != nil {
		return fmt.Errorf("the engine does not let anybody into the container: %w", err)
	}
	stream, err := e.client.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{Tty: true})
	if err != nil {
		return fmt.Errorf("the shell cannot be reached: %w", err)
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, stream.Close)() // which ends what reads from it
	go func() { _ = exec.Guard(func() error { e.fit(ctx, made.ID, t.Size); return nil }) }()
	go func() {
		_ = exec.Guard(func() error {
			_, err := io.Copy(stream.Conn, t.In)
			return err
		})
	}()
	if _, err := io.Copy(t.Out, stream.Reader); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the shell was lost: %w", err)
	}
	info, err := e.client.ContainerExecInspect(ctx, made.ID)
	switch {
	case err != nil:
		return nil // with the container, which has ended
	case info.ExitCode == 126 || info.ExitCode == 127:
		return errors.New("the image has no shell")
	}
	return nil
}

// containerOf finds the container of a step that runs.
func (e *Engine) containerOf(ctx context.Context, run string, step exec.StepName) (string, error) {
	list, err := e.client.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(
		filters.Arg("label", LabelRun+"="+run), filters.Arg("label", LabelPipeline+"="+step.Pipeline),
		filters.Arg("label", LabelStep+"="+step.Step), filters.Arg("status", "running"),
	)})
	if err != nil {
		return "", fmt.Errorf("the container cannot be looked for: %w", err)
	}
	if len(list) == 0 {
		return "", errors.New("the step has no container that runs")
	}
	return list[0].ID, nil
}

// fit tells a shell the size of its terminal, until ctx ends.
func (e *Engine) fit(ctx context.Context, shell string, size func() (columns, rows int)) {
	tick := time.NewTicker(firstSize)
	defer tick.Stop()
	wide, high := 0, 0
	for {
		if w, h := size(); w > 0 && h > 0 && (w != wide || h != high) {
			// One that has not started yet is told the next time.
			if e.client.ContainerExecResize(ctx, shell, container.ResizeOptions{Width: uint(w), Height: uint(h)}) == nil {
				wide, high = w, h
				tick.Reset(resizeEvery)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
