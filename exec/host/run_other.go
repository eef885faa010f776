//go:build !unix

package host

import (
	"context"

	"github.com/drone-laptop/drone/exec"
)

// supported is false where neither /bin/sh nor process groups exist.
const supported = false

// run is never called: Open has refused the pipeline.
func (s *session) run(context.Context, *exec.Step, string, exec.IO) (exec.Exit, error) {
	return exec.Exit{}, &exec.StepError{Phase: exec.PhaseStart, Err: errClosed}
}
