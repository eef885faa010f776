package docker

import "strings"

// scriptEnv carries a script that is small enough for a variable; the kernel
// limits one to 128 KiB including its name.
const (
	scriptEnv      = "DRONE_SCRIPT"
	scriptEnvLimit = 96 << 10
	scriptPath     = "/run/drone/script"
)

// scriptHead runs before the user's commands: it hands the netrc over to
// programs that look for one, whose absence is no failure, and hides what only
// this program needs (reference §5.7). The trap lets a shell that is PID 1, for
// which the signal would be ignored, end when it is asked to, without beginning
// another command; commands may set their own. Both outputs become one stream:
// as two, the engine would hand them over in whatever order it finds them.
const scriptHead = `if [ -n "${DRONE_NETRC_FILE-}" ]; then
(umask 077; printf '%s\n' "$DRONE_NETRC_FILE" >"${HOME-}/.netrc") && chmod 600 "${HOME-}/.netrc" || :
fi
unset DRONE_SCRIPT DRONE_NETRC_MACHINE DRONE_NETRC_USERNAME DRONE_NETRC_PASSWORD DRONE_NETRC_FILE
trap 'exit 143' TERM
exec 2>&1
set -e
`

// scriptTail is the last line of a script. A here-document without its end
// swallows it, which scriptEnd notices.
const scriptTail = "DRONE_SCRIPT_EXIT=$?\n"

// scriptEnd follows the script in the same shell.
const scriptEnd = `
if [ -n "${DRONE_SCRIPT_EXIT-}" ]; then exit "$DRONE_SCRIPT_EXIT"; fi
printf '%s\n' 'drone: the commands were not run to their end: a quote, here-document or block is not closed' >&2
exit 2`

// Script is the shell script of a step's commands. They run one after another
// in one shell and stop at the first failure; before each, a line "+ " and its
// text is printed without being evaluated. A construct may extend over several
// commands, as on the server; a backslash at the end of one may not, since an
// empty line follows each. The script is for any POSIX shell and reads
// nothing from stdin; the shell must continue with scriptEnd after it.
func Script(commands []string) string {
	var b strings.Builder
	b.WriteString(scriptHead)
	for _, command := range commands {
		b.WriteString("printf '%s\\n' ")
		b.WriteString(shellQuote("+ " + strings.TrimRight(command, "\n")))
		b.WriteString("\n")
		b.WriteString(command)
		b.WriteString("\n\n")
	}
	b.WriteString(scriptTail)
	return b.String()
}

// scriptRunner is the argument of /bin/sh -c which runs a script from its
// variable or, when it is too long for one, from its file. The text of the
// script stays out of the arguments, where pgrep -f would find it.
func scriptRunner(inFile bool) string {
	if inFile {
		return ". " + scriptPath + scriptEnd
	}
	return `eval "$` + scriptEnv + `"` + scriptEnd
}

// shellQuote writes text as one word that a POSIX shell takes literally.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
