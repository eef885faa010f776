// Package compile turns a configuration file, the facts of a build and the
// options of the user into an exec.Plan: which pipelines and steps run, why,
// in which order, and with what (reference §4 to §8 and §11).
//
// It is pure: no clock, disk, network, environment or Docker, and no secret
// values. It does not report style; what it finds wrong is what would keep the
// plan from being carried out.
package compile

import (
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// Options say how a plan is made. The zero value plans every pipeline that the
// build selects, with a workspace volume of its own.
type Options struct {
	Build Build

	// Workspace is the absolute directory to mount as workspace. When empty,
	// or with Clone, steps get an empty volume and the clone step runs.
	Workspace string
	Clone     bool

	// Pipelines selects pipelines by name or glob instead of by trigger;
	// Include and Exclude do so for steps and services. A name that matches
	// nothing is an *UnknownNameError.
	Pipelines []string
	Include   []string
	Exclude   []string

	// Trusted allows what a server allows trusted repositories only
	// (reference §10.2).
	Trusted bool

	// Env is added to every step, beneath all other variables.
	Env map[string]string
	// Vars are further variables for substitution, beneath the built-in ones:
	// the DRONE_* variables of the caller's environment.
	Vars map[string]string
	// Proxy are the proxy variables of the caller, by name in any case.
	Proxy map[string]string
	Netrc Netrc

	Binds      []exec.Bind
	Networks   []string
	Privileged []string // images that run privileged as the built-in ones do

	// Machine is the host name for DRONE_STAGE_MACHINE.
	Machine string
}

// Netrc is the login for cloning.
type Netrc struct {
	Machine, Username, Password string
}

// UnknownNameError is a name given by the user that the file does not have.
type UnknownNameError struct {
	What    string // "pipeline" or "step"
	Name    string
	Known   []string // what there is, in file order
	Closest string   // "" when nothing is close
}

func (e *UnknownNameError) Error() string { return "no " + e.What + " named " + e.Name }

// Compile makes the plan for a configuration file. name is used in positions.
//
// The problems are everything found wrong, ordered by place; with one of
// severity manifest.Error the plan must not be run, and is nil when too little
// could be read. The error is an *UnknownNameError.
func Compile(name string, source []byte, opts Options) (*exec.Plan, []manifest.Problem, error) {
	return nil, nil, nil
}

// Variable is one variable of the table in reference §5.2.
type Variable struct {
	Name   string
	Value  string
	Origin string // where the value comes from
}
