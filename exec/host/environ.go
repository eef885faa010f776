package host

import (
	"maps"
	"os"
	"slices"
)

// stepMark is the variable by which the processes of a step are known, also
// those that have left its session. Its value is a list of marks, each of one
// step that runs: where drone itself runs in a step, its processes have the mark
// of that one, too.
const (
	stepMark = "DRONE_HOST_STEP"
	markGap  = ":"
)

// environ is the environment of a step, sorted: of this machine only PATH and
// USER, beneath what the plan says, and the directories of the pipeline, which
// a step may set to something else (reference §3).
func environ(at place, plan map[string]string, getenv func(string) string, mark string) []string {
	env := map[string]string{
		"HOME": at.home, "HOMEPATH": at.home, "USERPROFILE": at.home,
		"DRONE_HOME": at.source, "DRONE_WORKSPACE": at.source,
	}
	for _, name := range []string{"PATH", "USER"} {
		if value := getenv(name); value != "" {
			env[name] = value
		}
	}
	maps.Copy(env, plan)
	if path, ok := plan["PATH"]; ok {
		env["PATH"] = os.Expand(path, getenv)
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
