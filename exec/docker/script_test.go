package docker

import (
	"bytes"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/internal/testenv"
)

// shells are the shells of this machine that a container may have as /bin/sh.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for name, argv := range map[string][]string{
		"dash": {"dash"}, "bash": {"bash"}, "bash as sh": {"bash", "--posix"}, "busybox": {"busybox", "sh"},
	} {
		if path, err := osexec.LookPath(argv[0]); err == nil {
			found[name] = append([]string{path}, argv[1:]...)
		}
	}
	if len(found) == 0 {
		testenv.Lack(t, "no shell on this machine to try scripts with")
	}
	return found
}

type scriptResult struct {
	Output string
	Code   int
}

// runScript runs commands with a shell as a container would, both ways, and
// demands the same of both.
func runScript(t *testing.T, shell, env, commands []string) scriptResult {
	t.Helper()
	fromEnv := runShell(t, shell, append(env, scriptEnv+"="+stepScript(commands)), scriptRunner(false))
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte(stepScript(commands)), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile := runShell(t, shell, env, strings.ReplaceAll(scriptRunner(true), scriptPath, file))
	if fromEnv.Code != fromFile.Code {
		t.Errorf("exit %d from the variable, %d from the file", fromEnv.Code, fromFile.Code)
	}
	return fromEnv
}

func runShell(t *testing.T, shell, env []string, runner string) scriptResult {
	t.Helper()
	dir := t.TempDir()
	cmd := osexec.CommandContext(t.Context(), shell[0], append(shell[1:], "-c", runner)...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return scriptResult{out.String(), cmd.ProcessState.ExitCode()}
}

func TestScript(t *testing.T) {
	type testCase struct {
		name     string
		env      []string
		commands []string
		want     string
		code     int
		loose    bool // want is part of the output; the rest is the shell's own words
	}
	cases := []testCase{
		{name: "two commands", commands: []string{"echo a", "echo b"}, want: "+ echo a\na\n+ echo b\nb\n"},
		{name: "first failure ends", commands: []string{"false", "echo b"}, want: "+ false\n", code: 1},
		{name: "exit status", commands: []string{"exit 7"}, want: "+ exit 7\n", code: 7},
		{name: "handled failure", commands: []string{"false || echo ok"}, want: "+ false || echo ok\nok\n"},
		{name: "no set -e any more", commands: []string{"set +e", "false"}, want: "+ set +e\n+ false\n", code: 1},
		{name: "quotes", commands: []string{`echo "it's" 'a "b"'`}, want: `+ echo "it's" 'a "b"'` + "\nit's a \"b\"\n"},
		{name: "backslashes", commands: []string{`printf '%s\n' 'a\nb\c'`}, want: `+ printf '%s\n' 'a\nb\c'` + "\na\\nb\\c\n"},
		{name: "backquotes run once", commands: []string{"echo `echo x | tee -a n`", "cat n"}, want: "+ echo `echo x | tee -a n`\nx\n+ cat n\nx\n"},
		{name: "trace expands nothing", env: []string{"SECRET=s3cret"}, commands: []string{`test -n "$SECRET"`}, want: `+ test -n "$SECRET"` + "\n"},
		{name: "several lines", commands: []string{"for i in 1 2; do\n  echo $i\ndone\n"}, want: "+ for i in 1 2; do\n  echo $i\ndone\n1\n2\n"},
		{name: "construct over several commands", commands: []string{"if false; then", "echo no", "fi", "echo end"}, want: "+ if false; then\n+ echo end\nend\n"},
		{name: "here-document", commands: []string{"cat <<E\n$((1+1))\nE", "echo b"}, want: "+ cat <<E\n$((1+1))\nE\n2\n+ echo b\nb\n"},
		{name: "here-document without end", commands: []string{"cat <<E\nx", "echo never"}, code: 2, loose: true, want: "is not closed"},
		{name: "quote without end", commands: []string{"echo a", `echo "x`}, code: 2, loose: true, want: "+ echo a\na\n"},
		{name: "block without end", commands: []string{"if true; then", "echo a"}, code: 2, loose: true, want: ""},
		{name: "comment and empty", commands: []string{"# note", "", "echo a"}, want: "+ # note\n+ \n+ echo a\na\n"},
		{name: "backslash at the end", commands: []string{`echo a \`, `echo b \`}, want: "+ echo a \\\na\n+ echo b \\\nb\n"},
		{name: "stdin is empty", commands: []string{"cat", "echo a"}, want: "+ cat\n+ echo a\na\n"},
		{name: "own variables are hidden", env: []string{"DRONE_NETRC_FILE=machine m", "DRONE_NETRC_MACHINE=m", "DRONE_NETRC_USERNAME=u", "DRONE_NETRC_PASSWORD=p"},
			commands: []string{"env | grep -c -e DRONE_SCRIPT -e DRONE_NETRC || :"}, want: "+ env | grep -c -e DRONE_SCRIPT -e DRONE_NETRC || :\n0\n"},
		{name: "netrc", env: []string{`DRONE_NETRC_FILE=machine m login u password p\n$x`}, commands: []string{"cat ~/.netrc", "ls -l ~/.netrc | cut -c1-10"},
			want: "+ cat ~/.netrc\n" + `machine m login u password p\n$x` + "\n+ ls -l ~/.netrc | cut -c1-10\n-rw-------\n"},
		{name: "netrc that cannot be written", env: []string{"DRONE_NETRC_FILE=x", "HOME=/dev/null/none"}, commands: []string{"echo a"}, loose: true, want: "+ echo a\na\n"},
		{name: "exit trap", commands: []string{"trap 'echo bye' EXIT", "false"}, want: "+ trap 'echo bye' EXIT\n+ false\nbye\n", code: 1},
		{name: "unset variables are errors", commands: []string{"set -u", "echo a"}, want: "+ set -u\n+ echo a\na\n"},
		{name: "positional parameters", commands: []string{"set -- a b", `echo $# $2`}, want: "+ set -- a b\n+ echo $# $2\n2 b\n"},
		{name: "exec", commands: []string{"exec echo a"}, want: "+ exec echo a\na\n"},
		{name: "percent and dash", commands: []string{"-n 2>/dev/null || echo %s%%"}, want: "+ -n 2>/dev/null || echo %s%%\n%s%%\n"},
	}
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			for _, tc := range cases {
				t.Run(tc.name, func(t *testing.T) {
					got := runScript(t, shell, tc.env, tc.commands)
					if tc.loose {
						if got.Code != tc.code || !strings.Contains(got.Output, tc.want) {
							t.Errorf("got %+v, want code %d and %q", got, tc.code, tc.want)
						}
						return
					}
					if diff := cmp.Diff(scriptResult{tc.want, tc.code}, got); diff != "" {
						t.Errorf("-want +got:\n%s", diff)
					}
				})
			}
		})
	}
}

// TestTrapComesFirst: until the shell, which is PID 1, has its trap, it does not
// hear the one signal that asks it to end. Programs that the head starts take
// their time.
func TestTrapComesFirst(t *testing.T) {
	for name, text := range map[string]string{"script": stepScript([]string{"true"}), "gate": gateScript} {
		if first, _, _ := strings.Cut(text, "\n"); first != "trap 'exit 143' TERM" {
			t.Errorf("the %s begins with %q", name, first)
		}
	}
}
