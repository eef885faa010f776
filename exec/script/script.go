// Package script writes the shell scripts that engines run for the commands of
// a step. How a script reaches its shell, and what has to happen before it, is
// up to the engine. It runs nothing, knows no variables and no secrets, and
// takes commands as they are: what they mean is for the shell.
//
// Its functions only compute; they may be called at the same time.
package script

import "strings"

// tail is the last line of a script. A here-document without its end swallows
// it, which End notices.
const tail = "DRONE_SCRIPT_EXIT=$?\n"

// End follows a script in the same shell, after `.` or `eval`. It hands on the
// status of the script, and fails when that was not run to its end. A `return 0`
// outside of functions, which shells do not agree on, looks the same; with
// another status `set -e` has ended the shell before.
const End = `
if [ -n "${DRONE_SCRIPT_EXIT-}" ]; then exit "$DRONE_SCRIPT_EXIT"; fi
printf '%s\n' 'drone: the commands were not run to their end: a quote, here-document or block is not closed, or a return is in no function (exit ends a step)' >&2
exit 2`

// Body is the script of a step's commands, for any POSIX shell under `set -e`.
// They run one after another in one shell and stop at the first failure;
// before each, a line "+ " and its text is printed without being evaluated. A
// construct may extend over several commands, as on the server; a backslash at
// the end of one may not, since an empty line follows each. The script reads
// nothing from stdin; the shell must continue with End after it.
func Body(commands []string) string {
	var b strings.Builder
	for _, command := range commands {
		b.WriteString("printf '%s\\n' ")
		b.WriteString(Quote("+ " + strings.TrimRight(command, "\n")))
		b.WriteString("\n")
		b.WriteString(command)
		b.WriteString("\n\n")
	}
	b.WriteString(tail)
	return b.String()
}

// Quote writes text as one word that a POSIX shell takes literally.
func Quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
