// Package enginetest is the conformance suite of exec.Engine. Every engine
// runs it against real steps: what the suite asks for is what the scheduler
// and the users of exec rely on.
//
// It tests the contract between a session and its caller. It does not test
// scheduling, masking or events, which the tests of exec do with a fake.
package enginetest

import (
	"testing"

	"github.com/drone-laptop/drone/exec"
)

// Config says how an engine is tested.
type Config struct {
	// Engine makes the engine; it is called once for each case.
	Engine func(t *testing.T) exec.Engine
	// Patient makes one that gives steps a minute to end by themselves, for
	// the cases in which there is no time left. Engines without a grace period
	// may leave it nil.
	Patient func(t *testing.T) exec.Engine
	// Image is an image with /bin/sh and the applets of busybox that is
	// present already. Engines without images may leave it empty.
	Image string
	// Workspace gives an empty absolute directory of this machine that
	// becomes the workspace of one pipeline. When nil, the engine provides the
	// volume.
	Workspace func(t *testing.T) string
	// Path is the directory in which steps find the workspace, "/drone/src"
	// when empty. The value "." means the directory Workspace gave, for
	// engines that run steps on this machine. It means nothing for engines
	// with the feature Places.
	Path string
	// Leftovers lists what the engine still holds for a run: containers,
	// networks, volumes, processes, temporary files. It is asked after every
	// Close and must return nothing. When nil, it is not asked.
	Leftovers func(t *testing.T, run string) []string
	// Break changes a pipeline so that Open must fail after it made something.
	// When nil, only an ended context makes Open fail.
	Break func(p *exec.Pipeline)
	// Only limits the suite to the cases whose names begin with one of these,
	// for a second run on an engine in other circumstances. When empty, all run.
	Only []string
	// Ahead has every step prepared just before it is run, as the scheduler
	// does earlier, with variables that change in between. The sessions must be
	// an exec.Preparer.
	Ahead bool
	// Features says what else the engine can do.
	Features Features
}

// Features are abilities that not every engine has. Cases that need a feature
// the engine lacks are skipped aloud, but for Places, which changes what is
// expected.
type Features struct {
	// Images: steps run in images, so an unknown image and an unknown
	// entrypoint are errors of the step, and an image's own process runs when
	// a step has no commands.
	Images bool
	// Volumes: steps can mount the volumes of their pipeline.
	Volumes bool
	// Network: services and steps reach each other by name.
	Network bool
	// Places: the engine itself chooses the directory of the workspace, which
	// steps find in DRONE_WORKSPACE.
	Places bool

	ahead bool // what Config.Ahead says
}
