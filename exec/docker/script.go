package docker

import "github.com/drone-laptop/drone/exec/script"

// scriptEnv carries a script that is small enough for a variable; the kernel
// limits one to 128 KiB including its name.
const (
	scriptEnv      = "DRONE_SCRIPT"
	scriptEnvLimit = 96 << 10
	scriptPath     = "/run/drone/script"
)

// scriptHead runs before the user's commands. The trap lets a shell that is PID 1,
// for which the signal would be ignored, end when it is asked to, without
// beginning another command; commands may set their own. It comes first: a shell
// is asked once, and until then would not hear it. Then the netrc is handed over to
// programs that look for one, whose absence is no failure, and what only this
// program needs is hidden (reference §5.7). Both outputs become one stream:
// as two, the engine would hand them over in whatever order it finds them.
const scriptHead = `trap 'exit 143' TERM
if [ -n "${DRONE_NETRC_FILE-}" ]; then
(umask 077; printf '%s\n' "$DRONE_NETRC_FILE" >"${HOME-}/.netrc") && chmod 600 "${HOME-}/.netrc" || :
fi
unset DRONE_SCRIPT DRONE_NETRC_MACHINE DRONE_NETRC_USERNAME DRONE_NETRC_PASSWORD DRONE_NETRC_FILE
exec 2>&1
set -e
`

// stepScript is what the shell of a container runs for the commands of a step;
// the shell must continue with script.End after it.
func stepScript(commands []string) string { return scriptHead + script.Body(commands) }

// scriptRunner is the argument of /bin/sh -c which runs a script from its
// variable or, when it is too long for one, from its file. The text of the
// script stays out of the arguments, where pgrep -f would find it.
func scriptRunner(inFile bool) string {
	if inFile {
		return ". " + scriptPath + script.End
	}
	return `eval "$` + scriptEnv + `"` + script.End
}
