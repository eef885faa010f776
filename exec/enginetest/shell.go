package enginetest

import (
	"fmt"
	"strings"

	"github.com/drone-laptop/drone/exec"
)

// shellCases are about what commands of a step mean together (reference
// §5.7, with its defects left out).
func shellCases() []testCase {
	filler := strings.Repeat("# "+strings.Repeat("z", 1021)+"\n", 1024)
	return []testCase{
		{name: "commands: the first that fails ends the step", commands: []string{"echo before", "false", "echo after"}, check: func(b *bench, res result) {
			if res.Code != 1 {
				b.Errorf("exit code is %d, want 1", res.Code)
			}
			b.same("output", res.printed(), "before\n")
		}},
		{name: "commands: a failure that is handled does not end the step", commands: []string{"false || true", "if false; then echo no; fi", "echo end"}, check: func(b *bench, res result) {
			b.same("output", res.printed(), "end\n")
		}},
		{name: "commands: variables, functions and directory persist", commands: []string{"word=kept", "say() { echo $word; }", "mkdir -p sub", "cd sub", "say", `basename "$PWD"`}, check: func(b *bench, res result) {
			b.same("output", res.printed(), "kept\nsub\n")
		}},
		{name: "commands: one may have several lines", commands: []string{"for i in 1 2; do\n  echo $i\ndone", "cat <<END\n  here\nEND"}, check: func(b *bench, res result) {
			for _, want := range []string{"1\n2\n", "  here\n"} {
				if !strings.Contains(res.output, want) {
					b.Errorf("output is %q, want %q in it", res.output, want)
				}
			}
		}},
		{name: "commands: one that reads stdin leaves the others alone", commands: []string{"cat", "read -r line || true", "echo end"}, check: func(b *bench, res result) {
			b.same("output", res.printed(), "end\n")
		}},
		{name: "commands: empty and comment-only ones are harmless", commands: []string{"", "# nothing", "echo end"}, check: func(b *bench, res result) {
			if !strings.HasSuffix(res.output, "end\n") {
				b.Errorf("output is %q, want end", res.output)
			}
		}},
		{name: "commands: backslashes arrive as they are", commands: []string{`printf '%s\n' 'a\nb\\c\cd'`}, check: func(b *bench, res result) {
			b.same("output", res.printed(), `a\nb\\c\cd`+"\n")
		}},
		{name: "commands: a script of 1 MiB", commands: []string{"echo begin", filler + "echo middle", "echo end"}, check: bigScript},
		{name: "trace: goes before the output", commands: []string{"echo one", `echo "two $HOME_OF_NOBODY"`}, check: func(b *bench, res result) {
			b.same("output", res.output,
				"+ echo one\none\n+ echo \"two $HOME_OF_NOBODY\"\ntwo \n")
		}},
		{name: "trace: runs nothing", commands: []string{"echo `echo x >> count`$(echo y >> count)", "tr -d '\\n' < count"}, check: func(b *bench, res result) {
			if !strings.HasSuffix(res.output, "\nxy") {
				b.Errorf("output is %q, want the substitutions to have run once", res.output)
			}
		}},
		{name: "workspace: steps start in it", run: workspaceStart},
		{name: "workspace: files stay for later steps", run: workspaceShared},
		{name: "workspace: a session does not see that of another", run: workspaceSeparate},
	}
}

func bigScript(b *bench, res result) {
	if res.Code != 0 {
		b.Fatalf("exit code is %d, output %s", res.Code, brief(res.output))
	}
	for _, want := range []string{"begin\n", "\nmiddle\n", "\nend\n"} {
		if !strings.Contains(res.output, want) {
			b.Errorf("no %q in output %s", want, brief(res.output))
		}
	}
}

func workspaceStart(b *bench) {
	st := step("only", "pwd -P", `echo "$DRONE_WORKSPACE"`)
	s := b.open(b.pipeline(st))
	directory, named, _ := strings.Cut(s.do(b.context(), st, nil).printed(), "\n")
	want := st.WorkingDir
	if b.cfg.Features.Places {
		want = strings.TrimSuffix(named, "\n")
	}
	b.same("directory", directory, want)
}

func workspaceShared(b *bench) {
	write, read := step("write", "mkdir -p a/b", "echo kept > a/b/file"), step("read", "cat a/b/file")
	s := b.open(b.pipeline(write, read))
	if res := s.do(b.context(), write, nil); res.err != nil || res.Code != 0 {
		b.Fatalf("write: exit %d, error %v, output %q", res.Code, res.err, res.output)
	}
	b.same("output", s.do(b.context(), read, nil).printed(), "kept\n")
}

// workspaceSeparate opens the same pipeline twice, as two runs at the same
// time do.
func workspaceSeparate(b *bench) {
	type pair struct {
		*session
		first *running
		leave *exec.Step
	}
	var pairs []pair
	for i := range 2 {
		first := step("first", fmt.Sprintf("echo %d > me", i), "echo ready",
			"until [ -e leave ]; do sleep 0.1; done", "cat me", "ls")
		leave := step("leave", "echo > leave")
		s := b.open(b.pipeline(first, leave))
		pairs = append(pairs, pair{s, s.begin(b.context(), first), leave})
	}
	for _, p := range pairs {
		p.first.untilOutput(b, "\nready\n")
	}
	for i, p := range pairs {
		if res := p.do(b.context(), p.leave, nil); res.err != nil || res.Code != 0 {
			b.Fatalf("leave: exit %d, error %v, output %q", res.Code, res.err, res.output)
		}
		res := p.first.wait(b)
		if want := fmt.Sprintf("ready\n%d\nleave\nme\n", i); res.printed() != want || res.err != nil {
			b.Errorf("session %d: output %q, error %v, want output %q", i, res.printed(), res.err, want)
		}
		p.end()
	}
}
