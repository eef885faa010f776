package docker

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/exec/script"
)

// gateLine is the variable in which the gate reads.
const gateLine = "DRONE_SCRIPT_LINE"

// gateScript goes before the script of a step that is prepared: it waits for lines on
// stdin, each an assignment, and lets through at an empty one. When stdin ends
// before, because nobody is there any more, it ends the shell. `read` of a
// shell takes no byte beyond its line, and afterwards stdin is empty as it is
// without a gate. It uses what is built into every shell and prints nothing.
const gateScript = `trap 'exit 143' TERM
while IFS= read -r ` + gateLine + ` || exit 143; [ -n "$` + gateLine + `" ]; do eval "$` + gateLine + `"; done
unset ` + gateLine + `
exec </dev/null
`

// behindGate changes the specification of a container with a script into one
// that waits at the gate before it runs that.
func (c *spec) behindGate() {
	c.Config.OpenStdin, c.Config.StdinOnce, c.Config.AttachStdin = true, true, true
	if c.Script != "" {
		c.Script = gateScript + c.Script
		return
	}
	prefix := scriptEnv + "="
	for i, v := range c.Config.Env {
		if text, ok := strings.CutPrefix(v, prefix); ok {
			c.Config.Env[i] = prefix + gateScript + text
		}
	}
}

// late are the variables that may change between the preparation of a step and
// its turn; all others are the same, or the step is not run as prepared.
var late = regexp.MustCompile(`^(DRONE|CI)_[A-Z0-9_]+$`)

// printable are the values that the shells of all locales read alike.
var printable = regexp.MustCompile(`^[ -~]*$`)

// gateWords is what is said to a gate that was made with the environment was,
// so that what follows sees now. It reports false for what a gate cannot do.
func gateWords(was, now map[string]string) (words string, ok bool) {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(now)) {
		value := now[name]
		if before, known := was[name]; known && before == value {
			continue
		}
		if !late.MatchString(name) || !printable.MatchString(value) {
			return "", false
		}
		text.WriteString("export " + name + "=" + script.Quote(value) + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, still := now[name]; still {
			continue
		}
		if !late.MatchString(name) {
			return "", false
		}
		text.WriteString("unset " + name + "\n")
	}
	return text.String() + "\n", true
}

// meddles reports whether a variable changes what a shell does before it runs
// its first line, or while it reads.
func meddles(name string) bool {
	switch name {
	case gateLine, "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "TMOUT", "PS4":
		return true
	}
	return strings.HasPrefix(name, "BASH_FUNC_")
}
