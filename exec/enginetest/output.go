package enginetest

import (
	"fmt"
	"strings"
)

func exitCases() []testCase {
	var all []testCase
	for _, code := range []int{0, 1, 3, 78, 137, 255} {
		all = append(all, testCase{name: fmt.Sprintf("exit %d is a result", code), commands: []string{fmt.Sprintf("exit %d", code)}, check: func(b *bench, res result) {
			if res.Code != code || res.OOMKilled {
				b.Errorf("exit is %+v, want code %d", res.Exit, code)
			}
		}})
	}
	return append(all, testCase{name: "started is called once, before output", commands: []string{"echo one", "echo two"}, check: func(b *bench, res result) {
		if res.started != 1 {
			b.Errorf("started was called %d times, want once", res.started)
		}
		if res.early {
			b.Error("output came before started was called")
		}
	}})
}

// outputCase is a command and exactly what it prints beside trace lines.
type outputCase struct {
	name, command, want string
}

func outputCases() []testCase {
	var all []testCase
	for _, c := range exactOutputs() {
		all = append(all, testCase{name: "output: " + c.name, commands: []string{c.command}, check: func(b *bench, res result) {
			// The trace goes before the output of the command, and the last
			// line of that may have no end: cut the trace off by its length.
			_, got, found := strings.Cut(res.output, "\n")
			if !found {
				b.Fatal("no trace line")
			}
			b.same("output", got, c.want)
		}})
	}
	return append(all,
		testCase{name: "output: stdout and stderr", commands: []string{"echo out", "echo err >&2", "printf tail >&2"}, check: outputBoth},
		testCase{name: "output: 200,000 lines in order", commands: []string{fmt.Sprintf("seq 1 %d", manyLines)}, check: outputManyLines},
		testCase{name: "output: complete every time", run: outputEveryTime},
	)
}

func exactOutputs() []outputCase {
	return []outputCase{
		{"nothing", `true`, ""},
		{"a line", `echo hello`, "hello\n"},
		{"last line without newline", `printf 'one\ntwo'`, "one\ntwo"},
		{"only newlines", `printf '\n\n\n'`, "\n\n\n"},
		{"carriage returns", `printf '10%%\r20%%\r\nnext\r\n'`, "10%\r20%\r\nnext\r\n"},
		{"invalid UTF-8", `printf '\377\376 \303\n\200'`, "\xff\xfe \xc3\n\x80"},
		{"NUL bytes", `printf 'a\000b\n\000'`, "a\x00b\n\x00"},
		{"terminal codes", `printf '\033[31mred\033[0m\n'`, "\x1b[31mred\x1b[0m\n"},
		{
			"a line of 1 MiB", `head -c 1048576 /dev/zero | tr '\000' x; echo`,
			strings.Repeat("x", 1<<20) + "\n",
		},
		{
			"1 MiB without newline", `head -c 1048576 /dev/zero | tr '\000' y`,
			strings.Repeat("y", 1<<20),
		},
	}
}

func outputBoth(b *bench, res result) {
	for _, want := range []string{"out\n", "err\n", "tail"} {
		if !strings.Contains(res.printed(), want) {
			b.Errorf("output is %q, want %q in it", res.output, want)
		}
	}
}

const manyLines = 200_000

func outputManyLines(b *bench, res result) {
	var want strings.Builder
	for i := 1; i <= manyLines; i++ {
		fmt.Fprintf(&want, "%d\n", i)
	}
	b.same("output", res.printed(), want.String())
}

// outputEveryTime shows that the end of the output does not depend on who
// notices first, the reader of the log or the one who waits for the end.
func outputEveryTime(b *bench) {
	st := step("only", `printf 'first\nlast without end'`)
	s := b.open(b.pipeline(st))
	for range 10 {
		res := s.do(b.context(), st, nil)
		if res.err != nil {
			b.Fatalf("run: %v", res.err)
		}
		b.same("output", res.printed(), "first\nlast without end")
	}
}
