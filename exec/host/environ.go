package host

import (
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/exec"
)

// stepMark is the variable by which the processes of a step are known, also
// those that have left its session. Its value is a list of marks, each of one
// step that runs: where drone itself runs in a step, its processes have the mark
// of that one, too. A mark is the run, and what tells the step from others.
const (
	stepMark = "DRONE_HOST_STEP"
	markGap  = ":"
)

// newMark makes the mark of a step.
func newMark(run string) string { return runMark(run) + random() }

// runMark begins the marks of the steps of a run.
func runMark(run string) string { return url.QueryEscape(run) + "/" }

// Unmarked is an environment without the variable by which the processes of
// steps are known: that of a process which is not to end with the step in which
// this program runs.
func Unmarked(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool { return strings.HasPrefix(v, stepMark+"=") })
}

// environ is the environment of a step, sorted: of this machine only PATH and
// USER, beneath plan, which is all that the plan says, and the directories of
// the pipeline, which the step itself may set to something else, but nobody else
// (reference §3).
func environ(at place, step *exec.Step, plan map[string]string, getenv func(string) string, mark string) []string {
	env := map[string]string{}
	for _, name := range []string{"PATH", "USER"} {
		if value := getenv(name); value != "" {
			env[name] = value
		}
	}
	maps.Copy(env, plan)
	if path, ok := plan["PATH"]; ok {
		env["PATH"] = os.Expand(path, getenv)
	}
	for name, dir := range map[string]string{
		"HOME": at.home, "HOMEPATH": at.home, "USERPROFILE": at.home,
		"DRONE_HOME": at.source, "DRONE_WORKSPACE": at.source,
	} {
		if !sets(step, name) {
			env[name] = dir
		}
	}
	env[stepMark] = mark
	if outer := getenv(stepMark); outer != "" {
		env[stepMark] = outer + markGap + mark
	}
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// sets reports whether a step sets a variable itself.
func sets(step *exec.Step, name string) bool {
	_, static := step.Env[name]
	return static || slices.ContainsFunc(step.Secrets, func(s exec.SecretRef) bool { return s.Env == name })
}
