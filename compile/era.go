package compile

import "github.com/drone-laptop/drone/manifest"

// era is how containers got their environment before Drone 1.0: no step could
// override a variable of the build, those without a value were not set at all,
// and all others of a step were, empty or not. Variables that came later are
// there, too.
type era string

func (e era) old() bool { return e != "" }

// unset reports whether a variable of the build with this value was not set.
func (e era) unset(value string) bool {
	return e.old() && (value == "" || e == "0.8" && (value == "0" || value == "false"))
}

// value is that of a variable of the build.
func (e era) value(name, value string) string {
	if name == "CI" && e.old() && e != "0.4" {
		return "drone"
	}
	return value
}

// shell sets what the script of a step had whatever its image and its
// environment said.
func (e era) shell(s *manifest.Step, env *ownEnv) {
	if e.old() && len(s.Commands) > 0 {
		env.values["HOME"], env.values["SHELL"] = "/root", "/bin/sh"
	}
}
