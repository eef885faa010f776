package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
)

const hintPruned = "something removes what a run still needs, such as `docker network prune` or `docker volume prune`; run again"

var noNetwork = regexp.MustCompile(`(?i)network (\S+) not found`)

// networkGone explains an error about the network of the pipeline itself, which
// no file names.
func (s *session) networkGone(phase exec.Phase, err error) *exec.StepError {
	found := noNetwork.FindStringSubmatch(err.Error())
	if found == nil || found[1] != s.place.network && found[1] != s.networkID {
		return nil
	}
	return &exec.StepError{
		Phase: phase, Err: errors.New("the network of the pipeline was removed by somebody else"), Hint: hintPruned,
	}
}

// intact makes sure that a container that was created uses the volumes that the
// session made: the engine makes an empty one in place of one that is gone.
func (s *session) intact(ctx context.Context) error {
	var group errgroup.Group
	for _, name := range s.volumes() {
		group.Go(guarded(func() error {
			v, err := s.engine.client.VolumeInspect(ctx, name)
			switch {
			case err == nil && v.Labels[LabelRun] == s.place.labels[LabelRun]:
				return nil
			case err == nil || errdefs.IsNotFound(err):
				return &exec.StepError{
					Phase: exec.PhaseStart, Hint: hintPruned,
					Err: fmt.Errorf("%s was removed by somebody else, with what earlier steps left there", s.volumeName(name)),
				}
			}
			return err
		}))
	}
	return group.Wait()
}

// volumeName is what the file calls a volume.
func (s *session) volumeName(name string) string {
	for planned, made := range s.place.volumes {
		if made == name {
			return fmt.Sprintf("volume %q", planned)
		}
	}
	return "the volume of the workspace"
}
