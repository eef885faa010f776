package docker

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/containerd/platforms"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/drone-laptop/drone/exec"
)

const (
	// signalled is the least exit code of a process that a signal ended, as
	// shells and engines put it.
	signalled = 128
	sigkilled = signalled + 9
	// afterEnd is how long after the end of a container the engine may still
	// tell who ended it, or turn out to be stopping itself.
	afterEnd = time.Second
)

// explain adds to the end of a container what its exit code does not say. It
// is called for those that failed only. The error of the result is set when it
// was the engine that ended the container, because it was stopped itself.
func (s *session) explain(ctx context.Context, step *exec.Step, name string, code int, tail []byte) ending {
	end := ending{exit: exec.Exit{Code: code}}
	state, err := s.oomState(ctx, step, name, code)
	switch {
	case err != nil && lost(err):
		return ending{err: err}
	case noContainer(err):
		end.exit.Reason, end.exit.Hint = removedByOthers, hintOthers
		return end
	case err != nil:
		return end // the code is known, and that is what matters
	case state.OOMKilled:
		end.exit.OOMKilled = true
		end.exit.Reason, end.exit.Hint = memoryFull(step.MemLimit, code)
		return end
	}
	if notExecutable.Match(tail) {
		end.exit.Reason, end.exit.Hint = s.whyNotExecutable(ctx, step, name)
		return end
	}
	if code < signalled {
		end.exit.Hint = s.spaceHint(ctx, tail)
		return end
	}
	who, err := s.whoEnded(ctx, name, state)
	switch {
	case err != nil && lost(err):
		return ending{err: err}
	case who != "":
		end.exit.Reason = who
		end.exit.Hint = hintOthers
	case noContainer(err):
		end.exit.Reason, end.exit.Hint = removedByOthers, hintOthers
	case code == sigkilled && s.engine.product == productPodman:
		// It does not tell of every end that it was asked for in time.
		end.exit.Reason, end.exit.Hint = "that is the code of SIGKILL", hintKilled
	case code == sigkilled && err == nil:
		end.exit.Reason = "that is the code of SIGKILL, which the engine was not asked for"
		end.exit.Hint = hintKilled
		if step.MemLimit > 0 {
			end.exit.Hint = fmt.Sprintf("it may have used more than the %s of its mem_limit", memory(step.MemLimit))
		}
	}
	return end
}

// notExecutable is what the runtime writes in place of the output of a program
// that the kernel does not take, after the start has succeeded.
var notExecutable = regexp.MustCompile("(?im)^(?:exec /\\S+|exec container process `[^`]*`|standard_init_linux\\.go:\\d+: exec user process caused): exec format error\\r?$")

// whyNotExecutable explains it.
func (s *session) whyNotExecutable(ctx context.Context, step *exec.Step, name string) (reason, hint string) {
	own := platforms.Format(s.engine.images.own)
	bounded, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if made, err := s.engine.client.ContainerInspect(bounded, name); err == nil {
		info, err := s.engine.client.ImageInspect(bounded, made.Image)
		if err == nil && s.engine.images.emulated(info) {
			return fmt.Sprintf("image %q is for %s, which the engine, of %s, cannot run", step.Image, platforms.Format(platformIn(info)), own), hintEmulate
		}
	}
	return fmt.Sprintf("%s cannot run its program, which is for another processor, or a script that does not begin with `#!`", own),
		"use an image for " + own
}

const (
	removedByOthers = "its container was removed by somebody else"
	hintKilled      = "look for `kill` in the commands, or for a machine short of memory with `dmesg`"
	hintOthers      = "the engine was asked to do that by another program, such as `docker` on another terminal"
)

func memoryFull(limit int64, code int) (reason, hint string) {
	if limit <= 0 {
		return "the memory of the engine's machine was full", "give it more memory, or have the step use less"
	}
	reason = fmt.Sprintf("it used more than the %s of its mem_limit", memory(limit))
	if code != sigkilled {
		reason += fmt.Sprintf("; one of its processes was killed, and it ended with exit code %d", code)
	}
	return reason, "raise mem_limit, or have the step use less memory"
}

// memory writes a size as mem_limit takes it.
func memory(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.size && n%unit.size == 0 {
			return strconv.FormatInt(n/unit.size, 10) + " " + unit.name
		}
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// whoEnded asks the engine whether it was told to end a container. Engines
// keep their latest events for a while; what is wanted lies between the start
// of the container and a moment after its end, in the engine's own time.
func (s *session) whoEnded(ctx context.Context, name string, state *container.State) (string, error) {
	finished, err := time.Parse(time.RFC3339Nano, state.FinishedAt)
	if err != nil {
		return "", nil // an engine that does not know keeps no such events either
	}
	bounded, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	stamp := func(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }
	since := finished.Add(-time.Minute)
	if started, err := time.Parse(time.RFC3339Nano, state.StartedAt); err == nil {
		since = started
	}
	messages, failures := s.engine.client.Events(bounded, events.ListOptions{
		Since: stamp(since), Until: stamp(finished.Add(afterEnd)),
		Filters: filters.NewArgs(filters.Arg("container", name),
			filters.Arg("event", "kill"), filters.Arg("event", "stop"), filters.Arg("event", "destroy"),
			filters.Arg("event", "remove")), // the word of Podman
	})
	said := ""
	for {
		select {
		case m := <-messages:
			said = louder(said, m)
		case err := <-failures:
			if bounded.Err() != nil || err == nil || !lost(err) {
				return said, nil
			}
			// The end of the stream looks like that of the connection.
			_, err = s.state(ctx, name)
			return said, err
		}
	}
}

// louder is what to say of several events: a removal kills, and so does a stop.
func louder(said string, m events.Message) string {
	switch m.Action {
	case events.ActionDestroy, events.ActionRemove:
		return removedByOthers
	case events.ActionStop:
		if said != removedByOthers {
			return "its container was stopped by somebody else"
		}
	case events.ActionKill:
		const killed = "its container was killed by somebody else"
		signal := m.Actor.Attributes["signal"] // Podman names none
		switch {
		case said == "" && signal == "":
			return killed
		case said == "":
			return killed + " (signal " + signal + ")"
		}
	}
	return said
}

var noSpace = regexp.MustCompile(`(?i)no space left on device|\bENOSPC\b|disk quota exceeded`)

// spaceHint tells which place is full, when a step that failed complained of
// one or the workspace has no room left.
func (s *session) spaceHint(ctx context.Context, tail []byte) string {
	complained := noSpace.Match(tail)
	if !s.engine.endpoint.Local() {
		if complained {
			return "a disk that the step writes to is full, on the engine's machine"
		}
		return ""
	}
	if dir := s.pipeline.Workspace.Host; dir != "" && s.engine.full(dir) {
		return fmt.Sprintf("the disk of the workspace %s is full", dir)
	}
	if !complained {
		return ""
	}
	bounded, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	info, err := s.engine.client.Info(bounded)
	if err == nil && info.DockerRootDir != "" && s.engine.full(info.DockerRootDir) {
		return fmt.Sprintf("the storage of the engine, %s, is full: %s", info.DockerRootDir, hintSpace)
	}
	return "neither the workspace nor the storage of the engine is full now: look at the volumes of the step and their size_limit, and at /dev/shm"
}

const hintSpace = "`docker system df` shows what takes the space, `docker system prune` frees some"
